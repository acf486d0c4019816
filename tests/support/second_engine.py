"""A Docker engine that tests may stop, kill and start again: on a network stack of its own.

A second dockerd on the stack of the first would take its rules of the firewall away as it starts.
With a stack of its own it may do as it likes, and a machine that is rebooted has a new one, too.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from localep.engine.address import EngineAddress, connect
from localep.engine.client import DockerEngine

# An index that is known at once to be out of reach on such a network.
UNREACHABLE = "http://192.0.2.1/simple"
_SECONDS = 60.0
_NEW_NETWORK = 0x40000000
_SET_FLAGS, _IS_UP = 0x8914, 0x1 | 0x40
_libc = ctypes.CDLL(None, use_errno=True)


class SecondEngine:
    """A dockerd with all that is its own below one folder.

    ``options`` and ``configuration`` are what it is started with, ``programs`` is a folder of
    programs that it finds first, and ``launcher`` is the command that starts it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = f"localep-{folder.parent.name}"
        self.options: tuple[str, ...] = ()
        self.configuration: dict[str, object] = {}
        self.programs: Path | None = None
        self.launcher: tuple[str, ...] = ()
        self._network = _new_network()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """DOCKER_HOST."""
        return f"unix://{self.folder}/docker.sock"

    def connect(self) -> DockerEngine:
        address = EngineAddress(self.host)
        return DockerEngine(connect(address), address)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Let this thread, and what it starts, see this engine's ports instead of the machine's."""
        before = _network_here()
        _enter(self._network)
        try:
            yield
        finally:
            _enter(before)
            os.close(before)

    def start(self) -> None:
        """Start dockerd and wait until it answers; what it has to start again it has started."""
        (self.folder / "daemon.json").write_text(json.dumps(self.configuration))
        path = os.environ["PATH"]
        with self.inside(), (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *self.launcher,
                    "dockerd",
                    f"--config-file={self.folder}/daemon.json",
                    f"--host={self.host}",
                    f"--data-root={self.folder}/data",
                    f"--exec-root={self.folder}/exec",
                    f"--pidfile={self.folder}/pid",
                    f"--containerd-namespace={self.name}",
                    f"--containerd-plugins-namespace={self.name}-plugins",
                    *self.options,
                ],
                stdout=log,
                stderr=log,
                env={**os.environ, "PATH": f"{self.programs}:{path}" if self.programs else path},
            )
        _wait_for(self._answers)

    def stop(self) -> None:
        """End dockerd as a service manager does."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill dockerd; its containers go on, its containerd ends with it."""
        self._end(signal.SIGKILL)
        pid = self._containerd()
        _wait_for(lambda: pid is None or not _is_alive(pid))
        # Where nobody has asked for its exit status, dockerd would take it for alive.
        (self.folder / "exec/containerd/containerd.pid").unlink(missing_ok=True)

    def power_off(self) -> None:
        """End dockerd and every container at once, and lose what a machine does not keep."""
        if self._process is not None:
            self.kill()
        self._kill_all()
        for mount in reversed(self._mounts()):
            subprocess.run(["umount", "--lazy", mount], check=True)
        shutil.rmtree(self.folder / "exec", ignore_errors=True)
        for name in ("pid", "docker.sock"):
            (self.folder / name).unlink(missing_ok=True)
        os.close(self._network)
        self._network = _new_network()

    def load(self, *images: str) -> None:
        """Take images over from the first engine."""
        with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saving:
            subprocess.run(
                ["docker", "--host", self.host, "load", "--quiet"],
                stdin=saving.stdout,
                stdout=subprocess.DEVNULL,
                check=True,
            )
        assert saving.returncode == 0

    def close(self) -> None:
        """Leave nothing of it."""
        self.power_off()
        os.close(self._network)
        shutil.rmtree(self.folder)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()[-3000:]
        try:
            engine = self.connect()
        except Exception:
            return False
        engine.api.close()
        return True

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(_SECONDS)
        self._process = None

    def _kill_all(self) -> None:
        """Kill what dockerd leaves: its containerd, the shims of the containers, and these."""
        if (pid := self._containerd()) is not None:
            _kill(pid)
        _wait_for(self._no_container_process)

    def _containerd(self) -> int | None:
        try:
            return int((self.folder / "exec/containerd/containerd.pid").read_text())
        except FileNotFoundError:
            return None

    def _no_container_process(self) -> bool:
        found = self._container_processes()
        for process in found:
            _kill(process)
        return not found

    def _container_processes(self) -> list[int]:
        """The shims and all that they have started, children first."""
        processes = dict(_processes())
        found = [number for number in processes if self.name.encode() in _arguments(number)]
        for process in found:
            found += [child for child, parent in processes.items() if parent == process]
        return found[::-1]

    def _mounts(self) -> list[str]:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        places = [line.split()[4] for line in lines]
        return [place for place in places if place.startswith(f"{self.folder}/")]


@contextmanager
def second_engine(folder: Path) -> Iterator[SecondEngine]:
    """An engine that is not started yet; it is gone with the context."""
    engine = SecondEngine(folder / "engine")
    engine.folder.mkdir()
    try:
        yield engine
    finally:
        engine.close()


def _network_here() -> int:
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def _new_network() -> int:
    """A network stack of which nothing but its loopback is up."""
    home = _network_here()
    _check(_libc.unshare(_NEW_NETWORK))
    try:
        with socket.socket() as loopback:
            fcntl.ioctl(loopback, _SET_FLAGS, struct.pack("16sH14x", b"lo", _IS_UP))
        return _network_here()
    finally:
        _enter(home)
        os.close(home)


def _enter(network: int) -> None:
    _check(_libc.setns(network, _NEW_NETWORK))


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _processes() -> Iterator[tuple[int, int]]:
    """Every process that has not ended, and its parent."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                yield int(path.parent.name), int(parent)


def _arguments(process: int) -> list[bytes]:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _is_alive(process: int) -> bool:
    return process in dict(_processes())


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
