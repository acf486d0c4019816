"""A deployment in real files for the tests of rules, and what `validate` tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from localep.operations.validate import validate
from localep.spec.loader import Selection

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
