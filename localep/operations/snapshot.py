"""The code folder as the deployment gets it: a snapshot, without what an ignore file names."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
import tarfile
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from localep.errors import DiskFull, SpecError
from localep.spec.ignore_files import ignored_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_IN_MEMORY = 8 * 1024 * 1024
# What tempfile says where not one byte can be written to any folder that it knows.
_NO_FOLDER = "No usable temporary directory"


@dataclass(frozen=True)
class Addition:
    """What localep adds to a code folder: a file with this content, or a link.

    ``name`` starts from the code folder, or is a path of the container's own; what the folder
    has of its own comes first, and ``otherwise`` is the warning then.
    """

    name: str
    content: bytes = b""
    link: str = ""
    otherwise: str = ""


@dataclass(frozen=True)
class Snapshot:
    """A tar archive of the code, and a digest that is the same for the same files.

    The digest covers names, contents and whether a file is executable; dates and owners do not
    count. ``warnings`` tell what could not be packed.
    """

    archive: IO[bytes]
    digest: str
    warnings: tuple[str, ...] = ()


def take_snapshot(
    folder: Path, target: str, owner: tuple[int, int], additions: Iterable[Addition] = ()
) -> Snapshot:
    """Pack a code folder so that unpacking it at ``/`` puts it at ``target``.

    Links are followed, as the container does not see what they point at; byte code is left out,
    as it comes and goes with every run on this machine. Raises SpecError where
    a file cannot be read, DiskFull where the archive finds no place.
    """
    archive = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the caller's
    digest = hashlib.sha256()
    prefix = target.lstrip("/")
    left_out: list[Path] = []
    present: set[str] = set()
    warnings: list[str] = []
    try:
        with (
            reading(folder),
            tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            _add_folder(tar, prefix, owner)
            for path, name in _walk(folder, "", ignored_in(folder), frozenset(), left_out):
                if path.is_dir():
                    _add_folder(tar, f"{prefix}/{name}", owner)
                    digest.update(os.fsencode(f"folder {name}\0"))
                else:
                    _add_file(tar, path, f"{prefix}/{name}", owner, digest)
                present.add(name)
            for addition in additions:
                if addition.name not in present:
                    _add(tar, addition, prefix, owner, digest)
                elif addition.otherwise:
                    warnings.append(addition.otherwise)
    except BaseException:
        archive.close()
        raise
    archive.seek(0)
    return Snapshot(archive, digest.hexdigest(), (*map(_left_out, left_out), *warnings))


@contextmanager
def reading(
    what: Path,
    remedy: str = "Check its permissions, or name it in .amlignore if it is not needed.",
) -> Iterator[None]:
    """Tell what goes wrong while files of this machine are packed.

    Raises SpecError where one cannot be read, DiskFull where the copy finds no place.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT} or _NO_FOLDER in str(error):
            raise DiskFull(
                f"There is no place for a copy of {what}.",
                cause=f"{tempfile.tempdir or 'Every folder for temporary files'} is full.",
                remedy="Free disk space there, or have TMPDIR name a folder on another disk.",
            ) from error
        raise SpecError(
            f"{error.filename or what} cannot be read.",
            cause=f"{error.strerror or error}.",
            remedy=remedy,
        ) from error


def files_below(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every folder and file below ``folder``, links followed, with its name from there."""
    return _walk(folder, "", lambda _: False, frozenset(), [])


def _walk(
    folder: Path,
    name: str,
    ignored: Callable[[str], bool],
    parents: frozenset[Path],
    left_out: list[Path],
) -> Iterator[tuple[Path, str]]:
    """Every folder and file below ``folder`` that is not ignored, in a stable order.

    What is neither goes to ``left_out``.
    """
    real = folder.resolve()
    if real in parents:  # a link that leads back to where it stands
        return
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        relative = f"{name}{entry.name}"
        if path.is_dir():  # unlike entry.is_dir(), False for a link that leads to itself
            if entry.name != "__pycache__" and not ignored(f"{relative}/"):
                yield path, relative
                yield from _walk(path, f"{relative}/", ignored, parents | {real}, left_out)
        elif ignored(relative):
            continue
        elif path.is_file():
            yield path, relative
        else:
            left_out.append(path)


def _left_out(path: Path) -> str:
    kind = "a link that leads nowhere" if path.is_symlink() else "neither a file nor a folder"
    return f"{path} is {kind}; it is left out of the code."


def _add(
    tar: tarfile.TarFile,
    addition: Addition,
    prefix: str,
    owner: tuple[int, int],
    digest: hashlib._Hash,
) -> None:
    is_absolute = addition.name.startswith("/")
    member = tarfile.TarInfo(addition.name[1:] if is_absolute else f"{prefix}/{addition.name}")
    member.uid, member.gid = owner
    if addition.link:
        member.type = tarfile.SYMTYPE
        member.linkname = addition.link
    else:
        member.size = len(addition.content)
    digest.update(f"added {addition.name} {addition.link}\0".encode() + addition.content)
    tar.addfile(member, io.BytesIO(addition.content))


def _add_folder(tar: tarfile.TarFile, name: str, owner: tuple[int, int]) -> None:
    member = tarfile.TarInfo(name)
    member.type = tarfile.DIRTYPE
    member.mode = 0o755
    member.uid, member.gid = owner
    tar.addfile(member)


def _add_file(
    tar: tarfile.TarFile, path: Path, name: str, owner: tuple[int, int], digest: hashlib._Hash
) -> None:
    with path.open("rb") as stream:
        status = os.fstat(stream.fileno())
        executable = bool(status.st_mode & stat.S_IXUSR)
        member = tarfile.TarInfo(name)
        member.size = status.st_size
        member.mtime = int(status.st_mtime)
        member.mode = 0o755 if executable else 0o644
        member.uid, member.gid = owner
        digest.update(os.fsencode(f"file {name} {status.st_size} {executable}\0"))
        tar.addfile(member, _HashingReader(stream, digest))


class _HashingReader:
    """Reads a file and digests what was read, so that it is read once."""

    def __init__(self, stream: IO[bytes], digest: hashlib._Hash) -> None:
        self.stream = stream
        self.digest = digest

    def read(self, size: int = -1) -> bytes:
        content = self.stream.read(size)
        self.digest.update(content)
        return content
