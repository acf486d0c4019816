"""Why a build failed, read off its log: from text to a cause with the cloud's words for it.

The patterns and their texts are the table beside this file. Messages of the engine's API are
matched in engine.errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localep.errors import BuildFailed

TABLE = Path(__file__).with_name("build_failures.yml")
_GROUP = "what"
_END = 40


@dataclass(frozen=True)
class BuildCause:
    """Why a build failed.

    ``id`` is that of the catalogue of causes, or one of this machine's own; ``says`` is a
    sentence, ``cloud`` what the cloud's page calls it, empty where no cloud has it.
    """

    id: str
    says: str
    remedy: str
    cloud: str = ""


@dataclass(frozen=True)
class Pattern:
    """A row of the table."""

    cause: str
    expression: re.Pattern[str]
    says: str
    cloud: str
    remedy: str | None


def explain(error: BuildFailed) -> None:
    """Put the cause that the log tells, and its remedy, into an error; leave it where none is."""
    found = read_log("\n".join(error.log))
    if found is None:
        return
    cloud = f"; the cloud says `{found.cloud}`" if found.cloud else ""
    told = f"{found.says} ({found.id}{cloud})."
    error.code = found.id
    error.remedy = found.remedy
    if error.details:
        error.cause = f"{told} {error.cause}"
    else:  # the builder's own word is all there is
        error.details = (error.cause or "",)
        error.cause = told


def read_log(text: str) -> BuildCause | None:
    """The cause that the log of a failed build tells of, None for one that nobody knows.

    The end of the log comes first: what went wrong above it may have gone well at a second try.
    """
    lines = text.splitlines()
    for part in ("\n".join(lines[-_END:]), text):
        for pattern in patterns():
            match = pattern.expression.search(part)
            if match is not None:
                remedy = pattern.remedy or _remedy_of(pattern.cause)
                says = _filled(pattern.says, match)
                return BuildCause(pattern.cause, says, remedy, pattern.cloud)
    return None


@cache
def patterns() -> tuple[Pattern, ...]:
    """The table, in its order."""
    import yaml

    rows = yaml.load(TABLE.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return tuple(
        Pattern(
            row["cause"],
            re.compile(row["pattern"], re.MULTILINE),
            row["says"],
            row.get("cloud", ""),
            row.get("remedy"),
        )
        for row in rows
    )


def _remedy_of(name: str) -> str:
    from localep.rules.causes import cause

    return cause(name).remedy


def _filled(says: str, match: re.Match[str]) -> str:
    """The sentence with what the log names; "it" where the log names nothing."""
    named = (text for name, text in match.groupdict().items() if name.startswith(_GROUP) and text)
    return says.replace("{what}", next(named, "it").strip())
