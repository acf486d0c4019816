"""The public preview of 2021: one document, with the deployments in a list."""

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
)
from localep.spec.fields import Fields
from localep.spec.model import (
    CodeSpec,
    DeploymentSpec,
    EndpointSpec,
    EnvironmentSpec,
    ModelSpec,
)
from localep.spec.paths import existing

if TYPE_CHECKING:
    from pathlib import Path

    from localep.spec.documents import Document
    from localep.spec.findings import Findings


def read_combined(
    document: Document, findings: Findings, wanted: str | None = None
) -> tuple[EndpointSpec | None, list[DeploymentSpec]]:
    """The endpoint of a combined document and its deployments, in the document's order.

    Where one of them is ``wanted``, nothing in the others can stand in its way.
    """
    fields = Fields(document, findings)
    name = fields.data.get("name")
    endpoint_name = name if isinstance(name, str) else None
    items = fields.sections("deployments")
    fitting = [item for item in items if wanted is not None and item.data.get("name") == wanted]
    deployments = [_read_deployment(item, endpoint_name) for item in fitting or items]
    fields.ignore("swagger_uri", "target", "type")
    endpoint = build_endpoint(fields)
    return endpoint, [deployment for deployment in deployments if deployment is not None]


def _read_deployment(fields: Fields, endpoint_name: str | None) -> DeploymentSpec | None:
    fields.ignore("resource_requirements")
    return build_deployment(
        fields,
        endpoint_name,
        model=_read_model(fields),
        code=_read_code_configuration(fields),
        environment=read_environment(fields, _environment_section),
        instance_count=_read_instance_count(fields),
    )


def _read_model(fields: Fields) -> ModelSpec | None:
    value = model_section(fields)
    if value is None or isinstance(value, ModelSpec):
        return value
    path = _local_or_plain_path(value, "file or folder")
    model = ModelSpec(path, None, value.text("name", required=True), value.version("version"))
    value.ignore("datastore", "description", "flavors", "properties", "tags")
    value.finish()
    return model


def _read_code_configuration(fields: Fields) -> CodeSpec | None:
    section = fields.section("code_configuration")
    if section is None:
        return None
    code = section.text_or_section("code")
    folder: Path | None
    if isinstance(code, Fields):
        folder = _local_or_plain_path(code, "folder")
        code.ignore("name", "version", "datastore")
        code.finish()
    else:
        folder = existing(section, "code", code, "folder")
    spec = read_code(section, folder)
    section.finish()
    return spec


def _local_or_plain_path(fields: Fields, kind: str) -> Path | None:
    key = "local_path" if "local_path" in fields else "path"
    return existing(fields, key, fields.text(key, required=True), kind)


def _environment_section(fields: Fields) -> EnvironmentSpec:
    docker = fields.section("docker")
    image = None
    if docker is not None:
        image = docker.text("image")
        docker.ignore("build")
        docker.finish()
    conda_file, conda = read_conda(fields)
    spec = EnvironmentSpec(
        image=image,
        conda_file=conda_file,
        conda=conda,
        inference_config=read_inference_config(fields),
        name=fields.text("name"),
        version=fields.version("version"),
    )
    fields.ignore("description", "os_type", "path", "tags")
    fields.finish()
    return spec


def _read_instance_count(fields: Fields) -> int | None:
    scale = fields.section("scale_settings")
    if scale is None:
        return None
    scale.choice("scale_type", ("manual", "auto"))
    count = scale.integer("instance_count")
    scale.ignore(
        "max_instances", "min_instances", "polling_interval", "target_utilization_percentage"
    )
    scale.finish()
    return count
