"""What people are told of an endpoint's requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.cli.limits_text import cpus_text, memory_text
from localep.cli.table import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from localep.gateway.access_log import Request
    from localep.operations.placements import Placement
    from localep.operations.stats import InstanceStats, StatsView, UsageView


def log_line(entry: Request | str) -> str:
    """A request, or what HAProxy says of trouble, as one line."""
    if isinstance(entry, str):
        return printable(entry)
    words = [
        entry.moment,
        entry.method or "-",
        entry.path or "-",
        "-" if entry.code is None else str(entry.code),
        *_why(entry),
        f"{entry.total_ms} ms",
    ]
    return printable(" ".join(words))


def placement_lines(found: Sequence[Placement]) -> Iterator[str]:
    """Where the parts of a deployment came from, and where its container has them."""
    for one in found:
        target = one.target if one.digest is None else f"{one.target} {one.digest}"
        origin = f"{one.source} -> " if one.source is not None else ""
        yield printable(f"{one.kind:<13}{origin}{target} ({one.how})")


def stats_lines(found: StatsView) -> Iterator[str]:
    """What `stats` tells."""
    deployment = f", deployment {found.deployment}" if found.deployment else ""
    yield _row("endpoint", f"{found.name}{deployment}")
    since = f" since {found.since}" if found.since else ""
    yield _row("requests", f"{found.requests}{since}")
    for code, count in found.codes.items():
        yield _row(f"  {code}", str(count))
    for reason, count in found.reasons.items():
        yield _row(f"  {reason}", str(count))
    if found.p50_ms is not None:
        times = f"p50 {found.p50_ms} ms, p95 {found.p95_ms} ms, p99 {found.p99_ms} ms"
        yield _row("time", f"{times}, longest {found.max_ms} ms")
    waiting = f"{found.queued} of them {'waits' if found.queued == 1 else 'wait'}"
    yield _row("under way", f"{found.in_flight} of {found.limit}, {waiting}")
    yield _row("in all", f"{found.total_requests} since {found.total_since}")
    for instance in found.instances:
        yield _row(f"instance {instance.instance}", _instance(instance))
    gateway = found.gateway
    yield _row("gateway", f"up since {gateway.since}{_needs(gateway.usage)}")
    if gateway.lost_log_lines:
        yield _row("log lines lost", f"{gateway.lost_log_lines}, as too many came at once")
    for one in found.causes:
        yield _row("cause", f"{one.id}: {one.evidence} {one.remedy}")


def _why(entry: Request) -> Iterator[str]:
    """The reason that goes with the code, and what else went wrong."""
    if entry.reason is not None:
        yield entry.reason
        if entry.model_code not in {None, entry.code}:
            yield f"({entry.model_code})"
    elif entry.code_reason is not None:
        yield entry.code_reason
    if entry.ended_by is not None:
        yield f"broken off by the {entry.ended_by}"


def _instance(instance: InstanceStats) -> str:
    state = f"{instance.state} since {instance.since}" if instance.since else instance.state
    if instance.check and instance.state != "up":
        state += f" ({instance.check})"
    work = f"{instance.requests} requests, {instance.in_flight} under way"
    return f"{state}, {work}{_needs(instance.usage)}"


def _needs(usage: UsageView | None) -> str:
    if usage is None:
        return ""
    memory = memory_text(
        usage.memory_bytes,
        usage.memory_limit_bytes,
        usage.memory_peak_bytes,
        usage.processes_killed,
    )
    limit = f" on {cpus_text(usage.cpu_limit)}" if usage.cpu_limit is not None else ""
    return f", {memory}, {usage.cpu_seconds:.1f} s of CPU time{limit}"


def _row(name: str, value: str) -> str:
    return f"{name:<20} {value}"
