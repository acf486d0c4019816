"""Placeholders that scripts fill in before a file is YAML.

They are ``{{X}}``, ``<X>``, ``<% X %>``, ``$X`` and ``${X}``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from localep.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_NAME = r"[A-Za-z_][\w.-]*"
_WORD = r"[A-Za-z_]\w*"
# In angle brackets people write phrases, too: <your model name>.
_PHRASE = r"[A-Za-z_][\w.-]*(?: [\w.-]+)*"
_BRACES = re.compile(rf"(?<!\$)\{{\{{[ \t]{{0,20}}({_NAME})[ \t]{{0,20}}\}}\}}")
_PERCENT = rf"<%=?[ \t]{{0,20}}({_NAME})[ \t]{{0,20}}%>"
# `${{...}}` is the cloud's own reference to a secret, `$schema` is a key.
_IN_TEXT = re.compile(
    rf"{_BRACES.pattern}|{_PERCENT}|<({_PHRASE})>|\$\{{({_NAME})\}}|\$(?!schema\b)({_WORD})"
)
# A word behind a dollar is one in capitals, or where it is the whole value. What stands in
# braces is short: the next ones may be a whole file away.
_LEFT = re.compile(
    rf"(?<!\$)\{{\{{([^{{}}\n]{{0,100}})\}}\}}|<%([^<%>\n]{{0,100}})%>|<({_PHRASE})>"
    rf"|\$\{{({_NAME})\}}|\$([A-Z][A-Z0-9_]+)|^\$({_WORD})$"
)


def parse_variables(pairs: Iterable[str]) -> dict[str, str]:
    """``X=value`` pairs as a mapping. Raises UsageError."""
    variables = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator or not re.fullmatch(_PHRASE, name):
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


def left_in(
    data: Any,  # noqa: ANN401
    path: tuple[str | int, ...] = (),
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every placeholder that a document still holds: the path of its value, and the text."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key != "$schema":
                yield from left_in(value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from left_in(value, (*path, index))
    elif isinstance(data, str):
        for text in dict.fromkeys(match.group() for match in _LEFT.finditer(data)):
            yield path, text


def remedy_for(placeholder: str) -> str:
    """How a placeholder is filled in on the command line."""
    match = _LEFT.fullmatch(placeholder)
    groups = match.groups() if match is not None else ()
    name = next((group for group in groups if group is not None), "").strip("= ")
    if not re.fullmatch(_PHRASE, name):
        return "Put the value in its place."
    pair = f"{name}=value"
    return f"Fill it with --var {pair!r}." if " " in pair else f"Fill it with --var {pair}."
