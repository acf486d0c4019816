"""The registry on disk: one file an asset, written whole or not at all.

::

    registry/.lock
    registry/models/NAME/VERSION.json
    registry/environments/NAME/VERSION.json

Who writes holds the lock; who reads needs none.
"""

from __future__ import annotations

import errno
import json
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localep.errors import AssetConflict, UsageError
from localep.registry.assets import Asset, Content, Kind, is_name, is_number, is_version, order

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUFFIX = ".json"


@dataclass(frozen=True)
class Store:
    """The models and environments that are registered below a folder.

    Every method raises UsageError where the folder, or a file in it, cannot be used.
    """

    folder: Path

    def names(self, kind: Kind) -> list[str]:
        """Every name with a version, sorted."""
        found = _listed(self._kind_folder(kind))
        return sorted(name for name in found if is_name(name) and self.versions(kind, name))

    def versions(self, kind: Kind, name: str) -> list[str]:
        """The versions of a name: numbers first, by their value, then the others."""
        if not is_name(name):
            return []
        files = _listed(self._kind_folder(kind) / name)
        versions = (file.removesuffix(_SUFFIX) for file in files if file.endswith(_SUFFIX))
        return sorted(filter(is_version, versions), key=order)

    def get(self, kind: Kind, name: str, version: str) -> Asset | None:
        """One version, None where it is not registered."""
        if not is_name(name) or not is_version(version):
            return None
        file = self._file(kind, name, version)
        try:
            return _asset(kind, name, version, file, file.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unusable(file, error) from error

    def latest(self, kind: Kind, name: str) -> Asset | None:
        """The version that was registered last, as in the cloud, whatever it is called."""
        found = [self.get(kind, name, version) for version in self.versions(kind, name)]
        there = [asset for asset in found if asset is not None]
        return max(there, key=lambda asset: (asset.created_at, order(asset.version)), default=None)

    def add(self, kind: Kind, name: str, version: str | None, content: Content) -> Asset:
        """Register a version, the next number where none is given.

        A version that stands for the same content already is left as it is. Raises AssetConflict
        where it stands for something else.
        """
        with self._alone():
            version = version or self._next(kind, name)
            there = self.get(kind, name, version)
            if there is not None:
                return _same(there, content)
            file = self._file(kind, name, version)
            created_at = datetime.now(timezone.utc).isoformat(timespec="microseconds")
            asset = Asset(kind, name, version, content, created_at, file)
            _write(asset)
            return asset

    def remove(self, kind: Kind, name: str, version: str | None = None) -> list[str]:
        """Take a version away, or all of a name; returns those that were there."""
        with self._alone():
            versions = self.versions(kind, name)
            gone = [item for item in versions if version in {None, item}]
            for item in gone:
                file = self._file(kind, name, item)
                try:
                    file.unlink(missing_ok=True)
                except OSError as error:
                    raise _unusable(file, error) from error
            if gone:
                with suppress(OSError):  # not empty
                    self._file(kind, name, "").parent.rmdir()
            return gone

    def _next(self, kind: Kind, name: str) -> str:
        numbers = [int(item) for item in self.versions(kind, name) if is_number(item)]
        return str(max(numbers, default=0) + 1)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Let nobody else write to the registry during the block."""
        from filelock import FileLock

        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(self.folder, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            lock = FileLock(self.folder / ".lock")
            lock.acquire()
        except OSError as error:
            raise _unusable(self.folder, error) from error
        try:
            yield
        finally:
            lock.release()

    def _kind_folder(self, kind: Kind) -> Path:
        return self.folder / f"{kind.value}s"

    def _file(self, kind: Kind, name: str, version: str) -> Path:
        return self._kind_folder(kind) / name / f"{version}{_SUFFIX}"


def store_of_user() -> Store:
    """The registry of the user who runs this command, the same in every namespace."""
    data = os.environ.get("XDG_DATA_HOME")
    return Store(Path(data or Path("~/.local/share").expanduser()).absolute() / "localep/registry")


def _same(there: Asset, content: Content) -> Asset:
    if there.content.stands_for_the_same(content):
        return there
    kind, name, version = there.kind.value, there.name, there.version
    path, is_same_path = there.content.path, there.content.path == content.path
    cause = f"It stands for {path}."
    if is_same_path and there.content.document is not None:
        cause = f"It stands for what {path} was before."
    elif is_same_path:
        cause = f"It stands for {path} as a {there.content.type}."
    raise AssetConflict(
        f"The {kind} {name} has a version {version} already.",
        cause=cause,
        remedy="Register another version, or delete that one: "
        f"`localep {kind} delete -n {name} -v {version}`.",
    )


def _write(asset: Asset) -> None:
    text = json.dumps(
        {
            "created_at": asset.created_at,
            "path": str(asset.content.path),
            "type": asset.content.type,
            "document": asset.content.document,
        },
        indent=2,
    )
    new = asset.file.with_name(f".{asset.file.name}.new")  # of one name: the lock is held
    try:
        asset.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with new.open("w", encoding="utf-8") as stream:
            stream.write(f"{text}\n")
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(asset.file)
    except OSError as error:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        with suppress(OSError):  # not empty
            asset.file.parent.rmdir()
        raise _unusable(asset.file, error) from error


def _asset(kind: Kind, name: str, version: str, file: Path, text: bytes) -> Asset:
    try:
        data: Any = json.loads(text)
        content = Content(Path(data["path"]), data["type"], data["document"])
        created_at = data["created_at"]
        if (
            not isinstance(created_at, str)
            or not isinstance(content.document, dict if kind is Kind.ENVIRONMENT else type(None))
            or not isinstance(content.type, (str, type(None)))
        ):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            f"Version {version} of the {kind.value} {name} cannot be read.",
            cause=f"{file} is not what localep wrote.",
            remedy=f"Say `localep {kind.value} delete -n {name} -v {version}`, and register it "
            "again.",
        ) from error
    return Asset(kind, name, version, content, created_at, file)


def _listed(folder: Path) -> list[str]:
    """The names in a folder, none where there is no such folder."""
    try:
        return [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise _unusable(folder, error) from error


def _unusable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"The registry at {path} cannot be used.",
        cause=f"{error.strerror or error}.",
        remedy="Name a folder that you may use in XDG_DATA_HOME.",
    )
