"""`show`, `list` and `get-credentials`: what is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from localep.operations.endpoints import all_endpoints, find_endpoint, look_at_endpoint
from localep.operations.recovery import cut_off
from localep.operations.views import EndpointView, view_endpoint

if TYPE_CHECKING:
    from localep.engine.base import Container
    from localep.gateway.state import PublicState
    from localep.operations.endpoints import Endpoint
    from localep.operations.workplace import Workplace


@dataclass(frozen=True)
class Credentials:
    """The two keys of an endpoint; either opens it."""

    primary_key: str
    secondary_key: str


def show(place: Workplace, name: str | None) -> EndpointView:
    """One endpoint, the only one where no name is given."""
    return _view(place, look_at_endpoint(place, name))


def list_endpoints(place: Workplace) -> list[EndpointView]:
    """Every endpoint, by name."""
    return [_view(place, endpoint) for endpoint in all_endpoints(place)]


def get_credentials(place: Workplace, name: str | None) -> Credentials:
    """The keys of an endpoint."""
    state = find_endpoint(place, name).state
    return Credentials(state.primary_key, state.secondary_key)


def _view(place: Workplace, endpoint: Endpoint[PublicState]) -> EndpointView:
    known = replace(
        endpoint,
        gateway=_with_reason(place, endpoint.gateway),
        containers=tuple(_with_reason(place, container) for container in endpoint.containers),
    )
    return view_endpoint(known, cut_off(place, endpoint))


def _with_reason(place: Workplace, container: Container) -> Container:
    """A container with the reason why it does not run, which the engine's list does not tell."""
    if container.is_running:
        return container
    return place.engine.inspect_container(container.identity) or container
