"""Local paths and cloud references, as documents spell them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localep.spec.fields import Fields

_CLOUD_PREFIXES = ("azureml:", "runs:/", "http://", "https://", "abfss://", "wasbs://")


OUT_OF_REACH = "{} is out of reach for this user."
CHECK_FOLDERS = "Check the permissions of the folders that it lies in."

# Unlike Path's own methods these answer False for a name that is too long to exist.
_CHECKS = {"file": os.path.isfile, "folder": os.path.isdir, "file or folder": os.path.exists}


def is_there(path: Path, kind: str) -> bool:
    """Whether there is a "file", a "folder" or a "file or folder" at a path."""
    return _CHECKS[kind](path)


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
    if not is_there(path, kind):
        message = f"there is no {kind} at {path}."
        remedy = "Paths start from the folder of the YAML file."
        if is_out_of_reach(path):
            message, remedy = OUT_OF_REACH.format(path), CHECK_FOLDERS
        where = (*fields.path, key)
        fields.findings.absent(fields.document, where, "missing-local-path", message, remedy)
    return path


def is_out_of_reach(path: Path) -> bool:
    """Whether this user may not even see if there is something at a path."""
    try:
        path.stat()
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return False
