"""`show`, `list` and `get-credentials`: what is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localep.operations.endpoints import all_endpoints, find_endpoint, look_at_endpoint
from localep.operations.recovery import cut_off
from localep.operations.views import EndpointView, view_endpoint

if TYPE_CHECKING:
    from localep.operations.workplace import Workplace


@dataclass(frozen=True)
class Credentials:
    """The two keys of an endpoint; either opens it."""

    primary_key: str
    secondary_key: str


def show(place: Workplace, name: str | None) -> EndpointView:
    """One endpoint, the only one where no name is given."""
    endpoint = look_at_endpoint(place, name)
    return view_endpoint(endpoint, cut_off(place, endpoint))


def list_endpoints(place: Workplace) -> list[EndpointView]:
    """Every endpoint, by name."""
    return [view_endpoint(endpoint, cut_off(place, endpoint)) for endpoint in all_endpoints(place)]


def get_credentials(place: Workplace, name: str | None) -> Credentials:
    """The keys of an endpoint."""
    state = find_endpoint(place, name).state
    return Credentials(state.primary_key, state.secondary_key)
