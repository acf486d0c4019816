"""Endpoints and deployments as they are shown."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from localep.engine.base import Container
from localep.gateway.state import Backend, GatewayState, Operation, Readiness
from localep.operations.endpoints import Endpoint
from localep.operations.start_time import StartView
from localep.operations.views import DeploymentView, EndpointView, view_endpoint

RECORD = {
    "name": "blue",
    "instance_type": "Standard_DS3_v2",
    "instance_count": 1,
    "image": "localep/env:0a1b",
    "requested_image": "mcr.example/base:1",
    "model": "/p/model.pkl",
    "code": "/p/code",
    "scoring_script": "score.py",
    "liveness_probe": {},
    "readiness_probe": {},
}
BACKEND = Backend("blue", "r1", ("localep-r1",), "a", 5001, "/score", 2500, 3, 500, Readiness())
STATE = GatewayState(
    auth_mode="key",
    primary_key="first-key",
    secondary_key="second-key",
    probe_token="probe-token",
    operation=Operation("create", "Succeeded", "blue"),
    backend=BACKEND,
)
GATEWAY = Container(
    "id-1", "localep-hello-gateway", "img", "running", {"localep.address": "127.0.0.1:8085"}
)
LABELS = {"localep.spec": json.dumps(RECORD), "localep.revision": "r1"}
DEPLOYMENT = Container("id-2", "localep-hello-blue-r1", "img", "running", LABELS)
ENDPOINT = Endpoint("hello", GATEWAY, STATE, (DEPLOYMENT,))
STOPPED: list[tuple[dict[str, Any], str]] = [
    ({"status": "created"}, "It was never started."),
    ({"status": "exited", "exit_code": 3}, "It ended with exit code 3."),
    ({"status": "restarting", "exit_code": 1}, "It ended with exit code 1."),
    ({"status": "dead"}, "It ended."),
    (
        {"status": "exited", "exit_code": 137, "oom_killed": True},
        "It ended with exit code 137, out of memory.",
    ),
    (
        {"status": "exited", "exit_code": 127, "error": "no such file\nor directory\n"},
        "no such file",
    ),
]
BLUE = DeploymentView(
    name="blue",
    endpoint_name="hello",
    provisioning_state="Succeeded",
    status="running",
    error=None,
    instance_type="Standard_DS3_v2",
    instance_count=1,
    image="localep/env:0a1b",
    requested_image="mcr.example/base:1",
    model="/p/model.pkl",
    code="/p/code",
    scoring_script="score.py",
    request_settings={"request_timeout_ms": 2500, "max_concurrent_requests_per_instance": 3},
    limits={"cpus": None, "memory_bytes": None, "shm_bytes": None},
)
HELLO = EndpointView(
    name="hello",
    provisioning_state="Succeeded",
    scoring_uri="http://127.0.0.1:8085/score",
    openapi_uri="http://127.0.0.1:8085/swagger.json",
    auth_mode="key",
    traffic={"blue": 100},
    location="local",
    last_operation={"name": "create", "state": "Succeeded", "error": None},
    deployments=[BLUE],
)


def test_an_endpoint_is_shown_with_its_deployment() -> None:
    assert view_endpoint(ENDPOINT) == HELLO


@pytest.mark.parametrize(
    ("allows_options", "is_direct", "shown"),
    [(True, False, "allow-options"), (False, True, "direct"), (True, True, "direct")],
)
def test_what_the_front_end_lets_through_is_shown(
    allows_options: bool, is_direct: bool, shown: str
) -> None:
    state = replace(STATE, allows_options=allows_options, is_direct=is_direct)

    assert view_endpoint(replace(ENDPOINT, state=state)) == replace(HELLO, front_end=shown)


@pytest.mark.parametrize(
    ("allows_options", "requires_key", "payload_limit", "shown"),
    [
        (False, False, None, "no-auth"),
        (False, True, 1500000, "max-payload 1500000"),
        (True, False, 1, "allow-options, no-auth, max-payload 1"),
    ],
)
def test_all_that_sets_the_front_end_apart_is_shown(
    allows_options: bool, requires_key: bool, payload_limit: int | None, shown: str
) -> None:
    state = replace(
        STATE,
        allows_options=allows_options,
        requires_key=requires_key,
        payload_limit=payload_limit,
    )

    assert view_endpoint(replace(ENDPOINT, state=state)) == replace(HELLO, front_end=shown)


def test_an_endpoint_without_a_deployment_takes_no_traffic() -> None:
    state = replace(STATE, backend=None, traffic={"blue": 100})

    assert view_endpoint(Endpoint("hello", GATEWAY, state, ())) == replace(
        HELLO, traffic={}, deployments=[]
    )


def test_a_container_that_takes_no_requests_is_not_shown() -> None:
    labels = {**LABELS, "localep.revision": "r2"}
    started = replace(DEPLOYMENT, identity="id-3", name="localep-hello-blue-r2", labels=labels)

    assert view_endpoint(replace(ENDPOINT, containers=(started, DEPLOYMENT))) == HELLO
    assert view_endpoint(replace(ENDPOINT, containers=(started,))).deployments == []


@pytest.mark.parametrize(
    ("traffic", "shown"), [({}, 100), ({"blue": 10}, 10), ({"green": 100}, 0), ({"blue": 0}, 0)]
)
def test_the_traffic_is_what_the_deployment_takes(traffic: dict[str, int], shown: int) -> None:
    endpoint = replace(ENDPOINT, state=replace(STATE, traffic=traffic))

    assert view_endpoint(endpoint) == replace(HELLO, traffic={"blue": shown})


@pytest.mark.parametrize(("container", "error"), STOPPED)
def test_an_endpoint_whose_gateway_does_not_run_has_failed(
    container: dict[str, Any], error: str
) -> None:
    endpoint = replace(ENDPOINT, gateway=replace(GATEWAY, **container))

    assert view_endpoint(endpoint) == replace(HELLO, provisioning_state="Failed", error=error)


@pytest.mark.parametrize(("container", "error"), STOPPED)
def test_a_deployment_whose_container_does_not_run_has_failed(
    container: dict[str, Any], error: str
) -> None:
    endpoint = replace(ENDPOINT, containers=(replace(DEPLOYMENT, **container),))
    failed = replace(BLUE, provisioning_state="Failed", status=container["status"], error=error)

    assert view_endpoint(endpoint) == replace(HELLO, deployments=[failed])


def test_a_deployment_works_on_as_long_as_one_of_its_instances_does() -> None:
    second = replace(DEPLOYMENT, identity="id-3", labels={**LABELS, "localep.instance": "2"})
    gone: dict[str, Any] = {"status": "exited", "exit_code": 137}
    one = replace(ENDPOINT, containers=(DEPLOYMENT, replace(second, **gone)))
    none = replace(ENDPOINT, containers=(replace(DEPLOYMENT, **gone), replace(second, **gone)))

    assert view_endpoint(replace(ENDPOINT, containers=(DEPLOYMENT, second))) == HELLO
    lost = replace(BLUE, status="exited", error="Instance 2: It ended with exit code 137.")
    assert view_endpoint(one) == replace(HELLO, deployments=[lost])
    lost = replace(lost, provisioning_state="Failed")
    lost = replace(lost, error="Instance 1: It ended with exit code 137.")
    assert view_endpoint(none) == replace(HELLO, deployments=[lost])


def test_how_the_start_went_and_whether_the_script_may_reach_out_is_told() -> None:
    record = {**RECORD, "egress_public_network_access": "disabled"}
    labels = {**LABELS, "localep.spec": json.dumps(record)}
    state = replace(STATE, backend=replace(BACKEND, start_seconds=1.5))
    endpoint = replace(ENDPOINT, state=state, containers=(replace(DEPLOYMENT, labels=labels),))

    (view,) = view_endpoint(endpoint).deployments

    assert view.start == StartView(1.5, 302, "liveness_probe")
    assert view.egress_public_network_access == "disabled"


def test_a_deployment_whose_container_is_gone_is_told() -> None:
    view = view_endpoint(replace(ENDPOINT, containers=()))

    assert (view.deployments, view.error) == ([], "The container of deployment blue is gone.")


def test_a_failed_update_is_the_deployments_and_tells_why() -> None:
    operation = Operation("update", "Failed", "blue", "It did not get ready.")
    endpoint = replace(ENDPOINT, state=STATE.after(operation))

    assert view_endpoint(endpoint) == replace(
        HELLO,
        last_operation={"name": "update", "state": "Failed", "error": "It did not get ready."},
        deployments=[replace(BLUE, provisioning_state="Failed")],
    )


def test_an_operation_on_the_endpoint_alone_leaves_the_deployment_succeeded() -> None:
    operation = Operation("update", "Failed", "", "No.")
    endpoint = replace(ENDPOINT, state=STATE.after(operation))

    assert view_endpoint(endpoint).deployments == [BLUE]


def test_while_it_is_updated_the_endpoint_itself_is_well() -> None:
    endpoint = replace(ENDPOINT, state=STATE.after(Operation("update", "Updating", "blue")))

    view = view_endpoint(endpoint)

    assert view.provisioning_state == "Succeeded"
    assert view.deployments == [replace(BLUE, provisioning_state="Updating")]


def test_until_its_creation_is_over_the_endpoint_is_creating() -> None:
    state = replace(STATE, backend=None, operation=Operation("create", "Creating", "blue"))

    assert view_endpoint(Endpoint("hello", GATEWAY, state, (DEPLOYMENT,))) == replace(
        HELLO,
        provisioning_state="Creating",
        traffic={},
        last_operation={"name": "create", "state": "Creating", "error": None},
        deployments=[],
    )


def test_a_view_holds_no_key() -> None:
    text = json.dumps(view_endpoint(ENDPOINT).to_dict())

    assert [secret for secret in ("first-key", "second-key", "probe-token") if secret in text] == []


def test_a_view_as_plain_values_has_the_clouds_names() -> None:
    assert HELLO.to_dict() == {
        "name": "hello",
        "provisioning_state": "Succeeded",
        "scoring_uri": "http://127.0.0.1:8085/score",
        "openapi_uri": "http://127.0.0.1:8085/swagger.json",
        "auth_mode": "key",
        "traffic": {"blue": 100},
        "location": "local",
        "front_end": None,
        "error": None,
        "last_operation": {"name": "create", "state": "Succeeded", "error": None},
        "deployments": [
            {
                "name": "blue",
                "endpoint_name": "hello",
                "provisioning_state": "Succeeded",
                "status": "running",
                "error": None,
                "instance_type": "Standard_DS3_v2",
                "instance_count": 1,
                "image": "localep/env:0a1b",
                "requested_image": "mcr.example/base:1",
                "model": "/p/model.pkl",
                "code": "/p/code",
                "scoring_script": "score.py",
                "request_settings": {
                    "request_timeout_ms": 2500,
                    "max_concurrent_requests_per_instance": 3,
                },
                "limits": {"cpus": None, "memory_bytes": None, "shm_bytes": None},
                "egress_public_network_access": "enabled",
                "start": None,
            }
        ],
    }
