"""The model, the code and the environment of a deployment, as today's documents write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.spec.common import model_section, read_code, read_conda, read_inference_config
from localep.spec.model import BuildSpec, CodeSpec, EnvironmentSpec, ModelSpec
from localep.spec.paths import existing, is_there, is_url
from localep.spec.references import REGISTRY, check_prefix

if TYPE_CHECKING:
    from pathlib import Path

    from localep.spec.fields import Fields

MODEL_TYPES = ("custom_model", "mlflow_model", "triton_model")
OS_TYPES = ("linux", "windows")

_DELETE_CONDITIONS = ("created_greater_than", "last_accessed_greater_than")
_CONDA = "It belongs into a conda file: write `conda_file: FILE`."


def read_model(fields: Fields) -> ModelSpec | None:
    """The model: a reference to a registered one, or a mapping with a path."""
    value = model_section(fields)
    if value is None or isinstance(value, ModelSpec):
        return value
    value.drop("$schema", "creation_context", "id", "intellectual_property", "job_name")
    value.drop("latest_version", "utc_time_created")
    name = value.text("name")
    version = value.version("version")
    if version is not None and "name" not in value:
        value.error("version", "missing-key", "stands without a `name`.")
    kind = value.choice("type", MODEL_TYPES)
    path = _read_model_path(value)
    value.texts("datastore", "description", "stage")
    for key in ("flavors", "properties", "system_metadata", "tags"):
        value.free_mapping(key)
    templates = [value.section("default_deployment_template")]
    for template in (*templates, *value.sections("allowed_deployment_templates")):
        if template is not None:
            template.texts("asset_id")
            template.finish()
    value.finish()
    return ModelSpec(path, None, name, version, kind)


def read_mount_path(fields: Fields) -> str | None:
    """The folder of the container that the model lies in."""
    path = fields.text("model_mount_path")
    if path is not None and not path.startswith("/"):
        fields.absent(
            "model_mount_path",
            "mount-path",
            f"{path!r} is not an absolute path.",
            "Write the path of a folder in the container, such as /models.",
        )
        return None
    return path


def read_code_configuration(fields: Fields) -> CodeSpec | None:
    """The scoring script, and the folder that is sent with it."""
    section = fields.section("code_configuration")
    if section is None:
        return None
    section.drop("$schema")
    folder = existing(section, "code", section.needed_text("code"), "folder")
    code = read_code(section, folder)
    section.finish()
    return code


def refuse_registries(fields: Fields) -> None:
    """Report what stands in a registry, which deployments of Kubernetes cannot use."""
    configuration = fields.data.get("code_configuration")
    code = configuration.get("code") if isinstance(configuration, dict) else None
    named = {
        "code_configuration": code,
        "environment": fields.data.get("environment"),
        "model": fields.data.get("model"),
    }
    for key, value in named.items():
        if isinstance(value, str) and value.startswith(REGISTRY):
            fields.error(
                key,
                "asset-ref-form",
                f"{value} lies in a registry, where deployments of Kubernetes do not reach.",
            )


def environment_section(fields: Fields) -> EnvironmentSpec:
    """The environment of a mapping; its name and version play no part, in the cloud neither."""
    fields.drop("$schema", "creation_context", "intellectual_property", "latest_version")
    check_prefix(fields, "id", "environment")
    fields.ignore("name")
    name = fields.data.get("name")
    version = fields.version("version") if fields.data.get("version") is not None else None
    fields.ignore("version")
    conda_file, conda = read_conda(fields)
    spec = EnvironmentSpec(
        image=fields.text("image"),
        conda_file=conda_file,
        conda=conda,
        build=read_build(fields),
        inference_config=read_inference_config(fields),
        name=name if isinstance(name, str) else None,
        version=version,
    )
    fields.choice("os_type", OS_TYPES)
    fields.texts("datastore", "description")
    fields.free_mapping("tags", has_text_keys=True)
    deletion = fields.section("auto_delete_setting")
    if deletion is not None:
        deletion.choice("condition", _DELETE_CONDITIONS, is_camel=True)
        deletion.texts("value")
        deletion.finish()
    fields.refuse("channels", _CONDA)
    fields.refuse("dependencies", _CONDA)
    fields.finish()
    return spec


def _read_model_path(fields: Fields) -> Path | None:
    text = fields.needed_text("path")
    if text is not None and text.startswith("azureml:") and not text.startswith("azureml://"):
        fields.absent(
            "path",
            "azureml-ref-in-path",
            f"{text} is a registered model and no path.",
            f"Write `model: {text}`, without `path`.",
        )
        return None
    return existing(fields, "path", text, "file or folder")


def read_build(fields: Fields) -> BuildSpec | None:
    """The folder with a Dockerfile that the environment is built from."""
    build = fields.section("build")
    if build is None:
        return None
    folder = existing(build, "path", build.needed_text("path"), "folder", is_url)
    dockerfile = build.text("dockerfile_path") or "Dockerfile"
    build.finish()
    if folder is None:
        return None
    if is_there(folder, "folder") and not is_there(folder / dockerfile, "file"):
        build.absent(
            "dockerfile_path",
            "dockerfile-path",
            f"there is no file {dockerfile} in {folder}.",
            "The path of the Dockerfile starts from `path`.",
        )
    return BuildSpec(folder, dockerfile)
