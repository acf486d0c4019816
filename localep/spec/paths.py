"""Local paths and cloud references, as documents spell them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localep.spec.fields import Fields

_CLOUD_PREFIXES = ("azureml:", "runs:/", "http://", "https://", "abfss://", "wasbs://")


def is_reference(text: str) -> bool:
    """Whether a path-like string names something that only the cloud can reach."""
    return text.startswith(_CLOUD_PREFIXES)


def local_path(fields: Fields, text: str) -> Path:
    """The absolute path of ``text``, which may start with ``file:``, seen from the document."""
    path = fields.document.folder / text.removeprefix("file:")
    return Path(os.path.normpath(path))


def note_reference(fields: Fields, key: str, text: str, remedy: str) -> None:
    """Note that a key names something that only the cloud can resolve."""
    fields.findings.absent(
        fields.document,
        (*fields.path, key),
        "cloud-reference",
        f"{text} can only be resolved by the cloud.",
        remedy,
    )


def existing(fields: Fields, key: str, text: str | None, kind: str) -> Path | None:
    """The absolute path named by a key; what is not there is noted as absent.

    ``kind`` is "file", "folder" or "file or folder". None where the key has no value or holds
    a reference that only the cloud resolves.
    """
    if text is None:
        return None
    if is_reference(text):
        note_reference(fields, key, text, "Name a local path for a local run.")
        return None
    path = local_path(fields, text)
    fits = {
        "file": path.is_file,
        "folder": path.is_dir,
        "file or folder": path.exists,
    }[kind]
    if not fits():
        fields.findings.absent(
            fields.document,
            (*fields.path, key),
            "missing-local-path",
            f"there is no {kind} at {path}.",
            "Paths start from the folder of the YAML file.",
        )
    return path
