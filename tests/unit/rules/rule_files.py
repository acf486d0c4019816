"""Deployments on disk that no rule has anything against, to be changed by the tests of rules.

RuleFiles is one that a test changes step by step; found_in() makes one with given changes and
tells what `validate` says of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

from localep.operations.validate import validate
from localep.rules.engine import check
from localep.spec.findings import Severity
from localep.spec.loader import Selection, read_files

SOUND_DEPLOYMENT = """\
name: blue
endpoint_name: orders
code_configuration:
  code: code
  scoring_script: score.py
environment:
  image: images/base:1
  conda_file: conda.yml
instance_type: Standard_DS3_v2
instance_count: 1
"""
SOUND_CONDA = """\
name: blue
channels:
  - conda-forge
dependencies:
  - python=3.12
  - pip
  - pip:
      - azureml-inference-server-http
      - numpy==2.3.4
"""
SOUND_SCRIPT = """\
import json

import numpy

def init():
    pass

def run(raw_data):
    return numpy.array(json.loads(raw_data)).sum().item()
"""
MLMODEL = """\
flavors:
  python_function:
    env: conda.yaml
    loader_module: mlflow.sklearn
mlflow_version: 2.16.2
"""
MODEL_CONDA = """\
channels:
- conda-forge
dependencies:
- python=3.12.4
- pip
- pip:
  - mlflow==2.16.2
  - azureml-ai-monitoring
name: mlflow-env
"""
NO_CODE = """\
name: blue
endpoint_name: orders
model:
  path: model
  type: mlflow_model
instance_type: Standard_DS3_v2
instance_count: 1
"""
ENDPOINT = """\
name: orders-of-kiel
auth_mode: key
"""
DEPLOYMENT = """\
name: blue
endpoint_name: orders-of-kiel
model:
  path: model
code_configuration:
  code: src
  scoring_script: score.py
environment:
  image: host.example/azureml/openmpi4.1.0-ubuntu22.04:20250101.v1
  conda_file: conda.yml
instance_type: Standard_DS3_v2
instance_count: 1
"""
CONDA = """\
channels: [conda-forge]
dependencies:
  - python=3.11
  - pip=24.0
  - pip: [azureml-inference-server-http==1.5.1, numpy==2.2.0]
"""
SCRIPT = """\
import os

import numpy


def init():
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model", "weights.txt")) as file:
        numpy.loadtxt(file)


def run(data):
    return 1
"""
FILES: Mapping[str, str | bytes] = {
    "endpoint.yml": ENDPOINT,
    "deployment.yml": DEPLOYMENT,
    "conda.yml": CONDA,
    "src/score.py": SCRIPT,
    "model/weights.txt": "1\n",
}
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


class Found(NamedTuple):
    """A finding as tests compare it; ``place`` is file:line:column, the file from the folder."""

    place: str
    severity: Severity
    message: str


@dataclass(frozen=True)
class RuleFiles:
    """The folder of the deployment."""

    folder: Path

    def write(self, name: str, text: str) -> Path:
        """Write a file of the deployment."""
        write(self.folder, {name: dedent(text)})
        return self.folder / name

    def change(self, name: str, old: str, new: str) -> None:
        """Put another text in the place of one that stands in a file once."""
        text = (self.folder / name).read_text(encoding="utf-8")
        self.write(name, changed(text, {old: new}))

    def add(self, name: str, text: str) -> None:
        """Write more at the end of a file."""
        self.write(name, (self.folder / name).read_text(encoding="utf-8") + text)

    def told(self, code: str, *names: str) -> list[Found]:
        """What is found with this code in the deployment, or in the documents of these names."""
        reading = read_files([self.folder / name for name in names or ("blue.yml",)])
        reading.findings.raise_errors()
        return [
            Found(self._place(finding.where), finding.severity, finding.message)
            for finding in check(reading)
            if finding.code == code
        ]

    def _place(self, where: str) -> str:
        return where.removeprefix(f"{self.folder}/")


def sound_files(folder: Path) -> RuleFiles:
    """A deployment with a scoring script."""
    files = RuleFiles(folder)
    files.write("blue.yml", SOUND_DEPLOYMENT)
    files.write("conda.yml", SOUND_CONDA)
    files.write("code/score.py", SOUND_SCRIPT)
    return files


def model_files(folder: Path) -> RuleFiles:
    """A deployment of an MLflow model without code."""
    files = RuleFiles(folder)
    files.write("blue.yml", NO_CODE)
    files.write("model/MLmodel", MLMODEL)
    files.write("model/conda.yaml", MODEL_CONDA)
    return files


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files by their paths from a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def changed(text: str, changes: Mapping[str, str]) -> str:
    """A text with some parts replaced, each of which is there once."""
    for old, new in changes.items():
        assert text.count(old) == 1, f"{old!r} in {text!r}"
        text = text.replace(old, new)
    return text


def found(folder: Path, code: str, *names: str) -> list[str]:
    """What `validate` tells of a cause in the files of a folder, one line a finding.

    ``names`` are the YAML files, the endpoint's and the deployment's where none is named.
    """
    files = [folder / name for name in names or ("endpoint.yml", "deployment.yml")]
    lines = []
    for finding in validate(files, Selection()).findings:
        if finding.code == code:
            assert finding.place is not None
            assert finding.remedy
            source = finding.place.source.relative_to(folder).as_posix()
            place = f"{source}:{finding.place.position}"
            lines.append(f"{finding.severity.value} {place} {finding.message}")
    return lines


def found_in(
    folder: Path,
    code: str,
    files: Mapping[str, str | bytes] | None = None,
    *,
    deployment: Mapping[str, str] | None = None,
    endpoint: Mapping[str, str] | None = None,
) -> list[str]:
    """What is told of a cause once FILES, and ``files`` on top of them, lie in a folder.

    ``deployment`` and ``endpoint`` are changes to the text of these documents.
    """
    documents = {
        "deployment.yml": changed(DEPLOYMENT, deployment or {}),
        "endpoint.yml": changed(ENDPOINT, endpoint or {}),
    }
    write(folder, {**FILES, **documents, **(files or {})})
    return found(folder, code)
