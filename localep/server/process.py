"""One inference server as a process, which never outlives localep, however that ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localep.interrupts import held_back
from localep.server.launcher import SERVER_IS_MISSING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

__all__ = ["SERVER_IS_MISSING", "Launch", "ServerProcess"]

_LAUNCHER = Path(__file__).with_name("launcher.py")
_LINES_KEPT = 10_000
_READY = "ready for serving traffic"
# How long output may take to arrive of a server that has ended; its children may hold it open.
_LAST_WORDS_SECONDS = 1.0

# Waits for the end of localep, as nobody else has the other end of its input; then ends the
# server with all its children, and removes its files.
_WATCH = 'read -r _; kill -s KILL -- "-$1"; rm -rf -- "$2"'


@dataclass(frozen=True)
class Launch:
    """What to start: a command line of the inference server in a Python of this machine.

    ``folder`` is AML_APP_ROOT; ``import_from`` the real folder of the script's own modules;
    ``keep_clean`` are folders that get no byte code; ``scratch`` is removed where localep
    cannot do it any more. ``host`` is where to answer if no socket is handed over.
    """

    python: Path
    command: tuple[str, ...]
    host: str
    folder: Path
    import_from: Path
    keep_clean: tuple[Path, ...]
    variables: Mapping[str, str]
    scratch: Path


class ServerProcess:
    """A server from its start to its end.

    Other threads call ``on_line`` with each line that it writes, ``on_ready`` once the first
    worker is ready, and ``on_end`` with the exit code, last of all.
    """

    def __init__(
        self,
        launch: Launch,
        listener: socket.socket | None,
        *,
        on_line: Callable[[str], None],
        on_ready: Callable[[], None],
        on_end: Callable[[int], None],
    ) -> None:
        self._on_line = on_line
        self._on_ready = on_ready
        self._on_end = on_end
        self._lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._lock = threading.Lock()
        self._watcher: subprocess.Popen[bytes] | None = None
        with held_back():
            self._start(launch, listener)

    @property
    def log(self) -> str:
        """What the server wrote so far, the oldest lines left out where there are too many."""
        with self._lock:
            return "\n".join(self._lines)

    @property
    def has_ended(self) -> bool:
        """Whether the server is gone."""
        return self._process.poll() is not None

    def finish(self) -> None:
        """Ask it to end; requests in flight are answered first."""
        if not self.has_ended:
            self._process.terminate()

    def kill(self) -> None:
        """End it with all its children, now."""
        if not self.has_ended:
            self._kill_group()

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it is gone, its files closed and all of its output passed on, in time."""
        self._waiter.join(seconds)
        return not self._waiter.is_alive()

    def _start(self, launch: Launch, listener: socket.socket | None) -> None:
        pipe = os.pipe() if listener is not None else None
        handed_over = (
            {}
            if listener is None or pipe is None
            else {
                "socket": listener.fileno(),
                "ready": pipe[1],
            }
        )
        settings = {
            **handed_over,
            "host": launch.host,
            "import_from": str(launch.import_from),
            "keep_clean": [str(folder) for folder in launch.keep_clean],
        }
        try:
            self._process = subprocess.Popen(
                [str(launch.python), str(_LAUNCHER), json.dumps(settings), *launch.command],
                cwd=launch.folder,
                env=dict(launch.variables),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=tuple(handed_over.values()),
                start_new_session=True,  # Ctrl-C reaches localep alone
            )
        except BaseException:
            for number in pipe or ():
                os.close(number)
            raise
        if pipe is not None:
            os.close(pipe[1])
            self._watcher = _start_watcher(self._process.pid, launch.scratch)
            threading.Thread(target=self._await_ready, args=(pipe[0],), daemon=True).start()
        self._reader = threading.Thread(target=self._read, args=(pipe is None,), daemon=True)
        self._reader.start()
        self._waiter = threading.Thread(target=self._await_end, daemon=True)
        self._waiter.start()

    def _await_ready(self, pipe: int) -> None:
        with os.fdopen(pipe, "rb", buffering=0) as stream:
            if stream.read(1):
                self._on_ready()

    def _read(self, tells_in_log: bool) -> None:
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        with self._process.stdout as stream:
            for content in stream:
                line = content.decode("utf-8", errors="replace").rstrip("\r\n")
                with self._lock:
                    self._lines.append(line)
                self._on_line(line)
                if tells_in_log and _READY in line:
                    self._on_ready()

    def _await_end(self) -> None:
        status = self._process.wait()
        self._kill_group()  # what it started and left
        self._reader.join(_LAST_WORDS_SECONDS)
        if self._watcher is not None:
            with self._watcher as watcher:
                watcher.kill()
                watcher.wait()  # before its input ends
        # As a shell counts a signal.
        self._on_end(status if status >= 0 else 128 - status)

    def _kill_group(self) -> None:
        if os.name == "nt":
            self._process.kill()
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _start_watcher(leader: int, scratch: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["/bin/sh", "-c", _WATCH, "sh", str(leader), str(scratch)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
