"""`localep serve` as a process of its own, from its start to its end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from support.waiting import wait_for

READY = re.compile(r"Ready after [\d.]+ s: (http://\S+)/score, ")
# A free port: several servers run at once.
PORT = ("--port", "0")


@dataclass
class Serving:
    """One `localep serve`: its process, and the files with what it writes."""

    process: subprocess.Popen[bytes]
    stdout: Path
    stderr: Path

    @property
    def log(self) -> str:
        """What the inference server and the script wrote so far."""
        return self.stdout.read_text(encoding="utf-8")

    @property
    def told(self) -> str:
        """What localep itself said so far."""
        return self.stderr.read_text(encoding="utf-8")

    @property
    def base(self) -> str:
        """Where it answers, such as ``http://127.0.0.1:40001``; it has been ready."""
        match = READY.search(self.told)
        assert match is not None, self.told
        return match.group(1)

    def post(self, body: object = None, **headers: str) -> requests.Response:
        """A request with JSON, as a client would send it."""
        return requests.post(f"{self.base}/score", json=body or {}, headers=headers, timeout=30)

    def answer(self, body: object) -> object:
        """The JSON that the script returns for some."""
        return json.loads(self.post(body).text)

    def wait_until_told(self, text: str, times: int = 1) -> None:
        """Wait until localep has said something, so many times."""
        self._wait(lambda: self.told.count(text) >= times)

    def wait_until_ready(self) -> None:
        self._wait(lambda: READY.search(self.told) is not None)

    def _wait(self, condition: object) -> None:
        assert callable(condition)
        # The first time, the environment is made.
        wait_for(lambda: bool(condition()) or self.process.poll() is not None, 240)
        assert condition(), f"ended with {self.process.poll()}\n{self.told}\n{self.log}"

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """End it as Ctrl-C does; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(30)


@dataclass(frozen=True)
class Serve:
    """Starts `localep serve` in a folder; ``cache`` keeps the environments of all tests."""

    folder: Path
    cache: Path

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        own = {
            "DOCKER_HOST": "unix:///nowhere/docker.sock",
            "XDG_CACHE_HOME": str(self.cache),
            # uv's own cache of packages is not the tests'.
            "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(Path("~/.cache/uv").expanduser())),
        }
        return {**os.environ, **own, **more}

    def begin(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Serving:
        """Start it, ready or not; whoever calls ends it."""
        stdout = Path(tempfile.mkstemp(dir=self.folder, prefix="serve-", suffix=".out")[1])
        stderr = stdout.with_suffix(".err")
        with stdout.open("wb") as out, stderr.open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "localep", "serve", *PORT, *arguments],
                cwd=self.folder,
                env=self.environment(environ or {}),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        return Serving(process, stdout, stderr)

    @contextmanager
    def __call__(
        self, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> Iterator[Serving]:
        """A server that is ready, in an environment made from the YAML; it must end well."""
        with self.started(*arguments, "--isolated", environ=environ) as serving:
            serving.wait_until_ready()
            yield serving
            assert serving.stop() == 0, serving.told

    @contextmanager
    def started(
        self, *arguments: str, environ: Mapping[str, str] | None = None
    ) -> Iterator[Serving]:
        """Like begin, and it is gone after the block, whatever happens."""
        serving = self.begin(*arguments, environ=environ)
        try:
            yield serving
        finally:
            if serving.process.poll() is None:
                serving.process.send_signal(signal.SIGINT)
                try:
                    serving.process.wait(15)
                except subprocess.TimeoutExpired:
                    serving.process.kill()
                    serving.process.wait()
