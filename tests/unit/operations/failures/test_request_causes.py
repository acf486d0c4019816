"""Causes that the gateway's log and its counters show."""

from __future__ import annotations

from typing import Any

import pytest

from localep.gateway.access_log import Request
from localep.gateway.state import Backend, Readiness
from localep.gateway.statistics import Server
from localep.operations.failures.traffic import MemoryLook, Recognised, Traffic, recognised
from localep.rules.causes import cause

MIB = 1024 * 1024
BACKEND = Backend(
    deployment="blue",
    revision="r1",
    aliases=("localep-r1",),
    slot="a",
    port=5001,
    scoring_path="/score",
    request_timeout_ms=5000,
    max_concurrent_requests=1,
    max_queue_wait_ms=500,
    readiness=Readiness(timeout=2),
)
NOWHERE = {"instance": None, "connect_ms": None, "model_code": None}


def asked(number: int = 0, **changed: Any) -> Request:
    """A request that went well, one a second."""
    values: dict[str, Any] = {
        "time": 1_795_284_800_000 + number * 1000,
        "method": "POST",
        "path": "/score",
        "deployment": "blue",
        "protocol": "HTTP/1.1",
        "code": 200,
        "model_code": 200,
        "reason": None,
        "request_bytes": 200,
        "response_bytes": 300,
        "user_agent": None,
        "request_id": None,
        "client_request_id": None,
        "total_ms": 20,
        "request_ms": 0,
        "queue_ms": 0,
        "response_ms": 20,
        "instance": 1,
        "ended_by": None,
        "connect_ms": 0,
    }
    return Request(**{**values, **changed})


def several(count: int, **changed: Any) -> list[Request]:
    return [asked(number, **changed) for number in range(count)]


MODEL_ERROR = {"code": 424, "reason": "model_error"}
PENDING = {"code": 429, "reason": "too_many_pending_request", **NOWHERE}
STARVED = (
    "[WARNING]  (8) : Server deployment/a1 is DOWN, reason: Layer7 timeout, check duration: 2001ms"
)


def looks(*memory: int) -> list[tuple[int, list[MemoryLook]]]:
    """What instance 2 had after every hundred requests, in MiB."""
    return [(2, [MemoryLook(n * 100, size * MIB) for n, size in enumerate(memory)])]


@pytest.mark.parametrize(
    ("known", "name", "evidence"),
    [
        (
            {"requests": several(2), "kills": 2},
            "memory-at-start",
            "The system ended 2 processes for want of memory.",
        ),
        (
            {
                "requests": [
                    asked(1, code=424, model_code=None, reason="model_not_ready"),
                    asked(2, code=424, reason="model_not_ready", **NOWHERE),
                ]
            },
            "native-crash",
            "1 request ended with the process that had taken it.",
        ),
        (
            {
                "requests": [
                    *several(3, model_code=503, **MODEL_ERROR),
                    *(asked(number) for number in range(3, 9)),
                ],
                "is_own_server": True,
                "is_whole": True,
            },
            "ready-too-early",
            "3 requests failed before the first one went well.",
        ),
        (
            {"requests": several(2), "ends_by_probe": 2},
            "probe-starved",
            "The liveness probe failed, and a container was started anew 2 times.",
        ),
        (
            {"requests": several(2), "troubles": [STARVED, "[ALERT] no server", STARVED]},
            "probe-starved",
            "An instance was taken out 2 times, as its probes were not answered.",
        ),
        (
            {
                "requests": [asked(1), asked(2, total_ms=6300)],
                "servers": [Server("a1", "UP", 9, 0, 0, "", 4)],
            },
            "probe-starved",
            "4 readiness probes failed; a probe waits for 2 s, and requests took up to 6300 ms.",
        ),
        (
            {"requests": several(2, code=408, model_code=None)},
            "run-too-slow",
            "2 requests took longer than 5000 ms.",
        ),
        (
            {
                "requests": [asked(0, total_ms=2500), *(asked(n) for n in range(1, 9))],
                "is_whole": True,
            },
            "slow-first-request",
            "The first request took 2500 ms, half of the others no more than 20 ms.",
        ),
        (
            {"requests": several(6, **PENDING)},
            "too-many-pending",
            "6 requests came when 2 were in flight.",
        ),
        (
            {"requests": [asked(0, **PENDING), asked(1, **{**PENDING, "queue_ms": 500})]},
            "too-many-pending",
            "2 requests came when 2 were in flight, or waited for longer than 500 ms.",
        ),
        (
            {
                "requests": [
                    asked(0, ended_by="client", code=-1, model_code=None, total_ms=1200),
                    asked(1, ended_by="client", code=-1, **NOWHERE),
                ]
            },
            "stale-requests",
            "1 client left before the end of an answer, after 1200 ms at most; the requests went "
            "on.",
        ),
        (
            {"requests": several(2), "left_now": 2},
            "stale-requests",
            "2 clients left whose requests are still under way.",
        ),
        (
            {"requests": several(3, model_code=500, **MODEL_ERROR)},
            "run-raises",
            "The container answered 500 to 3 requests; `localep get-logs` tells more.",
        ),
        (
            {"requests": several(1, model_code=400, **MODEL_ERROR)},
            "input-shape",
            "The container answered 400 to 1 request; `localep get-logs` tells more.",
        ),
        (
            {"requests": several(1, model_code=404, **MODEL_ERROR)},
            "status-hidden",
            "The container answered 404 to 1 request; `localep get-logs` tells more.",
        ),
        (
            {"requests": several(1, code=404, **NOWHERE)},
            "no-traffic",
            "1 request found no deployment that takes them.",
        ),
        (
            {"requests": several(2, code=401, **NOWHERE)},
            "auth",
            "2 requests had no valid key or token.",
        ),
        (
            {"requests": several(1, method="OPTIONS", code=405, **NOWHERE)},
            "cors",
            "1 OPTIONS request of a browser got no further.",
        ),
        (
            {"requests": several(1, code=413, **NOWHERE)},
            "payload-size",
            "1 request had more bytes than the endpoint takes.",
        ),
        (
            {"requests": [asked(0), asked(1, response_bytes=1_600_000)]},
            "payload-size",
            "The largest answer had 1600000 bytes; the cloud's limit was 1500000.",
        ),
        (
            {"requests": [asked(0, time=1_795_284_800_000 + number) for number in range(501)]},
            "rate-or-bandwidth",
            "501 requests came within a second; the cloud takes 500.",
        ),
        (
            {"requests": several(2), "most_a_second": 2104},
            "rate-or-bandwidth",
            "2104 requests came within a second; the cloud takes 500.",
        ),
        (
            {
                "requests": [
                    asked(0, time=1_795_284_800_000 + number, response_bytes=1_400_000)
                    for number in range(4)
                ]
            },
            "rate-or-bandwidth",
            "5.6 MB went through within a second; the cloud slows down above 5.",
        ),
        (
            {"requests": several(2), "looks": looks(70, 90, 120)},
            "memory-growth",
            "Instance 2 took 50 MiB more over 200 requests, 250 MiB for 1,000.",
        ),
    ],
)
def test_a_cause_is_read_off_the_requests(known: dict[str, Any], name: str, evidence: str) -> None:
    assert recognised(Traffic(BACKEND, **known)) == [Recognised(name, evidence, cause(name).remedy)]


@pytest.mark.parametrize(
    "known",
    [
        pytest.param({"requests": []}, id="nothing was asked"),
        pytest.param({"requests": several(500)}, id="all went well"),
        pytest.param(
            {"requests": several(9), "servers": [Server("a1", "UP", 9, 0, 0, "", 4)]},
            id="a probe failed for another reason",
        ),
        pytest.param(
            {"requests": [asked(0, total_ms=2500), *several(8)]}, id="not the very first request"
        ),
        pytest.param(
            {"requests": [asked(0, total_ms=450), *several(8)], "is_whole": True},
            id="a little slower at first",
        ),
        pytest.param({"requests": several(3), "looks": looks(70, 90)}, id="one look is too few"),
        pytest.param({"requests": several(3), "looks": looks(70, 150, 150)}, id="a warm-up"),
        pytest.param({"requests": several(3), "looks": looks(70, 90, 80, 100)}, id="up and down"),
        pytest.param(
            {
                "requests": several(3),
                "looks": [(1, [MemoryLook(n, n * 10 * MIB) for n in range(9)])],
            },
            id="too few requests between the looks",
        ),
    ],
)
def test_no_cause_is_named_without_need(known: dict[str, Any]) -> None:
    assert recognised(Traffic(BACKEND, **known)) == []


def test_an_own_server_that_never_answered_was_not_early() -> None:
    failing = several(3, model_code=503, **MODEL_ERROR)
    traffic = Traffic(BACKEND, failing, is_own_server=True, is_whole=True)

    assert [found.id for found in recognised(traffic)] == ["run-raises"]
