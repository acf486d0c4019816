"""Parts that the documents of 2021 share, in each of their spellings."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from localep.spec.cloud_only import asked_for, read_identity, read_resources
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
from localep.spec.ga_assets import MODEL_TYPES, OS_TYPES, read_build
from localep.spec.generations import Generation
from localep.spec.model import (
    BuildSpec,
    CodeSpec,
    EnvironmentSpec,
    ModelSpec,
    ProbeSettings,
)
from localep.spec.paths import existing, local_path

if TYPE_CHECKING:
    from pathlib import Path

    from localep.spec.model import DeploymentSpec, EndpointSpec

_SCALES = ("max_instances", "min_instances", "polling_interval", "target_utilization_percentage")
_SPLIT_SCALES = ("auto", "default", "manual", "target_utilization")
_REQUIREMENTS = ("cpu", "cpu_cores_limit", "gpu", "memory_in_gb", "memory_in_gb_limit")
_PROBE_COUNTS = ("success_threshold", "failure_threshold")
_PROBE_TIMES = ("initial_delay", "period", "timeout")
# How a Dockerfile begins that stands in the YAML itself.
_DOCKERFILE = re.compile(r"\s*(#|ARG\s|FROM\s)|.*\n.", re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """What sets a generation of 2021 apart from the others: the names of its keys.

    Where a tuple holds several names for the same thing, the first one that is there counts.
    """

    generation: Generation
    model_paths: tuple[str, ...] = ("local_path", "path")
    code_paths: tuple[str, ...] = ("local_path", "path")
    sizes: tuple[str, ...] = ("instance_type",)
    clusters: tuple[str, ...] = ("target",)
    scales: tuple[str, ...] = _SCALES
    requirements: tuple[str, ...] = _REQUIREMENTS


MAY_2021 = Dialect(Generation.MAY_2021)
APRIL_2021 = Dialect(
    Generation.APRIL_2021,
    model_paths=("asset_path", "local_path", "path"),
    code_paths=("directory", "local_path", "path"),
    sizes=("sku", "instance_type"),
    clusters=("infrastructure", "target"),
    scales=(*_SCALES, "maximum", "minimum"),
    requirements=(*_REQUIREMENTS, "memory"),
)
NOVEMBER_2021 = Dialect(Generation.NOVEMBER_2021)


def endpoint_of(fields: Fields, dialect: Dialect) -> EndpointSpec | None:
    """The endpoint of a document in which it does not stand alone."""
    asked = {"identity": read_identity(fields)}
    for key in dialect.clusters:
        cluster = fields.text(key)
        asked[key] = cluster is not None and cluster != "managed"
    if dialect is APRIL_2021:
        fields.boolean("ssl_enabled")
    fields.texts("swagger_uri", "type")
    return build_endpoint(fields, asked_for(asked))


def deployment_of(
    fields: Fields, dialect: Dialect, endpoint_name: str | None
) -> DeploymentSpec | None:
    """A deployment as April and May knew it."""
    is_april = dialect is APRIL_2021
    count, is_scaled = read_scale_settings(fields, dialect)
    asked = {
        "scale_settings": is_scaled,
        "resource_requirements": _read_requirements(fields, dialect),
    }
    fields.texts("type")
    sizes = [fields.text(key) for key in dialect.sizes]
    return build_deployment(
        fields,
        endpoint_name,
        model=read_model(fields, dialect),
        code=read_code_configuration(fields, dialect),
        environment=read_environment(fields, partial(environment_section, dialect=dialect)),
        instance_type=next((size for size in sizes if size is not None), None),
        instance_count=count,
        cloud_only=asked_for(asked),
        read_probe=_read_probe_in_seconds if is_april else None,
    )


def read_model(fields: Fields, dialect: Dialect) -> ModelSpec | None:
    """The model: a reference, or a mapping with a path of this machine."""
    value = model_section(fields)
    if value is None or isinstance(value, ModelSpec):
        return value
    is_split = dialect is NOVEMBER_2021
    path = _path(value, dialect.model_paths, "file or folder")
    name = value.text("name", required=not is_split)
    version = value.version("version", required=not is_split)
    model = ModelSpec(path, None, name, version)
    if is_split:
        model = replace(model, type=_read_model_type(value))
    value.texts("datastore", "description")
    for key in ("flavors", "properties", "tags"):
        value.free_mapping(key)
    value.drop("$schema")
    value.finish()
    return model


def read_code_configuration(fields: Fields, dialect: Dialect) -> CodeSpec | None:
    """The scoring script and its folder, which is a mapping here."""
    section = fields.section("code_configuration")
    if section is None:
        return None
    code = section.text_or_section("code")
    folder: Path | None
    if isinstance(code, Fields):
        folder = _path(code, dialect.code_paths, "folder")
        code.texts("datastore", "name")
        code.version("version")
        code.finish()
    else:
        folder = existing(section, "code", code, "folder")
    spec = read_code(section, folder)
    section.finish()
    return spec


def environment_section(fields: Fields, dialect: Dialect) -> EnvironmentSpec:
    """The environment, whose image lies under ``docker:`` in April and May."""
    is_split = dialect is NOVEMBER_2021
    image = fields.text("image") if is_split else None
    build = read_build(fields) if is_split else None
    docker = fields.section("docker")
    if docker is not None:
        image = docker.text("image") or image
        build = _read_dockerfile(fields, docker) or build
        docker.finish()
    conda_file, conda = read_conda(fields)
    spec = EnvironmentSpec(
        image=image,
        conda_file=conda_file,
        conda=conda,
        build=build,
        inference_config=read_inference_config(fields),
        name=fields.text("name"),
        version=fields.version("version"),
    )
    fields.choice("os_type", OS_TYPES)
    fields.texts("description", "path")
    fields.free_mapping("tags")
    fields.drop("$schema")
    fields.finish()
    return spec


def read_scale_settings(fields: Fields, dialect: Dialect) -> tuple[int | None, bool]:
    """How many instances are asked for, and whether they shall be scaled automatically."""
    scale = fields.section("scale_settings")
    if scale is None:
        return None, False
    is_split = dialect is NOVEMBER_2021
    kinds = _SPLIT_SCALES if is_split else ("auto", "manual")
    given = [
        scale.choice(key, kinds, is_camel=True) for key in ("scale_type", *["type"] * is_split)
    ]
    kind = next((word for word in given if word is not None), None)
    count = scale.integer("instance_count", required=kind == "manual" and not is_split)
    for key in dialect.scales:
        scale.integer(key)
    scale.finish()
    return count, kind in {"auto", "target_utilization"}


def read_split_resources(fields: Fields) -> bool:
    """Whether anything is asked of a cluster, in the spelling of May or of today."""
    return any([read_resources(fields), _read_requirements(fields, MAY_2021)])


def _read_requirements(fields: Fields, dialect: Dialect) -> bool:
    section = fields.section("resource_requirements")
    if section is None:
        return False
    for key in dialect.requirements:
        if key == "memory":
            section.text(key)
        else:
            section.number(key)
    section.finish()
    return bool(section.data)


def _read_model_type(fields: Fields) -> str | None:
    """``model_format: MLflow`` is today's ``type: mlflow_model``."""
    kind = fields.choice("type", MODEL_TYPES)
    formats = {kind.removesuffix("_model"): kind for kind in MODEL_TYPES}
    form = fields.choice("model_format", formats)
    return formats[form] if form is not None else kind


def _read_probe_in_seconds(fields: Fields, key: str) -> ProbeSettings:
    """A probe of April: its times are numbers of seconds, here rounded up to whole ones."""
    section = fields.section(key)
    if section is None:
        return ProbeSettings()
    given: dict[str, int | None] = {name: section.integer(name) for name in _PROBE_COUNTS}
    for name in _PROBE_TIMES:
        seconds = section.number(f"{name}_seconds")
        given[name] = math.ceil(seconds) if seconds is not None else None
    section.finish()
    return replace(
        ProbeSettings(), **{name: value for name, value in given.items() if value is not None}
    )


def is_dockerfile_text(text: str) -> bool:
    """Whether what stands under ``dockerfile`` is a Dockerfile itself and not the path of one."""
    return _DOCKERFILE.match(text) is not None


def _read_dockerfile(environment: Fields, docker: Fields) -> BuildSpec | None:
    """The Dockerfile; its build is sent the folder that the environment's ``path`` names."""
    build = docker.section("build")
    if build is None:
        return None
    text = build.text("dockerfile", required=True)
    build.finish()
    if text is None:
        return None
    named = environment.data.get("path")
    folder = local_path(environment, named) if isinstance(named, str) else None
    if is_dockerfile_text(text):
        return BuildSpec(
            folder or build.document.folder, text=text, sends_folder=folder is not None
        )
    file = existing(build, "dockerfile", text, "file", lambda _: False)
    if file is None:
        return None
    context = folder or file.parent
    if not file.is_relative_to(context):
        context = file.parent
    return BuildSpec(context, file.relative_to(context).as_posix())


def _path(fields: Fields, keys: tuple[str, ...], kind: str) -> Path | None:
    """The path under the one of some keys that is there."""
    key, *others = [key for key in keys if key in fields] or keys[:1]
    for other in others:
        fields.refuse(other, f"It stands beside `{key}`: keep one of them.")
    return existing(fields, key, fields.needed_text(key), kind)
