"""`lock`: exact packages with address and hash for a deployment's conda file, beside it."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from localep.conda.conda_lock import content_hashes, lock_text
from localep.conda.lock import DEFAULT_PLATFORM, find_lock_file, lock_path
from localep.conda.lock_conda import find_program, solve_for_lock, virtual_packages
from localep.conda.lock_file import LockFile, Record
from localep.conda.lock_pip import UV_PLATFORMS, PipRequest, lock_pip
from localep.conda.packages import SolveRequest
from localep.environment.pypi_twins import find_twins
from localep.errors import EnvironmentFailure, UsageError
from localep.operations.environments.lock import conda_source_of, misfits
from localep.operations.environments.lock_plan import plan_lock
from localep.operations.no_code import completed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from localep.conda.lock_file import LockedPip
    from localep.conda.lock_source import CondaSource
    from localep.conda.packages import CondaPackage
    from localep.engine.base import Engine
    from localep.operations.environments.lock_plan import LockPlan
    from localep.operations.environments.options import EnvironmentOptions
    from localep.operations.workplace import Reporter
    from localep.spec.loader import Bundle
    from localep.spec.model import DeploymentSpec


@dataclass(frozen=True)
class LockResult:
    """A lock that was written or checked: how many packages it holds for each platform.

    ``changes`` say why it does not fit the conda file, empty where it does.
    """

    path: Path
    python: str | None
    content_hash: Mapping[str, str]
    packages: Mapping[str, Mapping[str, int]]
    changes: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        """Whether there is a lock, and it fits."""
        return not self.changes

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values, for JSON and YAML."""
        return {
            "path": str(self.path),
            "fits": self.fits,
            "changes": list(self.changes),
            "python": self.python,
            "platforms": list(self.packages),
            "packages": {name: dict(numbers) for name, numbers in self.packages.items()},
            "content_hash": dict(self.content_hash),
        }


def write_lock(
    engine: Engine | None,
    bundle: Bundle,
    options: EnvironmentOptions,
    platforms: Sequence[str],
    reporter: Reporter,
) -> LockResult:
    """Lock the conda file of a deployment, for these platforms or for those of the lock there.

    ``engine`` is None where none runs: it tells which Python an image has. Raises UsageError
    where there is nothing to lock or the lock cannot be written, EnvironmentFailure where no
    versions fit together.
    """
    deployment, source = _locked_deployment(bundle)
    path = lock_path(source)
    wanted = _platforms(platforms) or _platforms_there(source) or (DEFAULT_PLATFORM,)
    _check_writable(path)
    plan = plan_lock(engine, deployment, source, options)
    for warning in plan.image.warnings:
        reporter.warn(warning)
    conda = {platform: _lock_conda(plan, platform, reporter) for platform in wanted}
    pip = _lock_pip(plan, conda, reporter)
    hashes = content_hashes(source, wanted)
    file = LockFile(
        path=path,
        platforms=wanted,
        content_hash=hashes,
        channels=source.channels,
        sources=(os.path.relpath(source.file, path.parent),),
        conda=conda,
        pip=pip,
        digest="",
        python=plan.python or _minor(conda[wanted[0]]),
        record=Record(source.record, hashes),
    )
    _write(path, lock_text(file))
    return _result(file)


def check_lock(bundle: Bundle, options: EnvironmentOptions, platforms: Sequence[str]) -> LockResult:
    """Hold the lock of a deployment's conda file against that; nothing is solved or written.

    It has to be there for these platforms, or for linux-64 where none is named. Raises
    UsageError where nothing can be locked, SpecError where the lock is mangled.
    """
    _, source = _locked_deployment(bundle)
    wanted = _platforms(platforms)
    file = find_lock_file(source)
    if file is None:
        return LockResult(lock_path(source), None, {}, {}, ("there is no lock",))
    found = misfits(file, source, wanted or (DEFAULT_PLATFORM, *file.platforms))
    if options.python is not None and file.python not in {None, options.python}:
        found.append(f"it was made for Python {file.python}, not {options.python}")
    return _result(file, tuple(found))


def _result(file: LockFile, changes: tuple[str, ...] = ()) -> LockResult:
    packages = {
        platform: {"conda": len(file.conda[platform]), "pip": len(file.pip[platform])}
        for platform in file.platforms
    }
    return LockResult(file.path, file.python, file.content_hash, packages, changes)


def _locked_deployment(bundle: Bundle) -> tuple[DeploymentSpec, CondaSource]:
    if bundle.deployment is None:
        raise UsageError(
            "The files hold no deployment.",
            cause="A lock belongs to the conda file of one.",
            remedy="Name the deployment's file with -f.",
        )
    deployment = completed(bundle.deployment)
    source = conda_source_of(deployment)
    if source is None:
        raise UsageError(
            f"Deployment {deployment.name} has nothing to lock.",
            cause="Its environment names no conda file.",
            remedy="Name one with `conda_file:` under `environment:`.",
        )
    return deployment, source


def _platforms(names: Sequence[str]) -> tuple[str, ...]:
    unknown = next((name for name in names if name not in UV_PLATFORMS), None)
    if unknown is not None:
        raise UsageError(
            f"There is no platform {unknown}.",
            cause="Platforms are named as conda names them.",
            remedy=f"Name one of {', '.join(UV_PLATFORMS)}.",
        )
    return tuple(dict.fromkeys(names))


def _platforms_there(source: CondaSource) -> tuple[str, ...]:
    file = find_lock_file(source)
    return () if file is None else tuple(name for name in file.platforms if name in UV_PLATFORMS)


def _lock_conda(plan: LockPlan, platform: str, reporter: Reporter) -> tuple[CondaPackage, ...]:
    if not plan.specs:
        return ()
    program = find_program(os.environ)
    by = f" by {Path(program).name}" if program is not None else ""
    reporter.step(f"Solving the conda packages for {platform}{by}")
    request = SolveRequest(
        plan.specs, plan.channels, platform, virtual_packages(platform, plan.cuda)
    )
    return solve_for_lock(request, program, reporter.line)


def _lock_pip(
    plan: LockPlan, conda: Mapping[str, tuple[CondaPackage, ...]], reporter: Reporter
) -> dict[str, tuple[LockedPip, ...]]:
    """pip's part for each platform; without the old server's packages where they stop it."""
    found = {}
    try:
        for platform, packages in conda.items():
            reporter.step(f"Locking pip's list for {platform}")
            request = PipRequest(
                plan.image.requirements,
                _version_of_python(packages) or plan.python or "",
                platform,
                plan.image.private_options,
                tuple(_python_packages(packages)),
            )
            found[platform] = lock_pip(request, os.environ, reporter.line)
    except EnvironmentFailure:
        other = plan.without_old_server()
        if other is None:
            raise
        reporter.warn(other.image.warnings[-1])
        return _lock_pip(other, conda, reporter)
    return found


def _version_of_python(conda: Sequence[CondaPackage]) -> str | None:
    return next((package.version for package in conda if package.name == "python"), None)


def _minor(conda: Sequence[CondaPackage]) -> str | None:
    version = _version_of_python(conda)
    return ".".join(version.split(".")[:2]) if version is not None else None


def _python_packages(conda: Sequence[CondaPackage]) -> Iterator[tuple[str, str]]:
    """What conda brings of Python's modules, by pip's name of it, and its version."""
    for package in conda:
        if "python" not in {spec.split(" ")[0] for spec in package.depends}:
            continue
        with suppress(InvalidVersion):
            Version(package.version)
            twins = find_twins([package.name]).requirements
            yield (twins[0].partition("[")[0] if twins else package.name), package.version


def _check_writable(path: Path) -> None:
    """Refuse a folder before a minute is spent on solving."""
    if not os.access(path.parent, os.W_OK):
        raise _not_written(path, "Permission denied")


def _write(path: Path, text: str) -> None:
    """Put the whole file in its place at once."""
    path = Path(os.path.realpath(path))
    try:
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~_umask()
        number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).chmod(mode)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _not_written(path, error.strerror or str(error)) from error


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _not_written(path: Path, cause: str) -> UsageError:
    return UsageError(
        f"{path} cannot be written.",
        cause=f"{cause}.",
        remedy="A lock lies beside its conda file; have that in a folder that you may write to.",
    )
