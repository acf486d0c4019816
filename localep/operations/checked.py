"""Documents that are read and judged by the cloud's rules, as every verb that runs them does it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from localep.operations.registered_assets import fill_in
from localep.spec.findings import Severity
from localep.spec.loader import Bundle, Selection, bundle_of, read_documents, read_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from localep.spec.documents import Document
    from localep.spec.loader import Reading

# The verb stops on these, and says the same.
_TOLD_AS_ERRORS = frozenset(
    {"conda-malformed", "init-or-run-missing", "local-file-dependency", "syntax-error"}
)


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
    doubtful = (
        item
        for item in check(reading, bundle.deployment)
        if item.severity is Severity.WARNING and item.code not in _TOLD_AS_ERRORS
    )
    return replace(bundle, warnings=(*bundle.warnings, *doubtful))


def not_honoured(bundle: Bundle) -> str | None:
    """One line with the fields that only the cloud acts on, None where there are none."""
    specs = (bundle.endpoint, bundle.deployment)
    names = [name for spec in specs if spec is not None for name in spec.cloud_only.names]
    return f"Only the cloud acts on {', '.join(names)}." if names else None
