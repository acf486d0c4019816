"""Keys and tokens: who is given which, for how long, and what HAProxy is told of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from localep.engine.base import Container
from localep.errors import EndpointConflict, EngineError, UsageError
from localep.gateway.state import GatewayState, Operation
from localep.operations.create import CreateOptions, create
from localep.operations.credentials import (
    KeyKind,
    Keys,
    Regenerated,
    Token,
    authorization,
    get_credentials,
    list_keys,
    regenerate_keys,
)
from localep.operations.endpoints import find_endpoint
from localep.operations.show import show
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle

if TYPE_CHECKING:
    from unit.operations.conftest import FakeEngine

NOW = 1_795_000_000
Create = Callable[..., GatewayState]


@pytest.fixture
def created(place: Workplace, load: Callable[..., Bundle], calls: list[str]) -> Create:
    """Makes an endpoint `hello` and tells its state."""

    def make(auth_mode: str = "key", *, requires_key: bool = True) -> GatewayState:
        options = CreateOptions(port=8085, requires_key=requires_key)
        create(place, load("endpoint.yml", f"auth_mode={auth_mode}"), options)
        calls.clear()
        return state_of(place)

    return make


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the clock."""

    def set_clock(seconds: int) -> None:
        monkeypatch.setattr(time, "time", lambda: float(seconds))

    set_clock(NOW)
    return set_clock


def state_of(place: Workplace) -> GatewayState:
    return find_endpoint(place, "hello").state


def test_an_endpoint_with_keys_has_two(place: Workplace, created: Create, calls: list[str]) -> None:
    state = created()

    assert get_credentials(place, None) == Keys(state.primary_key, state.secondary_key)
    assert list_keys(place, "hello") == get_credentials(place, "hello")
    assert calls == []


@pytest.mark.parametrize("kind", list(KeyKind))
def test_one_key_is_regenerated_and_the_other_stays(
    place: Workplace, created: Create, kind: KeyKind, calls: list[str], engine: FakeEngine
) -> None:
    before = created()

    assert regenerate_keys(place, None, kind) == Regenerated("hello", kind)

    after = state_of(place)
    assert after == replace(
        before, primary_key=after.primary_key, secondary_key=after.secondary_key
    )
    is_new = [
        after.primary_key != before.primary_key,
        after.secondary_key != before.secondary_key,
    ]
    assert is_new == [kind is KeyKind.PRIMARY, kind is KeyKind.SECONDARY]
    assert calls == ["haproxy loads its keys"]
    assert engine.keys == f"{after.primary_key} 0\n{after.secondary_key} 0\n"


def test_a_regeneration_that_is_cut_off_is_told_and_done_by_the_next(
    place: Workplace, created: Create, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine
) -> None:
    created()
    with monkeypatch.context() as broken:
        broken.setattr(engine, "execute", lambda *_: (1, "no socket"))
        broken.setattr(
            engine,
            "inspect_container",
            lambda _: Container("id", "gateway", "image", "exited", {}, 1),
        )
        with pytest.raises(EngineError, match="The gateway does not run"):
            regenerate_keys(place, None, KeyKind.PRIMARY)
    assert show(place, None).last_operation == {
        "name": "regenerate-keys",
        "state": "Failed",
        "error": "The command was ended before it was done.",
    }

    regenerate_keys(place, None, KeyKind.SECONDARY)

    state = state_of(place)
    assert engine.keys == f"{state.primary_key} 0\n{state.secondary_key} 0\n"


@pytest.mark.parametrize("auth_mode", ["aml_token", "aad_token"])
def test_an_endpoint_with_tokens_has_no_keys_to_tell(
    place: Workplace, created: Create, auth_mode: str
) -> None:
    created(auth_mode)

    for asked in (
        lambda: list_keys(place, None),
        lambda: regenerate_keys(place, None, KeyKind.PRIMARY),
    ):
        with pytest.raises(UsageError) as caught:
            asked()
        assert caught.value.message == "Endpoint hello does not use keys for authentication."
        assert caught.value.cause == f"Its auth_mode is {auth_mode}."


def test_a_token_is_told_again_until_it_is_to_be_refreshed(
    place: Workplace,
    created: Create,
    at: Callable[[int], None],
    calls: list[str],
    engine: FakeEngine,
) -> None:
    created("aml_token")

    first = get_credentials(place, None)
    assert isinstance(first, Token)
    assert (first.expiry, first.refresh_after) == (NOW + 3600, NOW + 2700)
    assert engine.keys == f"{first.value} {NOW + 3600}\n"

    at(NOW + 2699)
    assert get_credentials(place, None) == first
    assert calls == ["haproxy loads its keys"]

    at(NOW + 2700)
    second = get_credentials(place, None)
    assert isinstance(second, Token)
    assert second.value != first.value
    assert state_of(place).tokens == {
        first.value: first.expiry,
        second.value: NOW + 2700 + 3600,
    }

    at(NOW + 3600 + 2700)
    third = get_credentials(place, None)
    assert isinstance(third, Token)
    assert list(state_of(place).tokens) == [third.value]  # both others have expired


def test_a_token_leaves_the_last_operation_as_it_is(place: Workplace, created: Create) -> None:
    before = created("aml_token")

    get_credentials(place, None)

    after = state_of(place)
    assert after.operation == Operation("create", "Succeeded")
    assert replace(after, tokens={}) == before


@pytest.mark.parametrize("auth_mode", ["key", "aml_token"])
def test_who_invokes_sends_what_opens_the_endpoint(
    place: Workplace, created: Create, auth_mode: str
) -> None:
    created(auth_mode)

    header = authorization(place, find_endpoint(place, None))

    told = get_credentials(place, None)
    value = told.primary if isinstance(told, Keys) else told.value
    assert header == f"Bearer {value}"


@pytest.mark.parametrize("auth_mode", ["key", "aml_token"])
def test_nothing_is_sent_where_nothing_is_asked_for(
    place: Workplace, created: Create, auth_mode: str
) -> None:
    state = created(auth_mode, requires_key=False)

    assert authorization(place, find_endpoint(place, None)) is None
    assert state_of(place) == state


def test_keys_of_an_endpoint_that_asks_for_none_need_no_haproxy(
    place: Workplace, created: Create, calls: list[str]
) -> None:
    created(requires_key=False)

    regenerate_keys(place, None, KeyKind.PRIMARY)

    assert calls == []


def test_an_endpoint_that_is_being_changed_keeps_its_keys(
    place: Workplace, created: Create
) -> None:
    state = created()

    with (
        place.locks.hold("default", "hello"),
        pytest.raises(EndpointConflict, match="is being changed"),
    ):
        regenerate_keys(place, None, KeyKind.PRIMARY)

    assert state_of(place) == state
