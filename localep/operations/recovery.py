"""An endpoint in one command's hands, healed of what a killed one left behind."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from localep.gateway import runtime
from localep.gateway.state import Operation
from localep.operations import names
from localep.operations.endpoints import Endpoint, endpoint_of
from localep.operations.gateways import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.engine.base import Container
    from localep.gateway.state import GatewayState, PublicState
    from localep.operations.workplace import Workplace

_CUT_OFF = "The command was ended before it was done."


@contextmanager
def at_work_on(
    place: Workplace, name: str, patience: float = 0
) -> Iterator[Endpoint[GatewayState] | None]:
    """Keep other commands from an endpoint; gives it as it is now, None where there is none.

    What a command left that was killed is removed first: an endpoint that was never finished,
    a deployment that did not take over or was not removed. Raises EndpointConflict where
    another command is at work on it, and goes on to be for as many seconds as there is patience.
    """
    with place.locks.hold(place.names.namespace, name, patience):
        yield _heal(place, name)


def cut_off(place: Workplace, endpoint: Endpoint[PublicState]) -> Operation | None:
    """How the last operation ended where it still claims to be under way, but nobody is at it."""
    operation = endpoint.state.operation
    if not operation.is_under_way or not _is_mine(place, endpoint.gateway):
        return None
    if place.locks.is_held(place.names.namespace, endpoint.name):
        return None
    return Operation(operation.name, "Failed", operation.deployment, _CUT_OFF)


def _heal(place: Workplace, name: str) -> Endpoint[GatewayState] | None:
    containers = place.engine.list_containers(place.names.labels(endpoint=name))
    endpoint = endpoint_of(place, containers)
    mine = [container for container in containers if _is_mine(place, container)]
    if endpoint is None:
        _remove(place, name, mine, keep=None)
        return None
    if endpoint.state.was_never_finished and endpoint.gateway in mine:
        # The gateway goes last: should this be cut off, too, the endpoint is found by it.
        _remove(place, name, sorted(mine, key=endpoint.gateway.__eq__), keep=None)
        return None
    left = [found for found in mine if found not in (endpoint.gateway, *endpoint.instances)]
    if left:
        _take_back(place, endpoint)
        _remove(place, name, left, keep=endpoint.serving)
    return endpoint


def _take_back(place: Workplace, endpoint: Endpoint[GatewayState]) -> None:
    """Let the gateway do what the state says, whatever the killed command told it."""
    if not endpoint.gateway.is_running:
        return
    gateway = Gateway(place.engine, endpoint.gateway.identity, endpoint.address)
    backend = endpoint.state.backend
    idle = runtime.other_slot(backend)
    gateway.send(runtime.switch(endpoint.state))
    if backend is not None:
        gateway.drain(idle, backend.request_timeout_ms)
    gateway.send(runtime.release(idle, endpoint.state.places))
    gateway.follow(endpoint.state)
    gateway.load_keys(endpoint.state)


def _remove(
    place: Workplace, name: str, containers: list[Container], keep: Container | None
) -> None:
    """Remove containers of an endpoint, and its volumes except that of one deployment."""
    for container in containers:
        place.engine.remove_container(container.identity)
    kept = keep.labels[names.REVISION] if keep is not None else ""
    mine = place.names.labels(endpoint=name, owner=place.locks.owner())
    for volume in place.engine.list_volumes(mine):
        if volume != place.names.model_volume(name, kept):
            place.engine.remove_volume(volume)
    if containers and keep is None:
        place.leave_network()


def _is_mine(place: Workplace, container: Container) -> bool:
    return container.labels.get(names.OWNER) == place.locks.owner()
