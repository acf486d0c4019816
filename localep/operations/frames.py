"""Findings as people read them: the place, what is wrong, the lines around it, what to do."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from localep.errors import SpecError
from localep.rules.causes import cloud_messages
from localep.spec.documents import read_text
from localep.spec.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from localep.spec.documents import Position
    from localep.spec.findings import Finding

_LINES_BEFORE = 1
_WIDTH = 100


def finding_lines(finding: Finding, files: Mapping[Path, Sequence[str]]) -> Iterator[str]:
    """A finding with a frame of its file; ``files`` are the lines of each."""
    where = shown_place(finding)
    head = f"{where}: {finding.severity.value} [{finding.code}] {finding.message}"
    if finding.severity is Severity.INFO:
        yield " ".join(filter(None, (head, finding.remedy)))
        return
    yield head
    place = finding.place
    if place is not None and place.position is not None and place.source in files:
        yield from _frame(files[place.source], place.position)
    for message in cloud_messages(finding.code):
        yield f'  The cloud says: "{message}"'
    if finding.remedy:
        yield f"  {finding.remedy}"


def lines_of(
    findings: Iterable[Finding], known: Mapping[Path, list[str]] | None = None
) -> dict[Path, list[str]]:
    """The lines of every file that findings stand in, as far as they can be read.

    Those of ``known`` are not read again.
    """
    lines = dict(known or {})
    for finding in findings:
        if finding.place is not None and finding.place.source not in lines:
            with suppress(SpecError):
                lines[finding.place.source] = read_text(finding.place.source).splitlines()
    return lines


def shown_place(finding: Finding) -> str:
    """Where a finding is, with the path as seen from the working directory if it lies below."""
    place = finding.place
    if place is None:
        return finding.where
    if place.source.is_relative_to(Path.cwd()):
        place = replace(place, source=place.source.relative_to(Path.cwd()))
    return str(place)


def _frame(lines: Sequence[str], position: Position) -> Iterator[str]:
    first = max(1, position.line - _LINES_BEFORE)
    margin = len(str(position.line))
    for number in range(first, min(position.line, len(lines)) + 1):
        mark = ">" if number == position.line else " "
        yield f" {mark} {number:{margin}} | {lines[number - 1][:_WIDTH]}"
    if position.column <= _WIDTH:
        yield f"   {'':{margin}} | {'':{position.column - 1}}^"
