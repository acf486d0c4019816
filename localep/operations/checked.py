"""Documents that are read and judged by the cloud's rules, as every verb that runs them does it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from localep.errors import SpecError
from localep.operations.registered_assets import fill_in
from localep.spec.findings import Severity
from localep.spec.loader import Bundle, Selection, bundle_of, read_documents, read_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from localep.spec.documents import Document
    from localep.spec.findings import Finding
    from localep.spec.loader import Reading

# The verb stops on these, and says the same.
_TOLD_AS_ERRORS = frozenset({"conda-malformed", "local-file-dependency"})
_SYNTAX = "syntax-error"
_OF_SCRIPTS = frozenset({_SYNTAX, "init-or-run-missing"})


def load_checked_files(files: Sequence[Path], selection: Selection) -> Bundle:
    """Read files to run what they hold. Raises SpecError, UsageError or EndpointConflict."""
    return _checked(read_files(files, selection), selection)


def load_checked_documents(documents: Sequence[Document], selection: Selection) -> Bundle:
    """Like load_checked_files, of documents that are read already."""
    return _checked(read_documents(documents, selection), selection)


def _checked(reading: Reading, selection: Selection) -> Bundle:
    from localep.rules.engine import check

    reading = fill_in(reading)
    bundle = bundle_of(reading, selection)
    found = check(reading, bundle.deployment)
    doubtful = [
        item
        for item in found
        if item.severity is Severity.WARNING and item.code not in _TOLD_AS_ERRORS
    ]
    faults = [
        item for item in found if item.severity is Severity.ERROR and item.code in _OF_SCRIPTS
    ]
    return replace(bundle, warnings=(*bundle.warnings, *doubtful), script_faults=tuple(faults))


def without_script_findings(bundle: Bundle) -> Bundle:
    """A bundle whose scoring script nobody has looked at: its server shall judge it."""
    kept = tuple(item for item in bundle.warnings if item.code not in _OF_SCRIPTS)
    return replace(bundle, warnings=kept, script_faults=())


def refuse_faulty_script(bundle: Bundle, python: str | None) -> None:
    """Raise SpecError where no server runs the scoring script, whatever is built for it.

    ``python`` is the version that the user wants in the place of the conda file's.
    """
    faults = [item for item in bundle.script_faults if not _may_be_newer(item, python)]
    if faults:
        raise SpecError(
            "The scoring script cannot be run.",
            details=_shown(faults),
            remedy="Correct it; --skip-script-validation leaves this check out.",
        )


def not_honoured(bundle: Bundle) -> str | None:
    """One line with the fields that only the cloud acts on, None where there are none."""
    specs = (bundle.endpoint, bundle.deployment)
    names = [name for spec in specs if spec is not None for name in spec.cloud_only.names]
    return f"Only the cloud acts on {', '.join(names)}." if names else None


def _may_be_newer(fault: Finding, python: str | None) -> bool:
    """Whether a syntax that this Python refuses may be one of the Python that is asked for."""
    from localep.rules.pythons import is_newer_than_ours

    return fault.code == _SYNTAX and python is not None and is_newer_than_ours(python)


def _shown(faults: Sequence[Finding]) -> list[str]:
    from localep.operations.frames import finding_lines, lines_of

    lines = lines_of(faults)
    return [line for fault in faults for line in finding_lines(fault, lines)]
