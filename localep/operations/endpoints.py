"""Endpoints as the engine knows them: their containers and their state."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localep.errors import EndpointConflict, EngineError, UsageError
from localep.gateway.state import STATE_FILE, GatewayState, Operation, state_from_json
from localep.operations import names

if TYPE_CHECKING:
    from localep.engine.base import Container
    from localep.operations.workplace import Workplace

_READ_TRIES = 10
_UNWRITTEN = GatewayState("key", "", "", "", Operation("create", "Creating"))


@dataclass(frozen=True)
class Endpoint:
    """An endpoint that is there: its gateway, its state, and its deployments' containers."""

    name: str
    gateway: Container
    state: GatewayState
    containers: tuple[Container, ...]

    @property
    def serving(self) -> Container | None:
        """The container of the deployment that takes the requests."""
        backend = self.state.backend
        for container in self.containers:
            if backend is not None and container.identity == backend.container:
                return container
        return None

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


def find_endpoint(place: Workplace, name: str | None) -> Endpoint:
    """The endpoint of this name, or the only one where no name is given.

    Raises EndpointConflict where there is none, UsageError where there are several to choose
    from.
    """
    endpoint = look_up(place, name) if name is not None else _the_only_one(place)
    if endpoint is None:
        there = {gateway.labels[names.ENDPOINT] for gateway in _gateways(place)} - {name}
        raise EndpointConflict(
            f"There is no endpoint {name}.",
            cause=f"There is {', '.join(sorted(there))}." if there else "There is none at all.",
            remedy="Create it: localep create -f endpoint.yml -f deployment.yml",
        )
    return endpoint


def look_up(place: Workplace, name: str) -> Endpoint | None:
    """The endpoint of this name, None where there is none."""
    containers = place.engine.list_containers(place.names.labels(endpoint=name))
    gateways = [found for found in containers if found.labels[names.ROLE] == names.GATEWAY_ROLE]
    return _load(place, gateways[0], containers) if gateways else None


def all_endpoints(place: Workplace) -> list[Endpoint]:
    """Every endpoint of the namespace, by name."""
    containers = place.engine.list_containers(place.names.labels())
    gateways = [found for found in containers if found.labels[names.ROLE] == names.GATEWAY_ROLE]
    return [
        _load(
            place,
            gateway,
            [
                other
                for other in containers
                if other.labels[names.ENDPOINT] == gateway.labels[names.ENDPOINT]
            ],
        )
        for gateway in sorted(gateways, key=lambda gateway: gateway.labels[names.ENDPOINT])
    ]


def recorded_spec(container: Container) -> dict[str, Any]:
    """What a deployment's container was made from, as its label tells."""
    spec: dict[str, Any] = json.loads(container.labels[names.SPEC])
    return spec


def _gateways(place: Workplace) -> list[Container]:
    return place.engine.list_containers(place.names.labels(role=names.GATEWAY_ROLE))


def _the_only_one(place: Workplace) -> Endpoint | None:
    gateways = _gateways(place)
    if not gateways:
        raise EndpointConflict(
            "There is no endpoint.",
            remedy="Create one: localep create -f endpoint.yml -f deployment.yml",
        )
    if len(gateways) > 1:
        there = sorted(gateway.labels[names.ENDPOINT] for gateway in gateways)
        raise UsageError(
            "There are several endpoints.",
            cause=f"They are {', '.join(there)}.",
            remedy=f"Choose one of them: -n {there[0]}.",
        )
    return look_up(place, gateways[0].labels[names.ENDPOINT])


def _load(place: Workplace, gateway: Container, containers: list[Container]) -> Endpoint:
    state = _read_state(place, gateway)
    deployments = [
        container
        for container in containers
        if container.labels[names.ROLE] == names.DEPLOYMENT_ROLE
    ]
    name = gateway.labels[names.ENDPOINT]
    return Endpoint(name, gateway, state, tuple(deployments))


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
