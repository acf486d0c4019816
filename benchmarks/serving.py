"""`localep serve`, without Docker: its start, and a saved script's way to its first answer."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests

from benchmarks.measurement import Measurement
from benchmarks.processes import BenchmarkFailed
from localep.server.interpreter import python_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from benchmarks.floors import Floors
    from benchmarks.place import Place

_READY = re.compile(r"Ready after .* s: (http://[^/]+)/score")
_TIMEOUT_SECONDS = 120
_PAUSE_SECONDS = 0.005
_REQUEST = {"name": "you"}


def measure_serve(place: Place, _: Floors) -> list[Measurement]:
    """The start beside the bare server's own, and what a save takes to be answered from."""
    hello = place.copy_hello("serve")
    environment = _environment(place, hello)
    starts, saves, alone = [], [], []
    for run in range(place.runs):
        alone.append(_server_alone(hello, environment))
        seconds, saved = _start_and_save(place, hello, f"run {run}")
        starts.append(seconds)
        saves.append(saved)
    server = Measurement("floor: the bare server, without Docker", tuple(alone))
    return [
        server,
        Measurement("serve: start to ready", tuple(starts), 1.2, server.median),
        Measurement("serve: save to the first new answer", tuple(saves), 1.0, server.median),
    ]


def _environment(place: Place, hello: Path) -> Path:
    """The environment that the first start makes."""
    with _serving(place, hello):
        pass
    environments = place.folder / "cache" / "localep" / "environments"
    (made,) = (path for path in environments.iterdir() if path.is_dir())
    return made


def _start_and_save(place: Place, hello: Path, mark: str) -> tuple[float, float]:
    script = hello / "code" / "score.py"
    before = script.read_text(encoding="utf-8")
    begun = time.perf_counter()
    with _serving(place, hello) as address:
        start = time.perf_counter() - begun
        new = script.with_name("score.py~")
        new.write_text(before.replace('{name}!"}', f'{{name}}! ({mark})"}}'), encoding="utf-8")
        begun = time.perf_counter()
        new.replace(script)
        _wait_for(address, mark)
        save = time.perf_counter() - begun
    script.write_text(before, encoding="utf-8")
    return start, save


@contextmanager
def _serving(place: Place, hello: Path) -> Iterator[str]:
    """The address of a `localep serve` that is ready, ended afterwards."""
    command = place.command("serve", "-f", f"{hello}/deployment.yml", "--isolated", "--port", "0")
    with _running(command, hello, place.environment, subprocess.PIPE) as process:
        assert process.stderr is not None  # noqa: S101 - asked for above
        told = ""
        for line in process.stderr:
            told += line
            match = _READY.match(line)
            if match is not None:
                yield match.group(1)
                return
        raise BenchmarkFailed(f"localep serve did not get ready:\n{told}")


def _server_alone(hello: Path, environment: Path) -> float:
    """The inference server as its own users start it, to its first answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = python_of(environment).with_name("azmlinfsrv")
    command = [str(program), "--entry_script", "score.py", "--port", str(port)]
    variables = {**os.environ, "GREETING": "Hello"}
    begun = time.perf_counter()
    with _running(command, hello / "code", variables, subprocess.DEVNULL):
        _wait_for(f"http://127.0.0.1:{port}", "Hello")
        return time.perf_counter() - begun


@contextmanager
def _running(
    command: Sequence[str], folder: Path, variables: Mapping[str, str], stderr: int
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)


def _wait_for(address: str, part: str) -> None:
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < deadline:
            try:
                answer = session.post(f"{address}/score", json=_REQUEST, timeout=5)
                if part in json.dumps(answer.json()):
                    return
            except (requests.RequestException, ValueError):
                pass
            time.sleep(_PAUSE_SECONDS)
    raise BenchmarkFailed(f"{part!r} was not answered within {_TIMEOUT_SECONDS} s.")
