"""The page that is made of the table of requests."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.contract import Row, all_rows, main, render_page

ROWS = [
    Row(
        "Codes",
        "a wrong key",
        "401",
        send={"key": "wrong"},
        expect={"status": 401, "text": "no", "headers": {"x-request-id": "a GUID", "allow": "GET"}},
        differs="The text.",
    ),
    Row(
        "Codes",
        "8 at once",
        "429",
        send={"at_once": 8},
        expect={"counts": {200: 2, 429: 6}},
    ),
    Row("Limits", "bytes per second", "5 MB/s", said="any"),
]
BODY = """\
## Codes

| request | the cloud | localep | differs |
|---|---|---|---|
| a wrong key | 401 | 401, `no`, `x-request-id`: a GUID, `allow: GET` | The text. |
| 8 at once | 429 | 2 x 200, 6 x 429 |  |

## Limits

| request | the cloud | localep | differs |
|---|---|---|---|
| bytes per second * | 5 MB/s | any |  |
"""


def test_the_page_has_a_table_a_title() -> None:
    head, _, body = render_page(ROWS).partition("\n\n## ")

    assert f"## {body}" == BODY
    assert "sends 2 of these 3 requests" in head


def test_the_page_of_the_docs_is_up_to_date(root: Path) -> None:
    assert main(["--check", str(root / "docs" / "cloud-parity.md")]) == 0


def test_a_page_that_is_not_up_to_date_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"

    assert main(["--check", str(page)]) == 1
    assert capsys.readouterr().err == (f"{page} is not what the table gives: run scripts/docs.sh\n")
    assert main([str(page)]) == 0
    assert main(["--check", str(page)]) == 0


def test_every_row_is_sent_or_says_how_it_is_here() -> None:
    for row in all_rows():
        assert (row.send is None) == bool(row.said), row.request
        assert (row.send is None) == (not row.expect), row.request


def test_no_request_stands_there_twice() -> None:
    requests = [row.request for row in all_rows()]

    assert sorted(set(requests)) == sorted(requests)
