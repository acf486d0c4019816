"""Documents of 2021 in today's words: one file for the endpoint, one for each deployment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localep.spec.generations import Generation, generation_of
from localep.spec.overrides import kind_of
from localep.spec.parts2021 import is_dockerfile_text
from localep.spec.paths import is_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localep.spec.documents import Document

_SCHEMAS = "https://azuremlschemas.azureedge.net/latest"
_ENDPOINT_KEYS = ("name", "description", "tags", "properties", "auth_mode", "identity", "traffic")
_MODEL_PATHS = ("path", "local_path", "asset_path")
_CODE_PATHS = ("local_path", "directory", "path")
# What stays as it is, in the order in which today's reference lists it.
_BEFORE = ("description", "tags", "properties")
_AFTER = ("environment_variables", "app_insights_enabled", "request_settings", "resources")
_PROBES = ("liveness_probe", "readiness_probe")
_DOCKERFILE = "environment.docker.build.dockerfile"
_DROPPED = ("location", "provisioning_state", "id", "ssl_enabled")


@dataclass(frozen=True)
class UpgradedFile:
    """A document in today's form; ``left_out`` are keys that have no place in it."""

    name: str
    data: dict[str, Any]
    left_out: tuple[str, ...] = ()


def upgrade(document: Document, folder: Path) -> list[UpgradedFile]:
    """The same in today's form, for files in ``folder``; a document of today gives nothing."""
    data = document.data
    if generation_of(data) is Generation.TODAY:
        return []
    rebase = _Rebase(document.folder, folder)
    kind = kind_of(document)
    if kind == "deployment":
        return [_deployment(data, data.get("endpoint_name"), rebase, "deployment.yml")]
    files = [_endpoint(data)]
    items = _items(data.get("deployments"))
    for item in items:
        name = "deployment.yml" if len(items) == 1 else f"deployment-{item.get('name')}.yml"
        inherited: dict[str, Any] = {
            key: data[key] for key in ("target", "infrastructure") if key in data
        }
        files.append(_deployment({**inherited, **item}, data.get("name"), rebase, name))
    return files


@dataclass(frozen=True)
class _Rebase:
    """Turns paths that start from one folder into paths that start from another."""

    old: Path
    new: Path

    def __call__(self, text: object) -> object:
        if not isinstance(text, str) or is_reference(text):
            return text
        path = text.removeprefix("file:")
        if self.old == self.new:
            return path
        return os.path.relpath(os.path.normpath(self.old / path), self.new)


def _endpoint(data: Mapping[str, Any]) -> UpgradedFile:
    kubernetes = _is_kubernetes(data)
    kind = "kubernetesOnlineEndpoint" if kubernetes else "managedOnlineEndpoint"
    result = {"$schema": f"{_SCHEMAS}/{kind}.schema.json"}
    result |= {key: data[key] for key in _ENDPOINT_KEYS if key in data}
    if kubernetes:
        result["compute"] = data.get("target", data.get("infrastructure"))
    known = {*_ENDPOINT_KEYS, *_DROPPED, "$schema", "deployments", "infrastructure", "target"}
    known |= {"type", "swagger_uri", "scoring_uri"}
    return UpgradedFile("endpoint.yml", result, tuple(key for key in data if key not in known))


def _deployment(
    data: Mapping[str, Any], endpoint: object, rebase: _Rebase, name: str
) -> UpgradedFile:
    kubernetes = _is_kubernetes(data)
    kind = "kubernetesOnlineDeployment" if kubernetes else "managedOnlineDeployment"
    result: dict[str, Any] = {"$schema": f"{_SCHEMAS}/{kind}.schema.json"}
    result |= {"name": data.get("name")} if "name" in data else {}
    result |= {"endpoint_name": endpoint} if endpoint is not None else {}
    result |= {"type": "kubernetes"} if kubernetes else {}
    result |= {key: data[key] for key in _BEFORE if key in data}
    parts = {
        "model": _model(data.get("model"), rebase),
        "code_configuration": _code(data.get("code_configuration"), rebase),
        "environment": _environment(data.get("environment"), rebase),
    }
    result |= {key: value for key, value in parts.items() if value is not None}
    result |= {key: data[key] for key in _AFTER if key in data}
    result |= {key: _probe(data[key]) for key in _PROBES if key in data}
    size = data.get("instance_type", data.get("sku"))
    result |= {"instance_type": size} if size is not None else {}
    result |= _scale(data)
    result |= _resources(data.get("resource_requirements"))
    known = {*_BEFORE, *_AFTER, *_PROBES, *parts, *_DROPPED, "$schema", "endpoint_name", "name"}
    known |= {"infrastructure", "instance_count", "instance_type", "resource_requirements"}
    known |= {"scale_settings", "sku", "target", "type"}
    left_out = [key for key in data if key not in known]
    left_out += [_DOCKERFILE] * _has_dockerfile_text(data.get("environment"))
    return UpgradedFile(name, result, tuple(left_out))


def _has_dockerfile_text(environment: object) -> bool:
    """Whether a Dockerfile stands in the document itself: today it is a file."""
    value = environment
    for key in _DOCKERFILE.split(".")[1:]:
        value = value.get(key) if isinstance(value, dict) else None
    return isinstance(value, str) and is_dockerfile_text(value)


def _model(model: object, rebase: _Rebase) -> object:
    if not isinstance(model, dict):
        return _reference(model)
    path = next((model[key] for key in _MODEL_PATHS if key in model), None)
    old = (*_MODEL_PATHS, "datastore", "model_format")
    result = {key: value for key, value in model.items() if key not in old}
    if path is not None:
        result["path"] = rebase(path)
    if "model_format" in model:
        result["type"] = f"{str(model['model_format']).lower()}_model"
    return result


def _code(configuration: object, rebase: _Rebase) -> object:
    if not isinstance(configuration, dict):
        return configuration
    code = configuration.get("code")
    if isinstance(code, dict):
        code = next((code[key] for key in _CODE_PATHS if key in code), None)
    return {**configuration, "code": rebase(code)}


def _environment(environment: object, rebase: _Rebase) -> object:
    """An anonymous environment: its name and version were refused or ignored later."""
    if isinstance(environment, str):
        path = environment.removeprefix("file:")
        return f"file:{rebase(path)}" if path != environment else _reference(environment)
    if not isinstance(environment, dict):
        return environment
    old = ("name", "version", "path", "docker", "conda_file")
    result = {key: value for key, value in environment.items() if key not in old}
    docker = environment.get("docker")
    if isinstance(docker, dict):
        if "image" in docker:
            result["image"] = docker["image"]
        build = docker.get("build")
        dockerfile = build.get("dockerfile") if isinstance(build, dict) else None
        if isinstance(dockerfile, str) and not is_dockerfile_text(dockerfile):
            file = Path(dockerfile.removeprefix("file:"))
            result["build"] = {"path": rebase(str(file.parent)), "dockerfile_path": file.name}
    if "conda_file" in environment:
        result["conda_file"] = rebase(environment["conda_file"])
    return result


def _reference(text: object) -> object:
    """A registered asset as today's documents name it; the oldest put the version elsewhere."""
    if not isinstance(text, str):
        return text
    return re.sub(r"^(azureml:[^:/]+)/versions/([^:/]+)$", r"\1:\2", text)


def _probe(probe: object) -> object:
    if not isinstance(probe, dict):
        return probe
    return {
        key.removesuffix("_seconds"): int(value) if isinstance(value, float) else value
        for key, value in probe.items()
    }


def _scale(data: Mapping[str, Any]) -> dict[str, Any]:
    """The number of instances, and the rules of automatic scaling where there were some."""
    scale = data.get("scale_settings")
    scale = scale if isinstance(scale, dict) else {}
    count = data.get("instance_count", scale.get("instance_count", scale.get("min_instances")))
    result: dict[str, Any] = {} if count is None else {"instance_count": count}
    if str(scale.get("scale_type", "")).lower() == "auto":
        kept = {
            key: value
            for key, value in scale.items()
            if key not in {"scale_type", "instance_count", "minimum", "maximum"}
        }
        result["scale_settings"] = {"type": "target_utilization", **kept}
    return result


def _resources(requirements: object) -> dict[str, Any]:
    """What a container asks of a cluster, in the units of Kubernetes."""
    if not isinstance(requirements, dict):
        return {}
    requests = {
        "cpu": _text(requirements.get("cpu")),
        "memory": _text(requirements.get("memory_in_gb"), "Gi"),
        "gpu": _text(requirements.get("gpu")),
    }
    limits = {
        "cpu": _text(requirements.get("cpu_cores_limit")),
        "memory": _text(requirements.get("memory_in_gb_limit"), "Gi"),
    }
    halves = {
        name: {key: value for key, value in half.items() if value is not None}
        for name, half in (("requests", requests), ("limits", limits))
    }
    return {"resources": {name: half for name, half in halves.items() if half}}


def _text(value: object, unit: str = "") -> str | None:
    return (
        None
        if value is None
        else f"{value:g}{unit}"
        if isinstance(value, float)
        else f"{value}{unit}"
    )


def _is_kubernetes(data: Mapping[str, Any]) -> bool:
    target = data.get("target", data.get("infrastructure"))
    return (isinstance(target, str) and target != "managed") or data.get("type") == "kubernetes"


def _items(deployments: object) -> list[dict[str, Any]]:
    if isinstance(deployments, dict):
        return [
            {"name": name, **item} for name, item in deployments.items() if isinstance(item, dict)
        ]
    if isinstance(deployments, list):
        return [item for item in deployments if isinstance(item, dict)]
    return []
