"""What is exported: a deployment that runs, or one that stands in YAML files alone."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from localep.errors import EndpointConflict, UsageError
from localep.operations import layout
from localep.operations.container_plan import served_by_its_image
from localep.operations.create import plan_deployment
from localep.operations.endpoints import find_endpoint, recorded_spec
from localep.operations.export.files import FilesOfContainer, FilesOfHost
from localep.operations.no_code import completed
from localep.operations.registered_assets import fill_in
from localep.operations.stored_documents import stored_documents
from localep.spec.findings import Findings, Topic
from localep.spec.loader import Selection, read_documents
from localep.spec.model import EnvironmentSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.engine.base import Container
    from localep.gateway.state import GatewayState
    from localep.operations.endpoints import Endpoint
    from localep.operations.environments.options import EnvironmentOptions
    from localep.operations.export.files import Files
    from localep.operations.workplace import Workplace
    from localep.spec.loader import Bundle
    from localep.spec.model import DeploymentSpec


@dataclass(frozen=True)
class Source:
    """A deployment to be exported, and where its files come from.

    ``spec`` has routes where the image starts a server of its own. ``image`` is the name of the
    environment's image and ``identity`` the image's id.
    """

    spec: DeploymentSpec
    image: str
    identity: str
    files: Files


def running_source(place: Workplace, name: str | None) -> Source:
    """The deployment of an endpoint, with the files that it runs from.

    Raises EndpointConflict where there is no such endpoint, or no deployment that could be
    exported.
    """
    endpoint = find_endpoint(place, name)
    container = _container_of(endpoint)
    spec = _spec_of(place, endpoint, container)
    image = str(recorded_spec(container)["image"])
    there = place.engine.find_image(image)
    if there is None or there.identity != container.image:
        raise EndpointConflict(
            f"Deployment {spec.name} cannot be exported as it runs.",
            cause=f"{image} is no longer the image that it runs in.",
            remedy=f"Have it run in the image of today first: localep update -n {endpoint.name}",
        )
    files = FilesOfContainer(place.engine, container.identity, spec)
    return Source(spec, image, container.image, files)


def running_spec(place: Workplace, name: str | None) -> DeploymentSpec:
    """What the deployment of an endpoint was made from. Raises EndpointConflict."""
    endpoint = find_endpoint(place, name)
    return _spec_of(place, endpoint, _container_of(endpoint))


@contextmanager
def planned_source(
    place: Workplace, bundle: Bundle, options: EnvironmentOptions
) -> Iterator[Source]:
    """The deployment that files describe, its environment built where it is not there.

    Raises UsageError where they describe none, and all that `create` raises before it starts
    anything.
    """
    with plan_deployment(place, deployment_of(bundle), options, copy_model=False) as plan:
        files = FilesOfHost(plan.spec, plan.snapshot.archive if plan.snapshot else None)
        yield Source(plan.spec, plan.image.reference, plan.image.identity, files)


def planned_spec(bundle: Bundle) -> DeploymentSpec:
    """The deployment that files describe. Raises UsageError where they describe none."""
    return completed(deployment_of(bundle))


def deployment_of(bundle: Bundle) -> DeploymentSpec:
    """The deployment of a bundle. Raises UsageError where it has none."""
    if bundle.deployment is None:
        raise UsageError(
            "The files hold no deployment.",
            cause="An endpoint alone has nothing that could be exported.",
            remedy="Name the deployment's file with -f, too.",
        )
    return bundle.deployment


def _container_of(endpoint: Endpoint[GatewayState]) -> Container:
    backend, container = endpoint.state.backend, endpoint.serving
    if backend is None:
        raise EndpointConflict(
            f"Endpoint {endpoint.name} has no deployment to export.",
            remedy="Create it: localep create -f deployment.yml",
        )
    if container is None:
        raise EndpointConflict(
            f"Deployment {backend.deployment} cannot be exported.",
            cause="Its container is gone.",
            remedy=f"Start it anew: localep update -n {endpoint.name}",
        )
    return container


def _spec_of(
    place: Workplace, endpoint: Endpoint[GatewayState], container: Container
) -> DeploymentSpec:
    """What a container was made from; its files may be gone from this machine since."""
    recorded = recorded_spec(container)
    found = fill_in(read_documents(stored_documents(endpoint.state), Selection(endpoint.name)))
    judged = [item for item in found.findings.items if item.topic is not Topic.MACHINE]
    Findings(judged).raise_errors()
    (spec,) = (item for item in found.deployments if item.name == recorded["name"])
    # With its image, an environment needs nothing of the files of an MLflow model any more.
    environment = replace(spec.environment or EnvironmentSpec(), image=recorded["image"])
    spec = completed(replace(spec, environment=environment))
    if spec.routes is not None or spec.code is None:
        return spec
    inspected = place.engine.inspect_container(container.identity)
    command = inspected.command if inspected is not None else ()
    return spec if command == (*layout.server_command(spec.code),) else served_by_its_image(spec)
