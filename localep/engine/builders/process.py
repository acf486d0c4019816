"""A docker client that builds, and that never outlives localep, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, TYPE_CHECKING

from localep.interrupts import held_back

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

# A docker client before 23 goes on with its build whatever it is asked; the engine gives a build
# up as soon as its client is gone.
_PATIENCE_SECONDS = 0.3

# Waits for the end of localep, as nobody else has the other end of its input, and then ends the
# client with all its children. An engine would go on with the build, a client of its own session
# with waiting for it.
_WATCH = 'read -r _; kill -s KILL -- "-$1"'


@contextmanager
def client_process(
    command: list[str], stdin: IO[bytes], files: Collection[int], environ: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a client whose error stream is read; its end comes with that of the block.

    ``files`` are open files that it finds at /dev/fd. It has a session of its own: Ctrl-C
    reaches localep alone.
    """
    with ExitStack() as stack:
        with held_back():
            process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=tuple(files),
                env=environ,
                start_new_session=True,
            )
            stack.callback(_end, process)
            watcher = subprocess.Popen(
                ["/bin/sh", "-c", _WATCH, "sh", str(process.pid)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            stack.callback(_dismiss, watcher)
        yield process


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a client that still runs, and the plugin that it started."""
    with process:
        if process.poll() is not None:
            return
        _signal_group(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE_SECONDS)
        _signal_group(process.pid, signal.SIGKILL)


def _dismiss(watcher: subprocess.Popen[bytes]) -> None:
    with watcher:
        watcher.kill()
        watcher.wait()  # before its input ends


def _signal_group(leader: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, number)
