"""What is wrong with a document, gathered while it is read so that one run shows it all."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from localep.errors import SpecError

if TYPE_CHECKING:
    from localep.spec.documents import Document, KeyPath, Place


# Of more errors nobody reads the last.
MAX_ERRORS = 200


class Severity(str, Enum):
    """An error stops create and update; a warning is shown and passed; the rest is worth a word."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Topic(str, Enum):
    """What a finding speaks of: the document itself, or what a run on this machine needs.

    The document is what the cloud's loader judges too; a file that is missing here may be
    there where the document is sent from.
    """

    DOCUMENT = "document"
    MACHINE = "machine"


@dataclass(frozen=True)
class Finding:
    """One thing found in a document: a stable code, the place, and what to do."""

    severity: Severity
    topic: Topic
    code: str
    where: str
    message: str
    remedy: str | None = None
    place: Place | None = field(default=None, compare=False)

    def __str__(self) -> str:
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{self.where}: {self.message}{remedy}"


@dataclass
class Findings:
    """Collects findings; raise_errors() ends the reading where one of them is an error."""

    items: list[Finding] = field(default_factory=list)

    def error(
        self, document: Document, path: KeyPath, code: str, message: str, remedy: str | None = None
    ) -> None:
        """Note that a place of a document is wrong."""
        self._add(Severity.ERROR, Topic.DOCUMENT, document, path, code, message, remedy)

    def warning(
        self, document: Document, path: KeyPath, code: str, message: str, remedy: str | None = None
    ) -> None:
        """Note that a place of a document is doubtful."""
        self._add(Severity.WARNING, Topic.DOCUMENT, document, path, code, message, remedy)

    def info(
        self, document: Document, path: KeyPath, code: str, message: str, remedy: str | None = None
    ) -> None:
        """Note something worth knowing about a place of a document."""
        self._add(Severity.INFO, Topic.DOCUMENT, document, path, code, message, remedy)

    def absent(
        self, document: Document, path: KeyPath, code: str, message: str, remedy: str | None = None
    ) -> None:
        """Note that what a document names is not on this machine."""
        self._add(Severity.ERROR, Topic.MACHINE, document, path, code, message, remedy)

    def add(
        self,
        severity: Severity,
        document: Document,
        path: KeyPath,
        code: str,
        message: str,
        remedy: str | None = None,
    ) -> None:
        """Note something about a place of a document, or of a file that it names."""
        self._add(severity, Topic.DOCUMENT, document, path, code, message, remedy)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that do not stop anything."""
        return tuple(item for item in self.items if item.severity is Severity.WARNING)

    def raise_errors(self) -> None:
        """Raise SpecError with every error found, if there is one."""
        errors = [item for item in self.items if item.severity is Severity.ERROR]
        if not errors:
            return
        count = "one error" if len(errors) == 1 else f"{len(errors)} errors"
        raise SpecError(
            f"The YAML has {count}.",
            remedy="Correct the places named above and try again.",
            details=_first(errors),
        )

    def _add(
        self,
        severity: Severity,
        topic: Topic,
        document: Document,
        path: KeyPath,
        code: str,
        message: str,
        remedy: str | None,
    ) -> None:
        place = document.place(path)
        message = f"{place.path}: {message}" if place.path else message
        self.items.append(Finding(severity, topic, code, str(place), message, remedy, place))


def _first(errors: list[Finding]) -> list[str]:
    surplus = len(errors) - MAX_ERRORS
    more = [f"{surplus} more errors are not shown."] if surplus > 0 else []
    return [*(str(item) for item in errors[:MAX_ERRORS]), *more]
