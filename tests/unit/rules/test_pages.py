"""The page that is made of the catalogue of causes."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from localep.rules.causes import Cause, all_causes
from localep.rules.pages import code_span, main, render_page

PAGE = "docs/cloud-failures.md"
CAUSES = (
    Cause(
        id="small-port",
        stage="definition",
        known="statically",
        title="The port is too small.",
        cloud=("Port `0` is not valid", "BadPort"),
        cause="Ports begin at 1 & end at 65535.",
        check="The number in `{{X}}` or <X>.",
        remedy="Raise it.",
        reports=2,
        sources=("T", "ex#1", "ex#2"),
        catches="validate",
        test="tests/unit/test_ports.py::test_zero",
    ),
    Cause(
        id="full-moon",
        stage="service",
        known="not-at-all",
        title="The moon is full.",
        cloud=(),
        cause="It comes every month.",
        check="Nothing here tells.",
        remedy="Wait.",
        reports=0,
        sources=("derived",),
        catches="nothing",
    ),
)
TABLE = """\
| known | causes | before a build | build | start | request | load | not yet, or never |
|---|---|---|---|---|---|---|---|
| statically: from the YAML, the files it names and the image's manifest | 1 | 1 | 0 | 0 | 0 | 0 | 0 |
| by building the image | 0 | 0 | 0 | 0 | 0 | 0 | 0 |
| by running it once | 0 | 0 | 0 | 0 | 0 | 0 | 0 |
| by running it under load | 0 | 0 | 0 | 0 | 0 | 0 | 0 |
| not at all: it takes Azure to know | 1 | 0 | 0 | 0 | 0 | 0 | 1 |
| all | 2 | 1 | 0 | 0 | 0 | 0 | 1 |
"""  # noqa: E501
BODY = """\
## Contents

- The YAML and what it defines
  - [small-port](#small-port): The port is too small.
- Quota, network, identity and the service
  - [full-moon](#full-moon): The moon is full.
- [Sources](#sources)

## The YAML and what it defines

### small-port

The port is too small.

- **The cloud says**: `` Port `0` is not valid ``, `BadPort`
- **Cause**: Ports begin at 1 & end at 65535.
- **Remedy**: Raise it.
- **To be known**: statically. The number in `{{X}}` or <X>.
- **localep catches it**: before anything is built, from the files (`tests/unit/test_ports.py::test_zero`).
- **Reported**: in 2 public threads. Sources: T, ex#1, ex#2.

## Quota, network, identity and the service

### full-moon

The moon is full.

- **Cause**: It comes every month.
- **Remedy**: Wait.
- **To be known**: not at all. Nothing here tells.
- **localep catches it**: not at all.
- **Reported**: in no public thread that was found. Sources: derived.

## Sources
"""  # noqa: E501


def test_the_page_of_the_checkout_is_what_the_catalogue_gives(root: Path) -> None:
    page = (root / PAGE).read_text(encoding="utf-8")

    assert page == render_page(all_causes()), "run scripts/docs.sh"


def test_a_page_counts_its_causes_and_tells_each_of_them() -> None:
    page = render_page(CAUSES)

    assert page.startswith("<!-- Made of localep/rules/causes.yml by scripts/docs.sh; do not edit.")
    assert "\n2 causes why a managed online deployment fails" in page
    assert f"\n{TABLE}\n" in page
    assert f"\n{BODY}\n" in page


def test_every_link_of_the_page_leads_to_one_heading(root: Path) -> None:
    page = (root / PAGE).read_text(encoding="utf-8")
    headings = Counter(re.findall(r"^#+ ([a-zA-Z0-9-]+)$", page, re.MULTILINE))
    anchors = {name.lower(): times for name, times in headings.items()}

    links = re.findall(r"\]\(#([^)]*)\)", page)

    assert links == [*(item.id for item in all_causes()), "sources"]
    assert [link for link in links if anchors.get(link) != 1] == []


@pytest.mark.parametrize(
    ("text", "span"),
    [("Unknown field", "`Unknown field`"), ("on `__main__`", "`` on `__main__` ``")],
)
def test_code_may_hold_backticks(text: str, span: str) -> None:
    assert code_span(text) == span


def test_the_page_is_written_and_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "docs" / "page.md"
    complaint = f"{page} is not what the catalogue gives: run scripts/docs.sh\n"

    assert main(["--check", str(page)]) == 1
    assert not page.exists()
    assert capsys.readouterr() == ("", complaint)

    assert main([str(page)]) == 0
    assert page.read_text(encoding="utf-8") == render_page(all_causes())
    assert main(["--check", str(page)]) == 0
    assert capsys.readouterr() == ("", "")

    page.write_text(f"{page.read_text(encoding='utf-8')}more\n", encoding="utf-8")
    assert main(["--check", str(page)]) == 1
    assert page.read_text(encoding="utf-8").endswith("more\n")
    assert capsys.readouterr() == ("", complaint)
