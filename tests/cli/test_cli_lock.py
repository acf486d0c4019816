"""`lock`: the command line, without an engine and without an index."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from localep.conda.lock_file import LockedPip
from localep.operations import lock as operation

Here = Callable[..., CompletedProcess[str]]


@pytest.fixture
def folder(samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sample, and an index that has what is asked for."""
    copy = tmp_path / "hello"
    shutil.copytree(samples / "hello", copy)

    def lock_pip(request: Any, *_: Any) -> tuple[LockedPip, ...]:
        return tuple(
            LockedPip(name, "1.5", f"https://files.example/{name}.whl", "a" * 64)
            for name in request.requirements
        )

    monkeypatch.setattr(operation, "lock_pip", lock_pip)
    return copy


def lock(here: Here, folder: Path, *arguments: str) -> CompletedProcess[str]:
    return here("lock", "-f", str(folder / "deployment.yml"), *arguments)


def test_a_lock_is_written_and_checked(here: Here, folder: Path) -> None:
    written = lock(here, folder)

    warning, step = written.stderr.splitlines()
    assert written.returncode == 0
    assert warning.endswith("stands in for it.")
    assert step == "Locking pip's list for linux-64"
    assert written.stdout == f"Wrote {folder}/conda-lock.yml.\n  linux-64: 1 from pip\n"
    checked = lock(here, folder, "--check")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout == (
        f"{folder}/conda-lock.yml fits the conda file.\n  linux-64: 1 from pip\n"
    )


def test_the_result_as_json(here: Here, folder: Path) -> None:
    written = lock(here, folder, "--platform", "linux-64", "--platform", "osx-arm64", "-o", "json")

    result = json.loads(written.stdout)
    hashes = result.pop("content_hash")
    assert result == {
        "path": str(folder / "conda-lock.yml"),
        "fits": True,
        "changes": [],
        "python": "3.11",
        "platforms": ["linux-64", "osx-arm64"],
        "packages": {
            "linux-64": {"conda": 0, "pip": 1},
            "osx-arm64": {"conda": 0, "pip": 1},
        },
    }
    assert {name: len(digest) for name, digest in hashes.items()} == {
        "linux-64": 64,
        "osx-arm64": 64,
    }


def test_without_output_nothing_is_written_to_stdout(here: Here, folder: Path) -> None:
    written = lock(here, folder, "-o", "none")

    assert (written.returncode, written.stdout) == (0, "")
    assert (folder / "conda-lock.yml").is_file()


def test_a_check_without_a_lock_ends_with_3(here: Here, folder: Path) -> None:
    checked = lock(here, folder, "--check")

    assert (checked.returncode, checked.stderr) == (3, "")
    assert checked.stdout == (
        f"{folder}/conda-lock.yml does not fit the conda file:\n"
        "  there is no lock\n"
        "Write it anew with `localep lock`.\n"
    )


def test_a_check_tells_what_changed(here: Here, folder: Path) -> None:
    lock(here, folder)
    conda = folder / "conda.yml"
    conda.write_text(conda.read_text().replace("python=3.11", "python=3.12") + "      - six\n")

    checked = lock(here, folder, "--check", "--query", "changes")

    assert checked.returncode == 3
    assert json.loads(checked.stdout) == ["python=3.11 is now python=3.12", "six was added"]


def test_a_mangled_lock_is_an_error(here: Here, folder: Path) -> None:
    (folder / "conda-lock.yml").write_text("version: 9\n")

    for arguments in ([], ["--check"]):
        answer = lock(here, folder, *arguments)

        assert (answer.returncode, answer.stdout) == (3, "")
        assert answer.stderr == (
            f"Error: {folder}/conda-lock.yml is no lock that can be read.\n"
            "Cause: It has version 9 of the format; version 1 is what can be read.\n"
            "Remedy: Write it anew with `localep lock`, or remove it.\n"
        )


def test_a_conda_file_that_is_not_there(here: Here, folder: Path) -> None:
    (folder / "conda.yml").unlink()

    answer = lock(here, folder)

    assert (answer.returncode, answer.stdout) == (3, "")
    assert "conda.yml" in answer.stderr


def test_an_unknown_platform(here: Here, folder: Path) -> None:
    answer = lock(here, folder, "--platform", "linux/amd64")

    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == (
        "Error: There is no platform linux/amd64.\n"
        "Cause: Platforms are named as conda names them.\n"
        "Remedy: Name one of linux-64, linux-aarch64, osx-64, osx-arm64, win-64.\n"
    )


def misfits_in(answer: CompletedProcess[str]) -> list[dict[str, str]]:
    found = json.loads(answer.stdout)["findings"]
    return [finding for finding in found if finding["code"] == "lock-misfit"]


def test_validate_names_a_lock_that_fits_no_more(here: Here, folder: Path) -> None:
    deployment = str(folder / "deployment.yml")
    lock(here, folder)
    before = here("validate", "-f", deployment, "-o", "json")
    with (folder / "conda.yml").open("a") as file:
        file.write("      - humanize\n")

    after = here("validate", "-f", deployment, "-o", "json")
    strict = here("validate", "--strict", "-f", deployment)

    assert misfits_in(before) == []
    (finding,) = misfits_in(after)
    assert (after.returncode, finding["severity"]) == (0, "warning")
    assert finding["path"] == "environment"
    assert finding["message"].startswith(f"{folder}/conda-lock.yml no longer fits conda.yml: ")
    assert "humanize" in finding["message"]
    assert finding["remedy"] == "Write it anew with `localep lock`, or remove it."
    assert strict.returncode == 3


def test_validate_names_a_mangled_lock(here: Here, folder: Path) -> None:
    (folder / "conda-lock.yml").write_text("version: [")

    answer = here("validate", "-f", str(folder / "deployment.yml"), "-o", "json")

    (finding,) = misfits_in(answer)
    assert finding["message"].startswith(f"{folder}/conda-lock.yml ")
