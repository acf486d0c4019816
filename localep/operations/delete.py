"""`delete`: an endpoint with all that belongs to it, or its deployment alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from localep.errors import EndpointConflict
from localep.gateway import runtime
from localep.gateway.state import Operation
from localep.operations.gateways import Gateway
from localep.operations.rollout import remove_deployment
from localep.operations.stored_documents import without_deployment

if TYPE_CHECKING:
    from localep.operations.endpoints import Endpoint
    from localep.operations.workplace import Workplace


@dataclass(frozen=True)
class DeleteResult:
    """What was deleted; ``deployment`` is None where the whole endpoint was."""

    endpoint: str
    deployment: str | None


def delete(place: Workplace, endpoint: Endpoint, deployment: str | None) -> DeleteResult:
    """Delete an endpoint, or its deployment where one is named. Raises EndpointConflict."""
    if deployment is not None:
        _delete_deployment(place, endpoint, deployment)
        return DeleteResult(endpoint.name, deployment)
    # The gateway goes last: an interrupted command finds the endpoint by it.
    for container in endpoint.containers:
        place.engine.remove_container(container.identity)
    for volume in place.engine.list_volumes(place.names.labels(endpoint=endpoint.name)):
        place.engine.remove_volume(volume)
    place.engine.remove_container(endpoint.gateway.identity)
    place.leave_network()
    return DeleteResult(endpoint.name, None)


def _delete_deployment(place: Workplace, endpoint: Endpoint, deployment: str) -> None:
    backend = endpoint.state.backend
    if backend is None or backend.deployment != deployment:
        there = f"It has {backend.deployment}." if backend else "It has none."
        raise EndpointConflict(
            f"Endpoint {endpoint.name} has no deployment {deployment}.",
            cause=there,
            remedy=f"Look with `localep show -n {endpoint.name}`.",
        )
    gateway = Gateway(place.engine, endpoint.gateway.identity, endpoint.address)
    state = replace(
        endpoint.state,
        backend=None,
        documents=without_deployment(endpoint.state),
        operation=Operation("delete", "Succeeded", deployment),
    )
    gateway.send([*runtime.apply_settings(state), *runtime.release(backend.slot)])
    gateway.save(state)
    remove_deployment(place, backend.container)
