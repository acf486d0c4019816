"""`delete`: an endpoint with all that belongs to it, or its deployment alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from localep.errors import EndpointConflict
from localep.gateway import runtime
from localep.gateway.state import Operation
from localep.operations import names
from localep.operations.endpoints import no_such_endpoint
from localep.operations.gateways import Gateway
from localep.operations.recovery import at_work_on
from localep.operations.rollout import remove_deployment
from localep.operations.stored_documents import without_deployment

if TYPE_CHECKING:
    from localep.gateway.state import GatewayState
    from localep.operations.endpoints import Endpoint
    from localep.operations.workplace import Workplace


@dataclass(frozen=True)
class DeleteResult:
    """What was deleted; ``deployment`` is None where the whole endpoint was."""

    endpoint: str
    deployment: str | None


def delete(place: Workplace, name: str, deployment: str | None) -> DeleteResult:
    """Delete an endpoint, or its deployment where one is named. Raises EndpointConflict."""
    if deployment is None:
        _delete_endpoint(place, name)
        return DeleteResult(name, None)
    with at_work_on(place, name) as endpoint:
        if endpoint is None:
            raise no_such_endpoint(place, name)
        _delete_deployment(place, endpoint, deployment)
    return DeleteResult(name, deployment)


def _delete_endpoint(place: Workplace, name: str) -> None:
    """Remove whatever bears the endpoint's name, what a killed command left included."""
    labels = place.names.labels(endpoint=name)
    with place.locks.hold(place.names.namespace, name):
        containers = place.engine.list_containers(labels)
        gateways = [found for found in containers if found.labels[names.ROLE] == names.GATEWAY_ROLE]
        for container in containers:
            if container not in gateways:
                place.engine.remove_container(container.identity)
        for volume in place.engine.list_volumes(labels):
            place.engine.remove_volume(volume)
        # The gateway goes last: should this be cut off, the endpoint is found by it.
        for gateway in gateways:
            place.engine.remove_container(gateway.identity)
        place.leave_network()
    if not containers:
        raise no_such_endpoint(place, name)


def _delete_deployment(place: Workplace, endpoint: Endpoint[GatewayState], deployment: str) -> None:
    backend = endpoint.state.backend
    if backend is None or backend.deployment != deployment:
        there = f"It has {backend.deployment}." if backend else "It has none."
        raise EndpointConflict(
            f"Endpoint {endpoint.name} has no deployment {deployment}.",
            cause=there,
            remedy=f"Look with `localep show -n {endpoint.name}`.",
        )
    gateway = Gateway(place.engine, endpoint.gateway.identity, endpoint.address)
    begun = Operation("delete", "Deleting", deployment)
    without = replace(
        endpoint.state,
        backend=None,
        documents=without_deployment(endpoint.state),
        operation=replace(begun, state="Succeeded"),
    )
    # Said before it is done: should this be cut off, the next command knows.
    gateway.save(endpoint.state.after(begun))
    gateway.send(runtime.apply_settings(without))
    remove_deployment(place, backend.revision)
    gateway.send(runtime.release(backend.slot, endpoint.state.places))
    gateway.save(without)
