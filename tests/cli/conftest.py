"""The command line on a machine without an engine: as a process of its own, and in this one.

A process costs a quarter of a second, so what needs none of its own is run here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from localep.cli import app
from localep.cli.output import Output

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# docker-py leaves the socket open that it could not connect; one test looks at that alone.
_WARNINGS = "error,ignore:unclosed <socket.socket:ResourceWarning"


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of a user on a machine where no engine listens."""
    home = tmp_path_factory.mktemp("home")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "COLUMNS": "80",
        "DOCKER_HOST": f"unix://{home}/docker.sock",
        "PYTHONWARNINGS": _WARNINGS,
    }


@pytest.fixture(scope="session")
def localep(
    environment: dict[str, str], root: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command line in the project's folder; variables may be added by name."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "localep", *arguments],
            capture_output=True,
            check=False,
            cwd=root,
            env=environment | variables,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=60,
        )

    return run


@pytest.fixture(scope="session")
def all_of(
    localep: Callable[..., subprocess.CompletedProcess[str]],
) -> Callable[[list[str]], dict[str, subprocess.CompletedProcess[str]]]:
    """Runs several command lines side by side; the results by command line."""

    def run(lines: list[str]) -> dict[str, subprocess.CompletedProcess[str]]:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = pool.map(lambda line: localep(*line.split()), lines)
            return dict(zip(lines, results, strict=True))

    return run


@pytest.fixture
def here(
    environment: dict[str, str],
    root: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command line that asks no engine in this process."""
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", environment["COLUMNS"])
    monkeypatch.setattr(Output, "_current", None)
    monkeypatch.setattr("localep.cli.render.engine_if_any", lambda: None)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        status = int(app.run(list(arguments)))
        return subprocess.CompletedProcess(arguments, status, *capsys.readouterr())

    return run
