"""The instances of a deployment as `show` tells of them: which run, which take requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from localep.gateway.config import READY_HEADER
from localep.operations import names
from localep.operations.endpoints import recorded_spec
from localep.operations.liveness import ask_liveness, restarts_by_probe
from localep.spec.model import Route

if TYPE_CHECKING:
    from localep.engine.base import Container
    from localep.gateway.state import PublicState
    from localep.operations.endpoints import Endpoint
    from localep.operations.workplace import Workplace

_ANSWER_SECONDS = 0.5


@dataclass(frozen=True)
class InstanceView:
    """One container of a deployment; ``status`` is the engine's word for it.

    ``restarts`` counts how often the engine has started it again, ``liveness_restarts`` how
    often of these the liveness probe had ended it. ``liveness`` is None where that probe is kept
    in the container or finds all well; else it tells what the cloud would do.
    """

    name: str
    status: str
    restarts: int
    liveness_restarts: int
    liveness: str | None = None


@dataclass(frozen=True)
class InstancesView:
    """How many instances there shall be, how many take requests (None where nobody tells)."""

    wanted: int
    ready: int | None
    containers: list[InstanceView] = field(default_factory=list)


def view_instances(place: Workplace, endpoint: Endpoint[PublicState]) -> InstancesView:
    """The instances of the deployment that an endpoint has."""
    ready = _ready(endpoint.address) if endpoint.gateway.is_running else None
    doubts = _liveness(place, endpoint)
    backend = endpoint.state.backend
    return InstancesView(
        wanted=len(backend.aliases) if backend is not None else 0,
        ready=ready,
        containers=[
            _view_instance(place, container, doubts.get(container.identity))
            for container in endpoint.instances
        ],
    )


def _view_instance(place: Workplace, container: Container, doubt: str | None) -> InstanceView:
    found = place.engine.inspect_container(container.identity) or container
    by_probe = restarts_by_probe(place.engine, found.identity) if found.restart_count else 0
    return InstanceView(
        found.name,
        found.status,
        restarts=found.restart_count,
        liveness_restarts=min(by_probe, found.restart_count),
        liveness=doubt,
    )


def _ready(address: str) -> int | None:
    """How many instances take requests, as the gateway tells."""
    where = urlsplit(address)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/", headers={READY_HEADER: "how many"})
        text = connection.getresponse().read().decode()
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
    return int(text) if text.isdigit() else None


def _liveness(place: Workplace, endpoint: Endpoint[PublicState]) -> dict[str, str]:
    """What is wrong with the liveness routes that nobody else asks, by container."""
    serving, backend = endpoint.serving, endpoint.state.backend
    if serving is None or backend is None or not endpoint.gateway.is_running:
        return {}
    record = recorded_spec(serving)
    if not record.get("liveness_route"):
        return {}
    route = Route(**record["liveness_route"])
    running = [found for found in endpoint.instances if found.is_running]
    numbers = [int(found.labels.get(names.INSTANCE, "1")) for found in running]
    aliases = [names.network_alias(backend.revision, number) for number in numbers]
    doubts = ask_liveness(place.engine, endpoint.gateway.identity, route, aliases)
    tries = record["liveness_probe"]["failure_threshold"]
    return {
        found.identity: _would_restart(route, doubt, tries)
        for found, doubt in zip(running, doubts, strict=True)
        if doubt is not None
    }


def _would_restart(route: Route, doubt: str, tries: int) -> str:
    lasts = "" if tries <= 1 else f" where that is so {tries} times in a row"
    return (
        f"GET {route.path} at port {route.port} {doubt}: "
        f"the cloud would restart this container{lasts}."
    )
