"""`lock`: what is solved for a deployment, what is written, and what is held against it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.loading import load_files

from localep.conda.lock import find_lock
from localep.conda.lock_file import LockedPip, read_lock_file
from localep.conda.lock_pip import PipRequest
from localep.conda.packages import CondaPackage, SolveRequest
from localep.errors import EnvironmentFailure, LocalepError, SpecError, UsageError
from localep.operations import lock as module
from localep.operations.environments.options import EnvironmentOptions
from localep.operations.lock import LockResult, check_lock, write_lock

DEPLOYMENT = """\
name: blue
endpoint_name: hello
code_configuration: {code: code, scoring_script: score.py}
instance_type: Standard_F2s_v2
instance_count: 1
"""
CONDA = """\
channels: [forge]
dependencies: [python=3.11, pip, {pip: [six==1.16.0]}]
"""
SERVER = "azureml-inference-server-http"
CHANNEL = "https://conda.example/forge"


class Desk:
    """Solvers that answer at once; what they were asked, and what the user was told."""

    def __init__(self) -> None:
        self.conda: list[tuple[SolveRequest, str | None]] = []
        self.pip: list[PipRequest] = []
        self.told: list[str] = []
        self.warnings: list[str] = []
        self.refuses: Callable[[PipRequest], bool] = lambda _: False

    def solve(self, request: SolveRequest, program: str | None, _: Any) -> tuple[CondaPackage, ...]:
        self.conda.append((request, program))
        return (package("python", "3.10.13"), package("pytorch", "2.4.0", "python >=3.10"))

    def lock(self, request: PipRequest, *_: Any) -> tuple[LockedPip, ...]:
        self.pip.append(request)
        if self.refuses(request):
            raise EnvironmentFailure("pip's list cannot be locked.", remedy="Correct it.")
        names = [line.partition("==")[0] for line in request.requirements]
        return tuple(
            LockedPip(name, "1", f"https://files.example/{name}.whl", "a" * 64) for name in names
        )

    def step(self, message: str) -> None:
        self.told.append(message)

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def line(self, text: str) -> None: ...
    def note(self, message: str) -> None: ...
    def status(self, message: str) -> None: ...


def package(name: str, version: str, *depends: str) -> CondaPackage:
    url = f"{CHANNEL}/linux-64/{name}-{version}-0.conda"
    return CondaPackage(
        name, version, "0", "linux-64", CHANNEL, url, "b" * 64, "c" * 32, None, depends
    )


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    found = Desk()
    monkeypatch.setattr(module, "solve_for_lock", found.solve)
    monkeypatch.setattr(module, "lock_pip", found.lock)
    monkeypatch.setattr(module, "find_program", lambda _: None)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "score.py").write_text("def init(): ...\ndef run(raw_data): ...\n")
    (tmp_path / "conda.yml").write_text(CONDA)
    (tmp_path / "deployment.yml").write_text(
        f"{DEPLOYMENT}environment: {{conda_file: conda.yml}}\n"
    )
    return tmp_path


def write(folder: Path, desk: Desk, *platforms: str, **options: Any) -> LockResult:
    bundle = load_files([folder / "deployment.yml"])
    return write_lock(None, bundle, EnvironmentOptions(**options), platforms, desk)


def check(folder: Path, *platforms: str, **options: Any) -> LockResult:
    bundle = load_files([folder / "deployment.yml"])
    return check_lock(bundle, EnvironmentOptions(**options), platforms)


def error_of(folder: Path, *arguments: Any) -> LocalepError:
    with pytest.raises(LocalepError) as caught:
        write(folder, *arguments)
    return caught.value


def test_python_and_pip_alone_need_no_channel(folder: Path, desk: Desk) -> None:
    result = write(folder, desk)

    assert desk.conda == []
    assert desk.pip == [PipRequest(("six==1.16.0", SERVER), "3.11", "linux-64")]
    assert desk.told == ["Locking pip's list for linux-64"]
    lock = find_lock(folder / "conda.yml")
    assert lock is not None
    assert lock.brings_server
    assert (lock.python, lock.conda, len(lock.pip)) == ("3.11", (), 2)
    assert result.to_dict() == {
        "path": str(folder / "conda-lock.yml"),
        "fits": True,
        "changes": [],
        "python": "3.11",
        "platforms": ["linux-64"],
        "packages": {"linux-64": {"conda": 0, "pip": 2}},
        "content_hash": dict(read_lock_file(lock.path).content_hash),
    }
    assert [path.name for path in folder.iterdir() if "lock" in path.name] == ["conda-lock.yml"]


def test_conda_packages_are_solved_and_held_for_pip(folder: Path, desk: Desk) -> None:
    (folder / "conda.yml").write_text(CONDA.replace("python=3.11", "python=3.10, pytorch"))

    result = write(folder, desk, "linux-64", "osx-arm64")

    assert desk.told == [
        "Solving the conda packages for linux-64",
        "Solving the conda packages for osx-arm64",
        "Locking pip's list for linux-64",
        "Locking pip's list for osx-arm64",
    ]
    (request, program), (other, _) = desk.conda
    assert program is None
    assert (request.specs, request.channels) == (("python=3.10", "pytorch"), ("forge",))
    assert (request.platform, other.platform) == ("linux-64", "osx-arm64")
    assert ("__glibc", "2.28") in request.virtual_packages
    # PyPI has it under another name.
    assert desk.pip[0] == PipRequest(
        ("six==1.16.0", SERVER), "3.10.13", "linux-64", supplied=(("torch", "2.4.0"),)
    )
    assert result.packages == {
        "linux-64": {"conda": 2, "pip": 2},
        "osx-arm64": {"conda": 2, "pip": 2},
    }
    lock = find_lock(folder / "conda.yml")
    assert lock is not None
    assert [one.name for one in lock.conda] == ["python", "pytorch"]
    assert lock.python == "3.10"


def test_another_python_than_the_images_comes_from_conda(folder: Path, desk: Desk) -> None:
    write(folder, desk, python="3.10")

    ((request, _),) = desk.conda
    assert request.specs == ("python=3.10",)
    assert desk.warnings == ["The conda file asks for python=3.11; Python 3.10 is used instead."]


def test_the_users_own_solver_is_named(
    folder: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "conda.yml").write_text(CONDA.replace("python=3.11", "python=3.10"))
    monkeypatch.setattr(module, "find_program", lambda _: "/opt/bin/micromamba")

    write(folder, desk)

    assert desk.told[0] == "Solving the conda packages for linux-64 by micromamba"
    assert desk.conda[0][1] == "/opt/bin/micromamba"


def test_packages_of_the_old_server_are_taken_out_where_they_stop_it(
    folder: Path, desk: Desk
) -> None:
    (folder / "conda.yml").write_text(CONDA.replace("six==1.16.0", "azureml-defaults, six"))
    desk.refuses = lambda request: "azureml-defaults" in request.requirements

    write(folder, desk)

    assert desk.pip[-1].requirements == ("six", SERVER)
    (warning,) = desk.warnings
    assert "azureml-defaults" in warning


def test_what_cannot_be_locked_leaves_the_lock_as_it_was(folder: Path, desk: Desk) -> None:
    write(folder, desk)
    before = (folder / "conda-lock.yml").read_bytes()
    desk.refuses = lambda _: True

    assert error_of(folder, desk).message == "pip's list cannot be locked."
    assert (folder / "conda-lock.yml").read_bytes() == before


def test_the_platforms_of_the_lock_there_are_locked_anew(folder: Path, desk: Desk) -> None:
    write(folder, desk, "linux-64", "osx-arm64")

    assert list(write(folder, desk).packages) == ["linux-64", "osx-arm64"]
    assert list(write(folder, desk, "linux-64").packages) == ["linux-64"]


def test_a_mapping_in_the_yaml_is_locked_beside_it(folder: Path, desk: Desk) -> None:
    inline = "environment:\n  conda_file: {dependencies: [python=3.11, {pip: [six]}]}\n"
    (folder / "deployment.yml").write_text(DEPLOYMENT + inline)

    result = write(folder, desk)

    assert result.path == folder / "conda-lock.yml"
    assert read_lock_file(result.path).sources == ("deployment.yml",)
    assert check(folder).fits
    (folder / "deployment.yml").write_text(DEPLOYMENT + inline.replace("six", "toml"))
    assert check(folder).changes == ("six was removed", "toml was added")


class TestCheck:
    def test_a_lock_fits(self, folder: Path, desk: Desk) -> None:
        written = write(folder, desk)

        assert check(folder) == written
        assert len(desk.pip) == 1

    def test_there_is_no_lock(self, folder: Path) -> None:
        result = check(folder)

        assert result == LockResult(folder / "conda-lock.yml", None, {}, {}, ("there is no lock",))
        assert not result.fits

    def test_what_changed_is_told_once(self, folder: Path, desk: Desk) -> None:
        write(folder, desk, "linux-64", "osx-arm64")
        (folder / "conda.yml").write_text(CONDA.replace("six==1.16.0", "six==1.17.0"))

        assert check(folder).changes == ("six==1.16.0 is now six==1.17.0",)

    def test_other_platforms_and_another_python_are_told(self, folder: Path, desk: Desk) -> None:
        write(folder, desk, "osx-arm64")

        assert check(folder).changes == ("it holds nothing for linux-64",)
        assert check(folder, "osx-arm64").fits
        assert check(folder, "osx-arm64", python="3.12").changes == (
            "it was made for Python 3.11, not 3.12",
        )

    def test_a_mangled_lock_is_an_error(self, folder: Path) -> None:
        (folder / "conda-lock.yml").write_text("version: 1\n")

        with pytest.raises(SpecError, match=r"conda-lock\.yml is no lock that can be read"):
            check(folder)


class TestRefused:
    def test_a_deployment_without_a_conda_file(self, folder: Path, desk: Desk) -> None:
        (folder / "deployment.yml").write_text(f"{DEPLOYMENT}environment: {{image: 'acme/x:1'}}\n")

        error = error_of(folder, desk)

        assert isinstance(error, UsageError)
        assert error.message == "Deployment blue has nothing to lock."

    def test_an_unknown_platform(self, folder: Path, desk: Desk) -> None:
        error = error_of(folder, desk, "linux-64", "amiga")

        assert error.message == "There is no platform amiga."
        assert error.remedy == ("Name one of linux-64, linux-aarch64, osx-64, osx-arm64, win-64.")
        assert desk.pip == []

    def test_a_folder_that_cannot_be_written(
        self, folder: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "access", lambda *_: False)

        error = error_of(folder, desk)

        assert isinstance(error, UsageError)
        assert error.message == f"{folder}/conda-lock.yml cannot be written."
        assert error.cause == "Permission denied."
        assert desk.pip == []

    def test_a_disk_that_is_full(
        self, folder: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        write(folder, desk)
        before = sorted(folder.iterdir())
        monkeypatch.setattr(Path, "replace", fails)

        assert error_of(folder, desk).cause == "No space left on device."
        assert sorted(folder.iterdir()) == before

    def test_files_without_a_deployment(self, folder: Path, desk: Desk) -> None:
        (folder / "deployment.yml").write_text("name: hello\nauth_mode: key\n")

        assert error_of(folder, desk).message == "The files hold no deployment."


def test_a_lock_keeps_the_mode_and_the_place_of_the_file_there(folder: Path, desk: Desk) -> None:
    shared = folder / "code" / "locks.yml"
    shared.touch(mode=0o640)
    write(folder, desk)
    shared.write_bytes((folder / "conda-lock.yml").read_bytes())
    (folder / "conda-lock.yml").unlink()
    (folder / "conda-lock.yml").symlink_to("code/locks.yml")

    write(folder, desk, "osx-64")

    assert (folder / "conda-lock.yml").is_symlink()
    assert read_lock_file(shared).platforms == ("osx-64",)
    assert shared.stat().st_mode & 0o777 == 0o640
