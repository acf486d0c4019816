"""What the inference server's log says of a script that failed.

Source: the messages of azureml-inference-server-http 1.5 and of gunicorn 27.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SERVER_FILES = re.compile(r'File "[^"]*(?:azureml_inference_server_http|<frozen |/gunicorn/)')
# What calls run(), too.
_ANSWERING = re.compile(rf"{_SERVER_FILES.pattern}|File \"[^\"]*/(?:flask|werkzeug|flask_cors)/")
# What stands in front of the traceback of a request, or above it.
_OF_REQUEST = ("Encountered Exception: Traceback", "Error handling request ")
_WORKER_DIED = re.compile(
    r"Worker \(pid:\d+\) (?:exited with code (\d+)|was sent (?!SIGTERM)(SIG\w+))", re.IGNORECASE
)
_WORKER_STOPPED = re.compile(
    r"Worker \(pid:\d+\) was sent SIGTERM|Autorestarting worker after current request"
)
_WORKER_COUNT = re.compile(r"^Worker Count: (\d+)$", re.MULTILINE)
# templates/liveness.py writes it.
_ENDED_BY_PROBE = re.compile(r" E \[\d+\] localep - The liveness probe failed ")
_STARTING = re.compile(r"gunicorn\.error - Starting gunicorn ")
_BOOTING = re.compile(r"^.*gunicorn.error - Booting worker with pid: \d+$", re.MULTILINE)
_TRACEBACK = "Traceback (most recent call last):"
_GROUP = "+ Exception Group Traceback"
_CRASH = "Fatal Python error: "
_RECORD = re.compile(r"\d{4}-\d\d-\d\d [\d:,]+ [A-Z] \[\d+\] (?:(\S+) - )?")
# What a script prints; a traceback there was the script's own business.
_PRINTED = " azmlinfsrv.print - "
_SERVER_LOGGERS = ("azmlinfsrv", "gunicorn", "localep")
# Lines of the server's without a record in front of them.
_SERVER_LINES = ("Initializing logger", "Extra keys = ")
_OUTPUT_LINES = 20
_SERVER_ERROR = "azureml_inference_server_http."
_CHAINED = re.compile(
    r"(The above exception was the direct cause|During handling of the above exception)"
)


@dataclass(frozen=True)
class ScriptFailure:
    """Why a script did not get ready: where it failed, the error, and the user's own traceback."""

    stage: str
    error: str
    traceback: tuple[str, ...]


def worker_deaths(log: str) -> list[str]:
    """How each of the server's workers that died ended: "exit code 7", "SIGSEGV".

    SIGTERM does not count: the server itself ends its workers with it. Of a worker that ended
    with exit code 0 the server tells by starting another alone.
    """
    before, *starts = _STARTING.split(log)
    workers = _WORKER_COUNT.search(log)
    deaths = _told_deaths(before)
    for start in starts:
        told = _told_deaths(start)
        deaths += told
        if workers is not None:
            stopped = len(_WORKER_STOPPED.findall(start))
            silent = len(_BOOTING.findall(start)) - int(workers.group(1)) - len(told) - stopped
            deaths += ["exit code 0"] * silent
    return deaths


def _told_deaths(log: str) -> list[str]:
    return [
        f"exit code {match.group(1)}" if match.group(1) else match.group(2)
        for match in _WORKER_DIED.finditer(log)
    ]


def ends_by_probe(log: str) -> int:
    """How often the liveness probe has ended the container."""
    return len(_ENDED_BY_PROBE.findall(log))


def worker_count(log: str) -> int:
    """How many workers the server has, each with a model of its own; 1 where it does not tell."""
    found = _WORKER_COUNT.search(log)
    return int(found.group(1)) if found is not None else 1


def script_stage(log: str) -> str | None:
    """Where the last worker that the log tells more of is, or was when it ended.

    "import", "init()" or "ready"; None where the server has not come to the script.
    """
    for attempt in reversed(_attempts(log)):
        if "ready for serving traffic" in attempt:
            return "ready"
        if "Invoking user's init function" in attempt:
            return "init()"
        if "Starting up app insights client" in attempt:
            return "import"
    return None


def script_output(log: str) -> list[str]:
    """The last lines that the script itself wrote, before it failed or until now."""
    for attempt in reversed(_attempts(log)):
        lines = _written_by_script(attempt.splitlines())
        if lines:
            return lines[-_OUTPUT_LINES:]
    return []


def crash_report(log: str) -> list[str]:
    """Python's last words in a crash such as SIGSEGV, without the server's frames."""
    _, found, text = log.rpartition(_CRASH)
    if not found:
        return []
    lines = [found + text.partition("\n")[0]]
    _, _, stack = text.partition("\nCurrent thread ")
    for line in stack.splitlines()[1:]:
        if not line.startswith('  File "') or "azureml_inference_server_http" in line:
            break
        lines.append(line)
    return lines


def script_failure(log: str) -> ScriptFailure | None:
    """The last failure of the scoring script that the log tells of, None where it tells none.

    The server's own report comes before any other traceback: threads of the script, and gunicorn
    where several workers fail at once, write theirs later.
    """
    chains = [chain for chain in _chains(log) if not chain[0].is_printed]
    if not chains:
        return None
    reported = [chain for chain in chains if chain[-1].error.startswith(_SERVER_ERROR)]
    chain = (reported or chains)[-1]
    own = [block for block in chain if not block.error.startswith(_SERVER_ERROR)]
    error = (own or chain)[-1].error
    if not own:  # the server's own complaint, such as a missing run()
        error = error.partition(": ")[2] or error
    return ScriptFailure(_stage(log, chain), error, tuple(_without_server(own)))


def run_failures(log: str) -> list[ScriptFailure]:
    """Every error of run() in a log, in its order.

    The tracebacks have the script's own frames, and those of what the script calls.
    """
    return [_of_run(chain) for chain in _chains(log) if chain[0].is_of_request]


def _of_run(chain: list[_Block]) -> ScriptFailure:
    own = [block for block in chain if not block.error.startswith(_SERVER_ERROR)]
    error = (own or chain)[-1].error
    return ScriptFailure("run() failed.", error, tuple(_without_server(own, _ANSWERING)))


def _attempts(log: str) -> list[str]:
    """The log cut in parts, each from one worker's start to that of the next."""
    return _BOOTING.split(log)[1:]


def _written_by_script(lines: list[str]) -> list[str]:
    """The script's own lines of a worker's log, up to its failure."""
    written: list[str] = []
    for line in lines:
        if line.startswith(_CRASH):
            break
        record = _RECORD.match(line)
        if _PRINTED in line:
            written.append(line.partition(_PRINTED)[2])
        elif record is None:
            if not line.startswith(_SERVER_LINES):
                written.append(line)
        elif _TRACEBACK in line or "User's init function failed" in line:
            break
        elif not (record.group(1) or "").startswith(_SERVER_LOGGERS):
            written.append(line)
    return [line for line in written if line.strip()]


@dataclass(frozen=True)
class _Block:
    """One traceback: its lines, the line with the error, how the one before led to it, and whose
    it is.
    """

    lines: tuple[str, ...]
    error: str
    link: str
    is_printed: bool
    is_of_request: bool


def _chains(log: str) -> list[list[_Block]]:
    """Every group of tracebacks that led to one another, in the log's order."""
    chains: list[list[_Block]] = []
    lines = log.splitlines()
    index = 0
    link = ""
    while index < len(lines):
        if _TRACEBACK in lines[index]:
            block, index = _read_block(lines, index, link)
            if link and chains:
                chains[-1].append(block)
            else:
                chains.append([block])
            link = ""
            continue
        if _CHAINED.match(lines[index]):
            link = lines[index]
        index += 1
    return chains


def _read_block(lines: list[str], start: int, link: str) -> tuple[_Block, int]:
    """The traceback that begins in a line, and the index of the line after it."""
    is_printed = _PRINTED in lines[start]
    head = " ".join(lines[max(start - 1, 0) : start + 1])
    is_of_request = not is_printed and any(words in head for words in _OF_REQUEST)
    end = start + 1
    while end < len(lines) and lines[end].startswith((" ", "\t")):
        end += 1
    if _GROUP in lines[start]:
        body = [line.removeprefix("  | ") for line in lines[start + 1 : end]]
        error = next((line for line in body if not line.startswith(" ")), "")
    else:
        error = lines[end] if end < len(lines) else ""
        end = _end_of_message(lines, end)
        body = lines[start + 1 : end]
    return _Block((_TRACEBACK, *body), error.strip(), link, is_printed, is_of_request), end


def _end_of_message(lines: list[str], start: int) -> int:
    """The index after an error's message, which has several lines where a chain goes on after."""
    for index in range(start + 1, len(lines)):
        if _CHAINED.match(lines[index]):
            return index - 1
        if _RECORD.match(lines[index]) or _TRACEBACK in lines[index]:
            break
    return start + 1


def _without_server(blocks: list[_Block], server: re.Pattern[str] = _SERVER_FILES) -> list[str]:
    """The tracebacks without the frames of the server and of the import system."""
    kept: list[str] = []
    for block in blocks:
        if kept:
            kept += ["", block.link, ""]
        in_server = False
        for line in block.lines:
            if line.lstrip().startswith('File "'):
                in_server = bool(server.search(line))
            elif not line.startswith(" "):
                in_server = False
            if not in_server:
                kept.append(line)
    return kept


def _stage(log: str, chain: list[_Block]) -> str:
    last = chain[-1].error
    if "UserScriptImportException" in last:
        return "The scoring script could not be imported."
    if "UserScriptError" in last:
        return "The scoring script is not complete."
    if "User's init function failed" in log:
        return "init() failed."
    return "The server failed."
