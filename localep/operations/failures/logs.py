"""What a container's log tells of the catalogue's causes: for `get-logs`, `serve` and `stats`."""

from __future__ import annotations

import ast
import posixpath
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from localep.operations.endpoints import recorded_spec
from localep.operations.failures.runs import known_cause, read_text, why_script_failed
from localep.operations.failures.server_log import (
    ends_by_probe,
    run_failures,
    script_failure,
    script_stage,
    worker_deaths,
)
from localep.operations.failures.starts import remedy_of_death
from localep.operations.failures.traffic import Recognised, times
from localep.operations.script_logging import LOGGING_FILE
from localep.rules.causes import cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from localep.engine.base import Container
    from localep.operations.failures.table import FoundCause
    from localep.operations.workplace import Workplace

# More of a log is not looked through.
_MOST_BYTES = 16 * 1024 * 1024
_MOST_LINES = 500
_BEGIN = "gunicorn.error - Booting worker with pid: 1"
# The last line of a request, and of what a worker's death leaves in the log.
_REQUEST_ENDED = re.compile(r" gunicorn\.access - | gunicorn\.error - Booting worker ")
_OUT_OF_TIME = re.compile(r"WORKER TIMEOUT \(pid:\d+\)")
_OTHER_VERSION = re.compile(
    r"Trying to unpickle estimator \w+ from version (\S+) when using version (\S+?)\. "
)
# What the gateway knows of a request that failed in its container: no more than that.
_VAGUE = frozenset({"run-raises", "native-crash"})
_HIDDEN = frozenset({"debug", "info"})
_SHOWN_BY = frozenset({"basicConfig", "dictConfig", "fileConfig", "addHandler"})


def with_causes(
    place: Workplace, container: Container, chunks: Iterable[bytes], *, follow: bool
) -> Iterator[bytes]:
    """A server's log, and after it a note for each cause that it tells; none with ``follow``."""
    kept: list[bytes] = []
    size = 0
    for chunk in chunks:
        yield chunk
        if not follow and size < _MOST_BYTES:
            kept.append(chunk)
            size += len(chunk)
    if not follow:
        log = b"".join(kept).decode("utf-8", errors="replace")
        for note in [*causes_in_log(log), *hidden_logging(place, container)]:
            place.reporter.note(note)


class RequestNotes:
    """Names the causes of requests that fail while a server's log goes by, line by line."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def note(self, line: str) -> str | None:
        """What to say of the request that ends with this line, None where there is nothing."""
        self._lines = [*self._lines[-_MOST_LINES:], line]
        if not _REQUEST_ENDED.search(line):
            return None
        text, self._lines = "\n".join(self._lines), []
        if script_stage(f"{_BEGIN}\n{text}") in {"import", "init()"}:
            return None  # of a start that failed it is told otherwise
        found = next(_of_requests(text), None)
        return f"{found.id}: {_said(found)} {found.remedy}" if found is not None else None


def causes_in_log(log: str) -> list[str]:
    """A sentence for each cause that the log of an inference server tells."""
    counted = _counted([*_of_start(log), *_of_requests(log)])
    return [
        f"{found.id}, {times(count)} in this log: {_said(found)} {found.remedy}"
        for found, count in counted
    ]


def with_word_of_logs(recognised: Sequence[Recognised], logs: Iterable[str]) -> list[Recognised]:
    """The causes that the gateway shows, with what the instances' logs know better.

    The logs are asked for only where a request has failed in its container.
    """
    known = {one.id for one in recognised}
    if not known & _VAGUE:
        return list(recognised)
    told = _counted(found for log in logs for found in _of_requests(log))
    ids = {found.id for found, _ in told}
    return [
        *(one for one in recognised if not ids or one.id in ids or one.id not in _VAGUE),
        *(
            Recognised(found.id, f"By the logs, {times(count)}: {_said(found)}", found.remedy)
            for found, count in told
            if found.id not in known
        ),
    ]


def hidden_logging(place: Workplace, container: Container) -> Iterator[str]:
    """That the server does not show what a script logs, where that is so."""
    spec = recorded_spec(container)
    script, folder = spec["scoring_script"], spec.get("code_folder")
    if script is None or folder is None or spec.get("liveness_route") is not None:
        return
    path = posixpath.join(folder, script)
    source = place.engine.copy_out(container.identity, path)
    line = first_hidden_line(source or b"")
    config = posixpath.join(posixpath.dirname(path), LOGGING_FILE)
    if line is None or place.engine.copy_out(container.identity, config) is not None:
        return
    remedy = cause("logs-dropped").remedy
    yield f"logs-dropped: line {line} of {script} logs what the server does not show. {remedy}"


def first_hidden_line(source: bytes) -> int | None:
    """The first line that logs below a warning, of a script that sets up no logging itself."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    methods = [(node, node.func) for node in calls if isinstance(node.func, ast.Attribute)]
    if any(method.attr in _SHOWN_BY for _, method in methods):
        return None
    loggers = {"logging", *_loggers(tree)}
    lines = [
        node.lineno
        for node, method in methods
        if method.attr in _HIDDEN
        and isinstance(method.value, ast.Name)
        and method.value.id in loggers
    ]
    return min(lines, default=None)


def _loggers(tree: ast.AST) -> Iterator[str]:
    """The names that hold what logging.getLogger() gave."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            function = ast.unparse(node.value.func)
            if function.rpartition(".")[2] == "getLogger":
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _of_start(log: str) -> Iterator[FoundCause]:
    failure = script_failure(log) if script_stage(log) != "ready" else None
    if failure is not None:
        yield why_script_failed(failure, "the script")
    for saved, there in dict.fromkeys(_OTHER_VERSION.findall(log)):
        says = f"A model was saved by scikit-learn {saved}, and {there} has loaded it"
        yield replace(known_cause("unpickle-version", "request"), says=says)


def _of_requests(log: str) -> Iterator[FoundCause]:
    by_probe = known_cause("probe-starved", "request")
    says = "The liveness probe failed, and the container was started anew"
    yield from [replace(by_probe, says=says)] * ends_by_probe(log)
    timed_out = len(_OUT_OF_TIME.findall(log))
    yield from [known_cause("worker-timeout", "request")] * timed_out
    # Of those that the system ended for want of memory it is told otherwise.
    deaths = [ended for ended in worker_deaths(log) if ended != "SIGKILL"]
    # A worker whose time is out ends without a word of its code.
    silent = [ended for ended in deaths if ended == "exit code 0"][timed_out:]
    for ended in [*(ended for ended in deaths if ended != "exit code 0"), *silent]:
        found = known_cause("native-crash", "request", remedy_of_death(ended))
        yield replace(found, says=f"A worker ended with {ended}")
    for failure in run_failures(log):
        if timed_out and failure.error == "SystemExit: 1":
            continue  # how the server ends a worker whose time is out
        text = "\n".join(failure.traceback) or failure.error
        yield read_text(text, "request") or known_cause("run-raises", "request")


def _counted(found: Iterable[FoundCause]) -> list[tuple[FoundCause, int]]:
    """The first one of each id, and how many there are."""
    several = list(found)
    counted = Counter(one.id for one in several)
    firsts = {one.id: one for one in reversed(several)}
    return [(firsts[name], count) for name, count in counted.items()]


def _said(found: FoundCause) -> str:
    return f"{found.says}." if found.says else cause(found.id).title
