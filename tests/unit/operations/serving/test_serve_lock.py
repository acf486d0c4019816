"""`serve --isolated` with a lock: its packages where uv alone can install them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from localep.conda.conda_lock import content_hashes, lock_text
from localep.conda.lock import read_source
from localep.conda.lock_file import LockedPip, LockFile, Record
from localep.conda.packages import CondaPackage
from localep.environment.local import LocalEnvironment
from localep.errors import EnvironmentFailure
from localep.operations.environments import lock as environment_lock
from localep.operations.serving.plan import ServeOptions, plan_environment, plan_serve

DEPLOYMENT = """\
name: blue
endpoint_name: hello
code_configuration: {code: code, scoring_script: score.py}
instance_type: Standard_F2s_v2
instance_count: 1
environment: {image: 'acme/base:1', conda_file: conda.yml}
"""
CONDA = "dependencies: [python=3.12, {pip: [--extra-index-url https://u:p@a.example/s, six]}]\n"
SERVER = "azureml-inference-server-http"


def pip_package(name: str) -> LockedPip:
    return LockedPip(name, "1", f"https://files.example/{name}.whl", "a" * 64)


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServeOptions:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "score.py").write_text("def init(): ...\ndef run(raw_data): ...\n")
    (tmp_path / "deployment.yml").write_text(DEPLOYMENT)
    (tmp_path / "conda.yml").write_text(CONDA)
    monkeypatch.setattr(environment_lock, "platform_here", lambda: "linux-64")
    return ServeOptions((tmp_path / "deployment.yml",), is_isolated=True)


def write_lock(options: ServeOptions, *names: str, platform: str = "linux-64") -> LockFile:
    source = read_source(options.files[0].parent / "conda.yml")
    hashes = content_hashes(source, [platform])
    file = LockFile(
        path=source.file.parent / "conda-lock.yml",
        platforms=(platform,),
        content_hash=hashes,
        channels=(),
        sources=("conda.yml",),
        conda={platform: ()},
        pip={platform: tuple(map(pip_package, names))},
        digest="",
        python="3.12",
        record=Record(source.record, hashes),
    )
    file.path.write_text(lock_text(file))
    return file


def planned(options: ServeOptions) -> LocalEnvironment:
    return plan_environment(plan_serve(options), options)


def test_the_lock_is_installed(options: ServeOptions) -> None:
    write_lock(options, SERVER, "six")

    assert planned(options) == LocalEnvironment(
        "3.12",
        (pip_package(SERVER).requirement, pip_package("six").requirement),
        ("--extra-index-url https://u:p@a.example/s",),
        is_locked=True,
    )


def test_the_lock_is_watched_as_the_conda_file_is(options: ServeOptions) -> None:
    before = plan_serve(options).watched.paths
    lock = write_lock(options, SERVER, "six").path

    assert plan_serve(options).watched.paths == (*before, lock)


def test_a_lock_without_the_server_gets_it_on_top(options: ServeOptions) -> None:
    write_lock(options, "six")

    environment = planned(options)

    assert environment.requirements == (pip_package("six").requirement, SERVER)
    assert not environment.is_locked


def test_a_lock_that_no_longer_fits_is_refused(options: ServeOptions) -> None:
    write_lock(options, SERVER)
    (options.files[0].parent / "conda.yml").write_text(CONDA.replace("six", "toml"))

    with pytest.raises(EnvironmentFailure, match=r"conda-lock\.yml no longer fits conda\.yml"):
        planned(options)


def test_another_python_than_the_locks_is_refused(options: ServeOptions) -> None:
    write_lock(options, SERVER)

    with pytest.raises(EnvironmentFailure) as caught:
        planned(replace(options, python="3.11"))

    assert "3.12" in str(caught.value.cause)


def test_a_lock_for_other_machines_is_passed_over(options: ServeOptions) -> None:
    write_lock(options, SERVER, platform="linux-aarch64")

    environment = planned(options)

    assert not environment.is_locked
    assert environment.warnings == (
        "The lock holds nothing for linux-64: the conda file is taken instead.",
    )


def test_a_lock_with_condas_packages_is_passed_over(options: ServeOptions) -> None:
    conda = options.files[0].parent / "conda.yml"
    conda.write_text(CONDA.replace("python=3.12", "python=3.12, numpy"))
    file = write_lock(options, SERVER)
    package = CondaPackage(
        "numpy",
        "2.0",
        "0",
        "linux-64",
        "https://conda.example/x",
        "https://conda.example/x/linux-64/numpy-2.0-0.conda",
        "a" * 64,
        "b" * 32,
    )
    file.path.write_text(lock_text(replace(file, conda={"linux-64": (package,)})))

    environment = planned(options)

    assert not environment.is_locked
    assert environment.warnings[-1] == (
        "The lock holds conda packages: the conda file is taken instead."
    )


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("linux", "x86_64", "linux-64"),
        ("linux", "aarch64", "linux-aarch64"),
        ("darwin", "arm64", "osx-arm64"),
        ("win32", "AMD64", "win-64"),
    ],
)
def test_this_machine_as_conda_names_it(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, name: str
) -> None:
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)

    assert environment_lock.platform_here() == name
