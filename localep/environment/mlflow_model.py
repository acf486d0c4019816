"""The environment of an MLflow model that is deployed without code: what its own files ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from localep.environment.conda_file import CondaFile, parse_conda_file
from localep.environment.requirements import INFERENCE_SERVER, brings_server, package_name
from localep.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MODEL_FILE = "MLmodel"
FLAVOR = "python_function"

_MLFLOW = frozenset({"mlflow", "mlflow-skinny"})
_REQUIREMENTS = "requirements.txt"
_RELEASE = re.compile(r"\d+(\.\d+)+")
_INCLUDED = re.compile(r"(-r|--requirement)[\s=]+(\S+)")
_PATCH = re.compile(r"={1,2}\s*(\d+\.\d+)\.\d+(=.*)?")


@dataclass(frozen=True)
class MlflowEnvironment:
    """What a model's files ask for, as the mapping of a conda file.

    ``conda`` has mlflow and the inference server in pip's list; ``source`` is the file that the
    packages come from.
    """

    conda: dict[str, Any]
    source: str


def mlflow_environment(model: Path) -> MlflowEnvironment:
    """Read the environment of an MLflow model from its folder.

    Raises SpecError where the folder holds no MLflow model, where Python cannot load it, or
    where one of its files is malformed.
    """
    description = _read_description(model)
    flavor = _python_flavor(model, description)
    source, asked = _read_packages(model, flavor)
    python = asked.python or _equals(flavor.get("python_version"))
    pip = [*asked.pip, *_missing(asked.pip, description)]
    dependencies = [f"python{_to_minor(python)}", *asked.packages, {"pip": pip}]
    return MlflowEnvironment({"dependencies": dependencies}, str(source))


def _read_description(model: Path) -> dict[str, Any]:
    if not (model / MODEL_FILE).is_file():
        raise SpecError(
            f"{model} is not an MLflow model.",
            cause=f"It holds no file {MODEL_FILE}."
            if model.is_dir()
            else f"It is a file, and no folder with a file {MODEL_FILE}.",
            remedy="Name the folder that MLflow saved the model to, "
            "or use `type: custom_model` with a scoring script.",
        )
    return _read_mapping(model / MODEL_FILE)


def _python_flavor(model: Path, description: dict[str, Any]) -> dict[str, Any]:
    flavors = description.get("flavors")
    names = ", ".join(map(str, flavors)) if isinstance(flavors, dict) else ""
    flavor = flavors.get(FLAVOR) if isinstance(flavors, dict) else None
    if not isinstance(flavor, dict):
        raise SpecError(
            f"{model} cannot be served without code.",
            cause=f"It has no flavor {FLAVOR}, but {names or 'none at all'}.",
            remedy="Write a scoring script for it: add code_configuration and environment.",
        )
    return flavor


def _read_packages(model: Path, flavor: dict[str, Any]) -> tuple[Path, CondaFile]:
    """The file that says what the model needs, and what it says.

    The first that is there of the conda file, the virtual environment's, and pip's list.
    """
    named = flavor.get("env")
    files = named if isinstance(named, dict) else {"conda": named}
    conda, virtual = (
        model / str(files.get(kind) or default)
        for kind, default in (("conda", "conda.yaml"), ("virtualenv", "python_env.yaml"))
    )
    if conda.is_file():
        return conda, parse_conda_file(_read_mapping(conda), str(conda))
    if virtual.is_file():
        return virtual, _of_virtual_environment(_read_mapping(virtual), model)
    requirements = model / _REQUIREMENTS
    if requirements.is_file():
        return requirements, CondaFile("", (), tuple(_read_lines(requirements)))
    raise SpecError(
        f"The packages of {model} are not known.",
        cause=f"It holds none of {conda.name}, {virtual.name} and {_REQUIREMENTS}.",
        remedy="Copy the whole folder that MLflow saved, or name an environment and a "
        "scoring script.",
    )


def _of_virtual_environment(data: dict[str, Any], model: Path) -> CondaFile:
    pip: list[str] = []
    for line in data.get("dependencies") or []:
        included = _INCLUDED.fullmatch(str(line).strip())
        pip += _read_lines(model / included.group(2)) if included else [str(line)]
    return CondaFile(_equals(data.get("python")), (), tuple(pip))


def _missing(pip: Iterable[str], description: dict[str, Any]) -> list[str]:
    """What the model's own list lacks, and the server needs."""
    pip = tuple(pip)
    missing = []
    if not any(_names(pip, name) for name in _MLFLOW):
        version = str(description.get("mlflow_version") or "")
        missing.append(f"mlflow=={version}" if _RELEASE.fullmatch(version) else "mlflow")
    if not brings_server(pip):
        missing.append(INFERENCE_SERVER)
    return missing


def _names(pip: Iterable[str], package: str) -> bool:
    return any(package_name(line) == package for line in pip)


def _to_minor(python: str) -> str:
    """The constraint without a patch release, which only some images have."""
    match = _PATCH.fullmatch(python)
    return f"={match.group(1)}" if match else python


def _equals(version: object) -> str:
    return f"={version}" if version else ""


def _read_lines(path: Path) -> list[str]:
    lines = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in _read(path).splitlines())
    return [line for line in lines if line]


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(_read(path))
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a ValueError of `!!int x`
        raise SpecError(
            f"{path} is not YAML.",
            cause=" ".join(str(error).split()),
            remedy="Take the file that MLflow wrote.",
        ) from error
    if not isinstance(data, dict):
        raise SpecError(
            f"{path} cannot be read.",
            cause="It holds something else than keys and values.",
            remedy="Take the file that MLflow wrote.",
        )
    return data


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(
            f"{path} cannot be read.",
            cause=str(error),
            remedy="Take the file that MLflow wrote, and make it readable.",
        ) from error
