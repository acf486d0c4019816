"""No document, however mangled, makes `validate` break, nor what runs documents."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from localep.errors import LocalepError
from localep.operations.checked import load_checked_documents
from localep.operations.frames import finding_lines
from localep.operations.validate import validate
from localep.spec.documents import parse_document
from localep.spec.loader import Selection

PROJECT = Path(__file__).parents[3]
FOLDERS = (PROJECT / "samples", PROJECT.parent / "shared" / "corpus" / "yaml")
SELECTIONS = (Selection(), Selection("orders", "blue"), Selection("orders", None, (), "DEBUG"))


def documents() -> list[tuple[Path, dict[str, Any]]]:
    """Every mapping of the samples, and of the corpus where that is here."""
    found = []
    for folder in FOLDERS:
        for file in sorted(folder.rglob("*.y*ml")):
            try:
                data = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
            except (yaml.YAMLError, UnicodeDecodeError):
                continue
            if isinstance(data, dict):
                found.append((file, data))
    return found


DOCUMENTS = documents()
KEYS = sorted({key for _, data in DOCUMENTS for key in data} | {"code", "docker", "path", "type"})
VALUES = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(-1, 10**30),
    some.floats(),
    some.text(max_size=8),
    some.sampled_from(
        ["azureml:", "azureml:a:1", "file:x", "..", "a\0b", "{{X}}", "<X>", "x" * 5000]
    ),
    some.sampled_from([[], {}, [None], [[]], {"": None}, {"a": {"b": [1]}}]),
    some.sampled_from([data for _, data in DOCUMENTS]),
)
CHANGES = some.lists(
    some.tuples(some.floats(0, 1), some.sampled_from(["", *KEYS]), VALUES), max_size=4
)
# Where characters are cut out of the text, how many, and what is put there.
EDITS: some.SearchStrategy[list[tuple[float, int, str]]] = some.one_of(
    some.just([]),  # as most texts with an edit are no YAML any more
    some.lists(
        some.tuples(some.floats(0, 1), some.integers(0, 12), some.text(max_size=3)), max_size=2
    ),
)


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in it."""
    items = (
        data.items()
        if isinstance(data, dict)
        else enumerate(data)
        if isinstance(data, list)
        else ()
    )
    found = [path] if path else []
    for key, value in items:
        found += places(value, (*path, key))
    return found


def change(data: dict[str, Any], where: float, key: str, value: Any) -> None:
    """Put a value in the place of another one, or under another key beside it."""
    there = places(data)
    path = there[int(where * (len(there) - 1))] if there else ("name",)
    *parents, last = path
    target: Any = data
    for step in parents:
        target = target[step]
    if isinstance(target, dict) and key:
        last = key
    target[last] = copy.deepcopy(value)


def edit(text: str, where: float, length: int, new: str) -> str:
    """A text with some of its characters cut out and others put there."""
    start = int(where * len(text))
    return text[:start] + new + text[start + length :]


@settings(
    max_examples=2000,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(some.sampled_from(DOCUMENTS), CHANGES, EDITS, some.sampled_from(SELECTIONS))
def test_a_mangled_document_is_read_or_refused_on_purpose(
    original: tuple[Path, dict[str, Any]],
    changes: list[tuple[float, str, Any]],
    edits: list[tuple[float, int, str]],
    selection: Selection,
) -> None:
    file, data = original[0], copy.deepcopy(original[1])
    for where, key, value in changes:
        change(data, where, key, value)
    text = yaml.safe_dump(data, allow_unicode=True)
    for position, length, new in edits:
        text = edit(text, position, length, new)
    with pytest.MonkeyPatch.context() as patch:
        # The files that it names lie beside the original, where nobody may write.
        patch.setattr("localep.operations.validate.read_text", lambda _: text)
        result = validate([file], selection)
    json.dumps(result.to_dict())
    for finding in result.findings:
        assert "".join(finding_lines(finding, result.lines))
    with suppress(LocalepError):
        load_checked_documents([parse_document(text, file)], selection)
