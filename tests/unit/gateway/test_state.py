"""The state of an endpoint, as its gateway keeps it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from localep.gateway.state import (
    Backend,
    GatewayState,
    Operation,
    PublicState,
    new_state,
    state_from_json,
    state_from_link,
)


def test_a_state_with_a_backend_is_read_as_it_was_written(state: GatewayState) -> None:
    assert state_from_json(state.to_json()) == state


def test_a_state_without_a_backend_is_read_as_it_was_written(state: GatewayState) -> None:
    empty = replace(state, backend=None, traffic={}, documents=[])

    assert state_from_json(empty.to_json()) == empty


def test_a_state_is_read_from_the_bytes_of_a_file(state: GatewayState) -> None:
    assert state_from_json(state.to_json().encode()) == state


def test_the_file_holds_plain_values_under_their_own_names(state: GatewayState) -> None:
    assert json.loads(state.to_json()) == {
        "auth_mode": "key",
        "allows_options": False,
        "is_direct": False,
        "requires_key": True,
        "payload_limit": None,
        "primary_key": "first-key",
        "secondary_key": "second-key",
        "probe_token": "probe-token",
        "tokens": {},
        "places": 1,
        "operation": {
            "name": "update",
            "state": "Failed",
            "deployment": "blue",
            "error": "It did not get ready.",
        },
        "backend": {
            "deployment": "blue",
            "revision": "0a1b2c3d",
            "aliases": ["localep-0a1b2c3d"],
            "slot": "b",
            "port": 5001,
            "scoring_path": "/score",
            "request_timeout_ms": 2500,
            "max_concurrent_requests": 3,
            "max_queue_wait_ms": 700,
            "readiness": {
                "port": 5002,
                "path": "/ready",
                "period": 5,
                "timeout": 1,
                "success_threshold": 2,
                "failure_threshold": 4,
            },
            "start_seconds": None,
        },
        "traffic": {"blue": 90},
        "documents": [{"source": "/app/endpoint.yml", "data": {"name": "hello", "tags": {"a": 1}}}],
        "told": ["d0123456789abcdef"],
    }


@pytest.mark.parametrize("allows_options", [False, True])
@pytest.mark.parametrize("is_direct", [False, True])
def test_what_the_front_end_lets_through_is_kept(
    state: GatewayState, allows_options: bool, is_direct: bool
) -> None:
    state = replace(state, allows_options=allows_options, is_direct=is_direct)
    target = state.public_link()

    assert state_from_json(state.to_json()) == state
    assert target is not None
    public = state_from_link(target)
    assert (public.allows_options, public.is_direct) == (allows_options, is_direct)


def test_a_state_written_before_warnings_were_marked_is_still_read(state: GatewayState) -> None:
    data = json.loads(state.to_json())
    del data["told"]

    assert state_from_json(json.dumps(data)) == replace(state, told=[])


def test_a_state_written_before_anything_was_let_through_is_still_read(
    state: GatewayState,
) -> None:
    data = json.loads(state.to_json())
    del data["allows_options"], data["is_direct"]
    names = ("auth_mode", "operation", "backend", "traffic")
    public = json.dumps({name: data[name] for name in names})
    link = f"/{base64.urlsafe_b64encode(public.encode()).decode()}"

    assert state_from_json(json.dumps(data)) == state
    assert state_from_link(link) == PublicState(
        auth_mode="key",
        operation=state.operation,
        backend=state.backend,
        traffic={"blue": 90},
        allows_options=False,
        is_direct=False,
    )


@pytest.mark.parametrize(
    ("traffic", "share"),
    [
        ({}, 100),
        ({"blue": 90}, 90),
        ({"blue": 0}, 0),
        ({"green": 100}, 0),
        ({"green": 30, "blue": 70}, 70),
    ],
)
def test_the_share_is_the_deployments_own_and_all_where_no_traffic_is_given(
    state: GatewayState, traffic: dict[str, int], share: int
) -> None:
    assert replace(state, traffic=traffic).share == share


def test_without_a_deployment_no_share_is_taken(state: GatewayState) -> None:
    assert replace(state, backend=None, traffic={}).share == 0
    assert replace(state, backend=None, traffic={"blue": 100}).share == 0


@pytest.mark.parametrize(
    ("at_once", "instances", "limit"), [(1, 1, 2), (3, 1, 6), (200, 1, 400), (3, 4, 24)]
)
def test_twice_the_concurrent_requests_of_every_instance_may_be_in_flight(
    backend: Backend, at_once: int, instances: int, limit: int
) -> None:
    aliases = tuple(f"instance-{number}" for number in range(instances))

    assert replace(backend, max_concurrent_requests=at_once, aliases=aliases).limit == limit


def test_a_backend_of_another_version_is_refused_as_a_whole(state: GatewayState) -> None:
    data = json.loads(state.to_json())
    del data["backend"]["readiness"]

    with pytest.raises(ValueError, match="another version of localep"):
        state_from_json(json.dumps(data))


def test_another_operation_changes_nothing_else(state: GatewayState) -> None:
    operation = Operation("update", "Succeeded", "blue")

    assert state.after(operation) == replace(state, operation=operation)


def test_a_new_endpoint_has_no_deployment_and_no_documents() -> None:
    operation = Operation("create", "Creating", "blue")
    state = new_state("aml_token", operation)

    assert state == GatewayState(
        auth_mode="aml_token",
        primary_key=state.primary_key,
        secondary_key=state.secondary_key,
        probe_token=state.probe_token,
        operation=operation,
        backend=None,
        traffic={},
        documents=[],
        allows_options=False,
        is_direct=False,
    )


def test_a_new_endpoint_may_let_more_through() -> None:
    operation = Operation("create", "Creating", "blue")
    asked = new_state("key", operation, allows_options=True, is_direct=True)

    assert (asked.allows_options, asked.is_direct) == (True, True)


def test_new_keys_are_long_and_never_the_same() -> None:
    states = [new_state("key", Operation("create", "Creating")) for _ in range(20)]
    secrets = [
        secret
        for state in states
        for secret in (state.primary_key, state.secondary_key, state.probe_token)
    ]

    assert len(set(secrets)) == 60
    assert {len(secret) for secret in secrets} == {43}


def test_new_keys_need_no_quoting_in_a_header_or_a_file_of_haproxy() -> None:
    state = new_state("key", Operation("create", "Creating"))
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")

    assert set(state.primary_key + state.secondary_key + state.probe_token) <= allowed


def test_the_public_part_fits_a_link_and_tells_no_key(state: GatewayState) -> None:
    target = state.public_link()

    assert target is not None
    assert max(len(piece) for piece in target.split("/")) <= 255
    assert state_from_link(target) == PublicState(
        auth_mode="key",
        operation=state.operation,
        backend=state.backend,
        traffic={"blue": 90},
    )
    told = base64.urlsafe_b64decode(target.replace("/", "")).decode()
    assert "first-key" not in told
    assert "second-key" not in told
    assert "probe-token" not in told


def test_a_public_part_that_no_path_can_hold_has_no_link(state: GatewayState) -> None:
    long = state.after(Operation("update", "Failed", "blue", "x" * 4000))

    assert long.public_link() is None


@pytest.mark.parametrize("target", ["", "/", "/not/base64", "/eyJhIjog"])
def test_a_link_of_somebody_else_is_no_state(target: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of whichever kind
        state_from_link(target)
