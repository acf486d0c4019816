"""A failed command undoes what it made, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localep.engine.base import ContainerRequest
from localep.errors import Interrupted, NetworkMissing
from localep.operations.workplace import Workplace

if TYPE_CHECKING:
    from collections.abc import Callable


def make_something(place: Workplace, name: str) -> None:
    """A container that runs, one that does not, and a volume, marked as the command's own."""
    place.join_network()
    for kind in ("gateway", "deployment"):
        place.engine.create_container(
            ContainerRequest(
                f"{name}-{kind}", "image", None, place.labels(endpoint=name), place.names.network
            )
        )
    place.engine.start_container(f"id of {name}-gateway")
    place.engine.create_volume(f"{name}-model", place.labels(endpoint=name))


def remaining(place: Workplace) -> list[str]:
    containers = [container.name for container in place.engine.list_containers({})]
    return containers + place.engine.list_volumes({})


def test_labels_carry_the_command(place: Workplace) -> None:
    assert place.labels(endpoint="hello") == {
        "localep.namespace": "default",
        "localep.command": "this-command",
        "localep.owner": "me",
        "localep.endpoint": "hello",
    }


def test_every_command_has_a_mark_of_its_own(place: Workplace) -> None:
    marks = {Workplace(place.engine, place.reporter).command for _ in range(20)}

    assert len(marks) == 20


def make_and_fail(place: Workplace, error: BaseException, *, commit: bool = False) -> None:
    with place.undone_on_failure() as undo:
        make_something(place, "mine")
        if commit:
            undo.commit()
        raise error


@pytest.mark.parametrize(
    "error", [ValueError("no"), Interrupted("no"), KeyboardInterrupt(), SystemExit(3)]
)
def test_a_failure_removes_what_the_command_made_and_is_raised_on(
    place: Workplace, calls: list[str], error: BaseException
) -> None:
    with pytest.raises(type(error)) as caught:
        make_and_fail(place, error)

    assert caught.value is error
    assert remaining(place) == []
    assert calls[-4:] == [
        "remove mine-gateway",
        "remove mine-deployment",
        "remove the volume mine-model",
        "remove the network localep",
    ]


def test_a_failure_leaves_what_another_command_made(
    place: Workplace, new_place: Callable[[str], Workplace], calls: list[str]
) -> None:
    make_something(new_place("another"), "theirs")

    with pytest.raises(ValueError, match=r"^no$"):
        make_and_fail(place, ValueError("no"))

    assert remaining(place) == ["theirs-gateway", "theirs-deployment", "theirs-model"]
    assert "remove the network localep" not in calls


def test_after_the_commit_nothing_is_removed(place: Workplace) -> None:
    with pytest.raises(ValueError, match=r"^no$"):
        make_and_fail(place, ValueError("no"), commit=True)

    assert remaining(place) == ["mine-gateway", "mine-deployment", "mine-model"]


def test_a_success_removes_nothing(place: Workplace) -> None:
    with place.undone_on_failure() as undo:
        make_something(place, "mine")

    assert not undo.is_off
    assert remaining(place) == ["mine-gateway", "mine-deployment", "mine-model"]


@pytest.mark.parametrize("method", ["create_container", "start_container"])
def test_a_network_that_another_command_removed_is_made_again(
    place: Workplace, calls: list[str], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    original = getattr(place.engine, method)
    refusals = iter([NetworkMissing("There is no network localep.", remedy="Try again.")])

    def refuse_once(argument: object) -> object:
        for refusal in refusals:
            raise refusal
        return original(argument)

    monkeypatch.setattr(place.engine, method, refuse_once)

    identity = place.create_container(ContainerRequest("new", "image", None, {}, "localep"))
    place.start_container(identity)

    assert calls == ["create new", "start new"]
    assert vars(place.engine)["networks"] == ["localep"]


@pytest.mark.parametrize("method", ["create_container", "start_container", "connect_network"])
def test_the_internal_network_is_made_again_likewise(
    place: Workplace, calls: list[str], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    name = place.names.internal_network
    made: list[tuple[str, bool]] = []
    original = getattr(place.engine, method)
    refusals = iter([NetworkMissing(f"There is no network {name}.", remedy="Try again.")])

    def refuse_once(*arguments: object) -> object:
        for refusal in refusals:
            raise refusal
        return original(*arguments)

    def ensure(network: str, _: object, *, internal: bool) -> None:
        made.append((network, internal))

    monkeypatch.setattr(place.engine, method, refuse_once)
    monkeypatch.setattr(place.engine, "ensure_network", ensure)

    identity = place.create_container(ContainerRequest("new", "image", None, {}, name))
    place.start_container(identity, name)
    place.connect_container(identity, name)

    assert calls == ["create new", "start new", f"connect new to {name}"]
    assert made == [(name, True)]


def test_with_the_last_endpoint_both_networks_go(place: Workplace, calls: list[str]) -> None:
    place.join_network()
    place.join_network(place.names.internal_network)

    place.leave_network()

    assert calls == ["remove the network localep", "remove the network localep_internal"]
