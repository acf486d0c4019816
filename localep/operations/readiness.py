"""Waiting for the inference server: ready, ended, dying again and again, or out of time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from localep.errors import DeploymentNotReady
from localep.gateway.config import PROBE_HEADER
from localep.operations.server_log import worker_deaths
from localep.operations.start_failures import (
    MAX_WORKER_DEATHS,
    NOBODY_LISTENS,
    container_ended,
    ended_before_ready,
    kept_dying,
    not_ready_in_time,
    route_not_ready,
)

if TYPE_CHECKING:
    from localep.engine.base import Engine
    from localep.spec.model import Route

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
    route: Route

    def status(self, session: requests.Session) -> int | None:
        """The status that the route answers with now, None where it does not answer in time.

        A server in its init() hangs. NOBODY_LISTENS is that of a port which takes no connection.
        """
        try:
            answer = session.get(
                f"{self.address}{self.route.path}",
                headers={PROBE_HEADER: self.token},
                timeout=0.5,
            )
        except requests.RequestException:
            return None
        if answer.status_code == 200 or PROBE_HEADER in answer.headers:
            return answer.status_code
        return NOBODY_LISTENS if answer.status_code == 503 else None


def check_not_ended(engine: Engine, container: str, entry_script: str | None) -> None:
    """Raise DeploymentNotReady with the reason where a container has ended, or is gone."""
    found = engine.inspect_container(container)
    if found is None:
        raise DeploymentNotReady(
            "The deployment's container is gone.",
            cause="Somebody removed it while it started.",
            remedy="Try again.",
        )
    if found.status in {"exited", "dead"}:
        log = read_log(engine, container)
        code = found.exit_code or 0
        if entry_script is None:
            raise container_ended(log, code)
        raise ended_before_ready(log, entry_script, code)


def wait_until_ready(
    engine: Engine, container: str, probe: Probe, timeout: float, entry_script: str | None
) -> None:
    """Return as soon as the server answers. Raises DeploymentNotReady with the reason.

    ``entry_script`` is None for a custom container, whose server is not the inference server.
    """
    deadline = time.monotonic() + timeout
    next_log = time.monotonic() + _LOG_PERIOD
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the user's has no business with loopback
        while (status := probe.status(session)) != 200:
            check_not_ended(engine, container, entry_script)
            if entry_script is not None and time.monotonic() > next_log:
                next_log = time.monotonic() + _LOG_PERIOD
                log = read_log(engine, container)
                deaths = worker_deaths(log)
                if len(deaths) >= MAX_WORKER_DEATHS:
                    raise kept_dying(log, deaths[-1])
            if time.monotonic() > deadline:
                log = read_log(engine, container)
                if entry_script is None:
                    raise route_not_ready(log, timeout, probe.route, status)
                raise not_ready_in_time(log, timeout)
            time.sleep(_PAUSE)


def read_log(engine: Engine, container: str) -> str:
    """A container's output so far, as text."""
    return b"".join(engine.logs(container)).decode("utf-8", errors="replace")
