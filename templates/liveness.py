"""The liveness probe, as the cloud has it: the engine runs it inside a deployment's container.

    liveness.py watch TIMEOUT PORT PATH INITIAL_DELAY PERIOD FAILURE_THRESHOLD
    liveness.py ask TIMEOUT PORT PATH HOST ...

`watch` asks the container's own route. Where that fails, it goes on to ask every PERIOD seconds;
after FAILURE_THRESHOLD failures in a row it ends the container, which the engine starts anew.
Failures count from INITIAL_DELAY seconds after the start, and once the server has answered or
taken a connection, so that a slow init() is waited for. `ask` asks the route of each host once,
and writes a line for each.
It runs by the deployment's Python, whichever that is, with the standard library alone.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

# The start of the container whose server has answered, and how many were ended from here so far.
STATE_FILE = Path("/tmp/.localep-liveness")  # noqa: S108 - where any user may write
GRACE_SECONDS = 1.0
PATIENCE_SECONDS = 20.0


def answer(host: str, port: int, path: str, timeout: float) -> str:
    """The status that a route answers with, or what came in its place."""
    request = (
        f"GET {path} HTTP/1.0\r\nHost: localhost\r\nUser-Agent: localep-liveness\r\n"
        "Connection: close\r\n\r\n"
    )
    deadline = time.monotonic() + timeout
    head = b""
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.sendall(request.encode())
            while b"\n" not in head:
                connection.settimeout(max(deadline - time.monotonic(), 0.001))
                piece = connection.recv(4096)
                if not piece:
                    break
                head += piece
    except ConnectionRefusedError:
        return "refused"
    except OSError:
        return "silent" if time.monotonic() >= deadline else "broken"
    words = head.split(b"\n")[0].split()
    is_http = len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit()
    return words[1].decode() if is_http else "broken"


def has_taken_a_connection(port: int) -> bool:
    """Whether the server has taken one that came to it; one that waits to be has no inode."""
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        rows = table.read_text().splitlines()[1:] if table.exists() else []
        for row in rows:
            columns = row.split()
            is_ours = int(columns[1].rpartition(":")[2], 16) == port
            is_listening = columns[3] == "0A"
            if is_ours and not is_listening and columns[9] != "0":
                return True
    return False


def start_of_container() -> str:
    """When the container's first process began, as the kernel counts."""
    return Path("/proc/1/stat").read_text().rpartition(")")[2].split()[19]


def age_of_container() -> float:
    """How long ago the container's first process began, in seconds."""
    now = float(Path("/proc/uptime").read_text().split()[0])
    return now - int(start_of_container()) / os.sysconf("SC_CLK_TCK")


def recall() -> tuple[str, int]:
    """What STATE_FILE holds."""
    with suppress(OSError, ValueError):
        start, restarts = STATE_FILE.read_text().split()
        return start, int(restarts)
    return "", 0


def remember(start: str, restarts: int) -> None:
    """Write what recall() tells; where nothing can be written, it is forgotten."""
    with suppress(OSError):
        STATE_FILE.write_text(f"{start} {restarts}\n")


def end_container(failures: int) -> None:
    """End the first process, which cannot be killed from inside, and all others."""
    start, restarts = recall()
    remember(start, restarts + 1)
    times = "once" if failures == 1 else f"{failures} times in a row"
    tell(f"The liveness probe failed {times}; the container restarts, as in the cloud.")
    begun = time.monotonic()
    send(1, signal.SIGTERM)
    while time.monotonic() < begun + PATIENCE_SECONDS:
        time.sleep(0.1)
        if time.monotonic() > begun + GRACE_SECONDS:
            for process in set(processes()) - {1, os.getpid()}:
                send(process, signal.SIGKILL)
    send(1, signal.SIGQUIT)


def tell(message: str) -> None:
    """Write a line into the container's log, in the form of the inference server's own."""
    now = time.time()
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now)) + f",{int(now % 1 * 1000):03}"
    with suppress(OSError):
        output = os.open("/proc/1/fd/1", os.O_WRONLY)
        os.write(output, f"{moment} E [{os.getpid()}] localep - {message}\n".encode())


def processes() -> list[int]:
    """The processes of the container."""
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def send(process: int, number: signal.Signals) -> None:
    """Send a signal to a process that may be gone."""
    with suppress(OSError):
        os.kill(process, number)


def watch(
    timeout: float,
    port: int,
    path: str,
    initial_delay: float,
    period: float,
    failure_threshold: int,
) -> int:
    """Ask until the route answers, or the container is ended; the exit status.

    Within the initial delay it is asked only whether the server has answered yet.
    """
    start = start_of_container()
    is_early = age_of_container() < initial_delay
    if is_early and recall()[0] == start:
        return 0
    for failures in range(failure_threshold):
        asked = time.monotonic()
        known, restarts = recall()
        is_alive = answer("127.0.0.1", port, path, timeout) == "200"
        if known != start:
            if not is_alive and not has_taken_a_connection(port):
                return 1
            remember(start, restarts)
        if is_alive:
            return 0
        if is_early:
            return 1
        if failures + 1 < failure_threshold:
            time.sleep(max(asked + period - time.monotonic(), 0))
    end_container(failure_threshold)
    return 1


def main(verb: str, timeout: str, port: str, path: str, *others: str) -> int:
    """Run the command line."""
    if verb == "watch":
        *times, failure_threshold = others
        return watch(float(timeout), int(port), path, *map(float, times), int(failure_threshold))
    for host in others:
        print(answer(host, int(port), path, float(timeout)))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
