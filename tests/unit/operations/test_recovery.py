"""What a killed command left is removed by the next one, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from localep.engine.base import ContainerRequest
from localep.errors import EndpointConflict
from localep.gateway.config import gateway_archive
from localep.gateway.state import GatewayState, Operation
from localep.operations.create import CreateOptions, create
from localep.operations.delete import delete
from localep.operations.endpoints import find_endpoint
from localep.operations.locks import Locks
from localep.operations.recovery import at_work_on
from localep.operations.show import list_endpoints, show
from localep.operations.update import UpdateOptions, update
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle

Load = Callable[..., Bundle]
OPTIONS = CreateOptions(port=8085)
GATEWAY = "localep-hello-gateway"
CUT_OFF = "The command was ended before it was done."


@pytest.fixture
def hello(place: Workplace, load: Load, calls: list[str]) -> GatewayState:
    create(place, load("endpoint.yml", "deployment.yml"), OPTIONS)
    calls.clear()
    return find_endpoint(place, "hello").state


@pytest.fixture
def stranger(place: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """The workplace of somebody whose locks are not shared."""
    return replace(place, command="strange", locks=Locks(tmp_path_factory.mktemp("stranger")))


def leave_container(place: Workplace, name: str, role: str = "deployment") -> None:
    """A container as a command that is killed leaves it."""
    labels = place.labels(role=role, endpoint="hello", deployment="blue", revision="old")
    labels["localep.address"] = "127.0.0.1:8085"
    place.engine.create_container(ContainerRequest(name, "image", None, labels, "localep"))
    place.engine.start_container(f"id of {name}")


def leave_state(place: Workplace, state: GatewayState) -> None:
    place.engine.copy_in(f"id of {GATEWAY}", "/", gateway_archive(state))


def containers(place: Workplace) -> list[str]:
    return sorted(container.name for container in place.engine.list_containers({}))


def test_what_a_create_left_before_its_gateway_is_removed(place: Workplace, load: Load) -> None:
    leave_container(place, "left-over")
    leave_container(place, "carrier", role="carrier")
    place.engine.create_volume("model", place.labels(endpoint="hello", revision="old"))

    create(place, load("endpoint.yml", "deployment.yml"), OPTIONS)

    assert containers(place) == ["localep-hello-blue-r1", GATEWAY]
    assert place.engine.list_volumes({}) == []


def test_an_endpoint_that_was_never_finished_is_created_anew(place: Workplace, load: Load) -> None:
    leave_container(place, GATEWAY, role="gateway")  # without a state
    leave_container(place, "left-over")

    create(place, load("endpoint.yml", "deployment.yml"), OPTIONS)

    assert containers(place) == ["localep-hello-blue-r1", GATEWAY]
    assert find_endpoint(place, "hello").state.backend is not None


def test_what_others_left_or_are_at_work_on_is_theirs(
    place: Workplace, stranger: Workplace, load: Load
) -> None:
    leave_container(stranger, GATEWAY, role="gateway")

    with pytest.raises(EndpointConflict) as caught:
        create(place, load("endpoint.yml", "deployment.yml"), OPTIONS)

    assert caught.value.message == "Endpoint hello is being created."
    assert caught.value.cause == "Another user's command is at it, or was ended before it was done."
    assert caught.value.remedy == ("Wait for it, or remove what it left: localep delete -n hello")
    assert containers(place) == [GATEWAY]


def test_an_update_takes_back_what_a_killed_one_told_the_gateway(
    place: Workplace, hello: GatewayState, calls: list[str]
) -> None:
    leave_container(place, "left-over")
    place.engine.create_volume("model", place.labels(endpoint="hello", revision="old"))
    leave_state(place, hello.after(Operation("update", "Updating", "blue")))
    calls.clear()

    result = update(place, UpdateOptions())

    assert result.changed == "settings"
    assert calls[:13] == [
        "haproxy set server deployment/a1 state ready",
        "haproxy set server deployment/a1 health up",
        "haproxy set map /etc/haproxy/limits.map share 100",
        "haproxy set map /etc/haproxy/limits.map in_flight 2",
        "haproxy set map /etc/haproxy/limits.map timeout_ms 5000",
        "haproxy set map /etc/haproxy/names.map deployment blue",
        "haproxy set map /etc/haproxy/probe.map path /",
        "haproxy set maxconn server deployment/a1 1",
        "haproxy set server deployment/b1 state drain",
        "haproxy set server deployment/b1 state maint",
        "haproxy set server deployment/b1 fqdn localep-gateway",
        "haproxy loads its keys",
        "remove left-over",
    ]
    assert calls[13] == "remove the volume model"
    assert containers(place) == ["localep-hello-blue-r1", GATEWAY]
    assert find_endpoint(place, "hello").state.operation.state == "Succeeded"


def test_the_model_of_the_deployment_that_serves_stays(
    place: Workplace, load: Load, project: Path
) -> None:
    (project / "model.pkl").write_bytes(b"pickle")
    bundle = load("endpoint.yml", "deployment.yml", 'model={"path": "model.pkl"}')
    create(place, bundle, replace(OPTIONS, copy_model=True))
    leave_container(place, "left-over")

    with at_work_on(place, "hello") as endpoint:
        assert endpoint is not None

    assert containers(place) == ["localep-hello-blue-r1", GATEWAY]
    assert place.engine.list_volumes({}) == ["localep-hello-model-r1"]


def test_a_gateway_that_does_not_run_is_told_nothing(
    place: Workplace, hello: GatewayState, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_container(place, "left-over")
    calls.clear()
    listed = place.engine.list_containers
    monkeypatch.setattr(
        place.engine,
        "list_containers",
        lambda labels: [replace(found, status="exited") for found in listed(labels)],
    )

    with at_work_on(place, "hello"):
        pass

    assert calls == ["remove left-over"]


def test_a_container_of_somebody_else_is_left_alone(
    place: Workplace, stranger: Workplace, hello: GatewayState, calls: list[str]
) -> None:
    leave_container(stranger, "theirs")
    calls.clear()

    assert update(place, UpdateOptions()).changed == "nothing"
    assert calls == []


def test_nobody_else_gets_at_an_endpoint_that_is_being_changed(
    place: Workplace, hello: GatewayState, load: Load
) -> None:
    with at_work_on(place, "hello"):
        for command in (
            lambda: create(place, load("deployment.yml"), OPTIONS),
            lambda: update(place, UpdateOptions()),
            lambda: delete(place, "hello", None),
            lambda: delete(place, "hello", "blue"),
        ):
            with pytest.raises(EndpointConflict, match="is being changed"):
                command()

    assert find_endpoint(place, "hello").state == hello


def test_a_deployment_whose_deletion_was_cut_off_is_deleted_again(
    place: Workplace, hello: GatewayState
) -> None:
    assert hello.backend is not None
    place.engine.remove_container("id of localep-hello-blue-r1")
    leave_state(place, hello.after(Operation("delete", "Deleting", "blue")))

    delete(place, "hello", "blue")

    state = find_endpoint(place, "hello").state
    assert (state.backend, state.operation) == (None, Operation("delete", "Succeeded", "blue"))


@pytest.mark.parametrize("word", ["Creating", "Updating", "Deleting"])
def test_show_and_list_tell_an_operation_that_was_cut_off(
    place: Workplace, hello: GatewayState, word: str
) -> None:
    leave_state(place, hello.after(Operation("command", word, "blue")))

    assert show(place, "hello").last_operation == {
        "name": "command",
        "state": "Failed",
        "error": CUT_OFF,
    }
    assert list_endpoints(place)[0].last_operation["error"] == CUT_OFF
    with place.locks.hold("default", "hello"):
        assert show(place, "hello").last_operation["state"] == word


def test_an_endpoint_that_was_never_finished_has_failed(place: Workplace) -> None:
    leave_container(place, GATEWAY, role="gateway")

    assert show(place, "hello").provisioning_state == "Failed"
    with place.locks.hold("default", "hello"):
        assert show(place, "hello").provisioning_state == "Creating"


def test_what_others_are_at_work_on_is_not_called_failed(
    place: Workplace, stranger: Workplace
) -> None:
    leave_container(stranger, GATEWAY, role="gateway")

    assert show(place, "hello").provisioning_state == "Creating"


def test_a_network_that_a_killed_delete_left_goes_with_the_next(
    place: Workplace, calls: list[str]
) -> None:
    place.join_network()

    with pytest.raises(EndpointConflict, match="There is no endpoint hello"):
        delete(place, "hello", None)

    assert calls == ["remove the network localep"]


def test_what_is_shown_needs_no_keys(
    place: Workplace, hello: GatewayState, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the whole state was read")

    monkeypatch.setattr(place.engine, "copy_out", refuse)

    assert show(place, "hello").deployments[0].name == "blue"
    assert [endpoint.name for endpoint in list_endpoints(place)] == ["hello"]


def test_a_state_too_long_for_its_link_is_read_whole(place: Workplace, hello: GatewayState) -> None:
    leave_state(place, hello.after(Operation("update", "Failed", "blue", "x" * 4000)))

    assert show(place, "hello").last_operation["error"] == "x" * 4000
