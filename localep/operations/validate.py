"""`validate`: all that is wrong or doubtful with YAML files, before anything is built."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from localep.errors import SpecError
from localep.operations.frames import lines_of
from localep.operations.registered_assets import fill_in
from localep.rules.causes import cloud_messages
from localep.rules.engine import check
from localep.spec.documents import Document, Place, Position, parse_document, read_text
from localep.spec.findings import Finding, Findings, Severity, Topic
from localep.spec.generations import generation_of
from localep.spec.loader import Selection, read_documents, refuse_other_kinds
from localep.spec.overrides import kind_of
from localep.spec.placeholders import fill

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from localep.rules.image_facts import LookUp
    from localep.spec.loader import Reading
    from localep.spec.model import DeploymentSpec, EndpointSpec


# A document with more has one thing wrong, many times.
MAX_FINDINGS = 200
_FIRST = "Correct these first."
_WEIGHTS = (Severity.ERROR, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True)
class ValidatedDocument:
    """One file: what it is, as far as it could be read."""

    source: str
    kind: str | None
    generation: str | None
    name: str | None


@dataclass(frozen=True)
class ValidateResult:
    """What was found; ``lines`` are the lines of each file, for frames around the findings."""

    documents: tuple[ValidatedDocument, ...]
    findings: tuple[Finding, ...]
    lines: dict[Path, list[str]]

    @property
    def is_valid(self) -> bool:
        """Whether there is no error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, for JSON and YAML."""
        return {
            "valid": self.is_valid,
            "documents": [vars(document) for document in self.documents],
            "findings": [_plain(finding) for finding in self.findings],
        }


def validate(
    files: Sequence[Path],
    selection: Selection,
    *,
    strict: bool = False,
    look_up_image: LookUp | None = None,
) -> ValidateResult:
    """Check files as the cloud's loader would, and what they name on this machine.

    What is missing on this machine is a warning: it may be there where the files are sent
    from. ``strict`` makes every warning an error. Images are looked up where there is a way to.
    Raises UsageError.
    """
    findings = Findings()
    documents: list[Document] = []
    described: list[ValidatedDocument] = []
    lines: dict[Path, list[str]] = {}
    for file in files:
        document = _read(file, selection, findings, lines)
        if document is not None:
            documents.append(document)
        described.append(_describe(file, document))
    if documents:
        reading = fill_in(read_documents(documents, selection))
        told = check(reading, look_up_image=look_up_image)
        findings.items += [*reading.findings.items, *told]
        _name_cloud_only(reading, findings)
        _name_misfits(reading, findings)
    findings.items.sort(key=_line_of)
    findings.items = _not_too_many(findings.items)
    lines = lines_of(findings.items, lines)
    judged = tuple(_judged(finding, strict=strict) for finding in findings.items)
    return ValidateResult(tuple(described), judged, lines)


def _not_too_many(items: list[Finding]) -> list[Finding]:
    """The first of more findings than anybody reads, the gravest before all others."""
    surplus = len(items) - MAX_FINDINGS
    if surplus <= 0:
        return items
    gravest = sorted(items, key=lambda item: _WEIGHTS.index(item.severity))[:MAX_FINDINGS]
    more = f"{surplus} more findings are not shown."
    where = gravest[-1]
    last = Finding(
        Severity.INFO, where.topic, "more-findings", where.where, more, _FIRST, where.place
    )
    return [*sorted(gravest, key=_line_of), last]


def _name_cloud_only(reading: Reading, findings: Findings) -> None:
    """One line a document with the fields that no local run acts on."""
    specs: list[EndpointSpec | DeploymentSpec] = [*reading.endpoints, *reading.deployments]
    for spec in specs:
        names = ", ".join(spec.cloud_only.names)
        if names and spec.origin is not None:
            message = f"Only the cloud acts on {names}."
            findings.info(spec.origin.document, spec.origin.path, "cloud-only", message)


def _name_misfits(reading: Reading, findings: Findings) -> None:
    """The locks that a local build would refuse; the cloud does not look at them."""
    from localep.conda.lock_file import WRITE_ANEW
    from localep.operations.environments.lock import misfit_of

    for spec in reading.deployments:
        message = misfit_of(spec)
        if message is not None and spec.origin is not None:
            path = (*spec.origin.path, "environment")
            findings.warning(spec.origin.document, path, "lock-misfit", message, WRITE_ANEW)


def _read(
    file: Path, selection: Selection, findings: Findings, lines: dict[Path, list[str]]
) -> Document | None:
    """The document of a file; None, and a finding, where there is none."""
    try:
        text = read_text(file)
        lines[file.absolute()] = text.splitlines()
        document = parse_document(fill(text, selection.variables), file.absolute())
        refuse_other_kinds(document)
    except SpecError as error:
        findings.items.append(_unreadable(file, error))
        return None
    return document


def _unreadable(file: Path, error: SpecError) -> Finding:
    named = [str(file.absolute()), str(file)]
    if error.position is not None:
        named.insert(0, f"{named[0]}:{error.position[0]}:{error.position[1]}")
    subject = next((name for name in named if name in error.message), str(file))
    said = error.message.replace(subject, "The document", 1)
    message = " ".join(filter(None, (said, error.cause)))
    position = Position(*error.position) if error.position is not None else None
    place = Place(file.absolute(), "", position)
    where = str(file.absolute())
    return Finding(Severity.ERROR, Topic.DOCUMENT, error.code, where, message, error.remedy, place)


def _describe(file: Path, document: Document | None) -> ValidatedDocument:
    if document is None:
        return ValidatedDocument(str(file.absolute()), None, None, None)
    name = document.data.get("name")
    return ValidatedDocument(
        str(document.source),
        kind_of(document),
        generation_of(document.data).value,
        name if isinstance(name, str) else None,
    )


def _line_of(finding: Finding) -> tuple[str, Position]:
    place = finding.place
    if place is None:
        return ("", Position(0, 0))
    return (str(place.source), place.position or Position(0, 0))


def _judged(finding: Finding, *, strict: bool) -> Finding:
    severity = finding.severity
    if finding.topic is Topic.MACHINE and severity is Severity.ERROR:
        severity = Severity.WARNING
    if strict and severity is Severity.WARNING:
        severity = Severity.ERROR
    return replace(finding, severity=severity)


def _plain(finding: Finding) -> dict[str, Any]:
    place = finding.place
    position = place.position if place is not None else None
    path = place.path if place is not None else ""
    return {
        "severity": finding.severity.value,
        "code": finding.code,
        "source": str(place.source) if place is not None else None,
        "path": path or None,
        "line": position.line if position is not None else None,
        "column": position.column if position is not None else None,
        "message": finding.message.removeprefix(f"{path}: ") if path else finding.message,
        "remedy": finding.remedy,
        "cloud": list(cloud_messages(finding.code)),
    }
