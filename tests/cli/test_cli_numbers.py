"""Numbers of the command line that may also be a word, or have a unit."""

from __future__ import annotations

import pytest
import typer

from localep.cli.numbers import number_of_bytes, size


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("1500000", 1_500_000),
        ("64K", 65_536),
        ("64kb", 65_536),
        ("1.5M", 1_572_864),
        ("2G", 2_147_483_648),
        ("10B", 10),
    ],
)
def test_a_size_is_a_number_of_bytes(text: str, number: int) -> None:
    assert (size(text), number_of_bytes(text)) == (text, number)


@pytest.mark.parametrize("text", ["", "-1", "K", "1.5.5", "1 M", "1T", "1e3", "many", "٣"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no number of bytes, such as 1500000"):
        size(text)


def test_no_size_is_none() -> None:
    assert (size(None), number_of_bytes(None)) == (None, None)
