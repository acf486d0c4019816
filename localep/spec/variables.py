"""Environment variables, as the cloud makes strings of what YAML reads as something else."""

from __future__ import annotations

import base64
from datetime import datetime, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localep.spec.fields import Fields


def read_environment_variables(fields: Fields) -> dict[str, str]:
    """Variables as strings: ``True``, ``1``, ``1.5``, ``2024-01-31T10:00:00Z``."""
    values = fields.free_mapping("environment_variables")
    for name in values:
        path = (*fields.path, "environment_variables", name)
        if path in fields.document.odd_keys:
            fields.findings.warning(
                fields.document,
                path,
                "odd-key",
                f"{name} is no string to YAML, and the variable has another name in the cloud.",
                f"Put it in quotes: '{name}'.",
            )
    return {name: _text(value) for name, value in values.items()}


def plain_text(value: object) -> str:
    """What JSON has no form for, as the cloud's client sends it: times in UTC, bytes in base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        known = value if value.tzinfo is not None else value.replace(tzinfo=timezone.utc)
        return known.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    return str(value)


def _text(value: object) -> str:
    return "" if value is None else str(_plain(value))


def _plain(value: object) -> object:
    """The same value with nothing in it that JSON has no form for."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return plain_text(value) if isinstance(value, (bytes, datetime)) else value
