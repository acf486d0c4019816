"""What the tests of the engine's code share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from localep.engine.base import Progress


class _Recorder:
    def __init__(self, told: list[tuple[str, str]]) -> None:
        self.told = told

    def status(self, message: str) -> None:
        self.told.append(("status", message))

    def step(self, message: str) -> None:
        self.told.append(("step", message))

    def line(self, text: str) -> None:
        self.told.append(("line", text))


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def progress(told: list[tuple[str, str]]) -> Progress:
    return _Recorder(told)


@pytest.fixture
def no_settings_of_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker-config"))
    monkeypatch.delenv("LOCALEP_BUILDER", raising=False)


@pytest.fixture
def install_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    # Puts a shell script named docker into a folder of that name at the end of the PATH, on
    # which there is nothing else.
    monkeypatch.setenv("PATH", str(tmp_path / "no-programs"))

    def install(folder: str, script: str) -> str:
        program = tmp_path / folder / "docker"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        path = os.environ["PATH"]
        monkeypatch.setenv("PATH", f"{path}{os.pathsep}{program.parent}")
        return str(program)

    return install
