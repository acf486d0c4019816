"""`get-logs`: what the server, the scoring script and the gateway wrote, and what lies where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localep.errors import EndpointConflict, UsageError
from localep.gateway.access_log import Request, parse, trouble
from localep.operations.endpoints import look_at_endpoint
from localep.operations.failures.logs import with_causes
from localep.operations.memory import with_word_of_kills
from localep.operations.placements import placements
from localep.operations.views import endpoint_deployment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from localep.engine.base import Container, Engine
    from localep.gateway.state import PublicState
    from localep.operations.endpoints import Endpoint
    from localep.operations.placements import Placement
    from localep.operations.workplace import Workplace

# HAProxy's words of its own, beside which as many requests are looked for.
_OTHER_LINES = 100


@dataclass(frozen=True)
class GatewayLog:
    """The gateway's last lines: requests, and in between what HAProxy says of trouble.

    ``lines`` is how many of the engine's lines they are, with those that are left out.
    """

    endpoint: str
    entries: tuple[Request | str, ...]
    lines: int

    @property
    def requests(self) -> list[Request]:
        """The requests alone."""
        return [entry for entry in self.entries if isinstance(entry, Request)]

    def entries_since(self, moment: float) -> tuple[Request | str, ...]:
        """Requests from a moment on (milliseconds since 1970), and the troubles among them.

        HAProxy tells no time of these; one in front of the first request counts, too.
        """
        before = [
            number
            for number, entry in enumerate(self.entries)
            if isinstance(entry, Request) and entry.time < moment
        ]
        return self.entries[before[-1] + 1 :] if before else self.entries

    @property
    def troubles(self) -> list[str]:
        """What HAProxy says of trouble."""
        return [entry for entry in self.entries if isinstance(entry, str)]


def get_logs(
    place: Workplace,
    name: str | None,
    deployment: str | None,
    *,
    lines: int,
    follow: bool,
    instance: int | None = None,
) -> Iterator[bytes]:
    """The log of one instance of a deployment, its last ``lines`` lines, then what comes.

    The first instance where none is asked for. Raises EndpointConflict, UsageError.
    """
    endpoint = look_at_endpoint(place, name)
    container = _container(endpoint, deployment, instance)
    count = len(endpoint.instances)
    if instance is None and count > 1:
        place.reporter.note(f"This is instance 1 of {count}; --instance shows another.")
    chunks = place.engine.logs(container.identity, lines=lines, follow=follow)
    told = with_word_of_kills(place, container, chunks, follow=follow)
    return with_causes(place, container, told, follow=follow)


def get_placements(place: Workplace, name: str | None, deployment: str | None) -> list[Placement]:
    """What of this machine lies where in a deployment's containers. Raises EndpointConflict."""
    return placements(_container(look_at_endpoint(place, name), deployment, None))


def get_gateway_log(place: Workplace, name: str | None, *, lines: int) -> GatewayLog:
    """The last ``lines`` requests of an endpoint. Raises EndpointConflict."""
    endpoint = look_at_endpoint(place, name)
    return read_gateway_log(place.engine, endpoint.gateway, endpoint.name, lines)


def follow_gateway_log(
    place: Workplace, name: str | None, *, lines: int
) -> Iterator[Request | str]:
    """The last ``lines`` requests of an endpoint, then what comes. Raises EndpointConflict."""
    endpoint = look_at_endpoint(place, name)
    gateway = endpoint.gateway
    known = read_gateway_log(place.engine, gateway, endpoint.name, lines).lines
    return _entries(place.engine.logs(gateway.identity, lines=known, follow=True))


def read_gateway_log(engine: Engine, gateway: Container, endpoint: str, lines: int) -> GatewayLog:
    """The last ``lines`` requests of a gateway, and what HAProxy said meanwhile."""
    asked = lines + _OTHER_LINES
    while lines:
        found = b"".join(engine.logs(gateway.identity, lines=asked)).splitlines()
        starts = [number for number, line in enumerate(found) if line.startswith(b"{")]
        if len(starts) >= lines or len(found) < asked:
            kept = found[starts[-lines] :] if len(starts) >= lines else found
            return GatewayLog(endpoint, tuple(_entries([b"\n".join(kept)])), len(kept))
        asked *= 4
    return GatewayLog(endpoint, (), 0)


def _entries(chunks: Iterable[bytes]) -> Iterator[Request | str]:
    """What the lines of a gateway's log say, without those that say nothing."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield from _entry(line)
    yield from _entry(rest)


def _entry(line: bytes) -> Iterator[Request | str]:
    found = parse(line) or trouble(line)
    if found is not None:
        yield found


def _container(
    endpoint: Endpoint[PublicState], deployment: str | None, instance: int | None
) -> Container:
    present = endpoint_deployment(endpoint)
    if endpoint.serving is None or (deployment is not None and deployment != present):
        raise EndpointConflict(
            f"Endpoint {endpoint.name} has no deployment {deployment or ''}".rstrip() + ".",
            cause=f"It has {present}." if present else "It has none.",
            remedy=f"Look with `localep show -n {endpoint.name}`.",
        )
    count = len(endpoint.instances)
    if instance is not None and instance > count:
        raise UsageError(
            f"Deployment {present} has no instance {instance}.",
            cause=f"It has {count}, counted from 1.",
            remedy=f"Choose one up to {count}.",
        )
    return endpoint.instances[(instance or 1) - 1]
