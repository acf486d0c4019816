"""Why a request failed: the answer and the container's log, read as a cause of the catalogue."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING

from localep.operations.failures.runs import known_cause, read_text
from localep.operations.failures.server_log import (
    crash_report,
    ends_by_probe,
    run_failures,
    worker_deaths,
)
from localep.operations.failures.starts import remedy_of_death

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from localep.operations.failures.server_log import ScriptFailure
    from localep.operations.failures.table import FoundCause

_MODEL_ERROR = 424
_OUT_OF_TIME = re.compile(r"WORKER TIMEOUT \(pid:\d+\)")
# The server's own word for an answer that run() made itself, with whatever status.
_OWN_ANSWER = "run() output is HTTP Response"
# What the inference server, or a framework beside it, answers to a body that it cannot take.
_WRONG_BODY = frozenset({400, 415, 422})
_NO_SUCH_ROUTE = frozenset({404, 405})
# A server that has been ready for less than that may not be done with its model.
_JUST_READY_SECONDS = 60
_LAST_LINES = 15
_PRINTED = " azmlinfsrv.print - "
_FRAME = re.compile(r'  File "')
_OF_JSON = re.compile(r'  File "[^"]*/json/\w+\.py"')


@dataclass(frozen=True)
class Failed:
    """What is known of a request that failed.

    ``status`` is what the client got, ``model_status`` what the container answered, None where it
    did not; ``reason`` is the cloud's word for it. ``lines`` are the container's log of it, which
    may go on for a moment where the container took the request and did not answer it.
    ``seconds_ready`` is how long the container has run, None where nobody knows. The settings are
    those of the deployment: milliseconds, and requests at once.
    """

    status: int
    model_status: int | None = None
    reason: str | None = None
    body: bytes = b""
    sent_bytes: int = 0
    lines: Sequence[str] = field(default_factory=tuple)
    is_broken_off: bool = False
    is_own_server: bool = False
    seconds_ready: float | None = None
    kills: int = 0
    timeout_ms: int = 5000
    queue_wait_ms: int = 500
    limit: int = 0
    payload_limit: int | None = None


@dataclass(frozen=True)
class Why:
    """A cause, a sentence about this very request, and lines of the log that show it."""

    found: FoundCause
    sentence: str
    details: tuple[str, ...] = ()

    @property
    def cause(self) -> str:
        """The sentence with the mark of its cause."""
        head, dot, rest = self.sentence.partition(". ")
        if self.found.says:
            return f"{self.found.says} {self.found.mark}. {self.sentence}"
        return f"{head.removesuffix('.')} {self.found.mark}.{' ' if dot else ''}{rest}"


def why_request_failed(failed: Failed) -> Why | None:
    """The cause of a request that failed; None where nothing tells one."""
    by_status: dict[int, Callable[[Failed], Why | None]] = {
        401: _not_authorised,
        404: _nowhere_to_go,
        408: _too_slow,
        413: _too_large,
        429: _too_many,
        _MODEL_ERROR: _not_ready,
    }
    if failed.model_status is not None:
        return _answered(failed, failed.model_status)
    explain = by_status.get(failed.status)
    return explain(failed) if explain is not None else None


def _not_authorised(failed: Failed) -> Why:
    text = failed.body.decode("utf-8", errors="replace").strip()
    return Why(_request("auth"), f"The key or token was refused: {text}." if text else "Refused.")


def _nowhere_to_go(failed: Failed) -> Why | None:
    text = failed.body.decode("utf-8", errors="replace").strip()
    return Why(_request("no-traffic"), text) if text.startswith("No traffic") else None


def _too_slow(failed: Failed) -> Why:
    return Why(
        _request("run-too-slow"),
        f"run() took longer than request_timeout_ms, which is {failed.timeout_ms}.",
        _output(failed.lines),
    )


def _too_large(failed: Failed) -> Why:
    limit = f"; the limit is {failed.payload_limit}" if failed.payload_limit is not None else ""
    return Why(_request("payload-size"), f"The request has {failed.sent_bytes} bytes{limit}.")


def _too_many(failed: Failed) -> Why:
    return Why(
        _request("too-many-pending"),
        f"{failed.limit} requests were in flight, which is all that the deployment takes, or this "
        f"one waited for longer than {failed.queue_wait_ms} ms.",
    )


def _not_ready(failed: Failed) -> Why | None:
    """Of a request that no container answered, or whose container broke off."""
    log = "\n".join(failed.lines)
    deaths = worker_deaths(log)
    if _OUT_OF_TIME.search(log):
        return _worker_timed_out(failed)
    if ends_by_probe(log):
        return _ended_by_probe()
    if failed.kills:
        return Why(
            _request("memory-at-start"),
            "The server was out of memory, and the system ended the process that had the request.",
            _output(failed.lines),
        )
    if deaths:
        return Why(
            known_cause("native-crash", "request", remedy_of_death(deaths[-1])),
            f"The worker that had the request ended with {deaths[-1]}.",
            (*crash_report(log), *_output(failed.lines)),
        )
    return None


def _answered(failed: Failed, status: int) -> Why:
    """Of a request that the container answered with another status than 200."""
    log = "\n".join(failed.lines)
    if _OUT_OF_TIME.search(log):
        return _worker_timed_out(failed)
    if ends_by_probe(log):
        return _ended_by_probe()
    if _OWN_ANSWER in log and b"input_data" not in failed.body:
        return Why(_request("status-hidden"), f"run() answered {status} itself.")
    return _broken(failed, status, log) if status >= 500 else _refused(failed, status)


def _broken(failed: Failed, status: int, log: str) -> Why:
    failures = run_failures(log)
    if failures and not failed.is_own_server:
        return _raised(failures[-1])
    ready = failed.seconds_ready
    last = tuple(failed.lines[-_LAST_LINES:])
    if failed.is_own_server and ready is not None and ready < _JUST_READY_SECONDS:
        sentence = f"The container answered {status}. It has run for {ready:.0f} s."
        return Why(_request("ready-too-early"), sentence, last)
    return Why(_request("run-raises"), f"The container answered {status}.", last)


def _refused(failed: Failed, status: int) -> Why:
    said = f"The container answered {status}."
    if status in _WRONG_BODY:
        return Why(_request("input-shape"), f"{said} {_message(failed.body)}".rstrip())
    if failed.is_own_server and status in _NO_SUCH_ROUTE:
        return Why(_request("route-not-200"), f"The scoring route answered {status}.")
    return Why(_request("status-hidden"), said)


def _worker_timed_out(failed: Failed) -> Why:
    failures = run_failures("\n".join(failed.lines))
    return Why(
        _request("worker-timeout"),
        "run() took longer than WORKER_TIMEOUT, and the server ended its worker.",
        failures[-1].traceback if failures else (),
    )


def _ended_by_probe() -> Why:
    sentence = "The liveness probe failed during the request, and the container was started anew."
    return Why(_request("probe-starved"), sentence)


def _raised(failure: ScriptFailure) -> Why:
    found = read_text("\n".join(failure.traceback) or failure.error, "request")
    if found is not None and found.id == "not-serialisable":
        has_own = any(_FRAME.match(line) and not _OF_JSON.match(line) for line in failure.traceback)
        return Why(found, failure.error, failure.traceback if has_own else ())
    return Why(found or _request("run-raises"), f"run() failed. {failure.error}", failure.traceback)


def _request(name: str) -> FoundCause:
    return known_cause(name, "request")


def _message(body: bytes) -> str:
    """The message of an error that the inference server made."""
    match = re.search(rb'"message": "((?:[^"\\]|\\.)*)"', body)
    return match.group(1).decode("utf-8", errors="replace") if match is not None else ""


def _output(lines: Sequence[str]) -> tuple[str, ...]:
    """What run() printed before its worker ended, and the next one began."""
    of_it = takewhile(lambda line: "Booting worker" not in line, lines)
    printed = [line.partition(_PRINTED)[2] for line in of_it if _PRINTED in line]
    return ("It had printed:", *(f"  {line}" for line in printed[-_LAST_LINES:])) if printed else ()
