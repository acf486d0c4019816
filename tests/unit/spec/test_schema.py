"""The JSON Schema of today's documents: what the readers take, it takes."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from localep.spec.documents import read_document
from localep.spec.overrides import kind_of
from localep.spec.schema import deployment_schema, endpoint_schema

PROJECT = Path(__file__).parents[3]
CORPUS = PROJECT.parent / "shared" / "corpus"
VALIDATORS = {
    "endpoint": Draft7Validator(endpoint_schema()),
    "deployment": Draft7Validator(deployment_schema()),
}
BLUE: dict[str, Any] = {"name": "blue", "endpoint_name": "orders"}


def errors_of(kind: str, data: object) -> list[str]:
    return [error.message for error in VALIDATORS[kind].iter_errors(data)]


def test_they_are_schemas_themselves() -> None:
    for validator in VALIDATORS.values():
        Draft7Validator.check_schema(validator.schema)


@pytest.mark.parametrize("sample", sorted((PROJECT / "samples").glob("*/*.yml")), ids=str)
def test_the_samples_fit(sample: Path) -> None:
    document = read_document(sample)
    if document.data.keys() & {"dependencies", "deployments"}:
        return  # a conda file, a document of 2021
    assert errors_of(kind_of(document), document.data) == []


@pytest.mark.skipif(not CORPUS.exists(), reason="The corpus of public files is not here.")
def test_every_public_file_fits_that_the_cloud_accepts() -> None:
    with (CORPUS / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["cloud_cli_as_is"] == "ok"]
    assert len(rows) > 100
    for row in rows:
        document = read_document(CORPUS / "yaml" / row["path"])
        assert errors_of(kind_of(document), document.data) == [], row["path"]


@pytest.mark.parametrize(
    "more",
    [
        {"instance_count": "2"},
        {"app_insights_enabled": "Yes"},
        {"type": "Managed"},
        {"model": "azureml:trees:1"},
        {"model": {"path": "model", "name": "trees", "version": 1, "type": "Mlflow_Model"}},
        {"environment": {"image": "a:1", "conda_file": {"dependencies": []}}},
        {"environment_variables": {"A": 1, "B": True}},
        {"resources": {"requests": {"cpu": "1", "nvidia.com/gpu": "1"}}},
        {"data_collector": {"collections": {"inputs": {"enabled": "true"}}}},
    ],
    ids=str,
)
def test_what_the_cloud_takes_fits(more: dict[str, Any]) -> None:
    assert errors_of("deployment", {**BLUE, **more}) == []


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("endpoint", {}),
        ("endpoint", {"name": "orders", "auth_mode": "none"}),
        ("endpoint", {"name": "orders", "traffic": {"blue": "most"}}),
        ("endpoint", {"name": "orders", "deployments": []}),
        ("endpoint", {"name": 1}),
        ("deployment", {**BLUE, "instance_cuont": 1}),
        ("deployment", {**BLUE, "instance_count": "many"}),
        ("deployment", {**BLUE, "model": {"local_path": "model"}}),
        ("deployment", {**BLUE, "code_configuration": {"code": {"local_path": "src"}}}),
        ("deployment", {**BLUE, "liveness_probe": {"period_seconds": 10}}),
        ("deployment", {**BLUE, "environment": {"inference_config": {"scoring_route": {}}}}),
        ("deployment", {**BLUE, "data_collector": {"collections": {"a": {"enabled": True}}}}),
    ],
    ids=str,
)
def test_what_the_cloud_refuses_does_not_fit(kind: str, data: dict[str, Any]) -> None:
    assert errors_of(kind, data) != []
