"""The files of a deployment, packed so that unpacking them at ``/`` puts them in their places."""

from __future__ import annotations

import io
import os
import posixpath
import stat
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Protocol, cast

from localep.errors import EngineError
from localep.operations import layout
from localep.operations.snapshot import files_below, reading

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from localep.engine.base import Engine
    from localep.spec.model import DeploymentSpec

# What comes and goes with every run of Python.
_BYTE_CODE = "__pycache__"
_REMEDY = "Check its permissions."
Owner = tuple[int, int]
ROOT: Owner = (0, 0)


class Files(Protocol):
    """The files of one deployment."""

    def add_code(self, tar: tarfile.TarFile, owner: Owner) -> None:
        """Add the snapshot of the code as somebody's own files. Raises DiskFull."""

    def add_models(self, tar: tarfile.TarFile) -> None:
        """Add the models for everybody to read. Raises SpecError or DiskFull."""


@dataclass(frozen=True)
class FilesOfContainer:
    """The files of a deployment's container, whatever became of those of this machine."""

    engine: Engine
    container: str
    spec: DeploymentSpec

    def add_code(self, tar: tarfile.TarFile, owner: Owner) -> None:
        """Add the snapshot of the code as somebody's own files. Raises DiskFull."""
        if self.spec.code is not None:
            self._copy(layout.code_folder(self.spec.code), tar, owner)

    def add_models(self, tar: tarfile.TarFile) -> None:
        """Add the models for everybody to read. Raises DiskFull."""
        places = layout.model_places(self.spec)
        _add_folders(tar, places, layout.models_folder(self.spec))
        for place in places:
            self._copy(place, tar, ROOT)

    def _copy(self, path: str, tar: tarfile.TarFile, owner: Owner) -> None:
        with tempfile.TemporaryFile() as archive:
            if not self.engine.copy_tree(self.container, path, archive):
                raise EngineError(
                    f"{path} is not in the deployment's container.",
                    cause="It was removed there since it was started.",
                    remedy="Start it anew with `localep update`, then try again.",
                )
            archive.seek(0)
            _copy_members(archive, tar, posixpath.dirname(path), owner)


@dataclass(frozen=True)
class FilesOfHost:
    """The snapshot of a code folder of this machine, and the models as they lie there."""

    spec: DeploymentSpec
    snapshot: IO[bytes] | None

    def add_code(self, tar: tarfile.TarFile, owner: Owner) -> None:
        """Add the snapshot of the code as somebody's own files."""
        if self.spec.code is not None and self.snapshot is not None:
            self.snapshot.seek(0)
            folder = layout.code_folder(self.spec.code)
            _copy_members(self.snapshot, tar, "/", owner, only_below=folder)

    def add_models(self, tar: tarfile.TarFile) -> None:
        """Add the models for everybody to read. Raises SpecError or DiskFull."""
        places = layout.model_places(self.spec)
        _add_folders(tar, places, layout.models_folder(self.spec))
        for place, model in places.items():
            path = cast("Path", model.path)
            with reading(path, _REMEDY):
                _add_of_host(tar, path, place)
                for file, name in files_below(path) if path.is_dir() else ():
                    _add_of_host(tar, file, f"{place}/{name}")


def add_folder(tar: tarfile.TarFile, path: str, owner: Owner = ROOT) -> None:
    """Add a folder that everybody may list."""
    member = _member(path, owner)
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    tar.addfile(member)


def add_text(tar: tarfile.TarFile, path: str, text: str) -> None:
    """Add a file of root's that everybody may read."""
    content = text.encode()
    member = tarfile.TarInfo(path.lstrip("/"))
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _copy_members(
    archive: IO[bytes], tar: tarfile.TarFile, folder: str, owner: Owner, only_below: str = "/"
) -> None:
    """Add what an archive holds below ``folder``, or that part of it below ``only_below``."""
    with tarfile.open(fileobj=archive) as source:
        for member in source:
            target = posixpath.join(folder, member.name)
            is_wanted = f"{target}/".startswith(only_below.rstrip("/") + "/")
            if not is_wanted or _BYTE_CODE in target.split("/"):
                continue
            if member.isdir():
                add_folder(tar, target, owner)
            elif member.issym():
                _add_link(tar, target, member.linkname, tarfile.SYMTYPE, owner)
            elif member.islnk():  # a second name of a file that came before
                name = posixpath.join(folder, member.linkname).lstrip("/")
                _add_link(tar, target, name, tarfile.LNKTYPE, owner)
            elif (content := source.extractfile(member)) is not None:
                _add_file(tar, target, content, member, owner)


def _add_of_host(tar: tarfile.TarFile, path: Path, target: str) -> None:
    if path.is_dir():
        add_folder(tar, target)
        return
    with path.open("rb") as content:
        status = os.fstat(content.fileno())
        like = tarfile.TarInfo()
        like.size, like.mode = status.st_size, status.st_mode
        _add_file(tar, target, content, like, ROOT)


def _add_folders(tar: tarfile.TarFile, places: Iterable[str], top: str) -> None:
    """Add the folders between ``top`` and what lies below it, from the top down."""
    found = {
        str(parent)
        for place in places
        for parent in PurePosixPath(place).parents
        if parent.is_relative_to(top)
    }
    for folder in sorted(found):
        add_folder(tar, folder)


def _add_link(tar: tarfile.TarFile, path: str, target: str, kind: bytes, owner: Owner) -> None:
    member = _member(path, owner)
    member.type, member.linkname = kind, target
    tar.addfile(member)


def _add_file(
    tar: tarfile.TarFile, path: str, content: IO[bytes], like: tarfile.TarInfo, owner: Owner
) -> None:
    """Add a file with the size and executability of another."""
    member = _member(path, owner)
    member.size = like.size
    member.mode = 0o755 if like.mode & stat.S_IXUSR else 0o644
    tar.addfile(member, content)


def _member(path: str, owner: Owner) -> tarfile.TarInfo:
    # Without a date: they change with every copy and checkout, and the layer with them.
    member = tarfile.TarInfo(path.lstrip("/"))
    member.uid, member.gid = owner
    return member
