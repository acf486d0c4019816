"""The samples are complete, valid, and in the table of their README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from support.loading import load_files

ROOT = Path(__file__).parents[2]
SAMPLES = sorted(path.parent for path in ROOT.glob("samples/*/endpoint.yml"))
OWN_KEY = "models: is a key of localep's own; the YAML of the cloud names one model."


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda folder: folder.name)
def test_every_deployment_of_a_sample_is_valid(folder: Path) -> None:
    for deployment in folder.glob("deployment*.yml"):
        bundle = load_files([folder / "endpoint.yml", deployment])

        assert bundle.endpoint is not None
        assert bundle.deployment is not None
        assert bundle.endpoint.name == bundle.deployment.endpoint_name == folder.name
        warnings = [str(warning) for warning in bundle.warnings]
        own_key = [f"{deployment}:6:3: {OWN_KEY}"] if folder.name == "multi-model" else []
        assert warnings == own_key


@pytest.mark.parametrize("folder", SAMPLES, ids=lambda folder: folder.name)
def test_the_packages_of_a_sample_are_pinned(folder: Path) -> None:
    for conda_file in folder.glob("conda.yml"):
        (listed,) = [
            item["pip"]
            for item in yaml.safe_load(conda_file.read_text())["dependencies"]
            if isinstance(item, dict)
        ]
        unpinned = [name for name in listed if "==" not in name]
        assert unpinned == ["azureml-inference-server-http"]


def test_the_readme_lists_every_sample() -> None:
    listed = re.findall(r"^\| \[(.+)\]\((.+)\) \|", (ROOT / "samples/README.md").read_text(), re.M)

    assert sorted(listed) == [(folder.name, folder.name) for folder in SAMPLES]
