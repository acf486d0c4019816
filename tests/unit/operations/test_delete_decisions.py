"""`delete`: an endpoint with all that belongs to it, or its deployment alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from localep.engine.base import ContainerRequest
from localep.errors import EndpointConflict
from localep.gateway.state import GatewayState, Operation
from localep.operations.create import CreateOptions, create
from localep.operations.delete import DeleteResult, delete
from localep.operations.endpoints import Endpoint, find_endpoint
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle

Load = Callable[..., Bundle]


@pytest.fixture
def hello(place: Workplace, load: Load, project: Path, calls: list[str]) -> Endpoint[GatewayState]:
    """An endpoint whose deployment has a copy of its model."""
    (project / "model.pkl").write_bytes(b"pickle")
    bundle = load("endpoint.yml", "deployment.yml", 'model={"path": "model.pkl"}')
    create(place, bundle, CreateOptions(port=8085, copy_model=True))
    calls.clear()
    return find_endpoint(place, "hello")


def remaining(place: Workplace) -> list[str]:
    containers = sorted(container.name for container in place.engine.list_containers({}))
    return containers + place.engine.list_volumes({})


def test_an_endpoint_goes_with_all_that_belongs_to_it_and_the_gateway_last(
    place: Workplace, hello: Endpoint[GatewayState], calls: list[str]
) -> None:
    assert delete(place, hello.name, None) == DeleteResult("hello", None)

    assert remaining(place) == []
    assert calls == [
        "remove localep-hello-blue-r1",
        "remove the volume localep-hello-model-r1",
        "remove localep-hello-gateway",
        "remove the network localep",
    ]


def test_another_endpoint_and_the_network_stay(
    place: Workplace, hello: Endpoint[GatewayState], load: Load, calls: list[str]
) -> None:
    create(place, load("endpoint.yml", "name=other"), CreateOptions(port=8086))

    delete(place, hello.name, None)

    assert remaining(place) == ["localep-other-gateway"]
    assert "remove the network localep" not in calls


def test_a_container_that_takes_no_requests_goes_too(
    place: Workplace, hello: Endpoint[GatewayState]
) -> None:
    place.engine.create_container(
        ContainerRequest("half-made", "image", None, hello.containers[0].labels, "localep")
    )

    delete(place, hello.name, None)

    assert remaining(place) == []


def test_a_deployment_goes_alone_and_the_endpoint_stays(
    place: Workplace, hello: Endpoint[GatewayState], calls: list[str]
) -> None:
    assert delete(place, hello.name, "blue") == DeleteResult("hello", "blue")

    assert remaining(place) == ["localep-hello-gateway"]
    assert calls == [
        "haproxy set map /etc/haproxy/limits.map share 0",
        "haproxy set map /etc/haproxy/limits.map in_flight 0",
        "haproxy set map /etc/haproxy/limits.map timeout_ms 0",
        "haproxy set map /etc/haproxy/names.map deployment .",
        "haproxy set map /etc/haproxy/probe.map path /",
        "remove localep-hello-blue-r1",
        "remove the volume localep-hello-model-r1",
        "haproxy set server deployment/a1 state maint",
        "haproxy set server deployment/a1 fqdn localep-gateway",
    ]
    assert find_endpoint(place, "hello").state == replace(
        hello.state,
        backend=None,
        documents=hello.state.documents[:1],
        operation=Operation("delete", "Succeeded", "blue"),
    )


def test_after_its_deployment_is_deleted_an_endpoint_takes_another(
    place: Workplace, hello: Endpoint[GatewayState], load: Load
) -> None:
    delete(place, hello.name, "blue")

    result = create(place, load("deployment.yml", "name=green"), CreateOptions())

    assert [deployment.name for deployment in result.endpoint.deployments] == ["green"]
    assert remaining(place) == ["localep-hello-gateway", "localep-hello-green-r2"]


def test_a_deployment_that_is_not_there_is_refused(
    place: Workplace, hello: Endpoint[GatewayState], calls: list[str]
) -> None:
    with pytest.raises(EndpointConflict) as caught:
        delete(place, hello.name, "green")

    assert caught.value.message == "Endpoint hello has no deployment green."
    assert caught.value.cause == "It has blue."
    assert caught.value.remedy == "Look with `localep show -n hello`."
    assert calls == []


def test_an_endpoint_without_a_deployment_has_none_to_delete(
    place: Workplace, hello: Endpoint[GatewayState]
) -> None:
    delete(place, hello.name, "blue")

    with pytest.raises(EndpointConflict) as caught:
        delete(place, "hello", "blue")

    assert caught.value.message == "Endpoint hello has no deployment blue."
    assert caught.value.cause == "It has none."


def test_an_endpoint_whose_creation_was_cut_off_can_be_deleted(
    place: Workplace, hello: Endpoint[GatewayState], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its gateway is there, but the state never came into it.
    monkeypatch.setattr(place.engine, "copy_out", lambda *_: None)

    delete(place, "hello", None)

    assert remaining(place) == []
