"""What `serve` says while all goes well."""

from __future__ import annotations

from pathlib import Path

import pytest

from localep.operations.serving.texts import listed, ready_text


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "x/a", "b"], "a and b"),
        (["a", "b", "c", "d", "e"], "a, b, c, d and e"),
        (["a", "b", "c", "d", "e", "f", "g"], "a, b, c, d and 3 others"),
    ],
)
def test_many_files_are_counted(names: list[str], text: str) -> None:
    assert listed([Path(name) for name in names]) == text


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:5001"),
        ("0.0.0.0", "http://127.0.0.1:5001"),
        ("::", "http://[::1]:5001"),
        ("192.168.1.7", "http://192.168.1.7:5001"),
    ],
)
def test_where_it_answers_is_an_address_that_works_from_here(host: str, address: str) -> None:
    assert ready_text(host, 5001, 0.94, ()) == (
        f"Ready after 0.9 s: {address}/score, OpenAPI: {address}/swagger.json."
    )
