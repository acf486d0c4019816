"""Why a deployment did not get ready, as its server's log tells."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import TYPE_CHECKING

from localep.errors import DeploymentNotReady
from localep.operations.failures.runs import known_cause, read_text, why_script_failed
from localep.operations.failures.server_log import (
    crash_report,
    script_failure,
    script_output,
    script_stage,
    worker_count,
    worker_deaths,
)
from localep.operations.failures.table import FoundCause
from localep.operations.sizes import GIB, in_gib
from localep.spec.instance_types import find_instance_type, larger_instance_types

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localep.spec.instance_types import InstanceType
    from localep.spec.model import Route

# Three workers that die before one is ready: the next would die, too.
MAX_WORKER_DEATHS = 3

# In the place of a status, of a port that takes no connection.
NOBODY_LISTENS = 0

_LAST_LINES = 30
_NO_NETWORK = "needs-internet"

_TOO_MUCH_MEMORY = "Load less in init(), or give Docker more memory."
_CRASHED = "Look for a binary package that does not fit this Python or this processor."
_SEE_LOG = "See the last lines of its log above."
_LOOK_FOR_EXIT = "Look for os._exit in the script and in what it imports."
_REMEDIES = {
    "SIGKILL": f"The system ends what takes too much memory. {_TOO_MUCH_MEMORY}",
    "SIGSEGV": _CRASHED,
}


def ended_before_ready(log: str, entry_script: str, exit_code: int) -> DeploymentNotReady:
    """Of a server that ended by itself: the script's own failure, if its log tells one."""
    failure = script_failure(log)
    if failure is not None:
        ended = f"The server ended with exit code {exit_code}."
        found = why_script_failed(failure, entry_script)
        return DeploymentNotReady(
            "The deployment did not get ready.",
            cause=f"{_sentence(failure.stage, found)} {failure.error}",
            remedy=found.remedy,
            details=[*failure.traceback, *_told(script_output(log)), ended],
            code=found.id,
        )
    deaths = worker_deaths(log)
    if deaths:
        return _died_silently(log, f"worker ended {_where(log)}with {deaths[-1]}", deaths[-1])
    return _ended(log, exit_code, read_text("\n".join(_tail(log)), "own"))


def container_ended(log: str, exit_code: int) -> DeploymentNotReady:
    """Of a container with a server of the user's own that ended by itself."""
    tail = _tail(log)
    silent = known_cause("entrypoint", remedy=_SEE_LOG if tail else "")
    return _ended(log, exit_code, read_text("\n".join(tail), "own") or silent)


def _ended(log: str, exit_code: int, found: FoundCause | None) -> DeploymentNotReady:
    ended = _signal_name(exit_code) or f"exit code {exit_code}"
    remedy = found.remedy if found is not None else _SEE_LOG
    return DeploymentNotReady(
        "The deployment did not get ready.",
        cause=_sentence(f"Its container ended with {ended}.", found),
        remedy=_REMEDIES.get(ended, remedy),
        details=_tail(log),
        code=found.id if found is not None else None,
    )


def out_of_memory(
    log: str, limit: int | None, peak: int | None, instance_type: str | None
) -> DeploymentNotReady:
    """Of a server that the system ended for want of memory; both numbers are bytes.

    Without a ``limit`` it was the machine that had no more.
    """
    found = known_cause("memory-at-start")
    had = f"its limit is {in_gib(limit)}" if limit is not None else "the machine had no more"
    most = f", its peak was {in_gib(peak)}" if peak is not None else ""
    where = f" {_where(log)}".rstrip()
    return DeploymentNotReady(
        "The deployment did not get ready.",
        cause=f"It was out of memory{where}: {had}{most}, and the system ended a process of it "
        f"{found.mark}.",
        remedy=_more_memory(limit, worker_count(log), find_instance_type(instance_type or "")),
        details=_told(script_output(log)) if script_stage(log) else _tail(log),
        code=found.id,
    )


def _more_memory(limit: int | None, workers: int, size: InstanceType | None) -> str:
    less = "load less in init()"
    if workers > 1:
        less += f", or take fewer workers than {workers} (WORKER_COUNT), each of which loads it"
    if limit is None:
        return f"Give Docker more memory, or {less}."
    if size is not None and size.memory_gib * GIB > limit:
        return (
            f"{size.name} has {size.memory_gib:g} GiB, which may do in the cloud; here give more "
            f"with --memory, or {less}."
        )
    larger = larger_instance_types(limit / GIB, size)
    named = [f"{found.name} ({found.memory_gib:g} GiB)" for found in larger]
    if not named:
        return f"No instance type has more memory: {less}."
    return f"Take an instance type with more memory, such as {' or '.join(named)}, or {less}."


def kept_dying(log: str, ended: str) -> DeploymentNotReady:
    """Of a server whose workers die again and again, the last of them as ``ended`` says."""
    how = f"worker died {MAX_WORKER_DEATHS} times in a row {_where(log)}({ended})"
    return _died_silently(log, how, ended)


def _died_silently(log: str, how: str, ended: str) -> DeploymentNotReady:
    report = crash_report(log)
    silence = "" if report else ", without a message"
    found = known_cause("native-crash")
    return DeploymentNotReady(
        "The deployment did not get ready.",
        cause=f"Its server's {how}{silence} {found.mark}.",
        remedy=remedy_of_death(ended),
        details=[*report, *_told(script_output(log))],
        code=found.id,
    )


def remedy_of_death(ended: str) -> str:
    """What to do about a worker that ended so: "exit code 7", "SIGSEGV"."""
    return _REMEDIES.get(ended, _LOOK_FOR_EXIT if "exit code" in ended else _CRASHED)


def not_ready_in_time(
    log: str, timeout: float, waits_for: Sequence[str] = ()
) -> DeploymentNotReady:
    """Of a server that runs and does not answer after ``timeout`` seconds.

    ``waits_for`` are hosts that it tries to reach meanwhile.
    """
    still = {
        "import": "the scoring script is still being imported",
        "init()": "init() is still at work",
        "ready": "the server is up, but busy",
    }
    stage = script_stage(log)
    found = _why_it_hangs(log, waits_for) if stage in {"import", "init()"} else None
    doing = f"It did not answer within {timeout:g} s; "
    doing += f"{still.get(stage or '', 'the server has not come up')}."
    more_time = "Give it more time with --timeout, or make init() faster."
    return DeploymentNotReady(
        "The deployment did not get ready.",
        cause=_sentence(doing, found),
        remedy=found.remedy if found is not None and found.says else more_time,
        details=_told(script_output(log)) if stage else _tail(log),
        code=found.id if found is not None else None,
    )


def _why_it_hangs(log: str, waits_for: Sequence[str]) -> FoundCause:
    """The cause of a script that is not ready yet: it waits for somebody, or takes its time."""
    if waits_for:
        says = f"The script waits for {' and '.join(waits_for)}, and no answer comes"
        return replace(known_cause(_NO_NETWORK), says=says)
    found = read_text("\n".join(script_output(log)), "start")
    if found is not None and found.id == _NO_NETWORK:
        return found
    # What the cloud would say depends on its probes, which may wait for longer.
    return FoundCause("init-too-slow", "", "")


def route_not_ready(
    log: str, timeout: float, route: Route, status: int | None
) -> DeploymentNotReady:
    """Of a custom container whose readiness route has not answered 200; ``status`` is its last."""
    answered = f"answered {status}" if status is not None else "did not answer"
    found = known_cause("route-not-200")
    remedy = "Give it more time with --timeout, or correct `readiness_route`."
    if status == NOBODY_LISTENS:
        answered = "found nobody who listens there"
        found = known_cause("port-mismatch")
        remedy = (
            "Correct the port of `readiness_route` under `inference_config`, and have the server "
            "listen on every address (0.0.0.0)."
        )
    return DeploymentNotReady(
        "The deployment did not get ready.",
        cause=f"Within {timeout:g} s, GET {route.path} at port {route.port} {answered} "
        f"{found.mark}.",
        remedy=remedy,
        details=_tail(log),
        code=found.id,
    )


def _sentence(text: str, found: FoundCause | None) -> str:
    """What happened, with the mark of its cause; what the cause says itself stands in front."""
    if found is None:
        return text
    if found.says:
        return f"{found.says} {found.mark}. {text}"
    return f"{text.removesuffix('.')} {found.mark}."


def _where(log: str) -> str:
    return {"import": "while it imported the scoring script ", "init()": "in init() "}.get(
        script_stage(log) or "", ""
    )


def _told(output: list[str]) -> list[str]:
    return ["Last lines of its output:", *(f"  {line}" for line in output)] if output else []


def _signal_name(exit_code: int) -> str | None:
    """The signal behind an exit code such as 137, as shells and the engine count."""
    try:
        return signal.Signals(exit_code - 128).name
    except ValueError:
        return None


def _tail(log: str) -> list[str]:
    return log.rstrip().splitlines()[-_LAST_LINES:]
