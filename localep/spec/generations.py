"""Which generation of the documents a file belongs to, and how each spells the same thing.

Source: the loaders and schemas of each generation, see the reference of the YAML's fields.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localep.spec.documents import KeyPath

_APRIL_KEYS = frozenset({"infrastructure", "sku", "ssl_enabled"})
_MAY_KEYS = frozenset({"resource_requirements", "swagger_uri", "target"})
# Keys that came with the files of their own, some months before the last changes.
_SPLIT_KEYS = frozenset(
    {
        "data_collector",
        "egress_public_network_access",
        "instance_count",
        "model_mount_path",
        "private_network_connection",
        "resources",
    }
)


class Generation(str, Enum):
    """The forms that online endpoints and deployments have had; today's cloud reads the last."""

    APRIL_2021 = "private preview of April 2021"
    MAY_2021 = "public preview of May 2021"
    NOVEMBER_2021 = "public preview of November 2021"
    TODAY = "today"


_ORDER = tuple(Generation)
_PROBES = ("liveness_probe", "readiness_probe")
_TIMES = ("initial_delay", "period", "timeout")

# A line for each thing that changed its name, with its names in the order of the generations;
# empty where a generation had no such thing.
_SPELLINGS = (
    ("sku", "instance_type", "instance_type", "instance_type"),
    ("infrastructure", "target", "compute", "compute"),
    ("swagger_uri", "swagger_uri", "openapi_uri", "openapi_uri"),
    (
        "model.asset_path",
        "model.local_path",
        "model.local_path",
        "model.path",
    ),
    ("", "", "model.model_format", "model.type"),
    (
        "code_configuration.code.directory",
        "code_configuration.code.local_path",
        "code_configuration.code.local_path",
        "code_configuration.code",
    ),
    ("environment.docker.image", "environment.docker.image", *["environment.image"] * 2),
    (
        "environment.docker.build.dockerfile",
        "environment.docker.build.dockerfile",
        "environment.build",
        "environment.build",
    ),
    ("scale_settings.scale_type", "scale_settings.scale_type", *["scale_settings.type"] * 2),
    ("scale_settings.instance_count", "scale_settings.instance_count", *["instance_count"] * 2),
    ("scale_settings.minimum", *["scale_settings.min_instances"] * 3),
    ("scale_settings.maximum", *["scale_settings.max_instances"] * 3),
    *(
        (f"{probe}.{time}_seconds", *[f"{probe}.{time}"] * 3)
        for probe in _PROBES
        for time in _TIMES
    ),
    ("resource_requirements", "resource_requirements", "resources", "resources"),
)


def generation_of(data: dict[str, Any]) -> Generation:
    """The generation of a document, told by the keys that only one of them has."""
    deployments = data.get("deployments")
    if isinstance(deployments, dict) or _APRIL_KEYS & data.keys() or _is_april_part(data):
        return Generation.APRIL_2021
    if "deployments" in data:
        return Generation.MAY_2021
    if _is_may_part(data):
        return Generation.NOVEMBER_2021 if _is_split_part(data) else Generation.MAY_2021
    if _is_november_part(data):
        return Generation.NOVEMBER_2021
    return Generation.TODAY


def spelling_in(generation: Generation, path: KeyPath) -> str | None:
    """How a generation spells what another one calls ``path``; None where it is no such name."""
    name = _name(path)
    index = _ORDER.index(generation)
    for line in _SPELLINGS:
        if name in line and line[index] not in {"", name}:
            return line[index]
    return None


def _name(path: KeyPath) -> str:
    """The dotted path of a key from the mapping of the endpoint or deployment that holds it."""
    own = path[2:] if len(path) > 2 and path[0] == "deployments" else path
    return ".".join(str(step) for step in own)


def _is_april_part(data: dict[str, Any]) -> bool:
    code = _mapping(data, "code_configuration").get("code")
    return (
        "asset_path" in _mapping(data, "model")
        or (isinstance(code, dict) and "directory" in code)
        or any(key.endswith("_seconds") for probe in _PROBES for key in _mapping(data, probe))
    )


def _is_may_part(data: dict[str, Any]) -> bool:
    return (
        data.get("type") == "online"
        or bool(_MAY_KEYS & data.keys())
        or "docker" in _mapping(data, "environment")
        or "scale_type" in _mapping(data, "scale_settings")
    )


def _is_split_part(data: dict[str, Any]) -> bool:
    environment = _mapping(data, "environment")
    return bool(_SPLIT_KEYS & data.keys()) or "image" in environment or "build" in environment


def _is_november_part(data: dict[str, Any]) -> bool:
    model = _mapping(data, "model")
    code = _mapping(data, "code_configuration").get("code")
    return "local_path" in model or "model_format" in model or isinstance(code, dict)


def _mapping(data: dict[str, Any], key: str) -> dict[str, Any]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}
