"""What a container's log says of one request.

The inference server's records tell no request ids: the one line that it ends a request with is
found by what it tells (path, status, length) and by its time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

_RECORD = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) [A-Z] \[(\d+)\] (\S+) - (.*)")
_ENDED = re.compile(r"[A-Z]+ (\S+) (\d{3}) [\d.]+ms (\d+|None)$")
_BEGINS_ANEW = ("gunicorn.access", "gunicorn.error")
_LAST_LINES = 20
# How much a clock may be off, and how long the log goes on after an answer, in milliseconds.
_MARGIN = 50
_AFTER = 2000


@dataclass(frozen=True)
class Answered:
    """What is known of a request: the container's status, its answer's length, and its time.

    ``since`` and ``until`` are milliseconds since 1970 by the clock of the container's machine.
    """

    path: str
    status: int | None
    length: int | None
    since: int
    until: int


@dataclass(frozen=True)
class _Line:
    """A line of a log; those that follow a record belong to it."""

    text: str
    time: int
    worker: str
    logger: str
    message: str


def lines_of_request(log: str, answered: Answered) -> list[str]:
    """The lines of one request; of a worker that did not end it, all lines of its time.

    Of a server that writes no such lines, the last ones of the log.
    """
    lines = _lines(log)
    if not lines:
        return log.splitlines()[-_LAST_LINES:]
    end = _end_of(lines, answered)
    if end is not None:
        own = lines[_start_of(lines, end) : end + 1]
        return [line.text for line in own if line.worker == lines[end].worker]
    first, last = answered.since - _MARGIN, answered.until + _AFTER
    return [line.text for line in lines if first <= line.time <= last]


def _lines(log: str) -> list[_Line]:
    """The log from its first record on, each line with what its record tells."""
    found: list[_Line] = []
    record = ""
    head: tuple[int, str, str, str] | None = None
    for text in log.splitlines():
        match = _RECORD.match(text)
        if match is not None:
            record = match.group(4)
            head = (_milliseconds(match.group(1)), match.group(2), match.group(3), record)
        if head is not None:
            found.append(_Line(text, *head))
    return found


def _end_of(lines: list[_Line], answered: Answered) -> int | None:
    """The index of the line that the server ended the request with: of those that fit, the one
    that is nearest to its end.
    """
    fitting = [index for index, line in enumerate(lines) if _ends(line, answered)]
    return min(fitting, key=lambda index: abs(lines[index].time - answered.until), default=None)


def _ends(line: _Line, answered: Answered) -> bool:
    match = _ENDED.match(line.message) if line.logger == "azmlinfsrv" else None
    if match is None or not line.text.endswith(line.message):
        return False
    if not answered.since - _MARGIN <= line.time <= answered.until + _MARGIN:
        return False
    path, status, length = match.groups()
    is_it = path == answered.path and status == str(answered.status)
    return is_it and (answered.length is None or length == str(answered.length))


def _start_of(lines: list[_Line], end: int) -> int:
    """The index of the first line after the worker's former request, or its start."""
    worker = lines[end].worker
    for index in range(end - 1, -1, -1):
        line = lines[index]
        if line.worker == worker and (
            line.logger in _BEGINS_ANEW or "ready for serving traffic" in line.message
        ):
            return index + 1
    return 0


def _milliseconds(text: str) -> int:
    moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=timezone.utc)
    return round(moment.timestamp() * 1000)
