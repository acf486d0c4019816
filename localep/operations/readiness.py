"""Waiting for the inference server: ready, ended, dying again and again, or out of time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import requests

from localep.errors import DeploymentNotReady
from localep.gateway.config import PROBE_HEADER
from localep.operations.container_log import read_log
from localep.operations.endpoints import recorded_spec
from localep.operations.failures.connections import hosts_waited_for
from localep.operations.failures.server_log import worker_deaths
from localep.operations.failures.starts import (
    MAX_WORKER_DEATHS,
    NOBODY_LISTENS,
    container_ended,
    ended_before_ready,
    kept_dying,
    not_ready_in_time,
    out_of_memory,
    route_not_ready,
)

if TYPE_CHECKING:
    from localep.engine.base import Container, Engine
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
        if found.oom_killed:
            raise _out_of_memory(found, log, None)
        code = found.exit_code or 0
        if entry_script is None:
            raise container_ended(log, code)
        raise ended_before_ready(log, entry_script, code)


def check_memory(engine: Engine, container: str, log: str) -> None:
    """Raise DeploymentNotReady where a container that runs had too little memory for a process.

    The first time is enough: the cloud has no more the second time.
    """
    usage = engine.usage(container)
    found = engine.inspect_container(container) if usage is not None and usage.kills else None
    if usage is not None and found is not None:
        raise _out_of_memory(found, log, usage.peak)


def _out_of_memory(found: Container, log: str, peak: int | None) -> DeploymentNotReady:
    instance_type = recorded_spec(found)["instance_type"]
    return out_of_memory(log, found.memory_limit, peak, instance_type)


@dataclass(frozen=True)
class Patience:
    """How many seconds a start may take, from a moment of the monotonic clock on."""

    seconds: float
    begun: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        """Whether they have gone by."""
        return time.monotonic() > self.begun + self.seconds


def wait_until_ready(
    engine: Engine, container: str, probe: Probe, patience: Patience, entry_script: str | None
) -> None:
    """Return as soon as the server answers. Raises DeploymentNotReady with the reason.

    ``entry_script`` is None for a custom container, whose server is not the inference server.
    """
    next_log = time.monotonic() + _LOG_PERIOD
    known_deaths = 0
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the user's has no business with loopback
        while (status := probe.status(session)) != 200:
            check_not_ended(engine, container, entry_script)
            if entry_script is not None and time.monotonic() > next_log:
                next_log = time.monotonic() + _LOG_PERIOD
                log = read_log(engine, container)
                deaths = worker_deaths(log)
                if deaths[known_deaths:]:
                    known_deaths = len(deaths)
                    check_memory(engine, container, log)
                if len(deaths) >= MAX_WORKER_DEATHS:
                    raise kept_dying(log, deaths[-1])
            if patience.is_over:
                log = read_log(engine, container)
                check_memory(engine, container, log)
                if entry_script is None:
                    raise route_not_ready(log, patience.seconds, probe.route, status)
                waits_for = hosts_waited_for(engine, container)
                raise not_ready_in_time(log, patience.seconds, waits_for)
            time.sleep(_PAUSE)
