"""`show` and `list`: what is there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from localep.operations.endpoints import all_endpoints, look_at_endpoint
from localep.operations.memory import view_memory
from localep.operations.recovery import cut_off
from localep.operations.views import EndpointView, view_endpoint

if TYPE_CHECKING:
    from localep.engine.base import Container
    from localep.gateway.state import PublicState
    from localep.operations.endpoints import Endpoint
    from localep.operations.environments.view import EnvironmentView
    from localep.operations.workplace import Workplace


def show(place: Workplace, name: str | None, *, with_environment: bool = False) -> EndpointView:
    """One endpoint, the only one where no name is given.

    ``with_environment`` tells what the deployment's environment is made of, too.
    """
    endpoint = look_at_endpoint(place, name)
    if endpoint.serving is None:
        return _view(place, endpoint)
    from localep.operations.instances import view_instances

    with ThreadPoolExecutor(1) as beside:  # the engine takes its time to count
        counted = beside.submit(view_memory, place.engine, endpoint.instances)
        view = _view(place, endpoint)
        instances = view_instances(place, endpoint)
        environment = _environment(place, endpoint.serving) if with_environment else None
        memory = counted.result()
    deployments = [
        replace(found, environment=environment, instances=instances, memory=memory)
        for found in view.deployments
    ]
    return replace(view, deployments=deployments)


def _environment(place: Workplace, container: Container) -> EnvironmentView:
    from localep.operations.environments.view import view_environment

    return view_environment(place.engine, container)


def list_endpoints(place: Workplace) -> list[EndpointView]:
    """Every endpoint, by name."""
    return [_view(place, endpoint) for endpoint in all_endpoints(place)]


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
