"""`stats`: figures out of the access log and HAProxy's counters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

import pytest

from localep.engine.base import Usage
from localep.errors import EngineError
from localep.gateway.runtime import SHOW_SETTINGS
from localep.operations.create import CreateOptions, create
from localep.operations.failures.connections import SHOW_TABLES
from localep.operations.stats import InstanceStats, StatsView, UsageView, stats
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle

Load = Callable[..., Bundle]
SECOND = 1_795_284_800
COUNTERS = """\
DroppedLogs: 7
Start_time_sec: {started}

# pxname,svname,qcur,scur,status,lastchg,req_tot,check_desc,last_chk
deployment,a1,1,2,UP,50,5,Layer7 check passed,
deployment,a2,0,0,DOWN 1/2,7,0,Layer4 connection problem,
deployment,b1,0,0,MAINT,50,0,,
deployment,b2,0,0,no check,50,0,,
deployment,BACKEND,3,6,UP,50,117,,
"""


def request(
    second: int, code: int, milliseconds: int, server: str = "a1", reason: str = "-"
) -> bytes:
    values = {
        "TimeGenerated": second * 1000,
        "ResponseCode": code,
        "ModelStatusReason": reason,
        "TotalDurationMs": milliseconds,
        "Server": server,
    }
    return json.dumps(values, separators=(",", ":")).encode() + b"\n"


# A hundred that the model had, in 1 to 100 ms, and two that it never saw.
REQUESTS = [
    *(request(SECOND + number, 200, number) for number in range(1, 98)),
    request(SECOND + 98, 424, 98, "a2", "model_error"),
    request(SECOND + 99, 424, 99, "a2", "model_not_ready"),
    request(SECOND + 100, -1, 100),
    request(SECOND + 101, 429, 0, "<NOSRV>", "too_many_pending_request"),
    request(SECOND + 102, 401, 0, "<NOSRV>"),
]


@pytest.fixture
def measured(
    place: Workplace, load: Load, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., StatsView]:
    """What `stats` tells of an endpoint of two instances whose gateway wrote this."""
    create(place, load("endpoint.yml", "deployment.yml"), CreateOptions(port=8085, instances=2))
    (gateway,) = place.engine.list_containers(place.names.labels(role="gateway"))
    monkeypatch.setattr("localep.operations.stats.time.time", lambda: SECOND + 1000.9)

    def measure(
        log: Sequence[bytes] = REQUESTS,
        *,
        started: int = SECOND - 60,
        counters: str = COUNTERS,
        connections: str = "",
        lines: int = 1000,
    ) -> StatsView:
        def logs(_: str, *, lines: int, follow: bool = False) -> Iterator[bytes]:
            yield from log[max(len(log) - lines, 0) :]

        def usage(identity: str) -> Usage | None:
            return Usage(8_000_000, 1.26) if identity == gateway.identity else None

        def execute(_: str, command: Sequence[str]) -> tuple[int, str]:
            told = connections if command == SHOW_TABLES else counters.format(started=started)
            return 0, told

        monkeypatch.setattr(place.engine, "logs", logs)
        monkeypatch.setattr(place.engine, "usage", usage)
        monkeypatch.setattr(place.engine, "execute", execute)
        return stats(place, "hello", lines=lines)

    return measure


def test_the_figures_of_an_endpoint(measured: Callable[..., StatsView]) -> None:
    found = asdict(measured())

    instances = found.pop("instances")
    gateway = found.pop("gateway")
    causes = found.pop("causes")
    assert found == {
        "name": "hello",
        "deployment": "blue",
        "requests": 102,
        "since": "2026-11-21T18:13:21.000Z",
        "codes": {"200": 97, "424": 2, "none": 1, "429": 1, "401": 1},
        "reasons": {"model_error": 1, "model_not_ready": 1, "too_many_pending_request": 1},
        "p50_ms": 50,
        "p95_ms": 95,
        "p99_ms": 99,
        "max_ms": 100,
        "in_flight": 6,
        "queued": 4,
        "limit": 4,
        "total_requests": 117,
        "total_since": "2026-11-21T18:12:20.000Z",
    }
    assert [cause["id"] for cause in causes] == ["too-many-pending", "auth"]
    assert causes[1] == {
        "id": "auth",
        "evidence": "1 request had no valid key or token.",
        "remedy": "Fetch the key or the token anew.",
    }
    assert instances == [
        {
            "instance": 1,
            "state": "up",
            "since": "2026-11-21T18:29:10.000Z",
            "check": "Layer7 check passed",
            "in_flight": 2,
            "queued": 1,
            "requests": 98,
            "usage": None,
        },
        {
            "instance": 2,
            "state": "down",
            "since": "2026-11-21T18:29:53.000Z",
            "check": "Layer4 connection problem",
            "in_flight": 0,
            "queued": 0,
            "requests": 2,
            "usage": None,
        },
    ]
    usage = gateway.pop("usage")
    assert gateway == {
        "since": "2026-11-21T18:12:20.000Z",
        "requests": 117,
        "lost_log_lines": 7,
    }
    assert (usage["memory_bytes"], usage["cpu_seconds"]) == (8_000_000, 1.3)


def test_no_more_clients_have_left_than_have_requests_under_way(
    measured: Callable[..., StatsView],
) -> None:
    closing = [f"  {n}: 020012AC:1F90 010012AC:{9000 + n} 08 " for n in range(2)]

    found = measured(connections="\n".join(closing), counters=COUNTERS.replace(",3,6,", ",0,1,"))

    assert "1 client left whose requests are still under way." in {
        cause.evidence for cause in found.causes
    }


def test_the_last_requests_alone_are_judged(measured: Callable[..., StatsView]) -> None:
    found = measured(lines=4)

    assert (found.requests, found.codes) == (4, {"424": 1, "none": 1, "429": 1, "401": 1})
    assert (found.p50_ms, found.p95_ms, found.p99_ms, found.max_ms) == (99, 100, 100, 100)
    assert found.total_requests == 117


def test_the_log_tells_the_total_where_it_is_older_than_the_counters(
    measured: Callable[..., StatsView],
) -> None:
    found = measured(started=SECOND + 50)

    assert (found.total_requests, found.total_since) == (102, "2026-11-21T18:13:21.000Z")
    assert (found.gateway.requests, found.gateway.since) == (117, "2026-11-21T18:14:10.000Z")


def test_nothing_was_asked_yet(measured: Callable[..., StatsView]) -> None:
    found = measured([])

    assert (found.requests, found.since, found.codes, found.reasons) == (0, None, {}, {})
    assert (found.p50_ms, found.p95_ms, found.p99_ms, found.max_ms) == (None,) * 4
    assert (found.total_requests, found.total_since) == (117, "2026-11-21T18:12:20.000Z")


@pytest.mark.parametrize(
    ("word", "state"),
    [("DRAIN", "draining"), ("MAINT (resolution)", "out of use"), ("no check", "no check")],
)
def test_the_state_of_an_instance_in_plain_words(
    measured: Callable[..., StatsView], word: str, state: str
) -> None:
    found = measured(counters=COUNTERS.replace("DOWN 1/2", word))

    assert found.instances[1].state == state


def test_an_instance_that_does_not_run_is_told_in_the_engines_word(
    measured: Callable[..., StatsView], place: Workplace
) -> None:
    containers: dict[str, Any] = vars(place.engine)["containers"]
    for identity, container in containers.items():
        if container.name.endswith("-r1-2"):
            containers[identity] = replace(container, status="exited")

    assert measured().instances[1] == InstanceStats(2, "exited", None, None, 0, 0, 2, None)


def test_an_endpoint_without_a_deployment_has_figures_too(
    place: Workplace, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(place, load("endpoint.yml"), CreateOptions(port=8085))
    answer = COUNTERS.format(started=SECOND)
    monkeypatch.setattr(place.engine, "execute", lambda *_: (0, answer))

    found = stats(place, None, lines=10)

    assert (found.deployment, found.limit, found.instances) == (None, 0, [])


def test_an_answer_that_is_not_whole_is_an_error(measured: Callable[..., StatsView]) -> None:
    with pytest.raises(EngineError) as caught:
        measured(counters=f"{SHOW_SETTINGS}")

    assert (caught.value.message, caught.value.remedy) == (
        "The gateway did not tell its figures.",
        "Try again.",
    )


def test_the_requests_of_a_former_deployment_tell_nothing_of_this_one(
    measured: Callable[..., StatsView], place: Workplace
) -> None:
    containers: dict[str, Any] = vars(place.engine)["containers"]
    for identity, container in containers.items():
        containers[identity] = replace(container, created=SECOND + 102)

    assert [cause.id for cause in measured().causes] == ["auth"]


def test_memory_that_grows_from_look_to_look_is_told(
    measured: Callable[..., StatsView], place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(served: int, memory: int, started: int = SECOND) -> list[str]:
        counters = COUNTERS.replace("50,117,", f"50,{served},")

        def measure_all() -> StatsView:
            return measured(REQUESTS[:97], counters=counters, started=started)

        with monkeypatch.context() as patch:
            patch.setattr(
                "localep.operations.stats._usage_view",
                lambda *_: UsageView(memory * 1_048_576, None, None, 1.0, None, None),
            )
            return [f"{cause.id}: {cause.evidence}" for cause in measure_all().causes]

    grown = "memory-growth: Instance 1 took 70 MiB more over 400 requests, 175 MiB for 1,000."

    assert look(100, 80) == []
    assert look(300, 110) == []
    assert look(500, 150) == [grown]
    # Another process of HAProxy counts anew.
    assert look(900, 250, started=SECOND + 5) == []
