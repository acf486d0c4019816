"""Results as people read them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from localep.cli.forms import terminal_width
from localep.cli.limits_text import limits_text, memory_text
from localep.cli.table import table_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from localep.operations.credentials import Keys, Token
    from localep.operations.views import DeploymentView, EndpointView


def endpoint_ready(verb: str, endpoint: EndpointView, seconds: float) -> Iterator[str]:
    """What `create` and `update` say when they are done."""
    if endpoint.deployments:
        names = ", ".join(deployment.name for deployment in endpoint.deployments)
        yield f"{verb} {endpoint.name}, deployment {names}: ready after {seconds:.1f} s."
    else:
        yield f"{verb} {endpoint.name}: no deployment yet ({seconds:.1f} s)."
    yield f"  scoring URI  {endpoint.scoring_uri}"
    for start in (deployment.start for deployment in endpoint.deployments):
        if start is not None and start.is_worth_telling:
            allowed = f"{start.allowed_seconds} s that the cloud's {start.probe} allows"
            yield f"  start        {start.seconds:.1f} s of the {allowed}"


def endpoint_table(endpoints: Sequence[EndpointView]) -> Iterator[str]:
    """What `list` tells: a line an endpoint."""
    if not endpoints:
        yield "There is no endpoint."
    rows = [
        [
            endpoint.name,
            endpoint.provisioning_state,
            ", ".join(deployment.name for deployment in endpoint.deployments),
            ", ".join(deployment.status for deployment in endpoint.deployments),
            endpoint.scoring_uri,
        ]
        for endpoint in endpoints
    ]
    columns = ["NAME", "STATE", "DEPLOYMENT", "STATUS", "SCORING URI"]
    yield from table_lines(columns, rows, terminal_width())


def endpoint_details(endpoint: EndpointView) -> Iterator[str]:
    """What `show` tells of an endpoint and its deployments."""
    yield from _aligned(
        {
            "name": endpoint.name,
            "state": endpoint.provisioning_state,
            "error": endpoint.error,
            "scoring URI": endpoint.scoring_uri,
            "OpenAPI URI": endpoint.openapi_uri,
            "authentication": endpoint.auth_mode,
            "front end": _front_end(endpoint),
            "traffic": _traffic(endpoint),
            "last operation": _last_operation(endpoint),
        }
    )
    for deployment in endpoint.deployments:
        yield ""
        yield from _aligned(_deployment_details(deployment))


_FRONT_END = {
    "direct": "none: the container's own answers, without keys",
    "allow-options": "lets OPTIONS through",
    "no-auth": "asks for no key",
    "max-payload": "refuses requests of more than {} bytes",
}


def _front_end(endpoint: EndpointView) -> str | None:
    if endpoint.front_end is None:
        return None
    named = [part.partition(" ") for part in endpoint.front_end.split(", ")]
    return ", ".join(_FRONT_END[name].format(number) for name, _, number in named)


def credentials(found: Keys | Token) -> Iterator[str]:
    """What `get-credentials` tells."""
    from localep.operations.credentials import Keys

    if isinstance(found, Keys):
        yield from _aligned({"primary key": found.primary, "secondary key": found.secondary})
        return
    yield from _aligned(
        {
            "access token": found.value,
            "token type": "Bearer",
            "expires": _time(found.expiry),
            "refresh after": _time(found.refresh_after),
        }
    )


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M:%S} UTC"


def _deployment_details(deployment: DeploymentView) -> dict[str, str | None]:
    image = deployment.image
    if deployment.requested_image not in {None, image}:
        image += f" (for {deployment.requested_image})"
    settings = deployment.request_settings
    return {
        "deployment": deployment.name,
        "state": f"{deployment.provisioning_state}, {deployment.status}",
        "error": deployment.error,
        "instances": _instances(deployment),
        "restarts": _restarts(deployment),
        "liveness": _liveness(deployment),
        "instance type": deployment.instance_type,
        "image": image,
        "model": deployment.model,
        "code": deployment.code,
        "scoring script": deployment.scoring_script,
        "request timeout": f"{settings['request_timeout_ms']} ms",
        "concurrent requests": str(settings["max_concurrent_requests_per_instance"]),
        "limits": limits_text(deployment.limits),
        "GPUs": deployment.gpus,
        "memory": _memory(deployment),
        "egress": _EGRESS.get(deployment.egress_public_network_access),
    }


_EGRESS = {"disabled": "none: the script cannot reach out of its network"}


def _instances(deployment: DeploymentView) -> str | None:
    found = deployment.instances
    if found is None:
        return None
    return f"{found.wanted}" if found.ready is None else f"{found.ready} of {found.wanted} ready"


def _restarts(deployment: DeploymentView) -> str | None:
    found = deployment.instances.containers if deployment.instances is not None else []
    restarts = sum(instance.restarts for instance in found)
    if not restarts:
        return None
    by_probe = sum(instance.liveness_restarts for instance in found)
    return f"{restarts}, {by_probe} of them by the liveness probe" if by_probe else str(restarts)


def _liveness(deployment: DeploymentView) -> str | None:
    found = deployment.instances.containers if deployment.instances is not None else []
    return next((instance.liveness for instance in found if instance.liveness), None)


def _memory(deployment: DeploymentView) -> str | None:
    memory = deployment.memory
    if memory is None:
        return None
    return memory_text(
        memory.used_bytes, memory.limit_bytes, memory.peak_bytes, memory.processes_killed
    )


def _traffic(endpoint: EndpointView) -> str:
    shares = [f"{name} {share} %" for name, share in endpoint.traffic.items()]
    return ", ".join(shares) or "none, as there is no deployment"


def _last_operation(endpoint: EndpointView) -> str:
    operation = endpoint.last_operation
    text = f"{operation['name']}: {operation['state']}"
    return f"{text}. {operation['error']}" if operation["error"] else text


def _aligned(values: dict[str, str | None]) -> Iterator[str]:
    for name, value in values.items():
        if value is not None:
            yield f"{name:<21}{value}"
