"""How much memory a deployment's containers have, had at most, and may have."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localep.operations.endpoints import recorded_spec
from localep.operations.limits import recorded_limits
from localep.operations.sizes import in_gib

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from localep.engine.base import Container, Engine
    from localep.operations.workplace import Workplace

_AT_ONCE = 8
# Of gunicorn, which says so of a worker that it ended itself, too.
_KILLED = b"was sent SIGKILL!"


@dataclass(frozen=True)
class MemoryView:
    """Bytes of memory: the limit of each instance, and what the one with the most of it has.

    ``peak_bytes`` is None where nobody counted, ``limit_bytes`` where there is no limit.
    ``processes_killed`` is how many the system ended for want of memory, in all instances.
    """

    limit_bytes: int | None
    used_bytes: int
    peak_bytes: int | None
    processes_killed: int


def view_memory(engine: Engine, containers: Sequence[Container]) -> MemoryView | None:
    """The memory of the instances of a deployment, None where none of them runs."""
    with ThreadPoolExecutor(_AT_ONCE) as beside:
        views = beside.map(lambda container: _view(engine, container), containers)
        found = [view for view in views if view is not None]
    if not found:
        return None
    peaks = [view.peak_bytes for view in found if view.peak_bytes is not None]
    return MemoryView(
        limit_bytes=found[0].limit_bytes,
        used_bytes=max(view.used_bytes for view in found),
        peak_bytes=max(peaks, default=None),
        processes_killed=sum(view.processes_killed for view in found),
    )


def limit_of(container: Container) -> int | None:
    """The bytes of memory that a container may have, as its label tells; None for no limit."""
    return recorded_limits(recorded_spec(container)).limits.memory


def with_word_of_kills(
    place: Workplace, container: Container, chunks: Iterable[bytes], *, follow: bool
) -> Iterator[bytes]:
    """A server's log, and a warning where the system has ended a process for want of memory.

    It comes after the log, or with ``follow`` as soon as the log tells of a worker that was killed.
    """
    last, was_killed, is_told = b"", False, False
    for chunk in chunks:
        yield chunk
        last = last[-len(_KILLED) :] + chunk
        if _KILLED in last:
            was_killed = True
            if follow and not is_told:
                is_told = _warn(place, container, counts=True)
    if not is_told:
        _warn(place, container, counts=was_killed)


def _warn(place: Workplace, container: Container, *, counts: bool) -> bool:
    """Warn where a container was out of memory; only with ``counts`` it is asked how often."""
    usage = place.engine.usage(container.identity) if counts else None
    kills = usage.kills or 0 if usage is not None else 0
    if not kills:
        known = place.engine.inspect_container(container.identity)
        kills = int(known is not None and known.oom_killed)
    if kills:
        place.reporter.warn(killed_text(kills, limit_of(container)))
    return bool(kills)


def killed_text(kills: int, limit: int | None) -> str:
    """That the system ended processes for want of memory."""
    times = "a process" if kills == 1 else f"{kills} processes"
    of = f"at the limit of {in_gib(limit)}" if limit is not None else "as the machine had no more"
    return f"The system ended {times} of the deployment for want of memory, {of} (memory-at-start)."


def _view(engine: Engine, container: Container) -> MemoryView | None:
    usage = engine.usage(container.identity) if container.is_running else None
    if usage is None:
        return None
    # The counters begin anew with a start, the engine's own word stays.
    known = engine.inspect_container(container.identity) if not usage.kills else None
    kills = usage.kills or int(known is not None and known.oom_killed)
    return MemoryView(limit_of(container), usage.memory, usage.peak, kills)
