"""Endpoints and deployments as the user is shown them, with the cloud's names of attributes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from localep.operations.endpoints import Endpoint, recorded_spec

if TYPE_CHECKING:
    from localep.engine.base import Container
    from localep.gateway.state import Operation, PublicState


@dataclass(frozen=True)
class DeploymentView:
    """A deployment; ``status`` is the engine's word for its container.

    ``error`` says why it does not run.
    """

    name: str
    endpoint_name: str
    provisioning_state: str
    status: str
    error: str | None
    instance_type: str | None
    instance_count: int | None
    image: str
    requested_image: str | None
    model: str | None
    code: str | None
    scoring_script: str | None
    request_settings: dict[str, int]


@dataclass(frozen=True)
class EndpointView:
    """An endpoint with its deployments; ``error`` says why it does not answer.

    ``front_end`` is "direct" where there is none, "allow-options" where it lets OPTIONS through.
    """

    name: str
    provisioning_state: str
    scoring_uri: str
    openapi_uri: str
    auth_mode: str
    traffic: dict[str, int]
    location: str = "local"
    front_end: str | None = None
    error: str | None = None
    last_operation: dict[str, str | None] = field(default_factory=dict)
    deployments: list[DeploymentView] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The view as plain values, for JSON and YAML."""
        return asdict(self)


def view_endpoint(endpoint: Endpoint[PublicState], ended: Operation | None = None) -> EndpointView:
    """What is shown of an endpoint; ``ended`` tells how an operation ended that could not."""
    state = endpoint.state
    serving = endpoint.serving
    last = ended or state.operation
    deployments = [_view_deployment(endpoint, serving, last)] if serving is not None else []
    shares = {deployment.name: state.share for deployment in deployments}
    operation = {"name": last.name, "state": last.state, "error": last.error}
    return EndpointView(
        name=endpoint.name,
        provisioning_state=_endpoint_state(endpoint, last),
        scoring_uri=endpoint.scoring_uri,
        openapi_uri=endpoint.openapi_uri,
        auth_mode=state.auth_mode,
        traffic=shares,
        front_end=_front_end(state),
        error=_endpoint_error(endpoint),
        last_operation=operation,
        deployments=deployments,
    )


def _front_end(state: PublicState) -> str | None:
    if state.is_direct:
        return "direct"
    return "allow-options" if state.allows_options else None


def _view_deployment(
    endpoint: Endpoint[PublicState], container: Container, last: Operation
) -> DeploymentView:
    spec = recorded_spec(container)
    backend = endpoint.state.backend
    settings = {}
    if backend is not None:
        settings = {
            "request_timeout_ms": backend.request_timeout_ms,
            "max_concurrent_requests_per_instance": backend.max_concurrent_requests,
        }
    return DeploymentView(
        name=spec["name"],
        endpoint_name=endpoint.name,
        provisioning_state=_deployment_state(endpoint, container, last),
        status=container.status,
        error=_why_not_running(container),
        instance_type=spec["instance_type"],
        instance_count=spec["instance_count"],
        image=spec["image"],
        requested_image=spec["requested_image"],
        model=spec["model"],
        code=spec["code"],
        scoring_script=spec["scoring_script"],
        request_settings=settings,
    )


def _endpoint_error(endpoint: Endpoint[PublicState]) -> str | None:
    backend = endpoint.state.backend
    if endpoint.gateway.is_running and backend is not None and endpoint.serving is None:
        return f"The container of deployment {backend.deployment} is gone."
    return _why_not_running(endpoint.gateway)


def _why_not_running(container: Container) -> str | None:
    """Why a container does not run, as far as the engine tells; None where it runs."""
    if container.is_running:
        return None
    if container.error:
        return container.error.strip().splitlines()[0]
    if container.status == "created":
        return "It was never started."
    code = "" if container.exit_code is None else f" with exit code {container.exit_code}"
    return f"It ended{code}."


def _endpoint_state(endpoint: Endpoint[PublicState], last: Operation) -> str:
    """The endpoint itself is well where its gateway runs; its deployments have their own state."""
    if endpoint.state.was_never_finished:
        return last.state
    return "Succeeded" if endpoint.gateway.is_running else "Failed"


def _deployment_state(
    endpoint: Endpoint[PublicState], container: Container, last: Operation
) -> str:
    if not container.is_running:
        return "Failed"
    return last.state if last.deployment == endpoint_deployment(endpoint) else "Succeeded"


def endpoint_deployment(endpoint: Endpoint[PublicState]) -> str | None:
    """The name of the deployment that takes the requests."""
    return endpoint.state.backend.deployment if endpoint.state.backend else None
