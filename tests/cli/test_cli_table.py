"""Tables, as wide as the terminal is."""

from __future__ import annotations

import random

import pytest

from localep.cli.table import table_lines

COLUMNS = ["NAME", "STATE", "SCORING URI"]
ROWS = [
    ["hello", "Succeeded", "http://127.0.0.1:41231/score"],
    ["sklearn-regression", "Failed", "http://127.0.0.1:8085/score"],
]


def table(columns: list[str], rows: list[list[str]], width: int | None) -> str:
    return "".join(f"{line}\n" for line in table_lines(columns, rows, width))


@pytest.mark.parametrize("width", [None, 200, 59])
def test_a_table_is_as_wide_as_it_needs_to_be(width: int | None) -> None:
    assert table(COLUMNS, ROWS, width) == (
        "NAME                STATE      SCORING URI\n"
        "hello               Succeeded  http://127.0.0.1:41231/score\n"
        "sklearn-regression  Failed     http://127.0.0.1:8085/score\n"
    )


def test_the_widest_column_is_folded_first() -> None:
    assert table(COLUMNS, ROWS, 50) == (
        "NAME                STATE      SCORING URI\n"
        "hello               Succeeded  http://127.0.0.1:41\n"
        "                               231/score\n"
        "sklearn-regression  Failed     http://127.0.0.1:80\n"
        "                               85/score\n"
    )


def test_where_columns_have_no_room_a_row_is_a_block() -> None:
    assert table(COLUMNS, ROWS, 36) == (
        "NAME         hello\n"
        "STATE        Succeeded\n"
        "SCORING URI  http://127.0.0.1:41231/score\n"
        "\n"
        "NAME         sklearn-regression\n"
        "STATE        Failed\n"
        "SCORING URI  http://127.0.0.1:8085/score\n"
    )


def test_letters_are_as_wide_as_they_look() -> None:
    assert table(["名前", "x"], [["größer", "1"], ["e\u0301", "2"]], None) == (
        "名前    x\ngrößer  1\ne\u0301       2\n"
    )


def test_wide_letters_are_folded_where_they_fit() -> None:
    lines = list(table_lines(["NAME"], [["あ" * 10]], 13))

    assert lines == ["NAME", "あ" * 6, "あ" * 4]


def test_what_would_move_the_cursor_is_spelled_out() -> None:
    assert table(["a"], [["x\ny\t\x1b[1m\udcff"]], None) == "a\nx\\ny\\t\\x1b[1m\\udcff\n"


@pytest.mark.parametrize("rows", [[], [[]]])
def test_nothing_is_written_of_nothing(rows: list[list[str]]) -> None:
    assert table([], rows, 80) == ""


@pytest.mark.parametrize("width", [1, 12, 13, 20, 40, 60, 80, 100])
def test_nothing_is_lost_and_no_folded_line_is_too_long(width: int) -> None:
    chance = random.Random(width)
    count = chance.randint(1, 6)
    columns = [f"C{number}" for number in range(count)]
    rows = [
        ["".join(chance.choices("abcdef", k=chance.randint(1, 40))) for _ in columns]
        for _ in range(5)
    ]

    lines = list(table_lines(columns, rows, width))

    if len(lines) > 1 and lines[0].split() == columns:
        assert max(map(len, lines)) <= width
    wanted = sorted("".join(cell for row in [columns, *rows] for cell in row))
    repeated = 1 if lines[0].split() == columns else len(rows)
    found = sorted("".join("".join(lines).split()))
    assert found == sorted([*wanted, *"".join(columns) * (repeated - 1)])
