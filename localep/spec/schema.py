"""JSON Schema of today's documents, made by the readers themselves: what they ask for is known."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localep.spec import ga
from localep.spec.documents import Document
from localep.spec.fields import BOOLEAN_WORDS, Fields
from localep.spec.findings import Findings

if TYPE_CHECKING:
    from collections.abc import Collection

_DIALECT = "http://json-schema.org/draft-07/schema#"
# Stands for every name in a mapping with names of the user's own.
_ANY = "*"
_DIGITS = r"^\s*[-+]?[0-9]+\s*$"
_STRING = {"type": "string"}
_INTEGER = {"type": ["number", "string"], "pattern": _DIGITS}


def endpoint_schema() -> dict[str, Any]:
    """What an endpoint's document may hold, managed or of Kubernetes."""
    managed, kubernetes = _Recorder(), _Recorder()
    ga.endpoint_of(managed, is_kubernetes=False)
    ga.endpoint_of(kubernetes, is_kubernetes=True)
    return _titled("An online endpoint of Azure Machine Learning", managed, kubernetes)


def deployment_schema() -> dict[str, Any]:
    """What a deployment's document may hold, managed or of Kubernetes."""
    managed, kubernetes = _Recorder(), _Recorder()
    ga.deployment_of(managed, is_kubernetes=False)
    ga.deployment_of(kubernetes, is_kubernetes=True)
    return _titled("An online deployment of Azure Machine Learning", managed, kubernetes)


def _titled(title: str, *kinds: _Recorder) -> dict[str, Any]:
    """One schema for both kinds: the keys of either, and what both must have."""
    schemas = [kind.to_schema() for kind in kinds]
    properties: dict[str, Any] = {"$schema": _STRING}
    for schema in schemas:
        properties |= schema["properties"]
    required = set.intersection(*(set(schema["required"]) for schema in schemas))
    return {
        "$schema": _DIALECT,
        "title": title,
        "type": "object",
        "properties": dict(sorted(properties.items())),
        "required": sorted(required),
        "additionalProperties": False,
    }


class _Recorder(Fields):
    """Notes what a reader asks for, instead of reading anything."""

    def __init__(self) -> None:
        super().__init__(Document(Path("schema"), {_ANY: {}}), Findings())
        self.properties: dict[str, Any] = {}
        self.required: set[str] = set()
        self.is_closed = False

    def __contains__(self, key: str) -> bool:
        return True

    def to_schema(self) -> dict[str, Any]:
        """What was asked for, as a schema of the mapping."""
        properties = {
            key: value() if callable(value) else value for key, value in self.properties.items()
        }
        others = properties.pop(_ANY, not self.is_closed)
        return {
            "type": "object",
            "properties": properties,
            "required": sorted(self.required - {_ANY}),
            "additionalProperties": others,
        }

    def text(self, key: str, *, required: bool = False) -> None:
        self._note(key, _STRING, required)

    def needed_text(self, key: str) -> None:
        self._note(key, _STRING, required=True)

    def version(self, key: str, *, required: bool = False) -> None:
        self._note(key, {"type": ["string", "number"]}, required)

    def integer(self, key: str, *, required: bool = False) -> None:
        self._note(key, _INTEGER, required)

    def number(self, key: str) -> None:
        self._note(key, {"type": ["number", "string"]})

    def boolean(self, key: str) -> None:
        self._note(key, {"enum": [True, False, 1, 0, *sorted(BOOLEAN_WORDS)]})

    def choice(
        self,
        key: str,
        allowed: Collection[str],
        *,
        is_camel: bool = False,
        required: bool = False,
    ) -> None:
        words = sorted(allowed)
        any_casing = {"type": "string", "pattern": _pattern(words, is_camel=is_camel)}
        self._note(key, {"anyOf": [{"enum": words}, any_casing]}, required)

    def list_of_texts(self, key: str) -> None:
        self._note(key, {"type": "array", "items": _STRING})

    def free_mapping(self, key: str, *, has_text_keys: bool = False) -> dict[str, Any]:
        self._note(key, {"type": "object"})
        return {}

    def section(self, key: str, *, required: bool = False, shape: str | None = None) -> Fields:
        nested = _Recorder()
        self._note(key, nested.to_schema, required)
        return nested

    def sections(self, key: str) -> list[Fields]:
        nested = _Recorder()
        self._note(key, lambda: {"type": "array", "items": nested.to_schema()})
        return [nested]

    def text_or_section(self, key: str) -> Fields:
        nested = _Recorder()
        self._note(key, lambda: {"anyOf": [_STRING, nested.to_schema()]})
        return nested

    def ignore(self, *keys: str) -> None:
        for key in keys:
            self._note(key, {})

    def drop(self, *keys: str) -> None:
        self.ignore(*keys)

    def refuse(self, key: str, remedy: str) -> None:
        pass

    def refuse_odd_keys(self) -> None:
        pass

    def error(self, key: str, code: str, message: str, remedy: str | None = None) -> None:
        pass

    def absent(self, key: str, code: str, message: str, remedy: str | None = None) -> None:
        pass

    def finish(self) -> None:
        self.is_closed = True

    def _note(self, key: str, schema: Any, required: bool = False) -> None:  # noqa: ANN401
        self.properties.setdefault(key, schema)
        if required:
            self.required.add(key)


def _pattern(words: list[str], *, is_camel: bool) -> str:
    """Matches the words in any casing, and where it ``is_camel`` without their underscores."""

    def any_casing(letter: str) -> str:
        if letter == "_" and is_camel:
            return "_?"
        return f"[{letter}{letter.upper()}]" if letter.isalpha() else re.escape(letter)

    return f"^({'|'.join(''.join(map(any_casing, word)) for word in words)})$"
