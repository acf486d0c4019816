"""The documents that an endpoint keeps for a later update."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.loading import load_documents

from localep.gateway.state import GatewayState, Operation
from localep.operations.stored_documents import (
    documents_to_store,
    stored_documents,
    without_deployment,
)
from localep.spec.documents import Document
from localep.spec.loader import Bundle

if TYPE_CHECKING:
    from collections.abc import Callable

ENDPOINT = {"source": "/p/endpoint.yml", "data": {"name": "hello"}}
BLUE = {"source": "/p/blue.yml", "data": {"name": "blue", "endpoint_name": "hello"}}
GREEN = {"source": "/p/green.yml", "data": {"name": "green", "endpoint_name": "hello"}}
COMBINED = {"source": "/p/old.yml", "data": {"name": "hello", "deployments": [{"name": "blue"}]}}


def state_with(*documents: dict[str, Any]) -> GatewayState:
    operation = Operation("create", "Succeeded")
    return GatewayState(
        auth_mode="key",
        primary_key="k1",
        secondary_key="k2",
        probe_token="p",
        operation=operation,
        documents=list(documents),
    )


def bundle_of(*documents: dict[str, Any]) -> Bundle:
    read = [Document(Path(document["source"]), document["data"]) for document in documents]
    return Bundle(None, None, tuple(read))


@pytest.mark.parametrize(
    ("before", "given", "after"),
    [
        ([], [ENDPOINT, BLUE], [ENDPOINT, BLUE]),
        ([ENDPOINT], [BLUE], [ENDPOINT, BLUE]),
        ([ENDPOINT, BLUE], [GREEN], [ENDPOINT, GREEN]),
        ([ENDPOINT, BLUE], [ENDPOINT], [ENDPOINT, BLUE]),
        ([ENDPOINT, BLUE], [COMBINED], [COMBINED]),
        ([COMBINED], [ENDPOINT, BLUE], [ENDPOINT, BLUE]),
        ([COMBINED], [BLUE], [BLUE]),
        ([ENDPOINT, BLUE], [], [ENDPOINT, BLUE]),
    ],
)
def test_new_documents_take_the_place_of_those_of_their_kind(
    before: list[dict[str, Any]], given: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    state = state_with(*before)

    stored = documents_to_store(state, bundle_of(*given), {"blue": 10})

    assert stored == replace(state, documents=after, traffic={"blue": 10})


def test_documents_are_stored_with_their_overrides(
    load: Callable[..., Bundle], project: Path
) -> None:
    bundle = load("endpoint.yml", "deployment.yml", "environment_variables.LEVEL=debug")

    stored = documents_to_store(state_with(), bundle, {})

    assert stored.documents == [
        {"source": str(project / "endpoint.yml"), "data": {"name": "hello"}},
        {
            "source": str(project / "deployment.yml"),
            "data": {
                "name": "blue",
                "endpoint_name": "hello",
                "instance_type": "Standard_DS3_v2",
                "instance_count": 1,
                "code_configuration": {"code": "code", "scoring_script": "score.py"},
                "environment_variables": {"LEVEL": "debug"},
            },
        },
    ]


def test_what_json_has_no_form_for_is_stored_as_the_cloud_sends_it(
    load: Callable[..., Bundle], project: Path
) -> None:
    with (project / "deployment.yml").open("a") as file:
        file.write("environment_variables: {AT: 2026-01-31 10:00:00, KEY: !!binary aGk=}\n")
    bundle = load("deployment.yml")

    stored = documents_to_store(state_with(), bundle, {})

    variables = {"AT": "2026-01-31T10:00:00Z", "KEY": "aGk="}
    assert stored.documents[0]["data"]["environment_variables"] == variables
    deployment = load_documents(stored_documents(stored)).deployment
    assert deployment == bundle.deployment


def test_stored_documents_are_read_with_the_folder_that_their_paths_start_from() -> None:
    documents = stored_documents(state_with(ENDPOINT, BLUE))

    assert documents == [
        Document(Path("/p/endpoint.yml"), {"name": "hello"}),
        Document(Path("/p/blue.yml"), {"name": "blue", "endpoint_name": "hello"}),
    ]
    assert documents[0].folder == Path("/p")


@pytest.mark.parametrize(
    ("documents", "left"),
    [([ENDPOINT, BLUE], [ENDPOINT]), ([BLUE], []), ([ENDPOINT], [ENDPOINT]), ([], [])],
)
def test_the_endpoints_document_outlives_its_deployment(
    documents: list[dict[str, Any]], left: list[dict[str, Any]]
) -> None:
    assert without_deployment(state_with(*documents)) == left
