"""Every YAML file found in public repositories, judged beside the cloud's own loader."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest
from corpus.corpus_files import Row, all_rows, skip_where_it_is_not_here

from localep.operations.frames import finding_lines
from localep.operations.validate import ValidateResult, validate
from localep.spec.findings import Finding, Severity, Topic
from localep.spec.generations import Generation, generation_of
from localep.spec.loader import Reading, Selection, read_files
from localep.spec.overrides import kind_of

skip_where_it_is_not_here()

# The keys of a ValidationError; `value` is what the cloud's loader calls a value of a mapping.
KEYS = re.compile(r"(?:^|; |\{ \")([a-z_.]+)(?:\": \[|: )")


@cache
def filled(row: Row) -> Reading:
    """What a file holds once names are given and placeholders filled in."""
    return read_files([row.file], row.selection)


@cache
def validated(row: Row) -> ValidateResult:
    """What `validate` tells of a file that is filled in."""
    return validate([row.file], row.selection)


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


ALL = all_rows()
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
def test_every_file_is_judged_and_each_finding_has_its_place(row: Row) -> None:
    result = validate([row.file], Selection())
    assert [document.source for document in result.documents] == [str(row.file)]
    for finding in result.findings:
        assert finding.place is not None
        assert "".join(finding_lines(finding, result.lines))
    json.dumps(result.to_dict())


@pytest.mark.parametrize("row", ACCEPTED_AS_IS, ids=ids(ACCEPTED_AS_IS))
def test_a_file_that_the_cloud_accepts_as_it_is_is_valid(row: Row) -> None:
    result = validate([row.file], Selection())
    assert result.is_valid, result.findings


@pytest.mark.parametrize("row", ACCEPTED, ids=ids(ACCEPTED))
def test_a_file_that_the_cloud_accepts_once_it_is_filled_in_is_valid(row: Row) -> None:
    assert validated(row).is_valid, validated(row).findings
    assert generation(row) is Generation.TODAY


@pytest.mark.parametrize("row", ACCEPTED, ids=ids(ACCEPTED))
def test_a_file_that_the_cloud_accepts_is_of_the_kind_that_its_readers_said(row: Row) -> None:
    assert kind_of(filled(row).documents[0]) == row.kind.removeprefix("kubernetes-")


@pytest.mark.parametrize("row", REFUSED_TODAY, ids=ids(REFUSED_TODAY))
def test_what_the_cloud_refuses_is_refused_for_the_same_cause_or_is_missing_here(row: Row) -> None:
    causes = {key.replace(".value", "") for key in KEYS.findall(row.error)}
    assert causes
    wrong = errors(filled(row), Topic.DOCUMENT)
    assert validated(row).is_valid == (not wrong)
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
    assert validated(row).is_valid == (not wrong)
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
    (told,) = validated(row).findings
    assert not validated(row).is_valid
    assert told.code == "other-kind"
    assert told.message.startswith("The document is not an online endpoint or deployment.")
