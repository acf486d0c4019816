"""Local paths and cloud references, as documents spell them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from localep.spec.generations import Generation

if TYPE_CHECKING:
    from collections.abc import Callable

    from localep.spec.fields import Fields

OUT_OF_REACH = "{} is out of reach for this user."
CHECK_FOLDERS = "Check the permissions of the folders that it lies in."

_CLOUD_PREFIXES = ("azureml:", "runs:/", "http://", "https://", "abfss://", "wasbs://")
_FILE = "file:"
_START = "Paths start from the folder of the YAML file."

# Unlike Path's own methods these answer False for a name that is too long to exist.
_CHECKS = {"file": os.path.isfile, "folder": os.path.isdir, "file or folder": os.path.exists}


def is_there(path: Path, kind: str) -> bool:
    """Whether there is a "file", a "folder" or a "file or folder" at a path."""
    return _CHECKS[kind](path)


def is_reference(text: str) -> bool:
    """Whether a path-like string names something that only the cloud can reach."""
    return text.startswith(_CLOUD_PREFIXES)


def is_url(text: str) -> bool:
    """Whether a path-like string is the address of something on the web."""
    return text.startswith(("http://", "https://", "ftp://", "ftps://"))


def note_reference(fields: Fields, key: str, text: str, remedy: str) -> None:
    """Note that a key names something that only the cloud can resolve."""
    fields.absent(key, "cloud-reference", f"{text} can only be resolved by the cloud.", remedy)


def local_path(fields: Fields, text: str) -> Path:
    """The absolute path of ``text``, seen from the document.

    In the documents of 2021 it may start with ``file:``.
    """
    if fields.generation is not Generation.TODAY:
        text = text.removeprefix(_FILE)
    return Path(os.path.normpath(fields.document.folder / text))


def existing(
    fields: Fields,
    key: str,
    text: str | None,
    kind: str,
    is_remote: Callable[[str], bool] = is_reference,
) -> Path | None:
    """The absolute path named by a key; what is not there is noted as absent.

    ``kind`` is "file", "folder" or "file or folder". None where the key has no value or holds
    something that ``is_remote``, which only the cloud resolves.
    """
    if text is None:
        return None
    if is_remote(text):
        note_reference(fields, key, text, "Name a local path for a local run.")
        return None
    path = local_path(fields, text)
    is_prefixed = text.startswith(_FILE) and fields.generation is Generation.TODAY
    remedy = f"Write the path without `{_FILE}`." if is_prefixed else _START
    note_absence(fields, key, path, kind, remedy)
    return path


def note_absence(fields: Fields, key: str, path: Path, kind: str, remedy: str = _START) -> None:
    """Note that there is nothing of a kind at a path, if that is so."""
    if is_there(path, kind):
        return
    message = f"there is no {kind} at {path}."
    if is_out_of_reach(path):
        message, remedy = OUT_OF_REACH.format(path), CHECK_FOLDERS
    fields.absent(key, "missing-local-path", message, remedy)


def is_out_of_reach(path: Path) -> bool:
    """Whether this user may not even see if there is something at a path."""
    try:
        path.stat()
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return False
