"""Endpoints as the engine knows them: their containers and their state."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from localep.errors import EndpointConflict, EngineError, UsageError
from localep.gateway.state import (
    PUBLIC_LINK,
    STATE_FILE,
    GatewayState,
    Operation,
    PublicState,
    state_from_json,
    state_from_link,
)
from localep.operations import names

if TYPE_CHECKING:
    from collections.abc import Callable

    from localep.engine.base import Container
    from localep.operations.workplace import Workplace

_CREATE = "Create one: localep create -f endpoint.yml -f deployment.yml"
_READ_TRIES = 10
_UNWRITTEN = GatewayState(
    auth_mode="key",
    operation=Operation("create", "Creating"),
    primary_key="",
    secondary_key="",
    probe_token="",
)
State_co = TypeVar("State_co", bound=PublicState, covariant=True)


@dataclass(frozen=True)
class Endpoint(Generic[State_co]):
    """An endpoint that is there: its gateway, its state, and its deployments' containers.

    ``Endpoint[GatewayState]`` knows all, ``Endpoint[PublicState]`` what is quickly read.
    """

    name: str
    gateway: Container
    state: State_co
    containers: tuple[Container, ...]

    @property
    def instances(self) -> tuple[Container, ...]:
        """The containers of the deployment that takes the requests, in their order."""
        backend = self.state.backend
        found = [
            container
            for container in self.containers
            if backend is not None and container.labels[names.REVISION] == backend.revision
        ]
        return tuple(sorted(found, key=lambda found: int(found.labels.get(names.INSTANCE, "1"))))

    @property
    def serving(self) -> Container | None:
        """The first of the instances; None where there is none."""
        return next(iter(self.instances), None)

    @property
    def address(self) -> str:
        """``http://host:port`` of the gateway."""
        return f"http://{self.gateway.labels[names.ADDRESS]}"

    @property
    def scoring_uri(self) -> str:
        """Where requests go."""
        backend = self.state.backend
        return self.address + (backend.scoring_path if backend else "/score")

    @property
    def openapi_uri(self) -> str:
        """Where the server describes the requests that it takes."""
        return f"{self.address}/swagger.json"


def find_endpoint(place: Workplace, name: str | None) -> Endpoint[GatewayState]:
    """The endpoint of this name, or the only one where no name is given.

    Raises EndpointConflict where there is none, UsageError where there are several to choose
    from.
    """
    return _find(place, name, _read_state)


def look_at_endpoint(place: Workplace, name: str | None) -> Endpoint[PublicState]:
    """Like find_endpoint, but without keys and documents, and much quicker."""
    return _find(place, name, _read_public_state)


def endpoint_after(place: Workplace, name: str, state: GatewayState) -> Endpoint[GatewayState]:
    """An endpoint whose state was written just now and need not be read."""
    return _find(place, name, lambda *_: state)


def _find(
    place: Workplace, name: str | None, read: Callable[[Workplace, Container], State_co]
) -> Endpoint[State_co]:
    name = name or only_name(place)
    containers = place.engine.list_containers(place.names.labels(endpoint=name))
    endpoint = _endpoint_of(place, containers, read)
    if endpoint is None:
        raise no_such_endpoint(place, name)
    return endpoint


def no_such_endpoint(place: Workplace, name: str) -> EndpointConflict:
    """What to raise for a name that no endpoint has."""
    there = {gateway.labels[names.ENDPOINT] for gateway in _gateways(place)} - {name}
    return EndpointConflict(
        f"There is no endpoint {name}.",
        cause=f"There is {', '.join(sorted(there))}." if there else "There is none at all.",
        remedy="See what is there: localep list" if there else _CREATE,
    )


def endpoint_of(place: Workplace, containers: list[Container]) -> Endpoint[GatewayState] | None:
    """The endpoint that these containers make, None where no gateway is among them."""
    return _endpoint_of(place, containers, _read_state)


def all_endpoints(place: Workplace) -> list[Endpoint[PublicState]]:
    """Every endpoint of the namespace, by name."""
    by_name: dict[str, list[Container]] = {}
    for container in place.engine.list_containers(place.names.labels()):
        by_name.setdefault(container.labels.get(names.ENDPOINT, ""), []).append(container)
    found = (_endpoint_of(place, by_name[name], _read_public_state) for name in sorted(by_name))
    return [endpoint for endpoint in found if endpoint is not None]


def recorded_spec(container: Container) -> dict[str, Any]:
    """What a deployment's container was made from, as its label tells."""
    spec: dict[str, Any] = json.loads(container.labels[names.SPEC])
    return spec


def _gateways(place: Workplace) -> list[Container]:
    return place.engine.list_containers(place.names.labels(role=names.GATEWAY_ROLE))


def only_name(place: Workplace) -> str:
    """The name of the only endpoint. Raises EndpointConflict for none, UsageError for several."""
    there = sorted(gateway.labels[names.ENDPOINT] for gateway in _gateways(place))
    if not there:
        raise EndpointConflict(
            "There is no endpoint.",
            remedy=_CREATE,
        )
    if len(there) > 1:
        raise UsageError(
            "There are several endpoints.",
            cause=f"They are {', '.join(there)}.",
            remedy=f"Choose one of them: -n {there[0]}.",
        )
    return there[0]


def _endpoint_of(
    place: Workplace,
    containers: list[Container],
    read: Callable[[Workplace, Container], State_co],
) -> Endpoint[State_co] | None:
    role = {container.identity: container.labels[names.ROLE] for container in containers}
    deployments = [found for found in containers if role[found.identity] == names.DEPLOYMENT_ROLE]
    for gateway in containers:
        if role[gateway.identity] == names.GATEWAY_ROLE:
            state = read(place, gateway)
            return Endpoint(gateway.labels[names.ENDPOINT], gateway, state, tuple(deployments))
    return None


def _read_public_state(place: Workplace, gateway: Container) -> PublicState:
    """The public part from its link, or from the whole state where the link does not tell."""
    target = place.engine.read_link(gateway.identity, PUBLIC_LINK)
    try:
        return state_from_link(target or "")
    except ValueError:
        return _read_state(place, gateway)


def _read_state(place: Workplace, gateway: Container) -> GatewayState:
    """An endpoint's state, an empty one where its creation is not that far yet or was cut off.

    The engine writes files in place: another command may be writing this one just now.
    """
    for _ in range(_READ_TRIES):
        text = place.engine.copy_out(gateway.identity, STATE_FILE)
        if text is None:
            return _UNWRITTEN
        try:
            return state_from_json(text)
        except ValueError:
            time.sleep(0.02)
    raise EngineError(
        "The state of an endpoint cannot be read.",
        cause=f"{STATE_FILE} in container {gateway.name} is broken.",
        remedy=f"Remove its containers: docker rm --force {gateway.name}",
    )
