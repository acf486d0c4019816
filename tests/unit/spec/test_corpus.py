"""Every YAML file found in public repositories, read without an error that is not the file's."""

from __future__ import annotations

import csv
import re
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from localep.errors import LocalepError, SpecError
from localep.spec import ga, preview2021
from localep.spec.documents import Document, read_document
from localep.spec.findings import Finding, Findings, Severity, Topic
from localep.spec.loader import load_files
from localep.spec.overrides import kind_of

CORPUS = Path(__file__).parents[4] / "shared" / "corpus"

if not CORPUS.exists():
    pytest.skip("The corpus of public files is not here.", allow_module_level=True)

GA_KINDS = {"endpoint", "deployment", "kubernetes-endpoint", "kubernetes-deployment"}


class Row(NamedTuple):
    """A line of the corpus's index, as far as it matters here."""

    path: str
    kind: str
    generation: str
    judgement: str

    @property
    def file(self) -> Path:
        return CORPUS / "yaml" / self.path


def rows() -> list[Row]:
    with (CORPUS / "index.csv").open(encoding="utf-8", newline="") as file:
        return [
            Row(line["path"], line["kind"], line["generation"], line["cloud_cli_as_is"])
            for line in csv.DictReader(file)
        ]


ALL = rows()
ACCEPTED = [
    row
    for row in ALL
    if row.kind in GA_KINDS and row.generation == "2022+ GA" and row.judgement == "ok"
]
BATCH = [row for row in ALL if row.kind == "batch"]
# A file with placeholders is not YAML before a script has filled them in.
COMBINED = [
    row
    for row in ALL
    if row.kind == "combined-2021"
    and row.generation.startswith("2021-05")
    and "{{" not in row.file.read_text(encoding="utf-8")
]


def document_errors(findings: Findings) -> list[Finding]:
    return [
        item
        for item in findings.items
        if item.severity is Severity.ERROR and item.topic is Topic.DOCUMENT
    ]


@cache
def document_of(row: Row) -> Document:
    return read_document(row.file)


@cache
def accepted_errors(row: Row) -> list[Finding]:
    findings = Findings()
    document = document_of(row)
    if kind_of(document) == "deployment":
        ga.read_deployment(document, findings)
    else:
        ga.read_endpoint(document, findings)
    return document_errors(findings)


def names_of(rows: list[Row]) -> list[str]:
    return [row.path for row in rows]


def test_the_corpus_holds_files_of_every_kind() -> None:
    assert min(len(ACCEPTED), len(BATCH), len(COMBINED)) > 10
    assert {row.kind for row in ACCEPTED} == GA_KINDS


@pytest.mark.parametrize("row", ALL, ids=names_of(ALL))
def test_every_file_is_read_or_refused_on_purpose(row: Row) -> None:
    assert row.file.is_file()
    with suppress(LocalepError):
        load_files([row.file])


@pytest.mark.parametrize("row", ACCEPTED, ids=names_of(ACCEPTED))
def test_a_file_that_the_cloud_accepts_has_no_error_but_a_name_for_its_service_to_refuse(
    row: Row,
) -> None:
    # The cloud's loader leaves the rule for names to its service; localep has no service.
    assert [item for item in accepted_errors(row) if item.code != "name-rule"] == []


@pytest.mark.parametrize("row", ACCEPTED, ids=names_of(ACCEPTED))
def test_a_name_is_refused_where_the_clouds_service_would_refuse_it(row: Row) -> None:
    data = document_of(row).data
    refused = [
        key
        for key in ("endpoint_name", "name")
        if key in data and not re.fullmatch(r"[A-Za-z](-?[A-Za-z0-9]){2,31}", data[key])
    ]
    errors = [item for item in accepted_errors(row) if item.code == "name-rule"]
    assert [item.message.partition(":")[0] for item in errors] == refused


@pytest.mark.parametrize("row", ACCEPTED, ids=names_of(ACCEPTED))
def test_a_file_that_the_cloud_accepts_is_of_the_kind_that_its_readers_said(row: Row) -> None:
    assert kind_of(document_of(row)) == row.kind.removeprefix("kubernetes-")


@pytest.mark.parametrize("row", COMBINED, ids=names_of(COMBINED))
def test_a_document_of_2021_has_no_error(row: Row) -> None:
    document = read_document(row.file)
    named = replace(document, data={"name": "named", **document.data})
    findings = Findings()
    preview2021.read_combined(named, findings)
    assert (kind_of(named), document_errors(findings)) == ("combined", [])


@pytest.mark.parametrize("row", BATCH, ids=names_of(BATCH))
def test_a_document_of_batch_endpoints_is_refused_as_such(row: Row) -> None:
    with pytest.raises(SpecError) as caught:
        load_files([row.file])
    assert caught.value.message == f"{row.file} is not an online endpoint or deployment."
