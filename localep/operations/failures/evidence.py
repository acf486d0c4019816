"""What lies on this machine beside a start that failed: the model's files, and the versions."""

from __future__ import annotations

import difflib
import json
import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from localep.environment.dockerfile import PACKAGES_FILE
from localep.operations import layout
from localep.operations.failures.runs import read_text
from localep.rules.causes import cause
from localep.rules.pickles import SUFFIXES, sklearn_version
from localep.spec.model import CODE_ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from localep.engine.base import Engine
    from localep.errors import DeploymentNotReady
    from localep.spec.model import DeploymentSpec

MODEL_DIR = "AZUREML_MODEL_DIR"
_UNPICKLE = "unpickle-version"
_MOST_LINES = 20
_MOST_FILES = 2000
_SKLEARN = "scikit-learn"
_PIN = re.compile(r"\s*([A-Za-z][\w.-]*)\s*==\s*([\w.]+)")


@dataclass(frozen=True)
class Difference:
    """A package whose version is another one than that which saved a model's file."""

    file: str
    package: str
    saved: str
    installed: str

    def __str__(self) -> str:
        return f"{self.file} was saved with {self.package} {self.saved}; {self.installed} is there"


def add_evidence(
    error: DeploymentNotReady,
    spec: DeploymentSpec,
    installed: Callable[[], Mapping[str, str] | None],
    root: str = CODE_ROOT,
) -> None:
    """Put what is there into an error whose cause asks for it; leave any other as it is.

    ``installed`` tells the versions of the packages, None where nobody knows them; ``root`` is
    the folder that the layout lies below.
    """
    if error.code == "model-file-missing":
        _add_files(error, spec, root)
    elif error.code == _UNPICKLE:
        found = [f"{difference}." for difference in differences(spec, installed)]
        error.details = (*error.details, *found)


def differences(
    spec: DeploymentSpec, installed: Callable[[], Mapping[str, str] | None]
) -> list[Difference]:
    """The packages that saved the models in a version whose first two numbers are not there.

    Nobody is asked what is installed where no file tells of a version.
    """
    saved = list(_saved_with(spec))
    there = (installed() or {}) if saved else {}
    return [
        Difference(file, package, version, there[package])
        for file, versions in saved
        for package, version in versions.items()
        if package in there and _release(there[package]) != _release(version)
    ]


def version_warnings(
    spec: DeploymentSpec, installed: Callable[[], Mapping[str, str] | None]
) -> list[str]:
    """What to say of the models of a deployment that got ready all the same."""
    remedy = cause(_UNPICKLE).remedy
    return [f"{found} ({_UNPICKLE}). {remedy}" for found in differences(spec, installed)]


def installed_in(engine: Engine, container: str) -> dict[str, str] | None:
    """The packages of a container and their versions; None where localep did not build it."""
    content = engine.copy_out(container, PACKAGES_FILE)
    if content is None:
        return None
    entries = json.loads(content)
    return {str(canonicalize_name(entry["name"])): entry["version"] for entry in entries}


def _saved_with(spec: DeploymentSpec) -> Iterator[tuple[str, dict[str, str]]]:
    """The files of the models, and the versions that they tell of."""
    for model in spec.all_models:
        if model.path is None:
            continue
        for file in _files(model.path):
            if file.suffix.lower() in SUFFIXES and (version := sklearn_version(file)):
                yield file.name, {_SKLEARN: version}
            elif file.name == "requirements.txt" and (file.parent / "MLmodel").is_file():
                yield f"{file.parent.name}/{file.name}", _pins(file)


def _pins(file: Path) -> dict[str, str]:
    """The versions of packages that pickles go by, out of an MLflow model's list."""
    text = file.read_text(encoding="utf-8", errors="replace")
    lines = (_PIN.match(line) for line in text.splitlines())
    pins = {str(line[1]): str(line[2]) for line in lines if line is not None}
    wanted = (_SKLEARN, "cloudpickle", "numpy", "pandas", "xgboost", "lightgbm")
    return {name: pins[name] for name in wanted if name in pins}


def _release(version: str) -> tuple[str, ...]:
    return tuple(version.split(".")[:2])


def _files(path: Path) -> Iterator[Path]:
    """A file, or the files below a folder, not too many."""
    if not path.is_dir():
        yield path
        return
    count = 0
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            yield Path(folder, name)
            count += 1
            if count >= _MOST_FILES:
                return


def _add_files(error: DeploymentNotReady, spec: DeploymentSpec, root: str) -> None:
    folder = layout.cloud_variables(spec, root).get(MODEL_DIR)
    if folder is None:
        error.remedy = "Name the model in the deployment: it has none."
        return
    paths = [posixpath.relpath(path, folder) for path in _places(spec, root)]
    found = read_text("\n".join(error.details), "start")
    nearest = _nearest(found.what if found is not None else "", folder, paths)
    error.details = (*error.details, f"In {MODEL_DIR} ({folder}):", *_tree(paths))
    if nearest is not None:
        parts = ", ".join(f'"{part}"' for part in nearest.split("/"))
        error.remedy = f'Nearest to it is os.path.join(os.environ["{MODEL_DIR}"], {parts}).'


def _places(spec: DeploymentSpec, root: str) -> Iterator[str]:
    """Where the files of all models lie."""
    for place, model in layout.model_places(spec, root).items():
        assert model.path is not None  # noqa: S101 - that is what a place is for
        for file in _files(model.path):
            below = "" if file == model.path else f"/{file.relative_to(model.path).as_posix()}"
            yield place + below


def _nearest(wanted: str, folder: str, paths: list[str]) -> str | None:
    """The file that a path most likely means: one of its name, else one that is spelt alike."""
    if not paths:
        return None
    within = wanted == folder or wanted.startswith(f"{folder}/")
    below = posixpath.relpath(wanted, folder) if within else wanted.lstrip("/")
    name = posixpath.basename(below)
    namesakes = [path for path in paths if posixpath.basename(path).lower() == name.lower()]
    inside = [path for path in paths if path.startswith(f"{below}/") or below == "."]
    alike = namesakes or inside or paths
    if len(alike) == 1:
        return alike[0]
    return next(iter(difflib.get_close_matches(below, alike, 1, cutoff=0.3)), None)


def _tree(paths: list[str]) -> list[str]:
    """Files as an indented list of folders and names."""
    lines: list[str] = []
    shown: set[str] = set()
    for path in paths:
        parts = path.split("/")
        for depth in range(len(parts)):
            step = "/".join(parts[: depth + 1])
            if step not in shown:
                shown.add(step)
                end = "/" if depth < len(parts) - 1 else ""
                lines.append(f"{'  ' * (depth + 1)}{parts[depth]}{end}")
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"  ... and {len(lines) - _MOST_LINES} more"]
    return lines or ["  nothing"]
