"""Waiting for the inference server: ready, ended, dying again and again, or out of time."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from localep.errors import DeploymentNotReady
from localep.gateway.config import PROBE_HEADER
from localep.operations import layout
from localep.operations.server_log import (
    ScriptFailure,
    crash_report,
    script_failure,
    script_output,
    script_stage,
    worker_deaths,
)

if TYPE_CHECKING:
    from localep.engine.base import Engine

# Three workers that die before one is ready: the next would die, too.
MAX_WORKER_DEATHS = 3

_PAUSE = 0.02
_LOG_PERIOD = 0.5
_LAST_LINES = 30

_TOO_MUCH_MEMORY = "Load less in init(), or give Docker more memory."
_CRASHED = "Look for a binary package that does not fit this Python or this processor."
_LOOK_FOR_EXIT = "Look for os._exit in the script and in what it imports."
_REMEDIES = {
    "SIGKILL": f"The system ends what takes too much memory. {_TOO_MUCH_MEMORY}",
    "SIGSEGV": _CRASHED,
}


@dataclass(frozen=True)
class Probe:
    """The way to a container's readiness route through the gateway, open to localep alone.

    The gateway is asked and not the container, whose address is out of reach where the engine
    runs in a virtual machine.
    """

    address: str
    token: str

    def is_ready(self, session: requests.Session) -> bool:
        """Whether the route answers 200 now; a server in its init() hangs instead."""
        try:
            answer = session.get(
                f"{self.address}{layout.READINESS_PATH}",
                headers={PROBE_HEADER: self.token},
                timeout=0.5,
            )
        except requests.RequestException:
            return False
        return answer.status_code == 200


def wait_until_ready(
    engine: Engine, container: str, probe: Probe, timeout: float, entry_script: str
) -> None:
    """Return as soon as the server answers. Raises DeploymentNotReady with the reason."""
    deadline = time.monotonic() + timeout
    next_log = time.monotonic() + _LOG_PERIOD
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the user's has no business with loopback
        while not probe.is_ready(session):
            found = engine.inspect_container(container)
            if found is None:
                raise DeploymentNotReady(
                    "The deployment's container is gone.",
                    cause="Somebody removed it while it started.",
                    remedy="Try again.",
                )
            if found.status in {"exited", "dead"}:
                log = read_log(engine, container)
                raise _failed(log, entry_script, found.exit_code or 0)
            if time.monotonic() > next_log:
                next_log = time.monotonic() + _LOG_PERIOD
                log = read_log(engine, container)
                deaths = worker_deaths(log)
                if len(deaths) >= MAX_WORKER_DEATHS:
                    raise _keeps_dying(log, deaths[-1])
            if time.monotonic() > deadline:
                raise _out_of_time(read_log(engine, container), timeout)
            time.sleep(_PAUSE)


def read_log(engine: Engine, container: str) -> str:
    """A container's output so far, as text."""
    return b"".join(engine.logs(container)).decode("utf-8", errors="replace")


def _failed(log: str, entry_script: str, exit_code: int) -> DeploymentNotReady:
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
    ended = _signal_name(exit_code) or f"exit code {exit_code}"
    return DeploymentNotReady(
        "The deployment did not get ready.",
        cause=f"Its container ended with {ended}.",
        remedy=_REMEDIES.get(ended, "See the last lines of its log above."),
        details=_tail(log),
    )


def _keeps_dying(log: str, ended: str) -> DeploymentNotReady:
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


def _out_of_time(log: str, timeout: float) -> DeploymentNotReady:
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
