"""Waiting for the inference server: ready, ended, dying again and again, or out of time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from localep.errors import DeploymentNotReady
from localep.gateway.config import PROBE_HEADER
from localep.operations import layout
from localep.operations.server_log import worker_deaths
from localep.operations.start_failures import (
    MAX_WORKER_DEATHS,
    ended_before_ready,
    kept_dying,
    not_ready_in_time,
)

if TYPE_CHECKING:
    from localep.engine.base import Engine

_PAUSE = 0.02
_LOG_PERIOD = 0.5


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
                raise ended_before_ready(log, entry_script, found.exit_code or 0)
            if time.monotonic() > next_log:
                next_log = time.monotonic() + _LOG_PERIOD
                log = read_log(engine, container)
                deaths = worker_deaths(log)
                if len(deaths) >= MAX_WORKER_DEATHS:
                    raise kept_dying(log, deaths[-1])
            if time.monotonic() > deadline:
                raise not_ready_in_time(read_log(engine, container), timeout)
            time.sleep(_PAUSE)


def read_log(engine: Engine, container: str) -> str:
    """A container's output so far, as text."""
    return b"".join(engine.logs(container)).decode("utf-8", errors="replace")
