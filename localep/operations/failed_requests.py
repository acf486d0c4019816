"""What the gateway and the container know of a request that failed, gathered for its cause."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from localep.errors import EngineError
from localep.operations.container_log import RECENT_LINES, read_log
from localep.operations.endpoints import recorded_spec
from localep.operations.failures.answers import Failed, Why, why_request_failed
from localep.operations.failures.server_log import worker_deaths
from localep.operations.logs import read_gateway_log
from localep.operations.request_log import Answered, lines_of_request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from localep.engine.base import Container
    from localep.gateway.access_log import Request
    from localep.gateway.state import GatewayState
    from localep.operations.endpoints import Endpoint
    from localep.operations.workplace import Workplace

_REQUESTS = 100
# The gateway writes its line when the answer is through, a server that of its worker's end later.
_PATIENCE_SECONDS = 0.5
_PAUSE_SECONDS = 0.02
_STATUS = "ms-azureml-model-error-statuscode"
_REASON = "ms-azureml-model-error-reason"


@dataclass(frozen=True)
class Refused:
    """An answer that tells of a failure; ``began`` and ``ended`` are seconds since 1970."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent_bytes: int
    is_direct: bool
    began: float
    ended: float


def explain(place: Workplace, endpoint: Endpoint[GatewayState], refused: Refused) -> Why | None:
    """The cause of a request that failed; None where nothing tells one, or nobody answers."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with suppress(EngineError):  # the request's own failure is the one to tell
        while True:
            failed = _gather(place, endpoint, refused)
            why = why_request_failed(failed)
            if why is not None or not failed.is_broken_off or time.monotonic() > deadline:
                return why
            time.sleep(_PAUSE_SECONDS)
    return None


def _gather(place: Workplace, endpoint: Endpoint[GatewayState], refused: Refused) -> Failed:
    state, backend = endpoint.state, endpoint.state.backend
    told = refused.headers.get(_STATUS, "")
    model_status = int(told) if told.isdecimal() else None
    if refused.is_direct or state.is_direct:
        model_status = refused.status
    asked = _asked(place, endpoint, refused)
    container = _container(place, endpoint, asked)
    spec = recorded_spec(container) if container is not None else {}
    started = container.started if container is not None else None
    lines = _lines(place, endpoint, refused, asked, container, model_status)
    return Failed(
        status=refused.status,
        model_status=model_status,
        reason=refused.headers.get(_REASON),
        body=refused.body,
        sent_bytes=refused.sent_bytes,
        lines=lines,
        is_broken_off=model_status is None and asked is not None and asked.connect_ms is not None,
        is_own_server=spec.get("liveness_route") is not None,
        seconds_ready=time.time() - started if started is not None else None,
        kills=_kills(place, container, lines),
        timeout_ms=backend.request_timeout_ms if backend is not None else 0,
        queue_wait_ms=backend.max_queue_wait_ms if backend is not None else 0,
        limit=backend.limit if backend is not None else 0,
        payload_limit=state.payload_limit,
    )


def _kills(place: Workplace, container: Container | None, lines: Sequence[str]) -> int:
    """How many processes the system ended for want of memory; nobody asks where none ended."""
    if container is None or not worker_deaths("\n".join(lines)):
        return 0
    usage = place.engine.usage(container.identity)
    return (usage.kills or 0) if usage is not None else 0


def _asked(place: Workplace, endpoint: Endpoint[GatewayState], refused: Refused) -> Request | None:
    """The request in the gateway's log, None where it is not there."""
    identity = refused.headers.get("x-request-id")
    if identity is None or refused.is_direct or endpoint.state.is_direct:
        return None
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        log = read_gateway_log(place.engine, endpoint.gateway, endpoint.name, _REQUESTS)
        found = next((one for one in log.requests if one.request_id == identity), None)
        if found is not None or time.monotonic() > deadline:
            return found
        time.sleep(_PAUSE_SECONDS)


def _container(
    place: Workplace, endpoint: Endpoint[GatewayState], asked: Request | None
) -> Container | None:
    """The container that had the request, the first one where the gateway does not tell."""
    instances = endpoint.instances
    number = (asked.instance if asked is not None else None) or 1
    found = instances[number - 1 : number] or instances[:1]
    return place.engine.inspect_container(found[0].identity) if found else None


def _lines(
    place: Workplace,
    endpoint: Endpoint[GatewayState],
    refused: Refused,
    asked: Request | None,
    container: Container | None,
    model_status: int | None,
) -> tuple[str, ...]:
    if container is None or (asked is not None and asked.instance is None):
        return ()  # no container had it
    # The gateway's clock is that of the containers' machine; this one's may be another.
    until = asked.time if asked is not None else round(refused.ended * 1000)
    took = asked.total_ms if asked is not None else round((refused.ended - refused.began) * 1000)
    answered = Answered(
        path=urlsplit(endpoint.scoring_uri).path,
        status=model_status,
        length=len(refused.body) if model_status is not None else None,
        since=until - took,
        until=until,
    )
    log = read_log(place.engine, container.identity, RECENT_LINES)
    return tuple(lines_of_request(log, answered))
