"""How long a deployment took to get ready, beside what the cloud's probes allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localep.spec.model import ProbeSettings

if TYPE_CHECKING:
    from localep.spec.model import DeploymentSpec

_CAUSE = "init-too-slow"
# Less is no news.
_WORTH_TELLING = 0.1


@dataclass(frozen=True)
class StartView:
    """From a container's start to its readiness; ``probe`` is the one that allows the least.

    ``allowed_seconds`` is initial_delay + (failure_threshold - 1) x period + timeout.
    """

    seconds: float
    allowed_seconds: int
    probe: str

    @property
    def is_worth_telling(self) -> bool:
        """Whether a good part of what is allowed was needed."""
        return self.seconds > _WORTH_TELLING * self.allowed_seconds


def view_start(record: dict[str, Any], seconds: float | None) -> StartView | None:
    """How a start went, out of what was recorded of its deployment; None where nobody knows."""
    if seconds is None:
        return None
    names = ("liveness_probe", "readiness_probe")
    return _view({name: ProbeSettings(**record[name]) for name in names}, seconds)


def start_warning(spec: DeploymentSpec, seconds: float) -> str | None:
    """What to say where the cloud would have ended the deployment before it was ready."""
    probes = {"liveness_probe": spec.liveness_probe, "readiness_probe": spec.readiness_probe}
    start = _view(probes, seconds)
    if seconds <= start.allowed_seconds:
        return None
    from localep.rules.causes import cause

    return (
        f"The deployment took {seconds:.1f} s to get ready; in the cloud its {start.probe} would "
        f"have given up after {start.allowed_seconds} s ({_CAUSE}). {cause(_CAUSE).remedy}"
    )


def _view(probes: dict[str, ProbeSettings], seconds: float) -> StartView:
    windows = {name: probe.window for name, probe in probes.items()}
    least = min(windows, key=lambda name: windows[name])
    return StartView(round(seconds, 3), windows[least], least)
