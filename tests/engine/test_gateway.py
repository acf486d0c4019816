"""What a client of the endpoint meets: keys, limits, and the cloud's status codes."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import requests
from support.engine import Localep, write_script

SCRIPT = """
import json, os, threading

def init():
    pass

def run(raw_data):
    request = json.loads(raw_data)
    threading.Event().wait(request.get("seconds", 0))
    if "raise" in request:
        raise ValueError(request["raise"])
    if "exit" in request:
        os._exit(request["exit"])
    return "fine"
"""


@pytest.fixture
def endpoint(localep: Localep, hello: Path) -> Localep:
    write_script(hello, SCRIPT)
    localep(
        "create",
        *("-f", "hello/deployment.yml"),
        *("--set", "request_settings.request_timeout_ms=1000"),
    )
    return localep


def test_each_status_is_the_clouds(endpoint: Localep) -> None:
    uri = endpoint.json("show")["scoring_uri"]
    keys = endpoint.json("get-credentials")
    second = {"Authorization": f"Bearer {keys['secondaryKey']}"}

    fine = endpoint.post()
    assert (fine.status_code, fine.json()) == (200, "fine")
    assert requests.post(uri, json={}, headers=second, timeout=9).status_code == 200
    assert len(fine.headers["x-request-id"]) == 36

    no_key = requests.post(uri, json={}, timeout=9)
    assert (no_key.status_code, no_key.text) == (401, "key_auth_bad_header_forbidden")
    wrong_key = endpoint.post(Authorization="Bearer wrong")
    assert (wrong_key.status_code, wrong_key.text) == (401, "key_auth_access_denied")

    other = endpoint.post(**{"azureml-model-deployment": "green"})
    assert other.status_code == 404
    assert endpoint.post(**{"azureml-model-deployment": "blue"}).status_code == 200

    failed = endpoint.post({"raise": "no"})
    assert failed.status_code == 424
    assert failed.reason == "Failed Dependency"
    assert failed.headers["ms-azureml-model-error-statuscode"] == "500"
    assert failed.headers["ms-azureml-model-error-reason"] == "model_error"
    assert failed.json() == {
        "message": "An unexpected error occurred in scoring script. Check the logs for more info."
    }

    assert endpoint.post({"seconds": 1.5}).status_code == 408


def test_a_worker_that_dies_under_a_request_is_told_and_respawned(endpoint: Localep) -> None:
    broken = endpoint.post({"exit": 1})

    assert broken.status_code == 424
    assert broken.headers["ms-azureml-model-error-reason"] == "model_not_ready"
    for _ in range(50):
        if endpoint.post().status_code == 200:
            return
    pytest.fail("the worker did not come back")


def test_a_worker_that_dies_under_a_later_request_of_a_connection_is_told(
    endpoint: Localep,
) -> None:
    uri = endpoint.json("show")["scoring_uri"]
    key = endpoint.json("get-credentials")["primaryKey"]
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {key}"
        answers = [session.post(uri, json=body, timeout=9) for body in ({}, {"exit": 1})]

    assert [answer.status_code for answer in answers] == [200, 424]
    assert answers[1].headers["ms-azureml-model-error-reason"] == "model_not_ready"


def test_a_request_too_many_is_refused_at_once(endpoint: Localep) -> None:
    endpoint("update", "--set", "request_settings.request_timeout_ms=20000")
    uri = endpoint.json("show")["scoring_uri"]
    key = endpoint.json("get-credentials")["primaryKey"]
    answers: list[tuple[int, float]] = []

    def send() -> None:
        answer = requests.post(
            uri, json={"seconds": 0.3}, headers={"Authorization": f"Bearer {key}"}, timeout=30
        )
        answers.append((answer.status_code, answer.elapsed.total_seconds()))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # One at a time and one that waits: twice max_concurrent_requests_per_instance.
    assert Counter(status for status, _ in answers) == {200: 2, 429: 6}
    assert max(seconds for status, seconds in answers if status == 429) < 0.4


def test_a_container_that_is_gone_is_told(endpoint: Localep) -> None:
    endpoint.engine.stop_container(endpoint.container(), 1)

    answer = endpoint.post()

    assert answer.status_code == 424
    assert answer.headers["ms-azureml-model-error-reason"] == "model_not_ready"
    (deployment,) = endpoint.json("show")["deployments"]
    assert (deployment["provisioning_state"], deployment["status"]) == ("Failed", "exited")

    endpoint("update")
    assert endpoint.post().status_code == 200


def test_the_probes_way_is_closed_without_its_token(endpoint: Localep) -> None:
    uri = endpoint.json("show")["scoring_uri"]

    answer = requests.get(uri, headers={"x-localep-probe": "guess"}, timeout=9)

    assert answer.status_code == 401


def test_a_gateway_started_again_knows_all_it_knew(endpoint: Localep) -> None:
    endpoint("update", "--set", "request_settings.request_timeout_ms=700")
    before = without_memory(endpoint)
    keys = endpoint.json("get-credentials")

    # In an order that swaps their addresses: the deployment starts first.
    gateway, deployment = endpoint.container("gateway"), endpoint.container()
    endpoint.engine.stop_container(gateway, 1)
    endpoint.engine.stop_container(deployment, 1)
    endpoint.engine.start_container(deployment)
    endpoint.engine.start_container(gateway)

    for _ in range(100):
        try:
            if endpoint.post().status_code == 200:
                break
        except requests.ConnectionError:
            continue
    assert endpoint.post().status_code == 200
    assert endpoint.post({"seconds": 1}).status_code == 408
    assert without_memory(endpoint) == before
    assert endpoint.json("get-credentials") == keys


def without_memory(endpoint: Localep) -> dict[str, Any]:
    """What `show` tells, but how much memory is in use, which changes all the time."""
    shown: dict[str, Any] = endpoint.json("show")
    for deployment in shown["deployments"]:
        del deployment["memory"]
    return shown


def test_swagger_is_served(endpoint: Localep) -> None:
    uri = endpoint.json("show")["openapi_uri"]
    key = endpoint.json("get-credentials")["primaryKey"]

    answer = requests.get(uri, headers={"Authorization": f"Bearer {key}"}, timeout=9)

    assert answer.status_code == 200
    assert answer.json()["swagger"] == "2.0"
