"""Causes of failed, slow or lost requests, read off the gateway's log and its counters."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from localep.rules.causes import cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from localep.gateway.access_log import Request
    from localep.gateway.state import Backend
    from localep.gateway.statistics import Server

# The cloud's limits of one endpoint, and its largest payload in the pages of 2021.
_MOST_A_SECOND = 500
_MOST_BYTES_A_SECOND = 5_000_000
_MOST_BYTES = 1_500_000
# What makes a first request slow: so many times the median, and at least so much longer.
_SLOW_TIMES = 5
_SLOW_MS = 500
_FEW = 5
_WRONG_BODY = frozenset({400, 415, 422})
_MIB = 1024 * 1024
# A growth that no warm-up explains: in each of these looks, after so many requests each.
_LOOKS = 3
_REQUESTS_A_LOOK = 50
_GROWTH_A_LOOK = _MIB
_NO_ANSWER = "model_not_ready"
_STARVED = re.compile(r"Server deployment/\w+ is DOWN, reason: Layer7 timeout")


@dataclass(frozen=True)
class Recognised:
    """A cause of the catalogue that requests have met: its id, what shows it, and the remedy."""

    id: str
    evidence: str
    remedy: str


@dataclass(frozen=True)
class MemoryLook:
    """What an instance had at a moment: bytes of memory, after so many requests of the gateway."""

    requests: int
    memory: int


@dataclass(frozen=True)
class Traffic:
    """What is known of a deployment's requests; ``requests`` are in their order of ending.

    ``troubles`` are HAProxy's words, ``servers`` those of the deployment; ``is_whole`` tells that
    its first request is among them. ``looks`` are what each instance had at some moments, by its
    number; ``kills`` is how many processes the system ended for want of memory, ``ends_by_probe``
    how often the liveness probe has ended a container, ``left_now`` how many clients have left
    whose requests are under way. ``most_a_second`` counts requests that the log lacks, too.
    """

    backend: Backend
    requests: Sequence[Request]
    troubles: Sequence[str] = ()
    servers: Sequence[Server] = ()
    is_whole: bool = False
    is_own_server: bool = False
    looks: Iterable[tuple[int, Sequence[MemoryLook]]] = ()
    kills: int = 0
    ends_by_probe: int = 0
    left_now: int = 0
    most_a_second: int = 0


def recognised(traffic: Traffic) -> list[Recognised]:
    """Every cause that the requests show, in the catalogue's order of stages."""
    found = []
    for name, rule in _RULES.items():
        evidence = rule(traffic)
        if evidence is not None:
            found.append(Recognised(name, evidence, cause(name).remedy))
    return found


def _starved(traffic: Traffic) -> str | None:
    downs = sum(bool(_STARVED.search(trouble)) for trouble in traffic.troubles)
    failed = sum(server.failed_checks for server in traffic.servers)
    probe = traffic.backend.readiness.timeout
    longest = max((one.total_ms for one in _had(traffic)), default=0)
    if traffic.ends_by_probe:
        count = traffic.ends_by_probe
        return f"The liveness probe failed, and a container was started anew {times(count)}."
    if downs:
        return f"An instance was taken out {times(downs)}, as its probes were not answered."
    if failed and longest > probe * 1000:
        return (
            f"{_count(failed, 'readiness probe')} failed; a probe waits for {probe} s, and "
            f"requests took up to {longest} ms."
        )
    return None


def _too_early(traffic: Traffic) -> str | None:
    failed = _failed_at_first(traffic)
    return f"{_count(failed, 'request')} failed before the first one went well." if failed else None


def _failed_at_first(traffic: Traffic) -> int:
    """How many requests an own server failed at before it answered one."""
    if not (traffic.is_own_server and traffic.is_whole):
        return 0
    codes = [one.model_code for one in _had(traffic)]
    failed = next((number for number, code in enumerate(codes) if code == 200), 0)
    return failed if all(code is not None and code >= 500 for code in codes[:failed]) else 0


def _out_of_memory(traffic: Traffic) -> str | None:
    if not traffic.kills:
        return None
    return f"The system ended {_count(traffic.kills, 'process')} for want of memory."


def _crashed(traffic: Traffic) -> str | None:
    broken = [
        one
        for one in _had(traffic)
        if one.connect_ms is not None and one.model_code is None and one.reason == _NO_ANSWER
    ]
    if not broken or traffic.kills:
        return None
    return f"{_count(len(broken), 'request')} ended with the process that had taken it."


def _raised(traffic: Traffic) -> str | None:
    return _of_model(traffic, lambda code: code >= 500, after=_failed_at_first(traffic))


def _misshapen(traffic: Traffic) -> str | None:
    return _of_model(traffic, lambda code: code in _WRONG_BODY)


def _hidden(traffic: Traffic) -> str | None:
    return _of_model(traffic, lambda code: code < 500 and code != 200 and code not in _WRONG_BODY)


def _of_model(traffic: Traffic, is_meant: Callable[[int], bool], after: int = 0) -> str | None:
    codes = [one.model_code for one in _had(traffic)][after:]
    counted = Counter(code for code in codes if code is not None and is_meant(code))
    if not counted:
        return None
    told = ", ".join(f"{code} to {_count(count, 'request')}" for code, count in counted.items())
    return f"The container answered {told}; `localep get-logs` tells more."


def _too_slow(traffic: Traffic) -> str | None:
    count = _coded(traffic, 408)
    limit = traffic.backend.request_timeout_ms
    return f"{_count(count, 'request')} took longer than {limit} ms." if count else None


def _slow_at_first(traffic: Traffic) -> str | None:
    times = [one.total_ms for one in _had(traffic)]
    if not traffic.is_whole or len(times) <= _FEW:
        return None
    first, others = times[0], statistics.median(times[1:])
    if first < _SLOW_TIMES * others or first < others + _SLOW_MS:
        return None
    return f"The first request took {first} ms, half of the others no more than {others:.0f} ms."


def _pending(traffic: Traffic) -> str | None:
    refused = [one for one in traffic.requests if one.reason == "too_many_pending_request"]
    if not refused:
        return None
    limit, wait = traffic.backend.limit, traffic.backend.max_queue_wait_ms
    waited = sum((one.queue_ms or 0) >= wait for one in refused)
    told = f"{_count(len(refused), 'request')} came when {limit} were in flight"
    if waited:
        told = f"{_count(len(refused), 'request')} came when {limit} were in flight, or waited"
        told += f" for longer than {wait} ms"
    return f"{told}."


def _stale(traffic: Traffic) -> str | None:
    if traffic.left_now:
        return f"{_count(traffic.left_now, 'client')} left whose requests are still under way."
    left = [one.total_ms for one in _had(traffic) if one.ended_by == "client"]
    if not left:
        return None
    return (
        f"{_count(len(left), 'client')} left before the end of an answer, after {max(left)} ms at "
        "most; the requests went on."
    )


def _refused_keys(traffic: Traffic) -> str | None:
    count = _coded(traffic, 401)
    return f"{_count(count, 'request')} had no valid key or token." if count else None


def _no_traffic(traffic: Traffic) -> str | None:
    count = sum(one.code == 404 and one.model_code is None for one in traffic.requests)
    return f"{_count(count, 'request')} found no deployment that takes them." if count else None


def _preflight(traffic: Traffic) -> str | None:
    count = sum(one.method == "OPTIONS" and one.code == 405 for one in traffic.requests)
    return f"{_count(count, 'OPTIONS request')} of a browser got no further." if count else None


def _large(traffic: Traffic) -> str | None:
    count = _coded(traffic, 413)
    if count:
        return f"{_count(count, 'request')} had more bytes than the endpoint takes."
    sent = max((one.request_bytes or 0 for one in traffic.requests), default=0)
    came = max((one.response_bytes or 0 for one in traffic.requests), default=0)
    if max(sent, came) <= _MOST_BYTES:
        return None
    what = "request" if sent >= came else "answer"
    return f"The largest {what} had {max(sent, came)} bytes; the cloud's limit was {_MOST_BYTES}."


def _rate(traffic: Traffic) -> str | None:
    ended = [one.time / 1000 for one in traffic.requests]
    logged = _most_within_a_second((moment, 1) for moment in ended)
    most = max(logged, traffic.most_a_second)
    sizes = ((one.time / 1000, _bytes(one)) for one in traffic.requests)
    volume = _most_within_a_second(sizes)
    if most > _MOST_A_SECOND:
        return f"{most} requests came within a second; the cloud takes {_MOST_A_SECOND}."
    if volume > _MOST_BYTES_A_SECOND:
        return (
            f"{volume / 1e6:.1f} MB went through within a second; the cloud slows down above "
            f"{_MOST_BYTES_A_SECOND / 1e6:.0f}."
        )
    return None


def _growth(traffic: Traffic) -> str | None:
    for number, looks in traffic.looks:
        steps = list(pairwise(looks))[-(_LOOKS - 1) :]
        if len(steps) < _LOOKS - 1 or not all(_has_grown(*step) for step in steps):
            continue
        first, last = steps[0][0], steps[-1][1]
        served, more = last.requests - first.requests, last.memory - first.memory
        return (
            f"Instance {number} took {more / _MIB:.0f} MiB more over {served} requests, "
            f"{more / _MIB * 1000 / served:.0f} MiB for 1,000."
        )
    return None


def _has_grown(before: MemoryLook, after: MemoryLook) -> bool:
    return (
        after.requests - before.requests >= _REQUESTS_A_LOOK
        and after.memory - before.memory >= _GROWTH_A_LOOK
    )


def _most_within_a_second(events: Iterable[tuple[float, int]]) -> int:
    """The largest sum of what came within one second."""
    window: list[tuple[float, int]] = []
    start = total = most = 0
    for moment, size in sorted(events):
        window.append((moment, size))
        total += size
        while moment - window[start][0] >= 1:
            total -= window[start][1]
            start += 1
        most = max(most, total)
    return most


def _had(traffic: Traffic) -> Iterator[Request]:
    """The requests that an instance had."""
    return (one for one in traffic.requests if one.instance is not None)


def _coded(traffic: Traffic, code: int) -> int:
    return sum(one.code == code for one in traffic.requests)


def _bytes(one: Request) -> int:
    return (one.request_bytes or 0) + (one.response_bytes or 0)


def _count(number: int, what: str) -> str:
    many = f"{what}es" if what.endswith("s") else f"{what}s"
    return f"{number} {what if number == 1 else many}"


def times(number: int) -> str:
    """A number of times in words: once, 2 times."""
    return "once" if number == 1 else f"{number} times"


_RULES: dict[str, Callable[[Traffic], str | None]] = {
    "memory-at-start": _out_of_memory,
    "native-crash": _crashed,
    "ready-too-early": _too_early,
    "probe-starved": _starved,
    "run-too-slow": _too_slow,
    "slow-first-request": _slow_at_first,
    "too-many-pending": _pending,
    "stale-requests": _stale,
    "run-raises": _raised,
    "input-shape": _misshapen,
    "status-hidden": _hidden,
    "no-traffic": _no_traffic,
    "auth": _refused_keys,
    "cors": _preflight,
    "payload-size": _large,
    "rate-or-bandwidth": _rate,
    "memory-growth": _growth,
}
