"""One command at a time on an endpoint; a lock ends with its process, however that ends."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localep.errors import EndpointConflict, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Locks:
    """Locks among all commands that share a folder: those of one user on one machine."""

    folder: Path

    @contextmanager
    def hold(self, namespace: str, endpoint: str, patience: float = 0) -> Iterator[None]:
        """Keep other commands from changing an endpoint during the block.

        Raises EndpointConflict where another command is changing it, after as many seconds as
        there is patience.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self._file(namespace, endpoint))
        try:
            lock.acquire(timeout=patience)
        except Timeout as error:
            raise EndpointConflict(
                f"Endpoint {endpoint} is being changed.",
                cause="Another localep command is at work on it.",
                remedy="Wait for that command to end, and try again.",
            ) from error
        try:
            yield
        finally:
            lock.release()

    def is_held(self, namespace: str, endpoint: str) -> bool:
        """Whether a command is changing an endpoint now."""
        try:
            with self.hold(namespace, endpoint):
                return False
        except EndpointConflict:
            return True

    @contextmanager
    def in_turn(self, namespace: str) -> Iterator[None]:
        """Let commands of a namespace go through the block one after the other."""
        from filelock import FileLock

        with FileLock(self._made() / f"{namespace}.lock"):
            yield

    def owner(self) -> str:
        """A mark for whatever commands with these locks make.

        What bears it while nobody holds the lock was left by a command that was killed.
        """
        mark = self._made() / "owner"
        try:
            return mark.read_text()
        except FileNotFoundError:
            pass
        from filelock import FileLock

        with FileLock(self.folder / "owner.lock"):
            if not mark.exists():
                new = mark.with_suffix(".new")
                new.write_text(secrets.token_urlsafe(12))
                new.replace(mark)
        return mark.read_text()

    def _file(self, namespace: str, endpoint: str) -> Path:
        return self._made() / f"{namespace}.{endpoint}.lock"

    def _made(self) -> Path:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(self.folder, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            raise UsageError(
                f"The folder {self.folder} cannot be used.",
                cause=f"{error.strerror}.",
                remedy="Name a folder that you may write to in XDG_CACHE_HOME.",
            ) from error
        return self.folder


def locks_of_user() -> Locks:
    """The locks of the user who runs this command."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return Locks(Path(cache or Path("~/.cache").expanduser()) / "localep" / "locks")
