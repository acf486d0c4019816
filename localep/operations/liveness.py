"""The liveness probe: kept by containers that run localep's server, asked of all others.

Nobody is resident on the host: the engine's health check runs templates/liveness.py inside a
container. A custom one may have no Python for it; its gateway has, and asks when `show` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.engine.base import HealthCheck
from localep.errors import EngineError
from localep.operations import layout
from localep.operations.snapshot import Addition
from localep.resources import read_resource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localep.engine.base import Engine
    from localep.spec.model import DeploymentSpec, Route

_PROGRAM = "templates/liveness.py"
_FILE = "/opt/localep/liveness.py"
_STATE_FILE = "/tmp/.localep-liveness"  # noqa: S108 - in the container
# No module of the script's shall get in the way, and no variable of the user's.
_PYTHON = ("python3", "-I", "-S")
# What a slow machine needs on top of the probe's own time.
_MARGIN_SECONDS = 60
# Numbers beyond this one wait for ever; the engine cannot count much further.
_FOR_EVER_SECONDS = 10**8
# How long `show` waits for an answer.
_ASK_SECONDS = 1.0
_WORDS = {
    "refused": "found nobody who listens there",
    "silent": f"did not answer within {_ASK_SECONDS:g} s",
    "broken": "gave no answer of HTTP",
}
HEALTHY = "200"


def liveness_program() -> Addition:
    """The program of the health check, as a file of the container."""
    return Addition(_FILE, read_resource(_PROGRAM).encode())


def health_check(spec: DeploymentSpec) -> HealthCheck:
    """The liveness probe of a deployment with the YAML's numbers.

    One run lasts as long as the route fails, up to the end of the container.
    """
    probe, route = spec.liveness_probe, layout.routes(spec).liveness_route
    period, threshold = max(probe.period, 1), max(probe.failure_threshold, 1)
    numbers = (probe.timeout, route.port, route.path, probe.initial_delay, period, threshold)
    longest = (period + probe.timeout) * threshold + _MARGIN_SECONDS
    return HealthCheck(
        command=(*_PYTHON, _FILE, "watch", *map(str, numbers)),
        period=min(period, _FOR_EVER_SECONDS),
        timeout=min(longest, _FOR_EVER_SECONDS),
        start_period=min(probe.initial_delay, _FOR_EVER_SECONDS),
        failure_threshold=min(threshold, _FOR_EVER_SECONDS),
    )


def restarts_by_probe(engine: Engine, container: str) -> int:
    """How many times the liveness probe has ended a container."""
    content = engine.copy_out(container, _STATE_FILE) or b""
    number = content.split()[-1:]
    return int(number[0]) if number and number[0].isdigit() else 0


def ask_liveness(
    engine: Engine, gateway: str, route: Route, aliases: Sequence[str]
) -> list[str | None]:
    """What is wrong with the liveness route of each container, None where it is well or unknown.

    The gateway is in their network; the host need not be.
    """
    program = read_resource(_PROGRAM)
    asked = (f"{_ASK_SECONDS:g}", str(route.port), route.path, *aliases)
    try:
        status, output = engine.execute(gateway, [*_PYTHON, "-c", program, "ask", *asked])
    except EngineError:  # the gateway does not run, which is told anyway
        return [None] * len(aliases)
    answers = output.split()
    if status != 0 or len(answers) != len(aliases):
        return [None] * len(aliases)
    return [
        None if answer == HEALTHY else _WORDS.get(answer, f"answered {answer}")
        for answer in answers
    ]
