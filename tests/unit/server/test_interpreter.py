"""Which Python serves, and what it has."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version
from pathlib import Path

from localep.server.interpreter import active_interpreter, installed_in


def environment(folder: Path) -> str:
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    return str(folder)


def test_the_active_environment_comes_first(tmp_path: Path) -> None:
    venv, conda = environment(tmp_path / "venv"), environment(tmp_path / "conda")

    both = {"VIRTUAL_ENV": venv, "CONDA_PREFIX": conda}
    assert active_interpreter(both) == Path(venv, "bin", "python")
    assert active_interpreter({"CONDA_PREFIX": conda}) == Path(conda, "bin", "python")


def test_an_environment_that_is_gone_is_passed_over(tmp_path: Path) -> None:
    assert active_interpreter({"VIRTUAL_ENV": str(tmp_path)}) == Path(sys.executable)
    assert active_interpreter({}) == Path(sys.executable)


def test_a_python_tells_what_it_has() -> None:
    installed = installed_in(Path(sys.executable))

    assert installed is not None
    assert installed.python == platform.python_version()
    assert installed.packages["pytest"] == version("pytest")


def test_a_program_that_is_no_python_tells_nothing(tmp_path: Path) -> None:
    assert installed_in(tmp_path / "nowhere") is None
    assert installed_in(Path("/bin/true")) is None
