"""Files that make a server start anew when they change."""

from __future__ import annotations

import os
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

# What tools leave in a folder of code, and what editors do while they save.
_LEFT_OUT_FOLDERS = frozenset(
    {
        "__pycache__",
        ".git",
        ".hg",
        ".svn",
        ".venv",
        "venv",
        "node_modules",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        ".idea",
        ".vscode",
    }
)
_LEFT_OUT_FILES = re.compile(
    r".*\.py[cod] | .*\.sw[a-z] | .*~ | \.\#.* | \#.*\# | 4913 | \.DS_Store | .*\.log", re.VERBOSE
)
# Milliseconds: how often it is looked, how long changes may keep coming before they are told, and
# how long the first look waits for what changed before the watching began.
_STEP = 50
_DEBOUNCE = 400
_FIRST_LOOK = 500

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Watched:
    """Files and folders; of a folder, all that is in it."""

    paths: tuple[Path, ...]

    def stamps(self) -> dict[Path, Stamp]:
        """What tells whether a file has changed: its date, size and inode."""
        found: dict[Path, Stamp] = {}
        for path in self.paths:
            for file in _files(path):
                try:
                    status = os.stat(file)  # noqa: PTH116 - a quarter faster, for thousands
                except OSError:
                    continue  # gone meanwhile, or a link to nothing
                found[Path(file)] = (status.st_mtime_ns, status.st_size, status.st_ino)
        return found


def changed_between(before: Mapping[Path, Stamp], after: Mapping[Path, Stamp]) -> list[Path]:
    """The files that are new, gone or different, sorted."""
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


class Watcher:
    """Calls ``on_change`` from a thread whenever something may have changed."""

    def __init__(
        self,
        watched: Watched,
        on_change: Callable[[], None],
        on_failure: Callable[[OSError], None],
    ) -> None:
        self.watched = watched
        self._on_change = on_change
        self._on_failure = on_failure
        self._stop = threading.Event()
        # A file is watched by its folder: editors put a new file in its place.
        flat = {_nearest(path.parent) for path in watched.paths}
        deep = {path for path in watched.paths if path.is_dir()}
        self._inodes = _inodes(deep)
        for folders, recursive in ((flat, False), (deep, True)):
            if folders:
                arguments = (folders, recursive)
                threading.Thread(target=self._watch, args=arguments, daemon=True).start()

    def fits(self, watched: Watched) -> bool:
        """Whether it watches these, and none of the folders was replaced meanwhile."""
        return watched == self.watched and self._inodes == _inodes(self._inodes)

    def stop(self) -> None:
        """Watch no more."""
        self._stop.set()

    def _watch(self, folders: Iterable[Path], recursive: bool) -> None:
        from watchfiles import watch

        looks = watch(
            *folders,
            watch_filter=None,
            debounce=_DEBOUNCE,
            step=_STEP,
            stop_event=self._stop,
            rust_timeout=_FIRST_LOOK,
            yield_on_timeout=True,
            raise_interrupt=False,
            recursive=recursive,
        )
        is_first = True
        try:
            for changes in looks:
                if changes or is_first:
                    self._on_change()
                is_first = False
        except OSError as error:
            self._on_failure(error)


def _inodes(folders: Iterable[Path]) -> dict[Path, int | None]:
    return {folder: folder.stat().st_ino if folder.is_dir() else None for folder in folders}


def _files(path: Path) -> Iterator[str]:
    if not path.is_dir():
        yield str(path)
        return
    for folder, folders, files in os.walk(path):
        folders[:] = [name for name in folders if name not in _LEFT_OUT_FOLDERS]
        for name in files:
            if not _LEFT_OUT_FILES.fullmatch(name):
                yield os.path.join(folder, name)  # noqa: PTH118


def _nearest(folder: Path) -> Path:
    """The folder, or where it is gone the nearest one above it."""
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder
