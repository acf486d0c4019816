"""Why a deployment did not get ready, as its server's log tells."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from localep.errors import DeploymentNotReady
from localep.operations.server_log import (
    ScriptFailure,
    crash_report,
    script_failure,
    script_output,
    script_stage,
    worker_deaths,
)

if TYPE_CHECKING:
    from localep.spec.model import Route

# Three workers that die before one is ready: the next would die, too.
MAX_WORKER_DEATHS = 3

# In the place of a status, of a port that takes no connection.
NOBODY_LISTENS = 0

_LAST_LINES = 30

_TOO_MUCH_MEMORY = "Load less in init(), or give Docker more memory."
_CRASHED = "Look for a binary package that does not fit this Python or this processor."
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
        return DeploymentNotReady(
            "The deployment did not get ready.",
            cause=f"{failure.stage} {failure.error}",
            remedy=_remedy(failure, entry_script),
            details=[*failure.traceback, *_told(script_output(log)), ended],
        )
    deaths = worker_deaths(log)
    if deaths:
        return _died_silently(log, f"worker ended {_where(log)}with {deaths[-1]}", deaths[-1])
    return container_ended(log, exit_code)


def container_ended(log: str, exit_code: int) -> DeploymentNotReady:
    """Of a container that ended by itself, whatever ran in it."""
    ended = _signal_name(exit_code) or f"exit code {exit_code}"
    return DeploymentNotReady(
        "The deployment did not get ready.",
        cause=f"Its container ended with {ended}.",
        remedy=_REMEDIES.get(ended, "See the last lines of its log above."),
        details=_tail(log),
    )


def kept_dying(log: str, ended: str) -> DeploymentNotReady:
    """Of a server whose workers die again and again, the last of them as ``ended`` says."""
    how = f"worker died {MAX_WORKER_DEATHS} times in a row {_where(log)}({ended})"
    return _died_silently(log, how, ended)


def _died_silently(log: str, how: str, ended: str) -> DeploymentNotReady:
    report = crash_report(log)
    silence = "" if report else ", without a message"
    return DeploymentNotReady(
        "The deployment did not get ready.",
        cause=f"Its server's {how}{silence}.",
        remedy=_REMEDIES.get(ended, _LOOK_FOR_EXIT if "exit code" in ended else _CRASHED),
        details=[*report, *_told(script_output(log))],
    )


def not_ready_in_time(log: str, timeout: float) -> DeploymentNotReady:
    """Of a server that runs and does not answer after ``timeout`` seconds."""
    still = {
        "import": "the scoring script is still being imported",
        "init()": "init() is still at work",
        "ready": "the server is up, but busy",
    }
    stage = script_stage(log)
    return DeploymentNotReady(
        "The deployment did not get ready.",
        cause=f"It did not answer within {timeout:g} s; "
        f"{still.get(stage or '', 'the server has not come up')}.",
        remedy="Give it more time with --timeout, or make init() faster.",
        details=_told(script_output(log)) if stage else _tail(log),
    )


def route_not_ready(
    log: str, timeout: float, route: Route, status: int | None
) -> DeploymentNotReady:
    """Of a custom container whose readiness route has not answered 200; ``status`` is its last."""
    answered = f"answered {status}" if status is not None else "did not answer"
    remedy = "Give it more time with --timeout, or correct `readiness_route`."
    if status == NOBODY_LISTENS:
        answered = "found nobody who listens there"
        remedy = (
            "Correct the port of `readiness_route` under `inference_config`, and have the server "
            "listen on every address (0.0.0.0)."
        )
    return DeploymentNotReady(
        "The deployment did not get ready.",
        cause=f"Within {timeout:g} s, GET {route.path} at port {route.port} {answered}.",
        remedy=remedy,
        details=_tail(log),
    )


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


def _remedy(failure: ScriptFailure, entry_script: str) -> str:
    name = failure.error.partition(":")[0]
    if name == "ModuleNotFoundError":
        return (
            "Add the package to the list under `pip:` in the conda file, "
            "or the module to the code folder."
        )
    if name == "FileNotFoundError":
        return (
            "Join the path from AZUREML_MODEL_DIR and the name of the model's file or folder; "
            "nothing else of this machine is there."
        )
    if name == "PermissionError":
        return (
            "The server runs as the user of the code, not as root: check the permissions "
            "of what it reads, and let it write below /tmp alone."
        )
    if name in {"SyntaxError", "IndentationError", "TabError"}:
        return "Correct the line and try again."
    if name == "MemoryError":
        return _TOO_MUCH_MEMORY
    return f"Correct {entry_script} and try again."


def _tail(log: str) -> list[str]:
    return log.rstrip().splitlines()[-_LAST_LINES:]
