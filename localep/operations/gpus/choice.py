"""GPUs for a deployment's containers: planned with it, asked of the engine as they start."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from localep.engine.gpu_request import GpuSupport
from localep.errors import GpuRefused
from localep.operations.endpoints import recorded_spec
from localep.operations.gpus.ways import (
    ALL,
    AUTO,
    VISIBLE_DEVICES,
    Ways,
    Wish,
    gpus_of_type,
    ways_to,
    wish_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from localep.engine.base import Container, Engine
    from localep.engine.gpu_request import GpuRequest
    from localep.errors import GpuReason
    from localep.operations.workplace import Workplace
    from localep.spec.model import DeploymentSpec

_CUDA = "CUDA_VERSION"
_VIRTUAL_MACHINES = ("Docker Desktop", "OrbStack", "Rancher Desktop")
_TOOLKIT = ("nvidia-ctk", "nvidia-container-runtime-hook")
# From what tells most of why there are no GPUs to what tells least.
_TELLING: tuple[GpuReason, ...] = (
    "old-driver",
    "stale-cdi",
    "no-driver",
    "other",
    "no-such-gpu",
    "unsupported",
)

_T = TypeVar("_T")


@dataclass(frozen=True)
class GpuPlan:
    """How a deployment gets its GPUs; ``wish`` is None where it shall have none.

    ``asked`` is what --gpus says, ``reason`` why GPUs are wanted, in words. ``cuda`` is the
    version of CUDA that the image is made for, ``note`` what does not fit together, and
    ``blinds`` are the variables of a container without GPUs.
    """

    asked: str = AUTO
    wish: Wish | None = None
    reason: str = ""
    ways: Ways = field(default_factory=lambda: Ways(()))
    support: GpuSupport = field(default_factory=GpuSupport)
    cuda: str | None = None
    note: str | None = None
    blinds: tuple[tuple[str, str], ...] = ()

    @property
    def is_by_hand(self) -> bool:
        """Whether somebody asked for them, so that there is no doing without."""
        return self.asked != AUTO

    @property
    def identity(self) -> dict[str, Any]:
        """What of it makes another container."""
        requests = [asdict(way.request) for way in self.ways.found]
        return {"asked": self.asked, "requests": requests, "blinds": self.blinds}


def plan_gpus(engine: Engine, asked: str, spec: DeploymentSpec, image: str) -> GpuPlan:
    """What to ask of the engine for a deployment that runs in this image."""
    wish = wish_of(asked, spec)
    found = engine.find_image(image)
    variables = found.variables if found is not None else {}
    plan = GpuPlan(
        asked,
        wish,
        reason=_reason(asked, spec),
        cuda=variables.get(_CUDA),
        note=_mismatch(spec, variables),
        blinds=_blinds(asked, spec, variables),
    )
    if wish is None:
        return plan
    support = engine.gpus()
    ways = ways_to(wish, support, is_by_hand=plan.is_by_hand)
    return replace(plan, ways=ways, support=support)


def with_gpus(place: Workplace, plan: GpuPlan, start: Callable[[GpuRequest | None], _T]) -> _T:
    """Start containers with their GPUs; without, and a warning, where nobody insists on them.

    ``start`` leaves no container behind where the engine refuses it GPUs. Raises GpuRefused.
    """
    if plan.note is not None:
        place.reporter.note(plan.note)
    if plan.wish is None:
        return start(None)
    refusals = []
    if plan.ways.missing is not None:
        remedy = "Ask for some of these, or leave out --gpus to have what is there."
        refusals = [GpuRefused("", cause=plan.ways.missing, remedy=remedy, reason="no-such-gpu")]
    for way in plan.ways.found:
        if way.fewer is not None and refusals and refusals[-1].reason != "no-such-gpu":
            continue  # fewer are refused for the same reason
        try:
            started = start(way.request)
        except GpuRefused as error:
            if not _says_nothing(plan.wish, way.request, error):
                refusals.append(error)
            continue
        if way.fewer is not None:
            place.reporter.warn(f"{plan.reason}: {way.fewer}.")
        return started
    refusal = explained(place.engine, plan, refusals)
    if plan.is_by_hand:
        raise refusal
    place.reporter.warn(_runs_on_cpu(plan, refusal))
    return start(None)


def explained(engine: Engine, plan: GpuPlan, refusals: Sequence[GpuRefused]) -> GpuRefused:
    """The refusal to tell, with the remedy for where the engine runs."""
    told = min(refusals, key=lambda refusal: _TELLING.index(refusal.reason))
    remedy = told.remedy
    if told.reason == "unsupported":
        remedy = _how_to_support(engine, plan.support) or remedy
    return GpuRefused(
        f"{plan.reason} cannot be met.", cause=told.cause, remedy=remedy, reason=told.reason
    )


def recorded_gpus(container: Container | None) -> str:
    """What --gpus said when a container was made."""
    return str(recorded_spec(container).get("gpus", AUTO)) if container is not None else AUTO


def shown(gpus: GpuRequest | None) -> str | None:
    """What a container has, in words: ``all``, a number or ids; None for no GPU."""
    if gpus is None:
        return None
    return ", ".join(gpus.ids) or ("all" if gpus.count == ALL else str(gpus.count))


def _says_nothing(wish: Wish, request: GpuRequest, refusal: GpuRefused) -> bool:
    """Whether an engine was asked for CDI devices on trial, and has none of such."""
    is_trial = request.is_cdi and not wish.ids and refusal.reason == "no-such-gpu"
    return is_trial and all(name in (refusal.cause or "") for name in request.ids)


def _reason(asked: str, spec: DeploymentSpec) -> str:
    if asked != AUTO:
        return f"--gpus {asked}"
    count = gpus_of_type(spec)
    return f"{spec.instance_type} has {count} GPU{'s' if count > 1 else ''}"


def _runs_on_cpu(plan: GpuPlan, refusal: GpuRefused) -> str:
    made_for = f" Its image is made for CUDA {plan.cuda}." if plan.cuda is not None else ""
    if refusal.reason == "unsupported":
        told = f"{plan.reason}, and this engine offers none: the deployment runs on the CPU."
        return f"{told}{made_for}"
    told = f"{plan.reason}, and the engine gives none: the deployment runs on the CPU."
    return f"{told}{made_for} {refusal.cause} {refusal.remedy}"


def _mismatch(spec: DeploymentSpec, image: Mapping[str, str]) -> str | None:
    """Where the image and the instance type do not go together."""
    named = (spec.environment.image if spec.environment is not None else None) or ""
    cuda = image.get(_CUDA)
    if gpus_of_type(spec) and cuda is None and "cuda" not in named.lower():
        return (
            f"{spec.instance_type} has GPUs, and the image is none of CUDA's: what uses them has "
            "to bring CUDA along, as torch from PyPI does."
        )
    if spec.instance_type is not None and not gpus_of_type(spec) and cuda is not None:
        return f"The image is one for CUDA {cuda}, and {spec.instance_type} has no GPU."
    return None


def _blinds(
    asked: str, spec: DeploymentSpec, image: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """What keeps GPUs from a container that shall have none.

    As the engine's default, NVIDIA's runtime gives all of them to whoever has an image of CUDA,
    as such images ask for them.
    """
    has_own = VISIBLE_DEVICES in spec.environment_variables
    needs_it = asked != AUTO if has_own else VISIBLE_DEVICES in image
    return ((VISIBLE_DEVICES, "void"),) if needs_it else ()


def _how_to_support(engine: Engine, support: GpuSupport) -> str | None:
    """What makes the engine hand out GPUs, None where nothing more is known of it."""
    info = engine.info()
    if support.system.startswith(_VIRTUAL_MACHINES):
        return (
            f"{support.system} runs the engine in a virtual machine without GPUs: use an engine "
            "of Linux, or on Windows the one of WSL 2 with NVIDIA's driver for Windows."
        )
    if support.runtimes:
        return (
            f"The runtime {support.runtimes[0]} is registered, but Docker did not find its tools "
            "as it started: install the container toolkit whole, and restart Docker."
        )
    if not info.is_local:
        return (
            f"The engine runs on {info.host}: install the NVIDIA Container Toolkit there, if that "
            "machine has GPUs, or use an engine that has some."
        )
    if any(shutil.which(name) for name in _TOOLKIT):
        return (
            "The NVIDIA Container Toolkit is installed, and Docker does not know of it: run `sudo "
            "nvidia-ctk runtime configure --runtime=docker`, and restart Docker."
        )
    return None
