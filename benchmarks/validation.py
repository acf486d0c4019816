"""`localep validate`: what people write, and what they never would."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from benchmarks.measurement import Measurement
from benchmarks.place import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.floors import Floors
    from benchmarks.place import Place

_USUAL_SECONDS = 0.25
_LARGE_SECONDS = 2.0
_VALID, _REFUSED = 0, 3
_LETTERS = "abcdefghijkl"
_HEAD = "name: orders\n"


def measure_validate(place: Place, floors: Floors) -> list[Measurement]:
    """The files of a sample, and files that end in an error."""
    floor = floors.python.median
    sample = ROOT / "samples" / "sklearn-regression"
    files = (sample / "endpoint.yml", sample / "deployment.yml")
    rows = [_measure(place, "a usual file", files, _USUAL_SECONDS, floor, _VALID)]
    for name, text in _large_texts().items():
        file = place.folder / f"{name}.yml"
        file.write_text(text, encoding="utf-8")
        rows.append(_measure(place, name, (file,), _LARGE_SECONDS, floor, _REFUSED))
    return rows


def _measure(
    place: Place, name: str, files: tuple[Path, ...], bound: float, floor: float, status: int
) -> Measurement:
    arguments = [word for file in files for word in ("-f", str(file))]
    seconds = tuple(
        place.localep("validate", *arguments, status=status).seconds for _ in range(place.runs)
    )
    return Measurement(f"validate: {name}", seconds, bound, floor)


def _large_texts() -> dict[str, str]:
    """Files that only a program writes, by what they are."""
    keys = "".join(f"key_{number}: {number}\n" for number in range(10_000))
    return {
        "10,000 unknown keys": f"{_HEAD}{keys}",
        "deep nesting": f"{_HEAD}tags: {'[' * 100_000}{']' * 100_000}\n",
        "anchors within anchors": _bomb(),
        "50 MB": f"{_HEAD}description: {'x' * 50_000_000}\n",
        "90,000 duplicates": "".join((_HEAD, "tags:\n", "  a: 1\n" * 90_000, "wrong: 1\n")),
    }


def _bomb() -> str:
    """Each anchor stands for nine times the one before it."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for inner, outer in pairwise(_LETTERS):
        lines.append(f"{outer}: &{outer} [{', '.join([f'*{inner}'] * 9)}]")
    return _HEAD + "\n".join(lines) + "\n"
