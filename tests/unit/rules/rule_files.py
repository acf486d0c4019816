"""A deployment on disk that no rule has anything against, to be changed by the tests of rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

from localep.rules.engine import check
from localep.spec.findings import Severity
from localep.spec.loader import read_files

DEPLOYMENT = """\
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
CONDA = """\
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
SCRIPT = """\
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
WARNING, INFO = Severity.WARNING, Severity.INFO


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
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8", newline="")
        return path

    def change(self, name: str, old: str, new: str) -> None:
        """Put another text in the place of one that stands in a file once."""
        text = (self.folder / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} in {text}"
        self.write(name, text.replace(old, new))

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
    files.write("blue.yml", DEPLOYMENT)
    files.write("conda.yml", CONDA)
    files.write("code/score.py", SCRIPT)
    return files


def model_files(folder: Path) -> RuleFiles:
    """A deployment of an MLflow model without code."""
    files = RuleFiles(folder)
    files.write("blue.yml", NO_CODE)
    files.write("model/MLmodel", MLMODEL)
    files.write("model/conda.yaml", MODEL_CONDA)
    return files
