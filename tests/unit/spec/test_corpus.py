"""Every YAML file found in public repositories, judged beside the cloud's own loader."""

from __future__ import annotations

import csv
import re
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from localep.errors import LocalepError, SpecError
from localep.spec.documents import parse_document, read_text
from localep.spec.findings import Finding, Severity, Topic
from localep.spec.generations import Generation, generation_of
from localep.spec.loader import Reading, Selection, load_files, read_documents
from localep.spec.overrides import kind_of

CORPUS = Path(__file__).parents[4] / "shared" / "corpus"

if not CORPUS.exists():
    pytest.skip("The corpus of public files is not here.", allow_module_level=True)

PLACEHOLDER = re.compile(r"\{\{\s*[\w.-]+\s*\}\}")
# No file has a deployment of this name, so that none of several is chosen.
NAMES = Selection(endpoint="orders", deployment="of-mine")
# The keys of a ValidationError; `value` is what the cloud's loader calls a value of a mapping.
KEYS = re.compile(r"(?:^|; |\{ \")([a-z_.]+)(?:\": \[|: )")


class Row(NamedTuple):
    """A line of the corpus's index: a file, and what the cloud's loader said of it.

    ``as_is`` is "ok", the name of an error, or empty where the file is another one's copy; so is
    ``filled``, once names are given and placeholders filled in. ``error`` is the message then.
    """

    path: str
    kind: str
    as_is: str
    filled: str
    error: str

    @property
    def file(self) -> Path:
        return CORPUS / "yaml" / self.path


def rows() -> list[Row]:
    with (CORPUS / "index.csv").open(encoding="utf-8", newline="") as file:
        return [
            Row(
                line["path"],
                line["kind"],
                line["cloud_cli_as_is"],
                line["cloud_cli_with_names_and_placeholders"],
                line["error_then"],
            )
            for line in csv.DictReader(file)
        ]


@cache
def filled(row: Row) -> Reading:
    """What a file holds once names are given and placeholders filled in."""
    text = PLACEHOLDER.sub("word", read_text(row.file))
    return read_documents([parse_document(text, row.file)], NAMES)


def generation(row: Row) -> Generation:
    return generation_of(filled(row).documents[0].data)


def errors(reading: Reading, topic: Topic) -> list[Finding]:
    return [
        item
        for item in reading.findings.items
        if (item.severity, item.topic) == (Severity.ERROR, topic)
    ]


def paths(findings: list[Finding]) -> set[str]:
    """The dotted paths that findings speak of; of a missing key, the path that it should have."""
    found = set()
    for item in findings:
        missing = re.search(r"`(\w+)` is missing", item.message)
        path = item.place.path if item.place is not None else ""
        found.add(".".join(filter(None, (path, missing[1] if missing else ""))))
    return found


def ids(some: list[Row]) -> list[str]:
    return [row.path for row in some]


ALL = rows()
BATCH = [row for row in ALL if row.kind == "batch"]
ONLINE = [row for row in ALL if row.kind != "batch"]
ACCEPTED_AS_IS = [row for row in ONLINE if row.as_is == "ok"]
ACCEPTED = [row for row in ONLINE if row.filled == "ok"]
REFUSED = [row for row in ONLINE if row.filled not in {"", "ok"}]
OLD = [row for row in ONLINE if generation(row) is not Generation.TODAY]
REFUSED_TODAY = [row for row in REFUSED if generation(row) is Generation.TODAY]

# Files of 2021 that are no documents of their own time either, and what keeps them from it.
WRONG_IN_2021 = {
    "Azure+AML-Kubernetes/docs/AKS-HCI/notebooks/distributed-cifar10/pt_deployment.yml": "model",
    "Azure+AML-Kubernetes/docs/AKS-HCI/notebooks/mnist/deployment.yml": "model",
    "Azure+AML-Kubernetes/docs/AKS-HCI/notebooks/pipeline/deployment.yml": "model",
}


def test_the_corpus_holds_files_of_every_kind() -> None:
    assert (len(ALL), len(BATCH)) == (350, 50)
    assert {generation(row) for row in ONLINE} == set(Generation)
    assert min(len(ACCEPTED_AS_IS), len(ACCEPTED), len(REFUSED_TODAY), len(OLD)) > 10
    assert {row.path for row in OLD} >= WRONG_IN_2021.keys()


@pytest.mark.parametrize("row", ALL, ids=ids(ALL))
def test_every_file_is_read_or_refused_on_purpose(row: Row) -> None:
    assert row.file.is_file()
    with suppress(LocalepError):
        load_files([row.file])


@pytest.mark.parametrize("row", ACCEPTED_AS_IS, ids=ids(ACCEPTED_AS_IS))
def test_a_file_that_the_cloud_accepts_as_it_is_has_no_error(row: Row) -> None:
    reading = read_documents([parse_document(read_text(row.file), row.file)])
    assert errors(reading, Topic.DOCUMENT) == []


@pytest.mark.parametrize("row", ACCEPTED, ids=ids(ACCEPTED))
def test_a_file_that_the_cloud_accepts_once_it_is_filled_in_has_no_error(row: Row) -> None:
    assert errors(filled(row), Topic.DOCUMENT) == []
    assert generation(row) is Generation.TODAY


@pytest.mark.parametrize("row", ACCEPTED, ids=ids(ACCEPTED))
def test_a_file_that_the_cloud_accepts_is_of_the_kind_that_its_readers_said(row: Row) -> None:
    assert kind_of(filled(row).documents[0]) == row.kind.removeprefix("kubernetes-")


@pytest.mark.parametrize("row", REFUSED_TODAY, ids=ids(REFUSED_TODAY))
def test_what_the_cloud_refuses_is_refused_for_the_same_cause_or_is_missing_here(row: Row) -> None:
    causes = {key.replace(".value", "") for key in KEYS.findall(row.error)}
    assert causes
    wrong = errors(filled(row), Topic.DOCUMENT)
    if wrong:
        assert paths(wrong) >= causes
    else:
        absent = {path.partition(".")[0] for path in paths(errors(filled(row), Topic.MACHINE))}
        assert absent >= {cause.partition(".")[0] for cause in causes}


@pytest.mark.parametrize("row", OLD, ids=ids(OLD))
def test_a_file_of_2021_is_refused_by_the_cloud_and_read_with_a_warning(row: Row) -> None:
    assert row.filled != "ok"
    reading = filled(row)
    assert "old-generation" in {item.code for item in reading.findings.warnings}
    wrong = {WRONG_IN_2021[row.path]} if row.path in WRONG_IN_2021 else set()
    assert paths(errors(reading, Topic.DOCUMENT)) == wrong


@pytest.mark.parametrize("row", OLD, ids=ids(OLD))
def test_nothing_of_a_file_of_2021_is_lost(row: Row) -> None:
    (document,) = filled(row).documents
    deployments = document.data.get("deployments", {})
    kind = kind_of(document)
    if isinstance(deployments, dict):
        deployments = [{"name": name, **item} for name, item in deployments.items()]
    if kind == "deployment":
        deployments = [document.data]
    specs = filled(row).deployments
    assert [spec.name for spec in specs] == [item.get("name", "of-mine") for item in deployments]
    for spec, item in zip(specs, deployments, strict=True):
        assert (spec.environment is not None) == ("environment" in item)
        assert (spec.model is not None) == ("model" in item and row.path not in WRONG_IN_2021)
        assert spec.endpoint_name == "orders"
        assert spec.instance_type == item.get("sku", item.get("instance_type"))
    assert (len(filled(row).endpoints) == 0) == (kind == "deployment")


@pytest.mark.parametrize("row", BATCH, ids=ids(BATCH))
def test_a_document_of_batch_endpoints_is_refused_as_such(row: Row) -> None:
    with pytest.raises(SpecError) as caught:
        load_files([row.file])
    assert caught.value.message == f"{row.file} is not an online endpoint or deployment."
    assert caught.value.code == "other-kind"
