"""Placeholders that scripts fill in before a file is YAML: ``{{X}}``, ``<X>``, ``$X``, ``${X}``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from localep.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from localep.spec.documents import KeyPath

_NAME = r"[A-Za-z_][\w.-]*"
# `${{...}}` is the cloud's own reference to a secret, `$schema` and the like are keys.
_IN_TEXT = re.compile(
    rf"(?<!\$)\{{\{{\s*({_NAME})\s*\}}\}}|<({_NAME})>|\$\{{({_NAME})\}}|\$({_NAME})(?!\w*:)"
)
_BRACES = re.compile(rf"(?<!\$)\{{\{{\s*({_NAME})\s*\}}\}}")
_LEFT = re.compile(rf"(?<!\$)\{{\{{.*?\}}\}}|<[A-Za-z_][\w .-]*>|\$\{{{_NAME}\}}|\$[A-Z][A-Z0-9_]+")


def parse_variables(pairs: Iterable[str]) -> dict[str, str]:
    """``X=value`` pairs as a mapping. Raises UsageError."""
    variables = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator or not re.fullmatch(_NAME, name):
            raise UsageError(
                f"--var {pair} fills no placeholder.",
                cause="It does not have the form NAME=value.",
                remedy="Write for example --var ENDPOINT_NAME=orders for {{ENDPOINT_NAME}}.",
            )
        variables[name] = value
    return variables


def fill(text: str, variables: Mapping[str, str]) -> str:
    """The text with every placeholder replaced that one of the variables is for."""

    def value(match: re.Match[str]) -> str:
        name = next(group for group in match.groups() if group is not None)
        return variables.get(name, match.group())

    return _IN_TEXT.sub(value, text) if variables else text


def first_in_braces(text: str) -> str | None:
    """The name of the first ``{{X}}`` of a text, which keeps it from being YAML."""
    match = _BRACES.search(text)
    return match.group(1) if match else None


def left_in(data: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:  # noqa: ANN401
    """Every value of a document that still holds a placeholder: its path, the placeholder."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key != "$schema":
                yield from left_in(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from left_in(value, (*path, index))
    elif isinstance(data, str):
        match = _LEFT.search(data)
        if match is not None:
            yield path, match.group()
