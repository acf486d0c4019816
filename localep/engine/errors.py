"""All matching of the engine's messages; everything else sees localep's own errors."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import docker.errors
import requests.exceptions
import urllib3.exceptions

from localep.errors import (
    DiskFull,
    EngineError,
    GpuRefused,
    NameTaken,
    NetworkMissing,
    PortTaken,
    PullFailed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.errors import GpuReason, PullReason

_REFUSALS: tuple[tuple[re.Pattern[str], type[EngineError], str], ...] = (
    (
        re.compile(r"container name .* is already in use", re.IGNORECASE),
        NameTaken,
        "Another command may be at work on the same endpoint; look with `localep list`.",
    ),
    (
        re.compile(
            r"port is already allocated|address already in use|ports are not available",
            re.IGNORECASE,
        ),
        PortTaken,
        "Choose another with --port, or leave it out.",
    ),
    (
        re.compile(r"cannot assign requested address", re.IGNORECASE),
        EngineError,
        "Give --host an address of this machine, such as 127.0.0.1 or 0.0.0.0.",
    ),
    (
        re.compile(r"network \S+ not found", re.IGNORECASE),
        NetworkMissing,
        "Another command removed it; try again.",
    ),
    (
        re.compile(r"no space left on device", re.IGNORECASE),
        DiskFull,
        "Free disk space, for example with `docker system prune`.",
    ),
    (
        re.compile(
            r"could not find an available.* address pool|address pools have been fully subnetted",
            re.IGNORECASE,
        ),
        EngineError,
        "Remove networks that nobody uses: `docker network prune`.",
    ),
)
# What engines, CDI and NVIDIA's tools say of GPUs that they do not give; what matches is the cause.
_GPU_REFUSALS: tuple[tuple[str, GpuReason], ...] = (
    (r"could not select device driver .*", "unsupported"),
    (r"unresolvable CDI devices (?:runtime|management)\.nvidia\.com/.*", "no-driver"),
    (r"unresolvable CDI devices .*", "no-such-gpu"),
    (r"nvidia-container-cli: .*\bunknown (?:MIG )?device.*", "no-such-gpu"),
    (r"nvidia-container-cli: requirement error: .*", "old-driver"),
    (r"nvidia-container-cli: (?:initialization|detection|driver) error: .*", "no-driver"),
    (r"failed to stat CDI host device .*", "stale-cdi"),
    (r"CDI device injection failed: .*", "stale-cdi"),
    (
        r"(?:error mounting|failed to fulfil mount request: open) "
        r'"?/(?:usr|lib\w*|run|var/run|etc|opt)/\S*(?:nvidia|cuda|amdgpu|rocm).*no such file.*',
        "stale-cdi",
    ),
    (
        r"error running (?:\w+ )?hook #\d+: fork/exec \S*(?:nvidia|amd|rocm)\S* "
        r"no such file or directory",
        "stale-cdi",
    ),
    (r"nvidia-container-(?:cli|runtime|toolkit)\S* .*", "other"),
)
_GPU_REMEDIES: dict[GpuReason, str] = {
    "unsupported": "Install the NVIDIA Container Toolkit on the engine's machine, run `sudo "
    "nvidia-ctk runtime configure --runtime=docker` there, and restart Docker.",
    "no-such-gpu": "Name GPUs that are there; `nvidia-smi -L` lists them on the engine's machine, "
    "`nvidia-ctk cdi list` those that CDI knows.",
    "stale-cdi": "Write the CDI file anew on the engine's machine: `sudo nvidia-ctk cdi generate "
    "--output=/etc/cdi/nvidia.yaml`, for AMD's GPUs with `amd-ctk`.",
    "no-driver": "See with `nvidia-smi` that NVIDIA's driver runs on the engine's machine; after "
    "an update of it, start the machine anew.",
    "old-driver": "Update NVIDIA's driver on the engine's machine, or take an image with an older "
    "CUDA.",
    "other": "See with `nvidia-smi` that the GPUs work on the engine's machine, and the engine's "
    "own log for more.",
}
_START_ENGINE = "Start Docker, or point DOCKER_HOST at an engine that runs."


@contextmanager
def engine_errors(what: str) -> Iterator[None]:
    """Turn what docker-py raises into EngineError; ``what`` completes "could not ..."."""
    try:
        yield
    except docker.errors.APIError as error:
        raise _refusal(what, error) from error
    except docker.errors.DockerException as error:
        raise unreachable(error) from error
    except (
        requests.exceptions.RequestException,
        urllib3.exceptions.HTTPError,
        ConnectionError,
    ) as error:
        raise EngineError(
            f"The Docker engine could not {what}.",
            cause="The connection to it broke.",
            remedy="See with `docker info` that it runs, then try again.",
        ) from error


def unreachable(error: Exception) -> EngineError:
    """Why no engine could be reached, and what to do."""
    text = str(error)
    if "Permission denied" in text:
        return EngineError(
            "The Docker engine may not be used.",
            cause="This user has no permission on the engine's socket.",
            remedy="Join the group docker (`sudo usermod -aG docker $USER`, then log in again).",
        )
    if "FileNotFoundError" in text or "Connection refused" in text or "ConnectionRefused" in text:
        return EngineError(
            "No Docker engine answers.", cause="None listens here.", remedy=_START_ENGINE
        )
    return EngineError("No Docker engine answers.", cause=_first_line(text), remedy=_START_ENGINE)


def pull_failed(reference: str, message: str) -> PullFailed:
    """Why an image could not be pulled."""
    reason: PullReason = "other"
    if re.search(r"no match(?:ing manifest for \S+| for platform) in", message):
        cause = "The registry has it for other platforms only."
        reason = "platform"
    elif re.search(r"does not match the specified platform", message):
        cause = "It is there for another platform only."
        reason = "platform"
    elif re.search(r"not found|manifest unknown|does not exist", message, re.IGNORECASE):
        cause = "The registry has no such image, or hides it from those who are not logged in."
        reason = "missing"
    elif re.search(
        r"unauthorized|forbidden|denied|authentication|no basic auth credentials",
        message,
        re.IGNORECASE,
    ):
        cause = "The registry asks for a login."
        reason = "login"
    elif re.search(r"toomanyrequests|rate limit|429", message, re.IGNORECASE):
        cause = "The registry's limit on pulls is reached."
    elif "no space left on device" in message:
        cause = "This machine has no disk space left."
    else:
        cause = "Its registry did not answer."
    return PullFailed(
        f"The image {reference} could not be pulled.",
        cause=cause,
        remedy="Pull it by hand to see more: `docker pull`.",
        details=(_first_line(message),),
        reason=reason,
    )


def is_not_found(error: docker.errors.APIError) -> bool:
    """Whether the engine has no such object."""
    return bool(error.status_code == 404)


def is_bad_request(error: docker.errors.APIError) -> bool:
    """Whether the engine cannot read what it was sent."""
    return bool(error.status_code == 400)


def is_conflict(error: docker.errors.APIError) -> bool:
    """Whether the engine has it already, or is still using it."""
    return error.status_code in {403, 409}


def _refusal(what: str, error: docker.errors.APIError) -> EngineError:
    text = str(error.explanation or error)
    for telling, reason in _GPU_REFUSALS:
        found = re.search(telling, text)
        if found is not None:
            return GpuRefused(
                f"The Docker engine could not {what}.",
                # ": unknown" is runc's word for an error of no known kind.
                cause=_first_line(found.group().removesuffix(": unknown")),
                remedy=_GPU_REMEDIES[reason],
                reason=reason,
            )
    for pattern, kind, remedy in _REFUSALS:
        if pattern.search(text):
            return kind(
                f"The Docker engine could not {what}.", cause=_first_line(text), remedy=remedy
            )
    return EngineError(
        f"The Docker engine could not {what}.",
        cause=_first_line(text),
        remedy="See the engine's own log for more.",
    )


def _first_line(text: str) -> str:
    line = text.strip().splitlines()[0] if text.strip() else "It gave no reason."
    return line if line.endswith(".") else f"{line}."
