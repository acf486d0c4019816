"""Today's documents: an endpoint and a deployment, each in a file of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.spec.common import (
    build_deployment,
    build_endpoint,
    model_section,
    read_code,
    read_conda,
    read_environment,
    read_inference_config,
    read_name,
)
from localep.spec.fields import Fields
from localep.spec.model import (
    BuildSpec,
    CodeSpec,
    DeploymentSpec,
    EndpointSpec,
    EnvironmentSpec,
    ModelSpec,
)
from localep.spec.paths import existing, is_there

if TYPE_CHECKING:
    from localep.spec.documents import Document
    from localep.spec.findings import Findings

ENDPOINT_KEYS = frozenset(
    {"auth_mode", "compute", "identity", "mirror_traffic", "public_network_access", "traffic"}
)
MODEL_TYPES = ("custom_model", "mlflow_model", "triton_model")
DEPLOYMENT_KEYS = frozenset(
    {
        "app_insights_enabled",
        "code_configuration",
        "data_collector",
        "egress_public_network_access",
        "endpoint_name",
        "environment",
        "environment_variables",
        "instance_count",
        "instance_type",
        "liveness_probe",
        "model",
        "model_mount_path",
        "models",
        "private_network_connection",
        "readiness_probe",
        "request_settings",
        "resources",
        "scale_settings",
        "type",
    }
)


def read_endpoint(document: Document, findings: Findings) -> EndpointSpec | None:
    """The endpoint of a document; None where its name is missing or wrong."""
    fields = Fields(document, findings)
    fields.ignore("compute", "kind", "mirror_traffic", "openapi_uri", "public_network_access")
    return build_endpoint(fields)


def read_deployment(document: Document, findings: Findings) -> DeploymentSpec | None:
    """The deployment of a document; None where its names are missing or wrong."""
    fields = Fields(document, findings)
    fields.ignore(
        "data_collector",
        "egress_public_network_access",
        "private_network_connection",
        "resources",
        "scale_settings",
    )
    return build_deployment(
        fields,
        read_name(fields, "endpoint_name"),
        model=_read_model(fields),
        code=_read_code_configuration(fields),
        environment=read_environment(fields, _environment_section),
        instance_count=fields.integer("instance_count"),
        model_mount_path=_read_mount_path(fields),
    )


def _read_model(fields: Fields) -> ModelSpec | None:
    value = model_section(fields)
    if value is None or isinstance(value, ModelSpec):
        return value
    path = existing(value, "path", value.text("path", required=True), "file or folder")
    kind = value.choice("type", MODEL_TYPES)
    model = ModelSpec(path, None, value.text("name"), value.version("version"), kind)
    value.ignore(
        "allowed_deployment_templates",
        "creation_context",
        "datastore",
        "default_deployment_template",
        "description",
        "flavors",
        "id",
        "intellectual_property",
        "job_name",
        "latest_version",
        "properties",
        "stage",
        "system_metadata",
        "tags",
        "utc_time_created",
    )
    value.finish()
    return model


def _read_mount_path(fields: Fields) -> str | None:
    path = fields.text("model_mount_path")
    if path is not None and not path.startswith("/"):
        fields.error(
            "model_mount_path",
            "mount-path",
            f"{path!r} is not an absolute path.",
            "Write the path of a folder in the container, such as /models.",
        )
        return None
    return path


def _read_code_configuration(fields: Fields) -> CodeSpec | None:
    section = fields.section("code_configuration")
    if section is None:
        return None
    if isinstance(section.data.get("code"), dict):
        section.ignore("code", "scoring_script")
        section.error(
            "code",
            "old-generation",
            "should be the path of a folder; `local_path:` belongs to the 2021 documents.",
            "Write `code: FOLDER`.",
        )
        section.finish()
        return None
    folder = existing(section, "code", section.text("code", required=True), "folder")
    code = read_code(section, folder)
    section.finish()
    return code


def _environment_section(fields: Fields) -> EnvironmentSpec:
    conda_file, conda = read_conda(fields)
    spec = EnvironmentSpec(
        image=fields.text("image"),
        conda_file=conda_file,
        conda=conda,
        build=_read_build(fields),
        inference_config=read_inference_config(fields),
        name=fields.text("name"),
        version=fields.version("version"),
    )
    fields.ignore(
        "auto_delete_setting",
        "creation_context",
        "datastore",
        "description",
        "id",
        "os_type",
        "properties",
        "tags",
    )
    fields.finish()
    return spec


def _read_build(fields: Fields) -> BuildSpec | None:
    build = fields.section("build")
    if build is None:
        return None
    folder = existing(build, "path", build.text("path", required=True), "folder")
    dockerfile = build.text("dockerfile_path") or "Dockerfile"
    build.finish()
    if folder is None:
        return None
    if is_there(folder, "folder") and not is_there(folder / dockerfile, "file"):
        fields.findings.absent(
            fields.document,
            (*build.path, "dockerfile_path"),
            "dockerfile-missing",
            f"there is no file {dockerfile} in {folder}.",
            "The path of the Dockerfile starts from `path`.",
        )
    return BuildSpec(folder, dockerfile)
