"""Rules for what comes when the container runs: the probes, and who gets how many requests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localep.rules.rule import Told, deployment_rule, endpoint_rule
from localep.rules.subject import path_of
from localep.spec.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.rules.subject import DeploymentSubject, EndpointSubject
    from localep.spec.model import ProbeSettings

# What an image, an import of a large package and a small model take without haste.
SMALLEST_WINDOW = 30
LONG_DELAY = 300
WORKERS = "WORKER_COUNT"


@deployment_rule("probe-window-small")
def probe_window_small(subject: DeploymentSubject) -> Iterator[Told]:
    """Probes that give up while most servers are still loading."""
    for name, probe in _probes(subject).items():
        window = probe.window
        if _is_sound(probe) and window < SMALLEST_WINDOW:
            path = path_of(subject.origin, name, "failure_threshold", "period", "period_seconds")
            yield Told(path, f"it gives up {window} s after the start if there is no answer.")


@deployment_rule("probe-delay-long")
def probe_delay_long(subject: DeploymentSubject) -> Iterator[Told]:
    """A delay of minutes before anything is asked."""
    probes = _probes(subject)
    name = max(probes, key=lambda name: probes[name].initial_delay)
    delay = probes[name].initial_delay
    if delay >= LONG_DELAY:
        path = path_of(subject.origin, name, "initial_delay", "initial_delay_seconds")
        message = f"for {delay} s nothing is asked, even where the server is ready long before."
        yield Told(path, message, severity=Severity.INFO)


@deployment_rule("worker-count")
def worker_count(subject: DeploymentSubject) -> Iterator[Told]:
    """Workers of the inference server that are not as many as the requests let through."""
    if subject.spec.routes is not None:
        return
    requests = subject.spec.request_settings.max_concurrent_requests_per_instance
    given = subject.spec.environment_variables.get(WORKERS)
    key = "max_concurrent_requests_per_instance"
    if given is None:
        if requests > 1 and not _has_dockerfile(subject):
            message = (
                f"{requests} requests are let through, and without {WORKERS} there is one worker."
            )
            yield Told(("request_settings", key), message, severity=Severity.INFO)
    elif re.fullmatch(r"\s*\d{1,9}\s*", given) is None:
        yield Told(("environment_variables", WORKERS), f"{given!r} is no number of workers.")
    elif int(given) != requests:
        message = f"there are {given} workers, and {key} is {requests}."
        yield Told(("environment_variables", WORKERS), message)


@endpoint_rule("no-traffic")
def no_traffic(subject: EndpointSubject) -> Iterator[Told]:
    """Deployments beside an endpoint that sends requests to none."""
    traffic = subject.spec.traffic
    if any(traffic.values()):
        return
    if traffic:
        yield Told(("traffic",), "every share is 0.", severity=Severity.INFO)
    elif subject.deployments:
        names = ", ".join(deployment.name for deployment in subject.deployments)
        message = f"without `traffic` no request reaches {names} in the cloud."
        yield Told((), message, severity=Severity.INFO)


def _probes(subject: DeploymentSubject) -> dict[str, ProbeSettings]:
    return {
        "liveness_probe": subject.spec.liveness_probe,
        "readiness_probe": subject.spec.readiness_probe,
    }


def _is_sound(probe: ProbeSettings) -> bool:
    """Whether the numbers are such that the cloud takes them."""
    return min(probe.initial_delay, probe.period, probe.timeout, probe.failure_threshold) >= 1


def _has_dockerfile(subject: DeploymentSubject) -> bool:
    """Whether the image is made of the user's own Dockerfile, which may set the variable."""
    environment = subject.spec.environment
    return environment is not None and environment.build is not None
