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
    CloudOnly,
    CodeSpec,
    DeploymentSpec,
    EndpointSpec,
    EnvironmentSpec,
    InferenceConfig,
    ModelSpec,
    Origin,
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
    note_absence,
)
from localep.spec.references import read_asset_reference
from localep.spec.variables import read_environment_variables

if TYPE_CHECKING:
    from collections.abc import Callable

NOTHING = CloudOnly()
AUTH_MODES = ("key", "aml_token", "aad_token")

NAME_RULE = "Use 3 to 32 letters, digits and single dashes, beginning with a letter."
_NAME = re.compile(r"[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?")
_Settings = TypeVar("_Settings", RequestSettings, ProbeSettings)


def is_name(text: str) -> bool:
    """Whether an endpoint or deployment may be called so; see NAME_RULE."""
    return bool(_NAME.fullmatch(text)) and "--" not in text and 3 <= len(text) <= 32


def read_name(fields: Fields, key: str = "name", *, is_endpoint: bool = False) -> str | None:
    """The name of an endpoint or deployment, as NAME_RULE wants it.

    The cloud's loader refuses only letters that the name of an endpoint cannot have, and only
    in the endpoint's own document; everything else is for the service to refuse.
    """
    name = fields.text(key, required=True)
    if name is None or is_name(name):
        return name
    told = (key, "name-rule", f"{name!r} is not a valid name.", NAME_RULE)
    if is_endpoint and not _NAME.fullmatch(name):
        fields.error(*told)
    else:
        fields.absent(*told)
    return None


def read_traffic(fields: Fields) -> dict[str, int]:
    """Deployment names and their share of the requests in percent; at most 100 in all."""
    traffic: dict[str, int] = {}
    section = fields.section("traffic")
    if section is None:
        return traffic
    section.refuse_odd_keys()
    for name in section.data:
        share = section.integer(name)
        if share is not None:
            traffic[name] = share
    if sum(traffic.values()) > 100:
        fields.error("traffic", "traffic-rule", "the shares are more than 100 in all.")
    elif any(share < 0 for share in traffic.values()):
        fields.absent("traffic", "traffic-rule", "a share cannot be below 0.")
    return traffic


def build_endpoint(fields: Fields, cloud_only: CloudOnly = NOTHING) -> EndpointSpec | None:
    """The endpoint from the keys that every generation shares, and the end of its reading."""
    name = read_name(fields, is_endpoint=True)
    auth_mode = fields.choice("auth_mode", AUTH_MODES, is_camel=True) or "key"
    traffic = read_traffic(fields)
    description = fields.text("description")
    tags = fields.free_mapping("tags")
    properties = fields.free_mapping("properties")
    fields.texts("id", "location", "provisioning_state", "scoring_uri")
    fields.drop("$schema")
    fields.finish()
    if name is None:
        return None
    origin = Origin(fields.document, fields.path)
    return EndpointSpec(name, auth_mode, description, tags, properties, traffic, cloud_only, origin)


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
    has_egress: bool = True,
    cloud_only: CloudOnly = NOTHING,
    read_probe: Callable[[Fields, str], ProbeSettings] | None = None,
) -> DeploymentSpec | None:
    """The deployment from its parts and the keys that every generation shares."""
    name = read_name(fields)
    models = _read_models(fields, model)
    variables = read_environment_variables(fields)
    app_insights = fields.boolean("app_insights_enabled")
    request_settings = read_settings(fields, "request_settings", RequestSettings)
    probe = read_probe or _read_probe
    liveness = probe(fields, "liveness_probe")
    readiness = probe(fields, "readiness_probe")
    description = fields.text("description")
    tags = fields.free_mapping("tags")
    properties = fields.free_mapping("properties")
    fields.texts("id", "provisioning_state")
    fields.drop("$schema")
    fields.finish()
    if name is None or endpoint_name is None:
        return None
    if app_insights:
        cloud_only = CloudOnly((*cloud_only.names, "app_insights_enabled"))
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
        has_egress=has_egress,
        description=description,
        tags=tags,
        properties=properties,
        cloud_only=cloud_only,
        origin=Origin(fields.document, fields.path),
    )


def read_code(fields: Fields, folder: Path | None) -> CodeSpec | None:
    """The scoring script that ``fields`` names, inside the code folder."""
    script = fields.needed_text("scoring_script")
    if folder is None or script is None:
        return None
    path = Path(os.path.normpath(folder / script))
    if not path.is_relative_to(folder):
        fields.absent(
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
        fields.absent("scoring_script", "scoring-script-missing", message, remedy)
    return CodeSpec(folder, path.relative_to(folder).as_posix())


def model_section(fields: Fields) -> Fields | ModelSpec | None:
    """The mapping under ``model:``, or the registered model that stands there instead."""
    value = fields.text_or_section("model")
    if not isinstance(value, str):
        return value
    remedy = "Write `path: FILE OR FOLDER` under `model:`."
    reference = read_asset_reference(fields, "model", value, remedy)
    return ModelSpec(reference=reference) if reference is not None else None


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
    section = fields.section("inference_config", shape="routes-incomplete")
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
        remedy = "Use a number from 1 to 65535."
        section.absent("port", "value", f"{port} is not a port.", remedy)
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
        path = Path(os.path.normpath(fields.document.folder / value.removeprefix("file:")))
        return _read_environment_file(fields, path, read_section)
    remedy = "Write `image:` and `conda_file:` under `environment:`."
    reference = read_asset_reference(fields, "environment", value, remedy)
    return EnvironmentSpec(reference=reference) if reference is not None else None


def _read_environment_file(
    fields: Fields, path: Path, read_section: Callable[[Fields], EnvironmentSpec]
) -> EnvironmentSpec | None:
    note_absence(fields, "environment", path, "file")
    if not is_there(path, "file"):
        return None
    document = read_document(path, ENVIRONMENT)
    inside = Fields(document, fields.findings, generation=fields.generation, base=("environment",))
    return read_section(inside)


def read_conda(fields: Fields) -> tuple[Path | None, dict[str, Any] | None]:
    """The conda file of an environment: its path, or the mapping that stands in its place."""
    value = fields.text_or_section("conda_file")
    if isinstance(value, Fields):
        return None, value.data
    return existing(fields, "conda_file", value, "file", lambda _: False), None


def read_settings(fields: Fields, key: str, kind: type[_Settings]) -> _Settings:
    """Request or probe settings: whole numbers only, the cloud's default where one is absent."""
    section = fields.section(key)
    if section is None:
        return kind()
    given = {field.name: section.integer(field.name) for field in dataclass_fields(kind)}
    section.finish()
    return kind(**{name: value for name, value in given.items() if value is not None})


def _read_probe(fields: Fields, key: str) -> ProbeSettings:
    return read_settings(fields, key, ProbeSettings)
