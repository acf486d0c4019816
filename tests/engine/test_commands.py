"""The two commands of the README."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def environ() -> dict[str, str]:
    """The environment that runs the tests, whose installation the scripts shall use."""
    return {**os.environ, "LOCALEP_VENV": sys.prefix}


def test_the_demo_shows_the_sample_at_work(root: Path, environ: dict[str, str]) -> None:
    result = subprocess.run(
        ["sh", "scripts/demo.sh"],
        cwd=root,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert result.returncode == 0, result.stderr
    commands = re.findall(r"^\$ (localep .*)$", result.stdout, re.MULTILINE)
    assert commands == [
        "localep base build",
        "localep create -f samples/sklearn-regression/endpoint.yml "
        "-f samples/sklearn-regression/deployment.yml",
        "localep show",
        "localep invoke --request-file samples/sklearn-regression/sample-request.json",
        "localep get-logs --lines 15",
        "localep delete --yes",
    ]
    assert '\n{"predictions": [205.49, 68.63]}\n' in result.stdout
    assert "azmlinfsrv.print - predicting for 2 patients" in result.stdout
    assert result.stdout.endswith("Deleted sklearn-regression.\n")


def test_the_test_command_fails_with_one_line_where_there_is_no_engine(
    root: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    environ["DOCKER_HOST"] = f"unix://{tmp_path}/no-engine.sock"

    result = subprocess.run(
        ["sh", "scripts/test.sh", "tests/unit/test_exit_codes.py"],
        cwd=root,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert result.returncode == 1
    assert " passed" in result.stdout
    assert result.stderr.splitlines()[-1] == (
        "FAILED: no Docker engine is to be had, so the tests against a real engine were not run."
    )


def test_a_wheel_carries_all_that_localep_needs(root: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, root],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    target = tmp_path / "installed"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-deps", "--quiet", "--target", target, wheel],
        check=True,
        capture_output=True,
    )

    result = subprocess.run(
        [sys.executable, "-m", "localep", "render", "-f", root / "samples/hello/deployment.yml"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "localep-build uv pip install" in result.stdout
    where = subprocess.run(
        [sys.executable, "-c", "import localep; print(localep.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(target))
