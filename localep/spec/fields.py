"""Reads one mapping field by field, with the cloud loader's rules for types and casing."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from localep.spec.documents import Document, KeyPath
    from localep.spec.findings import Findings

_TRUE = {"true", "t", "yes", "y", "on", "1"}
_FALSE = {"false", "f", "no", "n", "off", "0"}

# The cloud accepts these keys everywhere and drops them.
_IGNORED_EVERYWHERE = frozenset({"$schema"})


class Fields:
    """One mapping of a document; whatever is wrong goes to ``findings``.

    Every getter returns None where the key is absent or its value is refused, so that a reader
    can go on and report all errors of a document at once. ``finish`` reports the keys that no
    getter asked for.
    """

    def __init__(
        self,
        document: Document,
        findings: Findings,
        data: dict[str, Any] | None = None,
        path: KeyPath = (),
    ) -> None:
        self.document = document
        self.findings = findings
        self.data = document.data if data is None else data
        self.path = path
        self._known: set[str] = set(_IGNORED_EVERYWHERE)

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def with_default(self, key: str, value: str) -> Fields:
        """The same mapping with a value for a key that may be absent."""
        data = {key: value, **self.data}
        return Fields(self.document, self.findings, data, self.path)

    def text(self, key: str, *, required: bool = False) -> str | None:
        """A string; numbers are refused, as the cloud refuses them."""
        value = self._value(key, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            self._type_error(key, "a string", value)
            return None
        return value

    def version(self, key: str) -> str | None:
        """A string or a whole number, as versions may be either."""
        value = self._value(key)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        self._type_error(key, "a version", value)
        return None

    def integer(self, key: str, *, required: bool = False) -> int | None:
        """A whole number; numeric strings are accepted and fractions are cut."""
        value = self._value(key, required=required)
        if value is None:
            return None
        try:
            if isinstance(value, (dict, list, bool)):
                raise TypeError
            return int(value)
        except (TypeError, ValueError, OverflowError):
            self._type_error(key, "a whole number", value)
            return None

    def boolean(self, key: str) -> bool | None:
        """A truth value, as a YAML boolean or one of the usual words."""
        value = self._value(key)
        if value is None or isinstance(value, bool):
            return value
        word = str(value).lower()
        if word in _TRUE | _FALSE:
            return word in _TRUE
        self._type_error(key, "true or false", value)
        return None

    def choice(self, key: str, allowed: Collection[str]) -> str | None:
        """One of a few words, whatever its casing (``SystemAssigned`` is ``system_assigned``)."""
        value = self.text(key)
        if value is None:
            return None
        word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", value).lower()
        if word not in allowed:
            self.error(key, "value", f"{value!r} is not one of {', '.join(sorted(allowed))}.")
            return None
        return word

    def free_mapping(self, key: str) -> dict[str, Any]:
        """A mapping with keys of the user's own, or an empty one."""
        value = self._value(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._type_error(key, "a mapping", value)
            return {}
        return value

    def section(self, key: str, *, required: bool = False) -> Fields | None:
        """A nested mapping with known keys."""
        value = self._value(key, required=required)
        if value is None:
            return None
        if not isinstance(value, dict):
            self._type_error(key, "a mapping", value)
            return None
        return self._nested(value, key)

    def sections(self, key: str) -> list[Fields]:
        """A list of mappings with known keys."""
        value = self._value(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self._type_error(key, "a list", value)
            return []
        nested: list[Fields] = []
        for index, item in enumerate(value):
            if isinstance(item, dict):
                nested.append(self._nested(item, key, index))
            else:
                self.findings.error(
                    self.document, (*self.path, key, index), "type", "should be a mapping."
                )
        return nested

    def text_or_section(self, key: str) -> str | Fields | None:
        """A reference or path as a string, or the same thing spelled out as a mapping."""
        if isinstance(self.data.get(key), dict):
            return self.section(key)
        return self.text(key)

    def ignore(self, *keys: str) -> None:
        """Accept keys whose value plays no part here, whatever their type."""
        self._known.update(keys)

    def error(self, key: str, code: str, message: str, remedy: str | None = None) -> None:
        """Note an error at one of this mapping's keys."""
        self.findings.error(self.document, (*self.path, key), code, message, remedy)

    def finish(self) -> None:
        """Report every key that was not asked for."""
        for key in self.data:
            if key in self._known:
                continue
            near = difflib.get_close_matches(key, sorted(self._known), n=1)
            remedy = f"Did you mean `{near[0]}`?" if near else None
            self.error(key, "unknown-key", "is not a known key here.", remedy)

    def _nested(self, value: dict[str, Any], *steps: str | int) -> Fields:
        return Fields(self.document, self.findings, value, (*self.path, *steps))

    def _value(self, key: str, *, required: bool = False) -> Any:  # noqa: ANN401
        self._known.add(key)
        if key not in self.data:
            if required:
                self.findings.error(self.document, self.path, "missing-key", f"`{key}` is missing.")
            return None
        value = self.data[key]
        if value is None:
            self.error(key, "null", "may not be null.", "Give it a value or remove the key.")
        return value

    def _type_error(self, key: str, expected: str, value: object) -> None:
        kinds = ((dict, "a mapping"), (list, "a list"))
        shown = next((word for kind, word in kinds if isinstance(value, kind)), repr(value))
        self.error(key, "type", f"should be {expected}, not {shown}.")
