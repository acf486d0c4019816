"""`stats`: how many requests, how they ended, how long they took, and what is under way."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from localep.engine.base import Limits
from localep.errors import EngineError
from localep.gateway import config, statistics
from localep.gateway.access_log import iso_time
from localep.operations.container_log import RECENT_LINES, read_log
from localep.operations.endpoints import look_at_endpoint, recorded_spec
from localep.operations.failures import memory_looks
from localep.operations.failures.connections import SHOW_TABLES, clients_that_left
from localep.operations.failures.logs import with_word_of_logs
from localep.operations.failures.traffic import Recognised, Traffic, recognised
from localep.operations.gateways import Gateway
from localep.operations.limits import recorded_limits
from localep.operations.liveness import restarts_by_probe
from localep.operations.logs import read_gateway_log
from localep.operations.names import DEPLOYMENT_ROLE, ROLE
from localep.operations.views import endpoint_deployment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localep.engine.base import Container, Usage
    from localep.gateway.access_log import Request
    from localep.gateway.state import PublicState
    from localep.gateway.statistics import Server, Statistics
    from localep.operations.endpoints import Endpoint
    from localep.operations.logs import GatewayLog
    from localep.operations.workplace import Workplace

_AT_ONCE = 8
_STATES = {"UP": "up", "DOWN": "down", "DRAIN": "draining", "MAINT": "out of use"}


@dataclass(frozen=True)
class UsageView:
    """What a container needs: bytes of memory, and the seconds of CPU time since its start.

    None is a limit that it does not have, or a number that nobody counted; ``processes_killed``
    is how many the system ended for want of memory.
    """

    memory_bytes: int
    memory_peak_bytes: int | None
    memory_limit_bytes: int | None
    cpu_seconds: float
    cpu_limit: float | None
    processes_killed: int | None


@dataclass(frozen=True)
class InstanceStats:
    """An instance; ``since`` is when its state began, as far as the gateway's process knows.

    ``check`` says what the last readiness probe met; ``requests`` are its share of the last ones.
    """

    instance: int
    state: str
    since: str | None
    check: str | None
    in_flight: int
    queued: int
    requests: int
    usage: UsageView | None


@dataclass(frozen=True)
class GatewayStats:
    """The gateway's process; a change of some settings begins a new one, and its counters."""

    since: str
    requests: int
    lost_log_lines: int
    usage: UsageView | None


@dataclass(frozen=True)
class StatsView:
    """An endpoint's requests.

    ``requests``, ``since``, ``codes`` and ``reasons`` are of the last ones in the access log;
    the percentiles are over those of them that an instance had, in milliseconds.
    ``total_requests`` is the number since ``total_since``. ``in_flight`` are under way, of which
    ``queued`` wait; ``limit`` is how many may be. ``causes`` are those that the requests since the
    deployment's start have met.
    """

    name: str
    deployment: str | None
    requests: int
    since: str | None
    codes: dict[str, int]
    reasons: dict[str, int]
    p50_ms: int | None
    p95_ms: int | None
    p99_ms: int | None
    max_ms: int | None
    in_flight: int
    queued: int
    limit: int
    total_requests: int
    total_since: str
    instances: list[InstanceStats]
    gateway: GatewayStats
    causes: list[Recognised] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The view as plain values, for JSON and YAML."""
        return asdict(self)


def stats(place: Workplace, name: str | None, *, lines: int) -> StatsView:
    """An endpoint's figures, judged by its last ``lines`` requests.

    Raises EndpointConflict, and EngineError where the gateway does not run.
    """
    endpoint = look_at_endpoint(place, name)
    engine = place.engine
    gateway = Gateway(engine, endpoint.gateway.identity, endpoint.address)
    containers = [endpoint.gateway, *endpoint.instances]
    identities = [found.identity for found in containers]
    with ThreadPoolExecutor(_AT_ONCE) as beside:
        answer = beside.submit(gateway.send, statistics.SHOW_ALL)
        connections = beside.submit(engine.execute, gateway.container, SHOW_TABLES)
        needs = beside.map(engine.usage, identities)
        log = read_gateway_log(engine, endpoint.gateway, endpoint.name, lines)
        counted = statistics.read_statistics(answer.result())
        usages = dict(zip(identities, map(_usage_view, containers, needs), strict=True))
    if counted is None:
        raise EngineError(
            "The gateway did not tell its figures.",
            cause="Its answer was not whole.",
            remedy="Try again.",
        )
    # HAProxy also has for a moment what a client closes after its answer.
    gone = clients_that_left(connections.result()[1], config.PORT)
    left = min(gone, counted.in_flight)
    causes = _causes(place, endpoint, log, counted, usages, left)
    return replace(_view(endpoint, log.requests, counted, usages), causes=causes)


def _causes(
    place: Workplace,
    endpoint: Endpoint[PublicState],
    log: GatewayLog,
    counted: Statistics,
    usages: dict[str, UsageView | None],
    left: int,
) -> list[Recognised]:
    """What the requests of the present deployment tell of the catalogue's causes."""
    backend, instances = endpoint.state.backend, endpoint.instances
    if backend is None or not instances:
        return []
    since = min(found.created or 0 for found in instances) * 1000
    requests = [entry for entry in log.entries_since(since) if not isinstance(entry, str)]
    known = [usages[found.identity] for found in instances]
    memory = {number: usage.memory_bytes for number, usage in enumerate(known, 1) if usage}
    epoch = f"{backend.revision} {counted.started}"
    looks = memory_looks.look(
        place.engine, endpoint.gateway.identity, epoch, counted.requests, memory
    )
    names = config.group(backend.slot, len(instances))
    traffic = Traffic(
        backend=backend,
        requests=requests,
        troubles=[entry for entry in log.entries_since(since) if isinstance(entry, str)],
        servers=[server for server in counted.servers if server.name in names],
        is_whole=len(requests) < len(log.requests) or counted.requests <= len(requests),
        is_own_server=recorded_spec(instances[0]).get("liveness_route") is not None,
        looks=list(looks.items()),
        ends_by_probe=sum(restarts_by_probe(place.engine, one.identity) for one in instances),
        left_now=left,
        kills=sum(usage.processes_killed or 0 for usage in known if usage),
        most_a_second=counted.most_a_second,
    )
    found = recognised(traffic)
    if traffic.is_own_server:
        return found
    logs = (read_log(place.engine, one.identity, RECENT_LINES) for one in instances)
    return with_word_of_logs(found, logs)


def _usage_view(container: Container, usage: Usage | None) -> UsageView | None:
    if usage is None:
        return None
    is_limited = container.labels[ROLE] == DEPLOYMENT_ROLE
    limits = recorded_limits(recorded_spec(container)).limits if is_limited else Limits()
    return UsageView(
        memory_bytes=usage.memory,
        memory_peak_bytes=usage.peak,
        memory_limit_bytes=limits.memory,
        cpu_seconds=round(usage.cpu_seconds, 1),
        cpu_limit=limits.cpus,
        processes_killed=usage.kills,
    )


def _view(
    endpoint: Endpoint[PublicState],
    requests: Sequence[Request],
    counted: Statistics,
    usages: dict[str, UsageView | None],
) -> StatsView:
    backend = endpoint.state.backend
    times = sorted(request.total_ms for request in requests if request.instance is not None)
    first = requests[0].time if requests else None
    # A new process of HAProxy knows nothing of what the former one did; the log does.
    log_knows_more = first is not None and first < counted.started * 1000
    started = iso_time(counted.started * 1000)
    return StatsView(
        name=endpoint.name,
        deployment=endpoint_deployment(endpoint),
        requests=len(requests),
        since=iso_time(first) if first is not None else None,
        codes=_counts([request.code for request in requests]),
        reasons=_counts([request.reason for request in requests if request.reason]),
        p50_ms=_percentile(times, 50),
        p95_ms=_percentile(times, 95),
        p99_ms=_percentile(times, 99),
        max_ms=times[-1] if times else None,
        in_flight=counted.in_flight,
        queued=counted.queued,
        limit=backend.limit if backend else 0,
        total_requests=len(requests) if log_knows_more else counted.requests,
        total_since=iso_time(first) if log_knows_more and first is not None else started,
        instances=_instances(endpoint, requests, counted, usages),
        gateway=GatewayStats(
            since=started,
            requests=counted.requests,
            lost_log_lines=counted.lost_lines,
            usage=usages.get(endpoint.gateway.identity),
        ),
    )


def _instances(
    endpoint: Endpoint[PublicState],
    requests: Sequence[Request],
    counted: Statistics,
    usages: dict[str, UsageView | None],
) -> list[InstanceStats]:
    backend = endpoint.state.backend
    if backend is None:
        return []
    servers = {server.name: server for server in counted.servers}
    names = config.group(backend.slot, len(endpoint.instances))
    given = Counter(request.instance for request in requests)
    return [
        _instance(
            number,
            container,
            servers.get(names[number - 1]),
            given[number],
            usages.get(container.identity),
        )
        for number, container in enumerate(endpoint.instances, start=1)
    ]


def _instance(
    number: int,
    container: Container,
    server: Server | None,
    requests: int,
    usage: UsageView | None,
) -> InstanceStats:
    if server is None or not container.is_running:
        return InstanceStats(number, container.status, None, None, 0, 0, requests, usage)
    return InstanceStats(
        instance=number,
        state=_STATES.get(server.state.split()[0], server.state.lower()),
        since=iso_time((int(time.time()) - server.since) * 1000),
        check=server.check or None,
        in_flight=server.at_work,
        queued=server.queued,
        requests=requests,
        usage=usage,
    )


def _counts(values: Sequence[object]) -> dict[str, int]:
    """How often each value is there, the most frequent first; ``none`` stands for no value."""
    counted = Counter("none" if value is None else str(value) for value in values)
    return dict(counted.most_common())


def _percentile(ordered: Sequence[int], percent: int) -> int | None:
    """The smallest value that so many percent of all are not above."""
    return ordered[-(-len(ordered) * percent // 100) - 1] if ordered else None
