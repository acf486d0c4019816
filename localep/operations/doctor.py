"""`doctor`: gathers what is known of this machine and its engine, and has it examined."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localep.doctor.examination import examine
from localep.doctor.facts import (
    DiskFacts,
    EngineFacts,
    Facts,
    GpuFacts,
    IndexFacts,
    Refusal,
)
from localep.doctor.finding import Finding, Severity
from localep.environment import index_settings
from localep.environment.build_settings import find_ca_bundle, user_build_settings
from localep.environment.dockerfile import CA_SECRET, SECRETS_FOLDER, SETTINGS_SECRET
from localep.errors import EngineError, GpuRefused
from localep.operations.environments.base_image import base_reference
from localep.operations.gpus.choice import GpuPlan, explained
from localep.operations.gpus.ways import ALL, Wish, ways_to
from localep.operations.trial import try_out

if TYPE_CHECKING:
    from localep.engine.base import EngineDetails
    from localep.engine.gpu_request import GpuRequest, GpuSupport
    from localep.operations.workplace import Workplace

# What every environment needs, asked for as the build of one does.
_ASK_INDEX = (
    *("env", "UV_HTTP_RETRIES=0"),
    *("localep-build", "uv", "--no-cache", "--quiet", "pip", "install", "--dry-run", "--no-deps"),
    *("--target", "/tmp/nothing", "azureml-inference-server-http"),  # noqa: S108
)


@dataclass(frozen=True)
class DoctorResult:
    """What the checks found."""

    findings: tuple[Finding, ...]

    @property
    def is_well(self) -> bool:
        """Whether no check found an error."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """The findings as plain values."""
        return {
            "is_well": self.is_well,
            "findings": [finding.to_dict() for finding in self.findings],
        }


def doctor(place: Workplace | EngineError) -> DoctorResult:
    """Examine this machine and its engine; or this machine alone, where no engine is reached."""
    ca_bundle = _ca_bundle()
    if isinstance(place, EngineError):
        engine = Refusal(f"{place.message} {place.cause or ''}".rstrip(), place.remedy)
        return DoctorResult(tuple(examine(Facts(engine, ca_bundle=ca_bundle))))
    with place.undone_on_failure():
        return DoctorResult(tuple(examine(_facts(place, ca_bundle))))


def _facts(place: Workplace, ca_bundle: str | None) -> Facts:
    details, info = place.engine.details(), place.engine.info()
    base = base_reference()
    has_base = place.engine.find_image(base) is not None
    return Facts(
        engine=EngineFacts(details.version, details.api, info.is_local, info.host),
        builder=details.builder,
        base_image=base,
        has_base_image=has_base,
        disks=_disks(details, is_local=info.is_local),
        index=_index(place, base) if has_base else None,
        ca_bundle=ca_bundle,
        gpus=_gpus(place, base) if has_base else None,
    )


def _ca_bundle() -> str | None:
    certificate = index_settings.collect(os.environ, Path.home()).certificate
    found = find_ca_bundle(os.environ, certificate)
    return str(found) if found is not None else None


def _disks(details: EngineDetails, *, is_local: bool) -> tuple[DiskFacts, ...]:
    """The disks of this machine; those of an engine elsewhere cannot be seen."""
    places = [details.folder] if is_local else []
    known = [path for path in (*places, tempfile.gettempdir()) if Path(path).exists()]
    return tuple(DiskFacts(shutil.disk_usage(path).free, path) for path in known)


def _index(place: Workplace, image: str) -> IndexFacts:
    settings = user_build_settings()
    files = {f"{SECRETS_FOLDER}/{SETTINGS_SECRET}": settings.script}
    if settings.ca_bundle is not None:
        files[f"{SECRETS_FOLDER}/{CA_SECRET}"] = settings.ca_bundle
    trial = try_out(place, image, _ASK_INDEX, files=files)
    if trial.status == 0:
        return IndexFacts()
    # uv tells the first cause last, and may add a hint.
    causes = [line for line in trial.output.splitlines() if "cause: " in line or "error: " in line]
    said = causes[-1].partition(": ")[2] if causes else "nothing came back in time"
    return IndexFacts(f"{said.rstrip('.')}.")


def _gpus(place: Workplace, image: str) -> GpuFacts:
    """The first way that leads to all GPUs, or the first of all and why it does not."""
    support = place.engine.gpus()
    ways = ways_to(Wish(ALL), support, is_by_hand=True)
    refusals: list[GpuRefused] = []
    for way in ways.found:
        route, reason = _route(support, way.request)
        try:
            try_out(place, image, ("true",), gpus=way.request)
        except GpuRefused as error:
            refusals.append(error)
        else:
            return GpuFacts(route, reason)
    route, reason = _route(support, ways.found[0].request)
    refusal = explained(place.engine, GpuPlan(ways=ways, support=support), refusals)
    is_offered = bool(support.devices or support.runtimes) or refusal.reason not in {
        *("unsupported", "no-such-gpu"),
    }
    return GpuFacts(route, reason, Refusal(refusal.cause or "", refusal.remedy), is_offered)


def _route(support: GpuSupport, request: GpuRequest) -> tuple[str, str]:
    if request.is_cdi and support.devices:
        return "CDI", f"the engine lists {', '.join(support.devices)}"
    if request.is_cdi:
        return "CDI", "the engine has CDI, and was asked"
    if support.runtimes:
        return f"the runtime {support.runtimes[0]}", "the engine has it registered"
    return "the capability gpu", "the engine names neither CDI devices nor a runtime, and was asked"
