"""What was measured, whether its bound is kept, and the table of it all."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS = "s"
MILLISECONDS = "ms"
MEGABYTES = "MB"
PERCENT = "%"
_DIGITS = {MEGABYTES: 0, PERCENT: 1}
_COLUMNS = ("what", "median", "min", "max", "floor", "bound", "")


@dataclass(frozen=True)
class Measurement:
    """One row: a figure of each run, in ``unit``.

    ``bound`` is what the median may be at most; ``floor`` is the median of what no
    command could be faster than, measured in the same session. None: there is none.
    """

    name: str
    samples: tuple[float, ...]
    bound: float | None = None
    floor: float | None = None
    unit: str = SECONDS

    @property
    def median(self) -> float:
        """The figure that counts."""
        return median(self.samples)

    @property
    def is_kept(self) -> bool | None:
        """Whether the median is within the bound, None where there is no bound."""
        return None if self.bound is None else self.median <= self.bound

    def to_dict(self) -> dict[str, Any]:
        """The row as plain values, for JSON."""
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "min": min(self.samples),
            "max": max(self.samples),
            "samples": list(self.samples),
            "floor": self.floor,
            "bound": self.bound,
            "kept": self.is_kept,
        }


def differences(
    name: str, longer: Sequence[float], plain: Sequence[float], bound: float
) -> Measurement:
    """What something adds, run by run: the runs were made in turn, under the same load."""
    added = tuple(more - less for more, less in zip(longer, plain, strict=True))
    return Measurement(name, added, bound)


def broken(rows: Sequence[Measurement]) -> list[str]:
    """The names of the rows whose bound is not kept."""
    return [row.name for row in rows if row.is_kept is False]


def table(rows: Sequence[Measurement]) -> list[str]:
    """The rows as aligned lines, the names of the columns first."""
    cells = [_COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_COLUMNS))]
    return [_line(line, widths) for line in cells]


def _cells(row: Measurement) -> tuple[str, ...]:
    verdict = {True: "kept", False: "BROKEN", None: ""}[row.is_kept]
    figures = (row.median, min(row.samples), max(row.samples), row.floor, row.bound)
    return (row.name, *(_figure(figure, row.unit) for figure in figures), verdict)


def _figure(figure: float | None, unit: str) -> str:
    if figure is None:
        return ""
    return f"{figure:.{_DIGITS.get(unit, 3)}f} {unit}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others, last = (
        cell.ljust(width) if column in {0, len(widths) - 1} else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join([first, *others, last]).rstrip()
