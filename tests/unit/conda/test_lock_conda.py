"""Conda packages for a lock, by the user's own conda, which conda-lock asks."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from localep.conda import lock_conda
from localep.conda.lock_conda import find_program, solve_for_lock, virtual_packages
from localep.conda.packages import CondaPackage, SolveRequest
from localep.errors import EnvironmentFailure

CHANNEL = "https://conda.example/forge"
REQUEST = SolveRequest(
    ("python=3.10", "tool"),
    ("https://user:pa55@conda.example/t/tok-1/forge",),
    "linux-64",
    virtual_packages("linux-64", "12.4"),
)


def entry(name: str, version: str, *depends: str) -> dict[str, Any]:
    file = f"{name}-{version}-h1_0.conda"
    return {
        "name": name,
        "version": version,
        "url": f"https://user:pa55@conda.example/t/tok-1/forge/linux-64/{file}",
        "fn": file,
        "md5": "b" * 32,
        "sha256": "a" * 64,
        "depends": list(depends),
    }


def stand_in(folder: Path, answer: dict[str, Any], status: int = 0) -> Path:
    """A program that conda-lock takes for micromamba; it keeps what it was asked."""
    program = folder / "micromamba"
    program.write_text(
        "#!/usr/bin/env python3\n"
        "import json, os, pathlib, sys\n"
        "if sys.argv[1] == '--version':\n"
        "    print('1.5.8')\n"
        "    sys.exit()\n"
        "asked = {'arguments': sys.argv[1:], 'variables': dict(os.environ)}\n"
        f"pathlib.Path({str(folder / 'asked.json')!r}).write_text(json.dumps(asked))\n"
        f"print({json.dumps(answer)!r})\n"
        f"sys.exit({status})\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_conda_lock_asks_the_users_own_solver(tmp_path: Path) -> None:
    found = [
        entry("tool", "2.0", "python >=3.10,<3.11.0a0"),
        entry("python", "3.10.13", "openssl >=3"),
        entry("openssl", "3.1"),
    ]
    program = stand_in(tmp_path, {"success": True, "actions": {"FETCH": found, "LINK": found}})
    told: list[str] = []

    packages = solve_for_lock(REQUEST, str(program), told.append)

    assert [(package.name, package.version) for package in packages] == [
        ("openssl", "3.1"),
        ("python", "3.10.13"),
        ("tool", "2.0"),
    ]
    assert packages[1] == CondaPackage(
        "python",
        "3.10.13",
        "h1_0",
        "linux-64",
        CHANNEL,
        f"{CHANNEL}/linux-64/python-3.10.13-h1_0.conda",
        "a" * 64,
        "b" * 32,
        depends=("openssl >=3",),
    )
    asked = json.loads((tmp_path / "asked.json").read_text())
    assert asked["arguments"][-2:] == ["python 3.10.*", "tool"]
    assert "https://user:pa55@conda.example/t/tok-1/forge" in asked["arguments"]
    assert {
        name: asked["variables"][name]
        for name in ("CONDA_SUBDIR", "CONDA_OVERRIDE_GLIBC", "CONDA_OVERRIDE_CUDA")
    } == {
        "CONDA_SUBDIR": "linux-64",
        "CONDA_OVERRIDE_GLIBC": "2.28",
        "CONDA_OVERRIDE_CUDA": "12.4",
    }
    assert told == ["Locking dependencies for ['linux-64']..."]


def test_what_the_solver_says_is_told_without_credentials_and_traceback(tmp_path: Path) -> None:
    program = stand_in(tmp_path, {"error": "nothing provides tool"}, status=1)
    told: list[str] = []

    with pytest.raises(EnvironmentFailure) as caught:
        solve_for_lock(REQUEST, str(program), told.append)

    error = caught.value
    assert error.message == "The conda packages cannot be locked for linux-64."
    assert error.cause == f"conda-lock, with {program}, ended with exit code 1."
    assert "{'error': 'nothing provides tool'}" in error.details
    said = "\n".join((*error.details, *told))
    assert CHANNEL in said
    for unwanted in ("pa55", "tok-1", "Traceback"):
        assert unwanted not in said


def test_without_a_program_rattler_solves(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[SolveRequest] = []

    def solve(request: SolveRequest) -> tuple[CondaPackage, ...]:
        asked.append(request)
        return ()

    monkeypatch.setattr(lock_conda, "solve", solve)

    assert solve_for_lock(REQUEST, None, print) == ()
    assert asked == [REQUEST]


def test_a_program_is_looked_for_as_conda_lock_does(tmp_path: Path) -> None:
    assert find_program({"PATH": str(tmp_path)}) is None
    own = stand_in(tmp_path, {})
    assert find_program({"PATH": str(tmp_path)}) == str(own)
    conda = tmp_path / "conda"
    own.rename(conda)
    assert find_program({"PATH": str(tmp_path)}) == str(conda)


def test_a_mac_has_no_cuda() -> None:
    assert dict(virtual_packages("osx-arm64", "12.4")) == {
        "__unix": "0",
        "__osx": "11.0",
        "__archspec": "1=arm64",
    }
    assert dict(virtual_packages("linux-64", None))["__glibc"] == "2.28"
