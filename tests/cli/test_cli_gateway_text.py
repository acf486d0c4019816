"""What people read of an endpoint's requests."""

from __future__ import annotations

from dataclasses import replace

import pytest

from localep.cli.gateway_text import log_line, placement_lines, stats_lines
from localep.gateway.access_log import Request
from localep.operations.placements import Placement
from localep.operations.stats import GatewayStats, InstanceStats, StatsView

REQUEST = Request(
    time=1795284793009,
    method="POST",
    path="/score",
    deployment="blue",
    protocol="HTTP/1.1",
    code=200,
    model_code=200,
    reason=None,
    request_bytes=258,
    response_bytes=341,
    user_agent=None,
    request_id=None,
    client_request_id=None,
    total_ms=31,
    request_ms=0,
    queue_ms=0,
    response_ms=31,
    instance=1,
    ended_by=None,
)
STATS = StatsView(
    name="hello",
    deployment="blue",
    requests=102,
    since="2026-11-21T18:13:21.000Z",
    codes={"200": 98, "429": 4},
    reasons={"too_many_pending_request": 4},
    p50_ms=50,
    p95_ms=95,
    p99_ms=99,
    max_ms=100,
    in_flight=3,
    queued=1,
    limit=4,
    total_requests=1117,
    total_since="2026-11-21T18:12:20.000Z",
    instances=[
        InstanceStats(1, "up", "2026-11-21T18:12:21.000Z", "Layer7 check passed", 2, 0, 98, None),
        InstanceStats(
            2, "down", "2026-11-21T18:13:21.000Z", "Layer4 connection problem", 0, 0, 0, None
        ),
        InstanceStats(3, "exited", None, None, 0, 0, 0, None),
    ],
    gateway=GatewayStats("2026-11-21T18:12:20.000Z", 1117, 0, None),
)
LINES = [
    "endpoint             hello, deployment blue",
    "requests             102 since 2026-11-21T18:13:21.000Z",
    "  200                98",
    "  429                4",
    "  too_many_pending_request 4",
    "time                 p50 50 ms, p95 95 ms, p99 99 ms, longest 100 ms",
    "under way            3 of 4, 1 of them waits",
    "in all               1117 since 2026-11-21T18:12:20.000Z",
    "instance 1           up since 2026-11-21T18:12:21.000Z, 98 requests, 2 under way",
    "instance 2           down since 2026-11-21T18:13:21.000Z (Layer4 connection problem), "
    "0 requests, 0 under way",
    "instance 3           exited, 0 requests, 0 under way",
    "gateway              up since 2026-11-21T18:12:20.000Z",
]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "POST /score 200 OK 31 ms"),
        ({"method": "GET", "path": "/", "total_ms": 0}, "GET / 200 OK 0 ms"),
        ({"code": 401, "model_code": None}, "POST /score 401 Unauthorized 31 ms"),
        (
            {"code": 424, "model_code": 500, "reason": "model_error"},
            "POST /score 424 model_error (500) 31 ms",
        ),
        (
            {"code": 424, "model_code": None, "reason": "model_not_ready"},
            "POST /score 424 model_not_ready 31 ms",
        ),
        ({"code": 500, "model_code": 500}, "POST /score 500 Internal Server Error 31 ms"),
        ({"code": 599, "model_code": 599}, "POST /score 599 31 ms"),
        (
            {"ended_by": "server"},
            "POST /score 200 OK broken off by the server 31 ms",
        ),
        (
            {"code": None, "model_code": None, "ended_by": "client"},
            "POST /score - broken off by the client 31 ms",
        ),
        ({"code": 400, "method": None, "path": None}, "- - 400 Bad Request 31 ms"),
        ({"path": "/a\x1b[31m\n\u202eb"}, r"POST /a\x1b[31m\n\u202eb 200 OK 31 ms"),
    ],
)
def test_a_request_is_one_line(changes: dict[str, object], words: str) -> None:
    entry = replace(REQUEST, **changes)  # type: ignore[arg-type]

    assert log_line(entry) == f"2026-11-21T18:13:13.009Z {words}"


def test_what_haproxy_says_is_told_as_it_is() -> None:
    assert log_line("[ALERT]    (8) : no server\x07") == r"[ALERT]    (8) : no server\x07"


def test_placements_are_a_line_each() -> None:
    found = [
        Placement("model", "/p/m.pkl", "/models/m/1/m.pkl", "mounted, read-only"),
        Placement("code", None, "/app/code", "made by localep"),
        Placement("environment", "own:1", "localep/env:0a", "built by localep", "sha256:1b"),
    ]

    assert list(placement_lines(found)) == [
        "model        /p/m.pkl -> /models/m/1/m.pkl (mounted, read-only)",
        "code         /app/code (made by localep)",
        "environment  own:1 -> localep/env:0a sha256:1b (built by localep)",
    ]


def test_the_figures_are_told() -> None:
    assert list(stats_lines(STATS)) == LINES


def test_an_endpoint_that_nobody_asked_has_few_figures() -> None:
    new = replace(
        STATS,
        deployment=None,
        requests=0,
        since=None,
        codes={},
        reasons={},
        p50_ms=None,
        in_flight=0,
        queued=0,
        limit=0,
        total_requests=0,
        instances=[],
        gateway=replace(STATS.gateway, lost_log_lines=1),
    )

    assert list(stats_lines(new)) == [
        "endpoint             hello",
        "requests             0",
        "under way            0 of 0, 0 of them wait",
        "in all               0 since 2026-11-21T18:12:20.000Z",
        "gateway              up since 2026-11-21T18:12:20.000Z",
        "log lines lost       1, as too many came at once",
    ]
