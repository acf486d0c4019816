"""The lock of a conda file: found beside it, and held against it.

A lock is conda-lock's file, ``conda-lock.yml``, in the folder of the conda file; where the conda
file is a mapping in the deployment's YAML, in the folder of that. A folder with several conda
files has ``NAME.conda-lock.yml`` for those that came second. Whether a lock fits is decided by
conda-lock's own content hash, so that conda-lock and localep agree; a file that localep wrote
also keeps what it was made from, which says what has changed since, and is quicker to compare.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localep.conda.lock_file import WRITE_ANEW, LockedPip, LockFile, read_lock_file
from localep.conda.lock_source import CondaSource, changes, conda_name, pip_name
from localep.environment.requirements import INFERENCE_SERVER
from localep.errors import EnvironmentFailure, SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from localep.conda.packages import CondaPackage

__all__ = [
    "DEFAULT_PLATFORM",
    "Lock",
    "LockedPip",
    "differences",
    "find_lock",
    "find_lock_file",
    "lock_path",
]

LOCK_NAME = "conda-lock.yml"
DEFAULT_PLATFORM = "linux-64"


@dataclass(frozen=True)
class Lock:
    """What a lock holds for one platform.

    ``python`` is the minor version that it was made for ("3.11"): of the Python among
    ``conda``, or of the image where conda brings none; None where the lock does not tell.
    ``conda`` is in the order of installation; a package has an empty sha256 where the lock has
    its md5 alone. ``digest`` is the sha256 of the file.
    """

    path: Path
    platform: str
    python: str | None
    conda: tuple[CondaPackage, ...]
    pip: tuple[LockedPip, ...]
    digest: str

    @property
    def requirements(self) -> tuple[str, ...]:
        """pip's list, one exact line a package, with its hash where there is one.

        They name all that pip installs, so they are installed with ``--no-deps``.
        """
        return tuple(package.requirement for package in self.pip)

    @property
    def brings_server(self) -> bool:
        """Whether the inference server is in it; a lock made by conda-lock may lack it."""
        return any(package.name == INFERENCE_SERVER for package in self.pip)


def find_lock(
    conda_file: Path, platform: str = DEFAULT_PLATFORM, *, data: Mapping[str, Any] | None = None
) -> Lock | None:
    """The lock of a conda file, None where there is none.

    ``data`` is the mapping where it stands in a YAML file in the place of a conda file;
    ``conda_file`` is that YAML file then. Raises EnvironmentFailure where the lock no longer
    fits the conda file or holds nothing for the platform, SpecError where it is no lock.
    """
    if not lock_files(conda_file):
        return None
    source = read_source(conda_file, data)
    file = find_lock_file(source)
    if file is None:
        return None
    if platform not in file.platforms:
        raise EnvironmentFailure(
            f"{file.path} holds nothing for {platform}.",
            cause=f"It was made for {', '.join(file.platforms)}.",
            remedy=f"Add it with `localep lock --platform {platform}`, or remove the lock.",
        )
    changed = differences(file, source, platform)
    if changed:
        raise EnvironmentFailure(
            f"{file.path} no longer fits {conda_file.name}.",
            cause=f"{'; '.join(changed)}.",
            remedy=WRITE_ANEW,
        )
    conda = file.conda[platform]
    return Lock(
        file.path, platform, _python(file, platform), conda, file.pip[platform], file.digest
    )


def read_source(conda_file: Path, data: Mapping[str, Any] | None = None) -> CondaSource:
    """What a conda file says. Raises SpecError where it cannot be read."""
    if data is not None:
        return CondaSource(conda_file, data, is_inline=True)
    import yaml

    try:
        found = yaml.safe_load(conda_file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SpecError(
            f"{conda_file} cannot be read.",
            cause=" ".join(str(error).split()),
            remedy="Write `dependencies:` as a list of packages, with `- pip:` and a list in it.",
        ) from error
    return CondaSource(conda_file, found if isinstance(found, dict) else {})


def find_lock_file(source: CondaSource) -> LockFile | None:
    """The lock file of a conda file, whether it fits or not. Raises SpecError."""
    for path in lock_files(source.file):
        file = read_lock_file(path)
        if _is_of(file, source.file):
            return file
    return None


def lock_files(conda_file: Path) -> tuple[Path, ...]:
    """The files that may be the lock of a conda file, the likelier one first."""
    return tuple(path for path in _places(conda_file) if path.is_file())


def lock_path(source: CondaSource) -> Path:
    """Where the lock of a conda file is written. Raises SpecError where a lock is mangled."""
    own, common = _places(source.file)
    if own.is_file() or (common.is_file() and not _is_of(read_lock_file(common), source.file)):
        return own
    return common


def differences(file: LockFile, source: CondaSource, platform: str) -> tuple[str, ...]:
    """What keeps a lock from fitting a conda file on a platform; empty where it fits."""
    digest = str(file.content_hash.get(platform))
    kept = file.record
    if kept is not None and kept.content_hash.get(platform) != digest:
        kept = None  # conda-lock has made this part anew since
    if kept is not None and kept.conda_file == source.record:
        return ()
    from localep.conda.conda_lock import content_hashes, fits

    if kept is not None:
        if content_hashes(source, [platform])[platform] == digest:
            return ()
        return changes(kept.conda_file, source.record) or _UNKNOWN
    if fits(source, _made_from(file, source), file.channels, platform, digest):
        return ()
    return _not_locked(file, source, platform) or _UNKNOWN


_UNKNOWN = ("the content hash is another: the conda file was changed",)


def _not_locked(file: LockFile, source: CondaSource, platform: str) -> tuple[str, ...]:
    conda = {package.name for package in file.conda[platform]}
    pip = {pip_name(package.name) for package in file.pip[platform]}
    asked = [(line, conda_name(line) in conda) for line in source.packages]
    asked += [(line, pip_name(line) in pip | conda) for line in source.pip]
    missing = [line for line, is_there in asked if not is_there and not line.startswith("-")]
    return tuple(f"{line} is not in the lock" for line in missing)


def _places(conda_file: Path) -> tuple[Path, Path]:
    folder = conda_file.parent
    return folder / f"{conda_file.stem}.{LOCK_NAME}", folder / LOCK_NAME


def _is_of(file: LockFile, conda_file: Path) -> bool:
    """Whether a lock was made from a conda file, or from one that is no longer there."""
    if file.path.name != LOCK_NAME:
        return True
    sources = _sources(file)
    return not sources or any(path.samefile(conda_file) for path in sources)


def _made_from(file: LockFile, source: CondaSource) -> list[Path]:
    """The files that a lock was made from; conda-lock makes one of several, too."""
    own = source.file
    found = [own if path.samefile(own) else path for path in _sources(file)]
    return found if own in found and not source.is_inline else [own]


def _sources(file: LockFile) -> list[Path]:
    paths = (file.path.parent / name for name in file.sources)
    return [path for path in paths if path.is_file()]


def _python(file: LockFile, platform: str) -> str | None:
    found = next((one.version for one in file.conda[platform] if one.name == "python"), file.python)
    return ".".join(found.split(".")[:2]) if found is not None else None
