"""The page of docs/ that is made of the catalogue: ``python -m localep.rules.pages FILE``."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from localep.resources import render_template
from localep.rules.causes import CATCHES, KNOWN, STAGES, all_causes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localep.rules.causes import Cause

STAGE_TITLES = {
    "definition": "The YAML and what it defines",
    "upload": "The upload of code and model",
    "build": "The build of the image",
    "start": "The start of the container",
    "init": "init()",
    "probes": "The probes",
    "request": "Requests",
    "service": "Quota, network, identity and the service",
}
KNOWN_TITLES = {
    "statically": "statically: from the YAML, the files it names and the image's manifest",
    "by-building": "by building the image",
    "by-running": "by running it once",
    "under-load": "by running it under load",
    "not-at-all": "not at all: it takes Azure to know",
}
# For the head of a column, and for a sentence.
CATCHES_TITLES = {
    "validate": ("before a build", "before anything is built, from the files"),
    "build": ("build", "when the image is built or pulled"),
    "start": ("start", "when the container starts"),
    "request": ("request", "with a sample request"),
    "load": ("load", "under load"),
    "nothing": ("not yet, or never", "not at all"),
}


def render_page(causes: Sequence[Cause]) -> str:
    """docs/cloud-failures.md with these causes, in their order."""
    return render_template(
        "cloud-failures.md.j2",
        causes=causes,
        stages=[(STAGE_TITLES[name], _of_stage(causes, name)) for name in STAGES],
        columns=[CATCHES_TITLES[name][0] for name in CATCHES],
        rows=[(KNOWN_TITLES[name], _counts(causes, name)) for name in KNOWN],
        totals=_counts(causes, *KNOWN),
        known={name: KNOWN_TITLES[name].partition(":")[0] for name in KNOWN},
        catches={name: CATCHES_TITLES[name][1] for name in CATCHES},
        code=code_span,
    )


def code_span(text: str) -> str:
    """A text as code in Markdown, backticks in it included."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def main(arguments: Sequence[str]) -> int:
    """Write the page to the file named last; with ``--check``, tell whether it is up to date."""
    *options, name = arguments
    page, text = Path(name), render_page(all_causes())
    if options != ["--check"]:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")
        return 0
    if page.is_file() and page.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{page} is not what the catalogue gives: run scripts/docs.sh\n")
    return 1


def _of_stage(causes: Sequence[Cause], stage: str) -> list[Cause]:
    return [cause for cause in causes if cause.stage == stage]


def _counts(causes: Sequence[Cause], *known: str) -> list[int]:
    """How many causes that can be known so there are, then how many each step catches."""
    counted = Counter(cause.catches for cause in causes if cause.known in known)
    return [counted.total(), *(counted[name] for name in CATCHES)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
