"""Waiting for the inference server: ready, ended, dying again and again, or out of time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from localep.errors import DeploymentNotReady
from localep.gateway.config import PROBE_HEADER
from localep.operations import layout
from localep.operations.server_log import ScriptFailure, script_failure, worker_deaths

if TYPE_CHECKING:
    from localep.engine.base import Engine

# Three workers that die before one is ready: the next would die, too.
MAX_WORKER_DEATHS = 3

_PAUSE = 0.02
_LOG_PERIOD = 0.5
_LAST_LINES = 30


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
                raise _failed(log, entry_script, f"exit code {found.exit_code}")
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


def _failed(log: str, entry_script: str, ended: str) -> DeploymentNotReady:
    failure = script_failure(log)
    if failure is None:
        return DeploymentNotReady(
            "The deployment did not get ready.",
            cause=f"Its container ended with {ended}.",
            remedy="The last lines of its log follow.",
            details=_tail(log),
        )
    return DeploymentNotReady(
        "The deployment did not get ready.",
        cause=f"{failure.stage} {failure.error}",
        remedy=_remedy(failure, entry_script),
        details=failure.traceback,
    )


def _keeps_dying(log: str, ended: str) -> DeploymentNotReady:
    return DeploymentNotReady(
        "The deployment did not get ready.",
        cause=f"Its server's worker died {MAX_WORKER_DEATHS} times in a row ({ended}), "
        "without a message.",
        remedy="Look for os._exit, a crash in a binary package, or too little memory.",
        details=_tail(log),
    )


def _out_of_time(log: str, timeout: float) -> DeploymentNotReady:
    return DeploymentNotReady(
        "The deployment did not get ready.",
        cause=f"It did not answer within {timeout:g} s; init() may still be at work.",
        remedy="Give it more time with --timeout, or make init() faster.",
        details=_tail(log),
    )


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
    if name in {"SyntaxError", "IndentationError"}:
        return "Correct the line and try again."
    return f"Correct {entry_script} and try again."


def _tail(log: str) -> list[str]:
    return log.rstrip().splitlines()[-_LAST_LINES:]
