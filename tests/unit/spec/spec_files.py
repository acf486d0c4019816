"""Real YAML files for the tests of localep.spec, and what reading them said."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from support.loading import load_files

from localep.errors import LocalepError, SpecError
from localep.spec.loader import Selection

if TYPE_CHECKING:
    from pathlib import Path

Told = tuple[str, str | None, str | None, tuple[str, ...]]

NOTHING_SELECTED = Selection()


def write(folder: Path, name: str, text: str = "") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8", newline="")
    return path


def told(error: LocalepError) -> Told:
    return error.message, error.cause, error.remedy, error.details


def errors_of(*files: Path, selection: Selection = NOTHING_SELECTED) -> list[str]:
    """The findings that reading ends with; everything else that the error says is checked."""
    with pytest.raises(SpecError) as caught:
        load_files(files, selection)
    details = list(caught.value.details)
    count = "one error" if len(details) == 1 else f"{len(details)} errors"
    assert told(caught.value) == (
        f"The YAML has {count}.",
        None,
        "Correct the places named above and try again.",
        tuple(details),
    )
    return details
