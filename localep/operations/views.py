"""Endpoints and deployments as the user is shown them, with the cloud's names of attributes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from localep.operations import names
from localep.operations.endpoints import Endpoint, recorded_spec
from localep.operations.limits import recorded_limits
from localep.operations.start_time import view_start

if TYPE_CHECKING:
    from localep.engine.base import Container
    from localep.gateway.state import Operation, PublicState
    from localep.operations.environments.view import EnvironmentView
    from localep.operations.instances import InstancesView
    from localep.operations.memory import MemoryView
    from localep.operations.start_time import StartView


@dataclass(frozen=True)
class DeploymentView:
    """A deployment; ``status`` is the engine's word for its containers, the worst of them all.

    ``error`` says why one does not run; ``limits`` are CPUs and bytes, None for no limit;
    ``gpus`` are those that each container has, None for no GPU.
    ``start`` is None where nobody knows how it went, ``instances``, ``environment`` and ``memory``
    where nobody asked for them.
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
    limits: dict[str, float | None]
    egress_public_network_access: str = "enabled"
    start: StartView | None = None
    instances: InstancesView | None = None
    environment: EnvironmentView | None = None
    memory: MemoryView | None = None
    gpus: str | None = None


@dataclass(frozen=True)
class EndpointView:
    """An endpoint with its deployments; ``error`` says why it does not answer.

    ``front_end`` is "direct" where there is none, else what sets it apart from the cloud's, joined
    by commas: "allow-options", "no-auth", "max-payload BYTES".
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
        result = asdict(self)
        for deployment in result["deployments"]:
            for name in ("environment", "instances", "memory", "gpus"):
                if deployment[name] is None:
                    del deployment[name]
        return result


def view_endpoint(endpoint: Endpoint[PublicState], ended: Operation | None = None) -> EndpointView:
    """What is shown of an endpoint; ``ended`` tells how an operation ended that could not."""
    state = endpoint.state
    serving = endpoint.serving
    last = ended or state.operation
    deployments = [_view_deployment(endpoint, last)] if serving is not None else []
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
    parts = {
        "allow-options": state.allows_options,
        "no-auth": not state.requires_key,
        f"max-payload {state.payload_limit}": state.payload_limit is not None,
    }
    return ", ".join(name for name, is_so in parts.items() if is_so) or None


def _view_deployment(endpoint: Endpoint[PublicState], last: Operation) -> DeploymentView:
    instances = endpoint.instances
    number, worst = _worst(instances)
    error = _why_not_running(worst)
    if error is not None and len(instances) > 1:
        error = f"Instance {number}: {error}"
    spec = recorded_spec(worst)
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
        provisioning_state=_deployment_state(endpoint, last),
        status=worst.status,
        error=error,
        instance_type=spec["instance_type"],
        instance_count=spec["instance_count"],
        image=spec["image"],
        requested_image=spec["requested_image"],
        model=spec["model"],
        code=spec["code"],
        scoring_script=spec["scoring_script"],
        request_settings=settings,
        limits=_limits(spec),
        egress_public_network_access=spec.get("egress_public_network_access", "enabled"),
        start=view_start(spec, backend.start_seconds if backend is not None else None),
        gpus=worst.labels.get(names.GPUS),
    )


def _worst(instances: tuple[Container, ...]) -> tuple[int, Container]:
    """The first instance that does not run, the first of all where every one does; its number."""
    numbered = list(enumerate(instances, start=1))
    return next((pair for pair in numbered if not pair[1].is_running), numbered[0])


def _limits(spec: dict[str, Any]) -> dict[str, float | None]:
    found = recorded_limits(spec).limits
    return {"cpus": found.cpus, "memory_bytes": found.memory, "shm_bytes": found.shm}


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
    why = ", out of memory" if container.oom_killed else ""
    return f"It ended{code}{why}."


def _endpoint_state(endpoint: Endpoint[PublicState], last: Operation) -> str:
    """The endpoint itself is well where its gateway runs; its deployments have their own state."""
    if endpoint.state.was_never_finished:
        return last.state
    return "Succeeded" if endpoint.gateway.is_running else "Failed"


def _deployment_state(endpoint: Endpoint[PublicState], last: Operation) -> str:
    """A deployment works on as long as one of its instances does."""
    if not any(found.is_running for found in endpoint.instances):
        return "Failed"
    return last.state if last.deployment == endpoint_deployment(endpoint) else "Succeeded"


def endpoint_deployment(endpoint: Endpoint[PublicState]) -> str | None:
    """The name of the deployment that takes the requests."""
    return endpoint.state.backend.deployment if endpoint.state.backend else None
