"""The gateway's access log: a line of JSON a request, in the cloud's words.

Source of the columns: the cloud's table AmlOnlineEndpointTrafficLog. The lines come from the
log-format of templates/haproxy.cfg.j2.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from http import HTTPStatus
from typing import Any

_CODES = frozenset(HTTPStatus)
# What says nothing of trouble: the comings and goings of HAProxy's processes and servers.
_DULL = re.compile(r"\[(NOTICE|WARNING)\]|Proxy \S+ stopped |\s*$")
# A server that the readiness probe takes out, or back.
_PROBED = re.compile(r"\[WARNING\].* Server deployment/\w+ is (DOWN|UP), reason: ")


@dataclass(frozen=True)
class Request:
    """A request that the gateway has answered; what it does not know of it is None.

    ``time`` is when it ended, in milliseconds since 1970; ``code`` is what the client got and
    ``model_code`` what the container answered, ``reason`` the cloud's word where it went wrong.
    The sizes are bytes with headers. Milliseconds from the first byte: ``total_ms`` to the
    answer's end, ``request_ms`` to the request's end (of its headers and 16 KiB),
    ``response_ms`` to the model's first byte; ``queue_ms`` of them were spent waiting for a
    worker. ``instance`` is counted from 1; ``ended_by`` is who broke it off, client or server;
    ``connect_ms`` is how long the connection to the instance took, None where there was none.
    """

    time: int
    method: str | None
    path: str | None
    deployment: str | None
    protocol: str | None
    code: int | None
    model_code: int | None
    reason: str | None
    request_bytes: int | None
    response_bytes: int | None
    user_agent: str | None
    request_id: str | None
    client_request_id: str | None
    total_ms: int
    request_ms: int | None
    queue_ms: int | None
    response_ms: int | None
    instance: int | None
    ended_by: str | None
    connect_ms: int | None = None

    @property
    def code_reason(self) -> str | None:
        """The words that go with the code, such as ``Failed Dependency``."""
        if self.code is None or self.code not in _CODES:
            return None
        # Python's word for this one goes with its version.
        return "Payload Too Large" if self.code == 413 else HTTPStatus(self.code).phrase

    @property
    def moment(self) -> str:
        """``time`` as ``2026-01-31T09:05:07.250Z``."""
        return iso_time(self.time)


def columns(request: Request, endpoint: str) -> dict[str, Any]:
    """A request under the cloud's names of columns; three more of localep's own come last."""
    return {
        "TimeGenerated": request.moment,
        "Method": request.method,
        "Path": request.path,
        "SubscriptionId": None,
        "AzureMLWorkspaceId": None,
        "AzureMLWorkspaceName": None,
        "EndpointName": endpoint,
        "DeploymentName": request.deployment,
        "Protocol": request.protocol,
        "ResponseCode": request.code,
        "ResponseCodeReason": request.code_reason,
        "ModelStatusCode": request.model_code,
        "ModelStatusReason": request.reason,
        "RequestPayloadSize": request.request_bytes,
        "ResponsePayloadSize": request.response_bytes,
        "UserAgent": request.user_agent,
        "XRequestId": request.request_id,
        "XMSClientRequestId": request.client_request_id,
        "TotalDurationMs": request.total_ms,
        "RequestDurationMs": request.request_ms,
        "ResponseDurationMs": request.response_ms,
        # Nothing here slows the network down.
        "RequestThrottlingDelayMs": 0,
        "ResponseThrottlingDelayMs": 0,
        "QueueDurationMs": request.queue_ms,
        "Instance": request.instance,
        "EndedBy": request.ended_by,
    }


def iso_time(milliseconds: int) -> str:
    """A moment in UTC, as ``2026-01-31T09:05:07.250Z``."""
    seconds, rest = divmod(milliseconds, 1000)
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:03}Z"


def parse(line: bytes) -> Request | None:
    """A line of the gateway's log as a request, None where it is something else."""
    if not line.startswith(b'{"TimeGenerated":'):
        return None
    try:
        found = json.loads(line)
        return _request(found)
    except (ValueError, KeyError, TypeError):
        return None


def trouble(line: bytes) -> str | None:
    """A line in which HAProxy tells of trouble, None for a request and for what is usual."""
    if line.startswith(b"{"):
        return None
    text = line.decode("utf-8", errors="replace").rstrip()
    return None if _DULL.match(text) and not _PROBED.match(text) else text


def _request(found: dict[str, Any]) -> Request:
    def text(name: str) -> str | None:
        value: str = found.get(name, "-")
        return None if value == "-" else value

    def number(name: str) -> int | None:
        value: int | None = found.get(name, -1)
        return None if value == -1 else value

    deployment = text("DeploymentName")
    steps = [number(f"{step}DurationMs") for step in ("Request", "Queue", "Connect", "Model")]
    return Request(
        time=found["TimeGenerated"],
        method=text("Method"),
        path=text("Path"),
        deployment=None if deployment == "." else deployment,
        protocol=text("Protocol"),
        code=number("ResponseCode"),
        model_code=number("ModelStatusCode"),
        reason=text("ModelStatusReason"),
        request_bytes=number("RequestPayloadSize"),
        response_bytes=number("ResponsePayloadSize"),
        user_agent=text("UserAgent"),
        request_id=text("XRequestId"),
        client_request_id=text("XMSClientRequestId"),
        total_ms=found["TotalDurationMs"],
        request_ms=steps[0],
        queue_ms=steps[1],
        response_ms=_sum(steps),
        instance=_instance(found.get("Server", "")),
        ended_by=_ended_by(found.get("Termination", "--")),
        connect_ms=steps[2],
    )


def _sum(steps: list[int | None]) -> int | None:
    known = [step for step in steps if step is not None]
    return sum(known) if len(known) == len(steps) else None


def _instance(server: str) -> int | None:
    """The number of an instance out of its server's name, such as ``a1``."""
    number = server[1:]
    return int(number) if number.isdecimal() else None


def _ended_by(termination: str) -> str | None:
    """Who ended a request too early, out of HAProxy's two letters: who, and in which phase."""
    who, phase = termination[:1], termination[1:]
    if who in {"C", "c"}:
        return "client"
    return "server" if phase in {"D", "L"} else None
