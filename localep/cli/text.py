"""Results as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.cli.forms import terminal_width
from localep.cli.table import table_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from localep.operations.show import Credentials
    from localep.operations.views import DeploymentView, EndpointView


def endpoint_ready(verb: str, endpoint: EndpointView, seconds: float) -> Iterator[str]:
    """What `create` and `update` say when they are done."""
    if endpoint.deployments:
        names = ", ".join(deployment.name for deployment in endpoint.deployments)
        yield f"{verb} {endpoint.name}, deployment {names}: ready after {seconds:.1f} s."
    else:
        yield f"{verb} {endpoint.name}: no deployment yet ({seconds:.1f} s)."
    yield f"  scoring URI  {endpoint.scoring_uri}"


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


def _front_end(endpoint: EndpointView) -> str | None:
    return {
        "direct": "none: the container's own answers, without keys",
        "allow-options": "lets OPTIONS through",
    }.get(endpoint.front_end or "")


def credentials(keys: Credentials) -> Iterator[str]:
    """What `get-credentials` tells."""
    yield from _aligned({"primary key": keys.primary_key, "secondary key": keys.secondary_key})


def _deployment_details(deployment: DeploymentView) -> dict[str, str | None]:
    image = deployment.image
    if deployment.requested_image not in {None, image}:
        image += f" (for {deployment.requested_image})"
    settings = deployment.request_settings
    return {
        "deployment": deployment.name,
        "state": f"{deployment.provisioning_state}, {deployment.status}",
        "error": deployment.error,
        "instance type": deployment.instance_type,
        "image": image,
        "model": deployment.model,
        "code": deployment.code,
        "scoring script": deployment.scoring_script,
        "request timeout": f"{settings['request_timeout_ms']} ms",
        "concurrent requests": str(settings["max_concurrent_requests_per_instance"]),
    }


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
