"""`get-logs`: what the inference server and the scoring script wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.errors import EndpointConflict
from localep.operations.endpoints import look_at_endpoint
from localep.operations.views import endpoint_deployment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.operations.workplace import Workplace

DEFAULT_LINES = 5000


def get_logs(
    place: Workplace, name: str | None, deployment: str | None, *, lines: int, follow: bool
) -> Iterator[bytes]:
    """The log of an endpoint's deployment, its last ``lines`` lines, then what comes."""
    endpoint = look_at_endpoint(place, name)
    container = endpoint.serving
    present = endpoint_deployment(endpoint)
    if container is None or (deployment is not None and deployment != present):
        raise EndpointConflict(
            f"Endpoint {endpoint.name} has no deployment {deployment or ''}".rstrip() + ".",
            cause=f"It has {present}." if present else "It has none.",
            remedy=f"Look with `localep show -n {endpoint.name}`.",
        )
    return place.engine.logs(container.identity, lines=lines, follow=follow)
