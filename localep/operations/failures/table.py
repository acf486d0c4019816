"""Tables of what logs say when something failed: a pattern, the cause that it tells, a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_GROUP = "what"


@dataclass(frozen=True)
class FoundCause:
    """Why something failed.

    ``id`` is that of the catalogue of causes, or one of this machine's own; ``says`` is a
    sentence without its full stop, empty where the failure says it itself; ``cloud`` is what the
    cloud calls it, empty where no cloud has it; ``what`` is what the log names.
    """

    id: str
    says: str
    remedy: str
    cloud: str = ""
    what: str = ""

    @property
    def mark(self) -> str:
        """What stands in brackets behind a sentence: the id, and the cloud's own words."""
        return f"({self.id}; the cloud says `{self.cloud}`)" if self.cloud else f"({self.id})"


@dataclass(frozen=True)
class Pattern:
    """A row of a table; ``at`` is the one step that it holds for, empty for all."""

    cause: str
    expression: re.Pattern[str]
    says: str
    cloud: str
    remedy: str | None
    at: str = ""


@cache
def read_table(path: Path) -> tuple[Pattern, ...]:
    """The rows of a table, in their order."""
    import yaml

    rows = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return tuple(
        Pattern(
            row["cause"],
            re.compile(row["pattern"], re.MULTILINE),
            row.get("says", ""),
            row.get("cloud", ""),
            row.get("remedy"),
            row.get("at", ""),
        )
        for row in rows
    )


def first_found(patterns: Iterable[Pattern], text: str) -> FoundCause | None:
    """What the first pattern tells that is found in a text; None where none is."""
    for pattern in patterns:
        match = pattern.expression.search(text)
        if match is not None:
            what = _named(match)
            remedy = pattern.remedy or remedy_of(pattern.cause)
            says, remedy = (text.replace("{what}", what or "it") for text in (pattern.says, remedy))
            return FoundCause(pattern.cause, says, remedy, pattern.cloud, what)
    return None


def remedy_of(name: str) -> str:
    """The remedy of the catalogue."""
    from localep.rules.causes import cause

    return cause(name).remedy


def _named(match: re.Match[str]) -> str:
    """What the groups of a pattern hold whose names begin with "what": the first that is there."""
    named = (text for name, text in match.groupdict().items() if name.startswith(_GROUP) and text)
    return next(named, "").strip()
