"""The catalogue of causes is complete, and says of itself what is true."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from localep.rules.causes import CATALOGUE, CATCHES, KNOWN, STAGES, Cause, all_causes, cause

CAUSES = all_causes()
KEYS = ["id", "stage", "known", "title", "cloud", "cause", "check", "remedy", "reports", "sources"]


def of(name: str) -> Any:
    return pytest.param(cause(name), id=name)


ALL = [of(item.id) for item in CAUSES]
SHOWN = [of(item.id) for item in CAUSES if item.test is not None]


@cache
def functions_of(path: Path) -> frozenset[str]:
    """The names of the test functions of a file, those in classes as ``Class::name``."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    plain = [item.name for item in body if isinstance(item, ast.FunctionDef)]
    grouped = [
        f"{group.name}::{item.name}"
        for group in body
        if isinstance(group, ast.ClassDef)
        for item in group.body
        if isinstance(item, ast.FunctionDef)
    ]
    return frozenset([*plain, *grouped])


def test_a_cause_is_found_by_its_id() -> None:
    assert cause("name-rule") == Cause(
        id="name-rule",
        stage="definition",
        known="statically",
        title="The name of the endpoint or the deployment breaks the rule for names.",
        cloud=(),
        cause="Creation is refused with status 400: a name begins with a letter, has 3 to 32 "
        "letters, digits and dashes, no underscore and no two dashes in a row.",
        check="The pattern and the length of `name` and `endpoint_name`, those of the command "
        "line included.",
        remedy="Rename it: 3 to 32 letters, digits and single dashes, beginning with a letter.",
        reports=1,
        sources=("Q", "mlops-project-template#64"),
        catches="validate",
        test="tests/unit/spec/test_ga.py::test_a_name_outside_the_rule_is_refused",
    )


def test_another_id_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"^'no-such-cause'$"):
        cause("no-such-cause")


def test_the_entries_of_the_file_have_these_keys_in_this_order() -> None:
    entries = yaml.load(CATALOGUE.read_text(encoding="utf-8"), yaml.CSafeLoader)

    for entry in entries:
        assert list(entry) in ([*KEYS, "catches"], [*KEYS, "catches", "test"]), entry["id"]
    ids = [entry["id"] for entry in entries]
    assert ids == [item.id for item in CAUSES]
    assert len(set(ids)) == len(ids)


def test_the_causes_are_as_many_as_were_found_of_each_kind() -> None:
    assert Counter(item.known for item in CAUSES) == {
        "statically": 67,
        "by-building": 10,
        "by-running": 27,
        "under-load": 5,
        "not-at-all": 26,
    }
    assert Counter(item.stage for item in CAUSES) == {
        "definition": 32,
        "upload": 9,
        "build": 26,
        "start": 17,
        "init": 10,
        "probes": 5,
        "request": 17,
        "service": 19,
    }


def test_the_causes_stand_in_the_order_of_the_stages_and_of_their_reports() -> None:
    order = [(STAGES.index(item.stage), -item.reports) for item in CAUSES]

    assert order == sorted(order)


@pytest.mark.parametrize("item", ALL)
def test_a_cause_is_complete(item: Cause) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", item.id)
    assert item.stage in STAGES
    assert item.known in KNOWN
    assert item.catches in CATCHES
    for text in (item.title, item.cause, item.check, item.remedy):
        assert text == text.strip()
        assert text.endswith(".")
        assert text.count("`") % 2 == 0
    assert "." not in item.title.removesuffix(".").replace("azureml.", "").replace("model.", "")
    assert all(isinstance(text, str) and text.strip() == text != "" for text in item.cloud)
    assert len(set(item.cloud)) == len(item.cloud)
    assert item.sources
    assert all(isinstance(text, str) and text for text in item.sources)


@pytest.mark.parametrize("item", ALL)
def test_as_many_threads_are_named_as_are_counted(item: Cause) -> None:
    threads = [text for text in item.sources if "#" in text and not text.startswith("cf. ")]

    assert item.reports == len(threads)


@pytest.mark.parametrize("item", ALL)
def test_what_takes_azure_to_know_is_caught_nowhere_and_what_is_not_caught_has_no_test(
    item: Cause,
) -> None:
    if item.known == "not-at-all":
        assert item.catches in {"nothing", "validate"}  # the latter where it can be warned of
    if item.catches == "nothing":
        assert item.test is None
    if item.known in {"by-running", "under-load"}:
        assert item.test is not None


@pytest.mark.parametrize("item", SHOWN)
def test_the_test_that_is_named_is_there(item: Cause, root: Path) -> None:
    assert item.test is not None
    path, _, name = item.test.partition("::")

    assert path.startswith("tests/")
    assert name in functions_of(root / path)
