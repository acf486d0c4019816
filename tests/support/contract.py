"""The table of what the cloud answers and what localep does, and the page that is made of it.

``python -m support.contract FILE`` writes the page; with ``--check`` it tells whether it is up to
date.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

TABLE = Path(__file__).parent.parent / "engine" / "contract.yml"
TEMPLATE = Path(__file__).with_name("cloud-parity.md.j2")
PATTERNS = {
    "a GUID": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "200 and some": r"2[0-9]{2}",
}


@dataclass(frozen=True)
class Row:
    """A request, what the cloud's pages say of it, and what localep answers.

    A row without ``send`` is not tried: ``said`` tells in words how it is here.
    """

    title: str
    request: str
    cloud: str
    stage: str = "key"
    send: Mapping[str, Any] | None = None
    expect: Mapping[str, Any] = field(default_factory=dict)
    said: str = ""
    differs: str = ""

    @property
    def here(self) -> str:
        """What localep answers, in words."""
        if self.send is None:
            return self.said
        words = [str(self.expect["status"])] if "status" in self.expect else []
        counts = self.expect.get("counts", {})
        words += [f"{count} x {status}" for status, count in counts.items()]
        if "text" in self.expect:
            words.append(f"`{self.expect['text']}`")
        for name, value in self.expect.get("headers", {}).items():
            words.append(f"`{name}`: {value}" if value in PATTERNS else f"`{name}: {value}`")
        words += ["each piece at once"] if self.expect.get("streams") else []
        return ", ".join(words)


def all_rows() -> list[Row]:
    """Every row of the table, in its order."""
    groups = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return [Row(title=group["title"], **row) for group in groups for row in group["rows"]]


def render_page(rows: Sequence[Row]) -> str:
    """docs/cloud-parity.md with these rows."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE.parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    titles = list(dict.fromkeys(row.title for row in rows))
    groups = [(title, [row for row in rows if row.title == title]) for title in titles]
    tried = sum(row.send is not None for row in rows)
    return environment.get_template(TEMPLATE.name).render(groups=groups, tried=tried, rows=rows)


def main(arguments: Sequence[str]) -> int:
    """Write the page to the file named last; with ``--check``, tell whether it is up to date."""
    *options, name = arguments
    page, text = Path(name), render_page(all_rows())
    if options != ["--check"]:
        page.write_text(text, encoding="utf-8")
        return 0
    if page.is_file() and page.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{page} is not what the table gives: run scripts/docs.sh\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
