"""Tables of plain text that fit the terminal and lose nothing."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_GAP = "  "
_NARROWEST = 12


def table_lines(
    columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None
) -> Iterator[str]:
    """Rows under the names of their columns; nothing at all where there are no rows.

    Cells are folded where the table is wider than ``width`` cells of the terminal. Where even
    that leaves too little for each, every row becomes a block with one line a column.
    """
    if not rows or not columns:
        return
    table = [[printable(cell) for cell in row] for row in (columns, *rows)]
    natural = [max(map(_width, cells)) for cells in zip(*table, strict=True)]
    widths = _fitted(natural, width)
    if widths is None:
        yield from _blocks(table)
        return
    for row in table:
        yield from _folded_row(row, widths)


def _fitted(natural: list[int], width: int | None) -> list[int] | None:
    """The widths of the columns, the widest cut first; None where the table cannot fit."""
    if width is None:
        return natural
    room = width - len(_GAP) * (len(natural) - 1)
    widest = max(natural)
    while sum(min(wanted, widest) for wanted in natural) > room:
        widest -= 1
        if widest < _NARROWEST:
            return None
    return [min(wanted, widest) for wanted in natural]


def _folded_row(row: list[str], widths: list[int]) -> Iterator[str]:
    pieces = [_fold(cell, width) for cell, width in zip(row, widths, strict=True)]
    for line in zip_longest(*pieces, fillvalue=""):
        padded = [_pad(piece, width) for piece, width in zip(line, widths, strict=True)]
        yield _GAP.join(padded).rstrip()


def _blocks(table: list[list[str]]) -> Iterator[str]:
    names, *rows = table
    width = max(map(_width, names))
    for number, row in enumerate(rows):
        if number:
            yield ""
        for name, cell in zip(names, row, strict=True):
            yield f"{_pad(name, width)}{_GAP}{cell}".rstrip()


def _fold(cell: str, width: int) -> list[str]:
    if _width(cell) <= width:
        return [cell]
    pieces, piece = [], ""
    for character in cell:
        if _width(piece + character) > width:
            pieces.append(piece)
            piece = ""
        piece += character
    return [*pieces, piece]


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
        for character in text
    )


def printable(cell: str) -> str:
    """A cell without what would move the cursor."""
    if cell.isprintable():
        return cell
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in cell
    )
