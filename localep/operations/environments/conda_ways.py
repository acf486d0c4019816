"""The ways to the packages of a conda file: a lock, conda's channels, or PyPI."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from localep.conda.documents import locked_list, unsolved_list
from localep.conda.lock import Lock, find_lock
from localep.conda.lock_file import WRITE_ANEW
from localep.conda.packages import SolveRequest
from localep.environment.conda_file import admits_python
from localep.environment.plan import (
    EnvironmentPlan,
    plan_environment,
    plan_from_channels,
    plan_from_lock,
)
from localep.environment.solver import Solver
from localep.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localep.engine.base import Engine
    from localep.environment.conda_file import CondaFile
    from localep.environment.plan import BaseImage
    from localep.operations.environments.options import EnvironmentOptions
    from localep.spec.model import EnvironmentSpec

# Of localep's own base image.
OWN_GLIBC = "2.36"
# What GPU nodes of the cloud have a driver for, and kernels that both have.
CUDA = "12.4"
LINUX = "5.15"
# Of an image that does not say what it is: that of the oldest curated images in use.
_DEFAULT_GLIBC = "2.27"
_GLIBC = {
    ("almalinux", "8"): "2.28",
    ("almalinux", "9"): "2.34",
    ("azurelinux", "3"): "2.38",
    ("centos", "7"): "2.17",
    ("centos", "8"): "2.28",
    ("debian", "10"): "2.28",
    ("debian", "11"): "2.31",
    ("debian", "12"): "2.36",
    ("debian", "13"): "2.41",
    ("mariner", "2"): "2.35",
    ("rhel", "8"): "2.28",
    ("rhel", "9"): "2.34",
    ("rocky", "8"): "2.28",
    ("rocky", "9"): "2.34",
    ("ubuntu", "18.04"): "2.27",
    ("ubuntu", "20.04"): "2.31",
    ("ubuntu", "22.04"): "2.35",
    ("ubuntu", "24.04"): "2.39",
}
_PLATFORMS = {"linux/amd64": "linux-64", "linux/arm64": "linux-aarch64"}
_ARCHITECTURES = {"linux-64": "x86_64", "linux-aarch64": "aarch64"}


def lock_of(
    spec: EnvironmentSpec | None, options: EnvironmentOptions, platform: str
) -> Lock | None:
    """The lock that lies beside an environment's conda file. Raises EnvironmentFailure."""
    if spec is None:
        return None
    if spec.conda is not None and options.document is not None:
        lock = find_lock(options.document, platform, data=spec.conda)
    elif spec.conda_file is not None:
        lock = find_lock(spec.conda_file, platform)
    else:
        return None
    if lock is not None:
        _refuse_contradictions(lock, options)
    return lock


def brings_python(
    conda: CondaFile | None, lock: Lock | None, options: EnvironmentOptions, found: str | None
) -> bool:
    """Whether channels bring the Python; ``found`` is what the image has that fits, if anything."""
    if conda is None:
        return False
    if lock is not None:
        return bool(lock.conda)
    if options.solver is not Solver.AUTO:
        return options.solver is Solver.CONDA
    return bool(conda.packages) or found is None


def plan_of(
    conda: CondaFile | None,
    lock: Lock | None,
    base: BaseImage,
    options: EnvironmentOptions,
    target: tuple[str, str],
) -> EnvironmentPlan:
    """The plan of an environment on a base, by the way that the options and the files ask for.

    ``target`` are conda's name of the platform, and the glibc of the base.
    """
    platform, glibc = target
    if conda is None:
        return plan_environment(None, base, python=options.python)
    if lock is not None:
        return _plan_of_lock(conda, lock, base)
    found = base.python if _fits(conda, base, options) else None
    if not brings_python(conda, None, options, found):
        return plan_environment(conda, base, python=options.python)
    if not platform:
        raise EnvironmentFailure(
            "There are no conda packages for this platform.",
            cause="conda's channels have them for linux/amd64 and linux/arm64.",
            remedy="Use --platform linux/amd64, or --solver pypi.",
        )
    request = SolveRequest(
        conda.specs(options.python),
        conda.channels,
        platform,
        _virtual_packages(platform, glibc, has_gpus=options.has_gpus),
    )
    listed, sends = unsolved_list(request)
    plan = plan_from_channels(conda, base, listed, python=options.python)
    return replace(plan, private_channels=conda.channels, sends_packages=sends)


def conda_platform(platform: str) -> str:
    """conda's name of a platform (``linux/amd64``), empty where it has none."""
    return _PLATFORMS.get("/".join(platform.split("/")[:2]), "")


def glibc_of(engine: Engine | None, image: str) -> str | None:
    """The version of glibc in an image, None where it has another C library (Alpine's)."""
    content = b""
    for path in ("/usr/lib/os-release", "/etc/os-release"):  # the latter may be a link
        if engine is not None and not content:
            content = engine.file_of_image(image, path) or b""
    return glibc_of_release(_os_release(content.decode("utf-8", "replace")))


def glibc_of_release(told: Mapping[str, str]) -> str | None:
    """The version of glibc by what /etc/os-release tells, a low one where nobody knows."""
    system, version = told.get("ID", ""), told.get("VERSION_ID", "")
    if system == "alpine":
        return None
    return _GLIBC.get((system, version)) or _GLIBC.get(
        (system, version.split(".")[0]), _DEFAULT_GLIBC
    )


def _os_release(text: str) -> dict[str, str]:
    pairs = re.findall(r"^(\w+)=[\"']?(.*?)[\"']?$", text, re.MULTILINE)
    return dict(pairs)


def _fits(conda: CondaFile, base: BaseImage, options: EnvironmentOptions) -> bool:
    if options.python is not None:
        return options.python == base.python
    return admits_python(conda.python, base.python) if base.python else False


def _virtual_packages(platform: str, glibc: str, *, has_gpus: bool) -> tuple[tuple[str, str], ...]:
    packages = [
        ("__unix", "0"),
        ("__linux", LINUX),
        ("__glibc", glibc),
        ("__archspec", f"1={_ARCHITECTURES[platform]}"),
    ]
    return (*packages, ("__cuda", CUDA)) if has_gpus else tuple(packages)


def _plan_of_lock(conda: CondaFile, lock: Lock, base: BaseImage) -> EnvironmentPlan:
    if not lock.conda and lock.python not in {None, base.python}:
        raise EnvironmentFailure(
            f"{lock.path} is for Python {lock.python}.",
            cause=f"{base.reference} has Python {base.python}, and the lock holds none.",
            remedy=WRITE_ANEW,
        )
    listed, sends = None, False
    if lock.conda:
        listed, sends = locked_list(lock.conda, lock.platform, conda.channels)
    plan = plan_from_lock(conda, base, listed, lock.requirements, brings_server=lock.brings_server)
    return replace(plan, private_channels=conda.channels, sends_packages=sends)


def _refuse_contradictions(lock: Lock, options: EnvironmentOptions) -> None:
    """Raise EnvironmentFailure where the command line asks for something else than the lock has."""
    asked = None
    if options.python is not None and lock.python not in {None, options.python}:
        asked = f"--python {options.python} asks for another one"
        held = f"It holds Python {lock.python}"
    elif options.solver is Solver.PYPI and lock.conda:
        asked, held = "--solver pypi asks for none of them", "It holds conda packages"
    if asked is not None:
        raise EnvironmentFailure(
            f"{lock.path} does not go with the command line.",
            cause=f"{held}, and {asked}.",
            remedy="Leave out the option, or write the lock anew or remove it.",
        )
