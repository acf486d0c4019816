"""What documents hold, read the short way: without the rules and without the registry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from localep.spec.documents import Document
from localep.spec.loader import Bundle, Selection, bundle_of, read_documents, read_files

NOTHING_SELECTED = Selection()


def load_files(files: Sequence[Path], selection: Selection = NOTHING_SELECTED) -> Bundle:
    """Read the files, in any order. Raises SpecError or UsageError."""
    return bundle_of(read_files(files, selection), selection)


def load_documents(
    documents: Sequence[Document], selection: Selection = NOTHING_SELECTED
) -> Bundle:
    """Like load_files, of documents that are read already."""
    return bundle_of(read_documents(documents, selection), selection)
