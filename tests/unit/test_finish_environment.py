"""The end of a build: the byte code of an environment, and the list of its packages."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LISTING = "import runpy, sys; runpy.run_path(sys.argv[1])['list_packages']()"


@pytest.fixture
def script(root: Path) -> Path:
    return root / "templates" / "finish_environment.py"


@pytest.fixture
def program(script: Path) -> dict[str, Any]:
    return runpy.run_path(str(script))


def install(folder: Path, name: str, version: str) -> None:
    """The metadata that pip leaves of a package."""
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def conda_record(prefix: Path, name: str, version: str, *files: str) -> None:
    record = prefix / "conda-meta" / f"{name}-{version}-0.json"
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps({"name": name, "version": version, "files": files}))


def test_the_list_names_what_python_imports(script: Path, tmp_path: Path) -> None:
    for name, version in [("zipp", "3.1"), ("Flask-Cors", "4.0"), ("azureml_core", "1.61.0.post4")]:
        install(tmp_path / "first", name, version)
    install(tmp_path / "second", "flask_cors", "3.0")  # another spelling of the same, not imported
    (tmp_path / "first" / "removed-1.0.dist-info").mkdir()  # what a removed package left behind

    result = subprocess.run(
        [sys.executable, "-S", "-c", LISTING, script],
        env={**os.environ, "PYTHONPATH": f"{tmp_path / 'first'}{os.pathsep}{tmp_path / 'second'}"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout == (
        "[\n"
        '{"name": "azureml_core", "version": "1.61.0.post4", "source": "pypi"},\n'
        '{"name": "Flask-Cors", "version": "4.0", "source": "pypi"},\n'
        '{"name": "zipp", "version": "3.1", "source": "pypi"}\n'
        "]\n"
    )


def test_what_conda_installed_is_no_package_of_pip(
    program: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    conda_record(tmp_path, "openssl", "3.0", "lib/libssl.so")
    conda_record(
        tmp_path,
        "numpy",
        "1.26.4",
        "lib/python3.11/site-packages/numpy-1.26.4.dist-info/METADATA",
        "lib/python3.11/site-packages/numpy/version.py",
    )
    install(site, "numpy", "1.26.4")
    install(site, "waitress", "3.0")
    monkeypatch.setattr(sys, "path", [str(site)])

    packages, brought = program["conda_packages"](tmp_path)

    assert sorted(packages, key=lambda package: str(package["name"])) == [
        {"name": "numpy", "version": "1.26.4", "source": "conda"},
        {"name": "openssl", "version": "3.0", "source": "conda"},
    ]
    assert program["pip_packages"](brought) == [
        {"name": "waitress", "version": "3.0", "source": "pypi"}
    ]


def test_an_environment_without_conda_has_nothing_of_it(
    program: dict[str, Any], tmp_path: Path
) -> None:
    assert program["conda_packages"](tmp_path) == ([], set())


def test_what_may_be_imported_is_compiled(
    program: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("good/module.py", "good/tests/test_module.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("x = 1\n")
    (tmp_path / "good" / "of_another_python.py").write_text("print 'x'\n")
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))

    program["compile_packages"]()

    compiled = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.pyc")}
    assert compiled == {f"good/__pycache__/module.{sys.implementation.cache_tag}.pyc"}
