"""The rules, run over every public file that the cloud's own loader accepts.

The table says how many of the files each rule speaks of; every hit was looked at by hand. A rule
that comes to speak of more or fewer files changes the table.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

from corpus.corpus_files import all_rows, skip_where_it_is_not_here

from localep.rules.engine import check
from localep.spec.loader import Selection, read_files

skip_where_it_is_not_here()

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
    for row in all_rows():
        if row.as_is == "ok":
            found.append((row.file, Selection()))
        elif row.filled == "ok":
            found.append((row.file, row.selection))
    return tuple(found)


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
