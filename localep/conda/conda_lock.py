"""conda-lock's own package: its content hash, its writer, and its solver.

It takes half a second to import, so every function here does that by itself.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localep.conda.lock_file import PYTHON_KEY, RECORD_KEY
from localep.conda.lock_source import public
from localep.conda.packages import CondaPackage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conda_lock.lockfile.v2prelim.models import LockedDependency
    from conda_lock.models.lock_spec import LockSpecification

    from localep.conda.lock_file import LockedPip, LockFile
    from localep.conda.lock_source import CondaSource

_HEADER = """\
# Written by `localep lock` in conda-lock's format, version 1. Do not edit it: write it anew.
"""
# Where conda-lock makes its folders.
_FOLDER_VARIABLE = "RUNNER_TEMP"
# Whoever locks by conda-lock may name the target's CUDA, which the content hash holds.
_CUDA_VERSIONS = tuple(f"{major}.{minor}" for major in (13, 12, 11, 10) for minor in range(10))
_VIRTUAL_PACKAGES = ("virtual-packages.yml", "virtual-packages.yaml")


def content_hashes(source: CondaSource, platforms: Sequence[str]) -> dict[str, str]:
    """conda-lock's content hash of a conda file by platform, as its command computes it.

    What conda-lock cannot read counts too, though its own command fails on such a file: options
    in pip's list are added to the hash, and a file with a line of another kind has a hash of
    localep's own. Credentials do not count.
    """
    with _imported() as scratch:
        from conda_lock.content_hash import compute_content_hashes
        from conda_lock.virtual_package import default_virtual_package_repodata

        spec = _specification(scratch, [source.file], source, platforms)
        if spec is None:
            return {platform: _own_hash(source, platform) for platform in platforms}
        found = compute_content_hashes(spec, default_virtual_package_repodata())
    return {platform: _with_options(source, found[platform]) for platform in platforms}


def fits(
    source: CondaSource, files: Sequence[Path], channels: Sequence[str], platform: str, digest: str
) -> bool:
    """Whether a content hash is one of those that conda-lock takes for a conda file's.

    ``files`` are those that the lock was made from; ``channels`` are the lock's, which count
    where the conda file names none. The virtual packages may be conda-lock's own, those of
    another CUDA or none, or those of a file beside the conda file.
    """
    with _imported() as scratch:
        from conda_lock.content_hash import backwards_compatible_content_hashes

        spec = _specification(scratch, files, source, [platform], channels)
        if spec is None:
            return digest == _own_hash(source, platform)
        return any(
            digest == _with_options(source, found)
            for virtual in _virtual_packages(source.file.parent)
            for found in backwards_compatible_content_hashes(spec, virtual, platform)
        )


def lock_text(file: LockFile) -> str:
    """A lock as it is written; the same content gives the same text."""
    with _imported() as scratch:
        from conda_lock.lockfile import write_conda_lock_file
        from conda_lock.lockfile.v2prelim.models import Lockfile, LockMeta

        custom = {}
        if file.python is not None:
            custom[PYTHON_KEY] = file.python
        if file.record is not None:
            custom[RECORD_KEY] = file.record.to_text()
        metadata = LockMeta(
            content_hash=dict(file.content_hash),
            channels=list(file.channels),
            platforms=list(file.platforms),
            sources=list(file.sources),
            custom_metadata=custom or None,
        )
        packages = [_entry(package, name) for name in file.platforms for package in file.all(name)]
        written = scratch / file.path.name
        write_conda_lock_file(
            Lockfile(package=packages, metadata=metadata),
            written,
            metadata_choices=None,
            include_help_text=False,
        )
        return f"{_HEADER}{written.read_text('utf-8')}"


def _entry(package: CondaPackage | LockedPip, platform: str) -> LockedDependency:
    from conda_lock.lockfile.v2prelim.models import HashModel, LockedDependency

    is_conda = isinstance(package, CondaPackage)
    needs: dict[str, str] = {}
    for spec in package.depends if isinstance(package, CondaPackage) else ():
        name, _, constraint = spec.partition(" ")
        needs[name] = ",".join(filter(None, (needs.get(name), constraint)))
    return LockedDependency(
        name=package.name,
        version=package.version,
        manager="conda" if is_conda else "pip",
        platform=platform,
        dependencies=needs,
        url=package.url,
        hash=HashModel(md5=package.md5, sha256=package.sha256 or None),
        build=package.build if isinstance(package, CondaPackage) else None,
        categories={"main"},
    )


@contextmanager
def _imported() -> Iterator[Path]:
    """conda-lock without its own warnings and log; the folder for what it would leave behind.

    It removes its folders where the interpreter ends in good order, which localep's does not.
    """
    logger = logging.getLogger("conda_lock")
    level, folder = logger.level, os.environ.get(_FOLDER_VARIABLE)
    with tempfile.TemporaryDirectory(prefix="localep-lock-") as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logger.setLevel(logging.CRITICAL)
        os.environ[_FOLDER_VARIABLE] = name
        try:
            yield Path(name)
        finally:
            logger.setLevel(level)
            del os.environ[_FOLDER_VARIABLE]
            if folder is not None:
                os.environ[_FOLDER_VARIABLE] = folder


def _specification(
    scratch: Path,
    files: Sequence[Path],
    source: CondaSource,
    platforms: Sequence[str],
    channels: Sequence[str] = (),
) -> LockSpecification | None:
    """What conda-lock understands of conda files; None where it understands nothing."""
    from conda_lock.src_parser import make_lock_spec

    names = scratch / "names.json"
    # conda-lock would fetch the conda names of pip's packages; it needs but that of pip.
    names.write_text("{}", "utf-8")
    try:
        return make_lock_spec(
            src_files=[_readable(file, source, scratch) for file in files],
            channel_overrides=None if source.channels else tuple(channels) or None,
            platform_overrides=tuple(platforms),
            mapping_url=str(names),
        )
    except Exception:  # whatever its parsers make of the file
        return None


def _readable(file: Path, source: CondaSource, scratch: Path) -> Path:
    """The file, or a copy without what conda-lock cannot read or must not see."""
    if file != source.file:
        return file
    if not source.is_inline and not source.pip_options and not _holds_secrets(file):
        return file  # as it is: comments may be selectors of a platform to conda-lock
    import yaml

    pip = [line for line in source.pip if line not in source.pip_options]
    data = dict(source.data)
    data["dependencies"] = [*source.packages, *([{"pip": pip}] if pip else [])]
    if source.channels:
        data["channels"] = list(source.channels)
    copy = scratch / "environment.yml"
    copy.write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")
    return copy


def _holds_secrets(file: Path) -> bool:
    text = file.read_text("utf-8")
    return public(text) != text


def _virtual_packages(folder: Path) -> Iterator[Any]:
    from conda_lock.virtual_package import (
        default_virtual_package_repodata,
        virtual_package_repo_from_specification,
    )

    yield default_virtual_package_repodata()
    yield default_virtual_package_repodata(cuda_version="")
    for name in _VIRTUAL_PACKAGES:
        if (folder / name).is_file():
            yield virtual_package_repo_from_specification(folder / name)
    for version in _CUDA_VERSIONS:
        yield default_virtual_package_repodata(cuda_version=version)


def _with_options(source: CondaSource, digest: str) -> str:
    if not source.pip_options:
        return digest
    return hashlib.sha256("\n".join((digest, *source.pip_options)).encode()).hexdigest()


def _own_hash(source: CondaSource, platform: str) -> str:
    return hashlib.sha256(json.dumps([source.record, platform]).encode()).hexdigest()
