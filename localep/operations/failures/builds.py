"""Why a build failed, read off its log: from text to a cause with the cloud's words for it.

The patterns and their texts are the table beside this file. Messages of the engine's API are
matched in engine.errors.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from localep.operations.failures.table import FoundCause, Pattern, first_found, read_table

if TYPE_CHECKING:
    from localep.errors import BuildFailed

TABLE = Path(__file__).with_name("builds.yml")
_END = 40


def explain(error: BuildFailed) -> None:
    """Put the cause that the log tells, and its remedy, into an error; leave it where none is."""
    found = read_log("\n".join(error.log))
    if found is None:
        return
    told = f"{found.says} {found.mark}."
    error.code = found.id
    error.remedy = found.remedy
    if error.details:
        error.cause = f"{told} {error.cause}"
    else:  # the builder's own word is all there is
        error.details = (error.cause or "",)
        error.cause = told


def read_log(text: str) -> FoundCause | None:
    """The cause that the log of a failed build tells of, None for one that nobody knows.

    The end of the log comes first: what went wrong above it may have gone well at a second try.
    """
    lines = text.splitlines()
    parts = ("\n".join(lines[-_END:]), text)
    found = (first_found(patterns(), part) for part in parts)
    return next((cause for cause in found if cause is not None), None)


def patterns() -> tuple[Pattern, ...]:
    """The table, in its order."""
    return read_table(TABLE)
