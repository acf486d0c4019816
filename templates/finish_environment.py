"""Compiles the packages of the environment whose Python runs this, and lists them as JSON.

Runs at the end of an image's build with whatever Python the environment has.
"""

from __future__ import annotations

import compileall
import json
import re
import sys
import sysconfig
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath

_METADATA = (".dist-info", ".egg-info")
# Nobody imports the tests that a package brings, and they are a good half of some.
_TESTS = re.compile(r"/tests/")


def compile_packages() -> None:
    """Write the byte code of what may be imported; what does not compile is not imported."""
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        compileall.compile_dir(folder, quiet=2, rx=_TESTS, workers=0)


def conda_packages(prefix: Path) -> tuple[list[dict[str, str]], set[str]]:
    """What conda installed, and the names of the folders with Python's metadata among it."""
    packages = []
    brought = set()
    for file in (prefix / "conda-meta").glob("*.json"):
        record = json.loads(file.read_text(encoding="utf-8"))
        packages.append({"name": record["name"], "version": record["version"], "source": "conda"})
        for path in record.get("files", ()):
            names = PurePosixPath(path).parts[-2:]
            brought.update(name for name in names if name.endswith(_METADATA))
    return packages, brought


def pip_packages(brought: set[str]) -> list[dict[str, str]]:
    """What pip installed; of a name that is there twice, the one that Python imports."""
    found: dict[str, dict[str, str]] = {}
    for distribution in distributions():
        name = name_of(distribution)
        if name and folder_of(distribution) not in brought:
            package = {"name": name, "version": distribution.version, "source": "pypi"}
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), package)
    return list(found.values())


def name_of(distribution: Distribution) -> str:
    """The name of a distribution, empty for the folder that a removed one left behind."""
    try:
        return distribution.metadata["Name"] or ""
    except (KeyError, OSError, TypeError):
        return ""


def folder_of(distribution: Distribution) -> str:
    """The name of the folder with the metadata of a distribution."""
    return str(getattr(getattr(distribution, "_path", None), "name", ""))


def list_packages() -> None:
    """Print one package a line, always in the same order."""
    conda, brought = conda_packages(Path(sys.prefix))
    packages = [*conda, *pip_packages(brought)]
    packages.sort(key=lambda package: (package["name"].lower(), package["source"]))
    lines = ",\n".join(json.dumps(package) for package in packages)
    print(f"[\n{lines}\n]")


if __name__ == "__main__":
    compile_packages()
    list_packages()
