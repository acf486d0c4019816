"""Reads one mapping field by field, with the cloud loader's rules for types and casing."""

from __future__ import annotations

import difflib
import math
import re
from typing import TYPE_CHECKING, Any

from localep.spec.generations import Generation, spelling_in

if TYPE_CHECKING:
    from collections.abc import Collection

    from localep.spec.documents import Document, KeyPath
    from localep.spec.findings import Findings


def _casings(*words: str) -> frozenset[str]:
    """The casings of a word that the cloud knows: ``yes``, ``Yes``, ``YES``, but not ``yEs``."""
    return frozenset(form for word in words for form in (word, word.capitalize(), word.upper()))


_TRUE = _casings("true", "t", "yes", "y", "on", "1")
_FALSE = _casings("false", "f", "no", "n", "off", "0")
BOOLEAN_WORDS = _TRUE | _FALSE


# What an error in the shape of a mapping is called where that has no code of its own.
_SHAPE_CODES = frozenset({"missing-key", "null", "type", "value"})


class Fields:
    """One mapping of a document; whatever is wrong goes to ``findings``.

    Every getter returns None where the key is absent or its value is refused, so that a reader
    can go on and report all errors of a document at once. ``finish`` reports the keys that no
    getter asked for; ``generation`` is the one whose keys these are. ``base`` is where the
    mapping belongs, if it stands in a file of its own; ``shape`` is the code of an error in the
    shape of what lies below, in the place of the usual ones.
    """

    def __init__(
        self,
        document: Document,
        findings: Findings,
        data: dict[str, Any] | None = None,
        path: KeyPath = (),
        *,
        generation: Generation = Generation.TODAY,
        base: KeyPath = (),
        shape: str | None = None,
    ) -> None:
        self.document = document
        self.findings = findings
        self.data = document.data if data is None else data
        self.path = path
        self.generation = generation
        self.base = base
        self.shape = shape
        self._known: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def with_default(self, key: str, value: str) -> Fields:
        """The same mapping with a value for a key that may be absent."""
        return self._like({key: value, **self.data}, self.path)

    def text(self, key: str, *, required: bool = False) -> str | None:
        """A string; numbers are refused, as the cloud refuses them."""
        value = self._value(key, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            self._type_error(key, "a string", value)
            return None
        return value

    def needed_text(self, key: str) -> str | None:
        """A string that the cloud's loader does not ask for, but that no run can do without."""
        if key not in self.data:
            self.findings.absent(self.document, self.path, "missing-key", f"`{key}` is missing.")
        return self.text(key)

    def version(self, key: str, *, required: bool = False) -> str | None:
        """A string or a number, as versions may be either."""
        value = self._value(key, required=required)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, (int, float)):
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

    def number(self, key: str) -> float | None:
        """A number; numeric strings are accepted, what is no finite number is not."""
        value = self._value(key)
        if value is None:
            return None
        try:
            if isinstance(value, (dict, list, bool)):
                raise TypeError
            number = float(value)
            if not math.isfinite(number):
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            self._type_error(key, "a number", value)
            return None
        return number

    def boolean(self, key: str) -> bool | None:
        """A truth value, as a YAML boolean, 1, 0 or one of the usual words."""
        value = self._value(key)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, float)) and value in (0, 1):
            return value == 1
        if isinstance(value, str) and value in BOOLEAN_WORDS:
            return value in _TRUE
        self._type_error(key, "true or false", value)
        return None

    def choice(
        self,
        key: str,
        allowed: Collection[str],
        *,
        is_camel: bool = False,
        required: bool = False,
    ) -> str | None:
        """One of a few words, whatever its casing.

        Where it ``is_camel``, SystemAssigned is system_assigned, too.
        """
        value = self._value(key, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            quoted = f"Put it in quotes: '{str(value).lower()}'."
            self._type_error(key, "a string", value, quoted if isinstance(value, bool) else None)
            return None
        word = (_snake(value) if is_camel else value).lower()
        if word not in allowed:
            self.error(key, "value", f"{value!r} is not one of {', '.join(sorted(allowed))}.")
            return None
        return word

    def texts(self, *keys: str) -> None:
        """Strings that play no part here."""
        for key in keys:
            self.text(key)

    def list_of_texts(self, key: str) -> None:
        """A list of strings that plays no part here."""
        value = self._value(key)
        if value is None:
            return
        if not isinstance(value, list):
            self._type_error(key, "a list", value)
            return
        for index, item in enumerate(value):
            if not isinstance(item, str):
                self._item_error((key, index), "should be a string.")

    def free_mapping(self, key: str, *, has_text_keys: bool = False) -> dict[str, Any]:
        """A mapping with keys of the user's own, or an empty one.

        Where it ``has_text_keys``, a key that is a number or a truth value to YAML is refused.
        """
        value = self._value(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._type_error(key, "a mapping", value)
            return {}
        if has_text_keys:
            self._nested(value, key).refuse_odd_keys()
        return value

    def section(
        self, key: str, *, required: bool = False, shape: str | None = None
    ) -> Fields | None:
        """A nested mapping with known keys; ``shape`` is the code of errors in its shape."""
        outer = self.shape
        self.shape = shape or outer
        value = self._value(key, required=required)
        if value is not None and not isinstance(value, dict):
            self._type_error(key, "a mapping", value)
        nested = self._nested(value, key) if isinstance(value, dict) else None
        self.shape = outer
        return nested

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
                self._item_error((key, index), "should be a mapping.")
        return nested

    def text_or_section(self, key: str) -> str | Fields | None:
        """A reference or path as a string, or the same thing spelled out as a mapping."""
        if isinstance(self.data.get(key), dict):
            return self.section(key)
        return self.text(key)

    def ignore(self, *keys: str) -> None:
        """Accept keys whose value plays no part here, whatever their type."""
        self._known.update(keys)

    def drop(self, *keys: str) -> None:
        """Accept keys that the cloud writes and drops when it reads them: all but null."""
        for key in keys:
            self._value(key)

    def refuse(self, key: str, remedy: str) -> None:
        """Report a key that does not belong here, with more to say than that."""
        self._known.add(key)
        if key in self.data:
            self.error(key, "unknown-key", "is not a known key here.", remedy)

    def refuse_odd_keys(self) -> None:
        """Report every key that is a number or a truth value to YAML."""
        for name in self.data:
            if (*self.path, name) in self.document.odd_keys:
                message, remedy = f"{name} is no string to YAML.", f"Put it in quotes: '{name}'."
                self._item_error((name,), message, remedy)

    def error(self, key: str, code: str, message: str, remedy: str | None = None) -> None:
        """Note an error at one of this mapping's keys."""
        self.findings.error(self.document, (*self.path, key), self._code(code), message, remedy)

    def absent(self, key: str, code: str, message: str, remedy: str | None = None) -> None:
        """Note that a run here lacks what one of this mapping's keys asks for."""
        self.findings.absent(self.document, (*self.path, key), code, message, remedy)

    def finish(self) -> None:
        """Report every key that was not asked for."""
        for key in self.data:
            if key not in self._known:
                self.error(key, "unknown-key", "is not a known key here.", self._meant(key))

    def _meant(self, key: str) -> str | None:
        """What may have been meant by an unknown key: another generation's, or a near one."""
        spelling = spelling_in(self.generation, (*self.base, *self.path, key))
        if spelling is not None:
            return f"It is of another generation of the documents; write `{spelling}`."
        near = difflib.get_close_matches(key, sorted(self._known), n=1)
        return f"Did you mean `{near[0]}`?" if near else None

    def _nested(self, value: dict[str, Any], *steps: str | int) -> Fields:
        return self._like(value, (*self.path, *steps))

    def _like(self, data: dict[str, Any], path: KeyPath) -> Fields:
        return Fields(
            self.document,
            self.findings,
            data,
            path,
            generation=self.generation,
            base=self.base,
            shape=self.shape,
        )

    def _value(self, key: str, *, required: bool = False) -> Any:  # noqa: ANN401
        self._known.add(key)
        if key not in self.data:
            if required:
                code = self._code("missing-key")
                self.findings.error(self.document, self.path, code, f"`{key}` is missing.")
            return None
        value = self.data[key]
        if value is None:
            self.error(key, "null", "may not be null.", "Give it a value or remove the key.")
        return value

    def _type_error(
        self, key: str, expected: str, value: object, remedy: str | None = None
    ) -> None:
        kinds = ((dict, "a mapping"), (list, "a list"))
        shown = next((word for kind, word in kinds if isinstance(value, kind)), repr(value))
        self.error(key, "type", f"should be {expected}, not {shown}.", remedy)

    def _item_error(self, steps: KeyPath, message: str, remedy: str | None = None) -> None:
        path = (*self.path, *steps)
        self.findings.error(self.document, path, self._code("type"), message, remedy)

    def _code(self, code: str) -> str:
        return self.shape if self.shape is not None and code in _SHAPE_CODES else code


def _snake(word: str) -> str:
    """CamelCase in small letters, as the cloud makes it; Aml_Token has one dash too many."""
    return re.sub(
        r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", word)
    ).lower()
