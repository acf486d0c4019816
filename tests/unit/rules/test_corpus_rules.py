"""The rules, run over every public file that the cloud's own loader accepts.

The table says how many of the files each rule speaks of; every hit was looked at by hand. A rule
that comes to speak of more or fewer files changes the table.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from localep.rules.engine import check
from localep.spec.loader import Selection, read_files

CORPUS = Path(__file__).parents[4] / "shared" / "corpus"

if not CORPUS.exists():
    pytest.skip("The corpus of public files is not here.", allow_module_level=True)

EXPECTED = {
    ("base-image-deprecated", "warning"): 12,
    ("base-image-tag", "warning"): 6,
    ("core-quota", "info"): 80,
    ("gpu-absent", "info"): 1,
    ("identity-roles", "info"): 4,
    ("instance-count", "warning"): 1,
    ("kubernetes-compute", "info"): 8,
    ("missing-driver-program", "info"): 13,
    ("mlflow-monitoring-missing", "warning"): 4,
    ("mlflow3", "warning"): 2,
    ("name-taken", "info"): 14,
    ("own-reserved-variable", "info"): 1,
    ("pip-entry", "info"): 1,
    ("probe-delay-long", "info"): 3,
    ("probe-window-small", "warning"): 3,
    ("python-too-old", "warning"): 18,
    ("unpinned-drift", "info"): 8,
    ("worker-count", "info"): 1,
    ("worker-count", "warning"): 1,
}


@cache
def accepted() -> tuple[tuple[Path, Selection], ...]:
    """The files that the loader accepts, some once names and placeholders are filled in."""
    found = []
    with (CORPUS / "index.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            file = CORPUS / "yaml" / row["path"]
            if row["cloud_cli_as_is"] == "ok":
                found.append((file, Selection()))
            elif row["cloud_cli_with_names_and_placeholders"] == "ok":
                found.append((file, filled_in(file)))
    return tuple(found)


def filled_in(file: Path) -> Selection:
    """What gives a file its names, and every placeholder in braces a value."""
    names = re.findall(r"\{\{\s*([\w.-]+)\s*\}\}", file.read_text(encoding="utf-8"))
    return Selection("orders", "blue", variables=dict.fromkeys(names, "filled-in"))


@cache
def counts() -> Counter[tuple[str, str]]:
    """How many of the files each rule speaks of, by its code and the severity."""
    told: Counter[tuple[str, str]] = Counter()
    for file, selection in accepted():
        findings = check(read_files([file], selection))
        told.update({(finding.code, finding.severity.value) for finding in findings})
    return told


def test_the_corpus_holds_the_files_that_were_counted() -> None:
    assert len(accepted()) == 160


def test_each_rule_speaks_of_as_many_files_as_were_looked_at() -> None:
    assert dict(counts()) == EXPECTED
