"""Parts that read alike in every generation of the documents."""

from __future__ import annotations

import os
import re
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from localep.spec.documents import ENVIRONMENT, read_document
from localep.spec.fields import Fields
from localep.spec.model import (
    CodeSpec,
    DeploymentSpec,
    EndpointSpec,
    EnvironmentSpec,
    InferenceConfig,
    ModelSpec,
    ProbeSettings,
    RequestSettings,
    Route,
)
from localep.spec.paths import (
    CHECK_FOLDERS,
    OUT_OF_REACH,
    existing,
    is_out_of_reach,
    is_there,
    note_reference,
)

if TYPE_CHECKING:
    from collections.abc import Callable

AUTH_MODES = ("key", "aml_token", "aad_token")

NAME_RULE = "Use 3 to 32 letters, digits and single dashes, beginning with a letter."
_NAME = re.compile(r"[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?")
_Settings = TypeVar("_Settings", RequestSettings, ProbeSettings)


def is_name(text: str) -> bool:
    """Whether an endpoint or deployment may be called so; see NAME_RULE."""
    return bool(_NAME.fullmatch(text)) and "--" not in text and 3 <= len(text) <= 32


def read_name(fields: Fields, key: str = "name", *, required: bool = True) -> str | None:
    """The name of an endpoint or deployment, as NAME_RULE wants it."""
    name = fields.text(key, required=required)
    if name is None:
        return None
    if not is_name(name):
        fields.error(key, "name-rule", f"{name!r} is not a valid name.", NAME_RULE)
        return None
    return name


def read_traffic(fields: Fields) -> dict[str, int]:
    """Deployment names and their share of the requests in percent; at most 100 in all."""
    traffic: dict[str, int] = {}
    section = fields.section("traffic")
    if section is None:
        return traffic
    for name in section.data:
        share = section.integer(name)
        if share is not None:
            traffic[name] = share
    if sum(traffic.values()) > 100 or any(share < 0 for share in traffic.values()):
        fields.error("traffic", "traffic-rule", "the shares must lie between 0 and 100 in all.")
    return traffic


def read_environment_variables(fields: Fields) -> dict[str, str]:
    """Variables as strings, as the cloud passes them: ``True``, ``1``, ``1.5``."""
    values = fields.free_mapping("environment_variables")
    return {name: _as_text(value) for name, value in values.items()}


def build_endpoint(fields: Fields) -> EndpointSpec | None:
    """The endpoint from the keys that every generation shares, and the end of its reading."""
    name = read_name(fields)
    auth_mode = fields.choice("auth_mode", AUTH_MODES) or "key"
    traffic = read_traffic(fields)
    description = fields.text("description")
    tags = fields.free_mapping("tags")
    properties = fields.free_mapping("properties")
    fields.ignore("id", "identity", "location", "provisioning_state", "scoring_uri")
    fields.finish()
    if name is None:
        return None
    return EndpointSpec(name, auth_mode, description, tags, properties, traffic)


def build_deployment(
    fields: Fields,
    endpoint_name: str | None,
    *,
    model: ModelSpec | None,
    code: CodeSpec | None,
    environment: EnvironmentSpec | None,
    instance_count: int | None,
    model_mount_path: str | None = None,
    instance_type: str | None = None,
) -> DeploymentSpec | None:
    """The deployment from its parts and the keys that every generation shares.

    ``instance_type`` is what stood under another key than that.
    """
    name = read_name(fields)
    models = _read_models(fields, model)
    variables = read_environment_variables(fields)
    instance_type = fields.text("instance_type") or instance_type
    app_insights = fields.boolean("app_insights_enabled")
    request_settings = read_settings(fields, "request_settings", RequestSettings)
    liveness = read_settings(fields, "liveness_probe", ProbeSettings)
    readiness = read_settings(fields, "readiness_probe", ProbeSettings)
    description = fields.text("description")
    tags = fields.free_mapping("tags")
    properties = fields.free_mapping("properties")
    fields.ignore("id", "provisioning_state", "type")
    fields.finish()
    if name is None or endpoint_name is None:
        return None
    return DeploymentSpec(
        name=name,
        endpoint_name=endpoint_name,
        model=model,
        models=models,
        model_mount_path=model_mount_path,
        code=code,
        environment=environment,
        environment_variables=variables,
        instance_type=instance_type,
        instance_count=instance_count,
        app_insights_enabled=app_insights,
        request_settings=request_settings,
        liveness_probe=liveness,
        readiness_probe=readiness,
        description=description,
        tags=tags,
        properties=properties,
    )


def read_code(fields: Fields, folder: Path | None) -> CodeSpec | None:
    """The scoring script that ``fields`` names, inside the code folder."""
    script = fields.text("scoring_script", required=True)
    if folder is None or script is None:
        return None
    path = Path(os.path.normpath(folder / script))
    if not path.is_relative_to(folder):
        fields.error(
            "scoring_script",
            "outside-code-folder",
            f"{script} lies outside the code folder.",
            "Only the code folder reaches the deployment: move the script into it.",
        )
        return None
    if is_there(folder, "folder") and not is_there(path, "file"):
        message = f"there is no file {script} in {folder}."
        remedy = "The path of the script starts from the code folder."
        if is_out_of_reach(path):
            message, remedy = OUT_OF_REACH.format(path), CHECK_FOLDERS
        where = (*fields.path, "scoring_script")
        fields.findings.absent(fields.document, where, "scoring-script-missing", message, remedy)
    return CodeSpec(folder, path.relative_to(folder).as_posix())


def model_section(fields: Fields) -> Fields | ModelSpec | None:
    """The mapping under ``model:``, or the registered model that stands there instead."""
    value = fields.text_or_section("model")
    if not isinstance(value, str):
        return value
    if value.startswith("azureml:"):
        note_reference(fields, "model", value, "Write `path: FILE OR FOLDER` under `model:`.")
        return ModelSpec(reference=value)
    fields.error(
        "model",
        "asset-ref-form",
        f"{value!r} is not a reference to a registered model.",
        "Write `azureml:NAME:VERSION`, or a mapping that names a local path.",
    )
    return None


def _read_models(fields: Fields, model: ModelSpec | None) -> tuple[ModelSpec, ...]:
    """Several models, each with the name and version that its folder shall have.

    The key is localep's own: the cloud's documents name one model, and deployments of several
    come from its first SDK.
    """
    models: list[ModelSpec] = []
    for section in fields.sections("models"):
        path = existing(section, "path", section.text("path", required=True), "file or folder")
        name = section.text("name", required=True)
        found = ModelSpec(path, None, name, section.version("version"))
        section.finish()
        if name and any(_have_one_folder(found, other) for other in models):
            section.error(
                "name",
                "same-model",
                "is the name of another model of this version.",
                "Give each model a name or a version of its own.",
            )
        models.append(found)
    if models:
        fields.findings.warning(
            fields.document,
            (*fields.path, "models"),
            "localep-only",
            "is a key of localep's own; the YAML of the cloud names one model.",
        )
    if models and model is not None:
        fields.error("models", "model-and-models", "stands beside `model`.", "Keep one of them.")
    return tuple(models)


def _have_one_folder(one: ModelSpec, other: ModelSpec) -> bool:
    return (one.name, one.version or "1") == (other.name, other.version or "1")


def read_inference_config(fields: Fields) -> InferenceConfig | None:
    """The routes of a custom container: all three of them, each with port and path."""
    section = fields.section("inference_config")
    if section is None:
        return None
    routes = [
        _read_route(section, key) for key in ("liveness_route", "readiness_route", "scoring_route")
    ]
    section.finish()
    liveness, readiness, scoring = routes
    if liveness is None or readiness is None or scoring is None:
        return None
    return InferenceConfig(liveness, readiness, scoring)


def _read_route(fields: Fields, key: str) -> Route | None:
    section = fields.section(key, required=True)
    if section is None:
        return None
    port = section.integer("port", required=True)
    path = section.text("path", required=True)
    section.finish()
    if port is not None and not 0 < port < 65536:
        section.error("port", "value", f"{port} is not a port.", "Use a number from 1 to 65535.")
        return None
    return Route(port, f"/{path.lstrip('/')}") if port is not None and path is not None else None


def read_environment(
    fields: Fields, read_section: Callable[[Fields], EnvironmentSpec]
) -> EnvironmentSpec | None:
    """The environment: a mapping, ``file:`` and the path of one, or a registered one."""
    value = fields.text_or_section("environment")
    if value is None:
        return None
    if isinstance(value, Fields):
        return read_section(value)
    if value.startswith("file:"):
        path = existing(fields, "environment", value, "file")
        if path is None or not is_there(path, "file"):
            return None
        return read_section(Fields(read_document(path, ENVIRONMENT), fields.findings))
    if value.startswith("azureml:"):
        remedy = "Write `image:` and `conda_file:` under `environment:`."
        note_reference(fields, "environment", value, remedy)
        return EnvironmentSpec(reference=value)
    fields.error(
        "environment",
        "asset-ref-form",
        f"{value!r} is not a reference to a registered environment.",
        "Write `azureml:NAME:VERSION`, or a mapping with `image:` and `conda_file:`.",
    )
    return None


def read_conda(fields: Fields) -> tuple[Path | None, dict[str, Any] | None]:
    """The conda file of an environment: its path, or the mapping that stands in its place."""
    value = fields.text_or_section("conda_file")
    if isinstance(value, Fields):
        return None, value.data
    return existing(fields, "conda_file", value, "file"), None


def read_settings(fields: Fields, key: str, kind: type[_Settings]) -> _Settings:
    """Request or probe settings: whole numbers only, the cloud's default where one is absent."""
    section = fields.section(key)
    if section is None:
        return kind()
    given = {field.name: section.integer(field.name) for field in dataclass_fields(kind)}
    section.finish()
    return kind(**{name: value for name, value in given.items() if value is not None})


def _as_text(value: object) -> str:
    return "" if value is None else str(value)
