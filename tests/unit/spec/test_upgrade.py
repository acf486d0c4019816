"""Documents of 2021 in today's words."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from localep.errors import LocalepError
from localep.spec.documents import Document, parse_document, read_document
from localep.spec.findings import Severity, Topic
from localep.spec.generations import Generation, generation_of
from localep.spec.loader import Selection, read_documents
from localep.spec.upgrade import upgrade

CORPUS = Path(__file__).parents[4] / "shared" / "corpus"
PROJECT = Path("/project/old")
SCHEMAS = "https://azuremlschemas.azureedge.net/latest"

APRIL = """\
name: orders
type: online
infrastructure: azureml:cluster
auth_mode: key
traffic: {blue: 100}
deployments:
  blue:
    model: {name: trees, version: 3, asset_path: file:./model.pkl}
    code_configuration: {code: {directory: ./src}, scoring_script: score.py}
    environment: {name: e, version: 1, path: ., conda_file: file:conda.yml}
    sku: Standard_F2s_v2
    scale_settings: {scale_type: manual, instance_count: 2, minimum: 1}
    liveness_probe: {period_seconds: 10.0, failure_threshold: 3}
    resource_requirements: {cpu: 1.5, memory_in_gb: 2.0, gpu: 1, cpu_cores_limit: 2}
    tested: yes
"""
MAY = """\
name: orders
deployments:
  - name: blue
    model: azureml:trees:3
    environment:
      docker: {build: {dockerfile: file:image/Dockerfile.gpu}}
    instance_type: Standard_F2s_v2
    scale_settings: {scale_type: Auto, min_instances: 1, max_instances: 3}
  - name: green
    model: {name: trees, version: 4, local_path: ../model}
    environment: {docker: {image: "acme/base:1"}, conda_file: file:../conda.yml}
    scale_settings: {scale_type: Manual, instance_count: 1}
"""
NOVEMBER = """\
name: blue
endpoint_name: orders
type: kubernetes
model: {local_path: model, model_format: Triton}
code_configuration: {code: {local_path: src}, scoring_script: score.py}
environment: azureml:e:1
instance_count: 1
resources: {requests: {cpu: "1"}}
"""


def files_of(text: str, folder: Path = PROJECT) -> dict[str, dict[str, Any]]:
    document = parse_document(text, PROJECT / "old.yml")
    return {file.name: file.data for file in upgrade(document, folder)}


def test_an_april_document_becomes_two_files() -> None:
    assert files_of(APRIL) == {
        "endpoint.yml": {
            "$schema": f"{SCHEMAS}/kubernetesOnlineEndpoint.schema.json",
            "name": "orders",
            "auth_mode": "key",
            "traffic": {"blue": 100},
            "compute": "azureml:cluster",
        },
        "deployment.yml": {
            "$schema": f"{SCHEMAS}/kubernetesOnlineDeployment.schema.json",
            "name": "blue",
            "endpoint_name": "orders",
            "type": "kubernetes",
            "model": {"name": "trees", "version": 3, "path": "./model.pkl"},
            "code_configuration": {"code": "./src", "scoring_script": "score.py"},
            "environment": {"conda_file": "conda.yml"},
            "liveness_probe": {"period": 10, "failure_threshold": 3},
            "instance_type": "Standard_F2s_v2",
            "instance_count": 2,
            "resources": {
                "requests": {"cpu": "1.5", "memory": "2Gi", "gpu": "1"},
                "limits": {"cpu": "2"},
            },
        },
    }


def test_what_has_no_place_today_is_named() -> None:
    _, deployment = upgrade(parse_document(APRIL, PROJECT / "old.yml"), PROJECT)

    assert deployment.left_out == ("tested",)


def test_a_may_document_becomes_a_file_for_each_deployment_with_paths_from_its_folder() -> None:
    assert files_of(MAY, Path("/project/new/today")) == {
        "endpoint.yml": {
            "$schema": f"{SCHEMAS}/managedOnlineEndpoint.schema.json",
            "name": "orders",
        },
        "deployment-blue.yml": {
            "$schema": f"{SCHEMAS}/managedOnlineDeployment.schema.json",
            "name": "blue",
            "endpoint_name": "orders",
            "model": "azureml:trees:3",
            "environment": {
                "build": {"path": "../../old/image", "dockerfile_path": "Dockerfile.gpu"}
            },
            "instance_type": "Standard_F2s_v2",
            "instance_count": 1,
            "scale_settings": {
                "type": "target_utilization",
                "min_instances": 1,
                "max_instances": 3,
            },
        },
        "deployment-green.yml": {
            "$schema": f"{SCHEMAS}/managedOnlineDeployment.schema.json",
            "name": "green",
            "endpoint_name": "orders",
            "model": {"name": "trees", "version": 4, "path": "../../model"},
            "environment": {"image": "acme/base:1", "conda_file": "../../conda.yml"},
            "instance_count": 1,
        },
    }


def test_a_november_document_stays_one_file() -> None:
    assert files_of(NOVEMBER) == {
        "deployment.yml": {
            "$schema": f"{SCHEMAS}/kubernetesOnlineDeployment.schema.json",
            "name": "blue",
            "endpoint_name": "orders",
            "type": "kubernetes",
            "model": {"path": "model", "type": "triton_model"},
            "code_configuration": {"code": "src", "scoring_script": "score.py"},
            "environment": "azureml:e:1",
            "resources": {"requests": {"cpu": "1"}},
            "instance_count": 1,
        }
    }


def test_a_document_of_today_gives_nothing() -> None:
    assert files_of("name: orders\nauth_mode: key\n") == {}


def older_files() -> list[Path]:
    """The corpus's files of 2021 that are YAML as they are."""
    with (CORPUS / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["generation"].startswith("2021")]
    return [CORPUS / "yaml" / row["path"] for row in rows]


@pytest.mark.skipif(not CORPUS.exists(), reason="The corpus of public files is not here.")
def test_what_comes_of_the_corpus_is_what_the_cloud_takes_today() -> None:
    count = 0
    for file in older_files():
        try:
            document = read_document(file)
        except LocalepError:  # placeholders keep it from being YAML
            continue
        if generation_of(document.data) is Generation.TODAY or "<modelId>" in file.read_text():
            continue
        count += 1
        for upgraded in upgrade(document, file.parent):
            assert upgraded.left_out == (), file
            made = Document(file.parent / upgraded.name, upgraded.data)
            assert generation_of(made.data) is Generation.TODAY
            sized = {"instance_type": "Standard_F2s_v2", **made.data}
            if "endpoint" not in upgraded.name:
                made = Document(made.source, sized)
            findings = read_documents([made], Selection("named", "blue")).findings
            errors = [
                item.message
                for item in findings.items
                if item.severity is Severity.ERROR and item.topic is Topic.DOCUMENT
            ]
            assert errors == [], file
    assert count > 50


def test_a_dockerfile_that_stands_in_the_document_is_left_out() -> None:
    text = (
        "name: orders\ndeployments:\n  - name: blue\n"
        "    environment: {docker: {build: {dockerfile: 'FROM acme/base:1'}}}\n"
    )
    document = parse_document(text, PROJECT / "old.yml")

    _, deployment = upgrade(document, PROJECT)

    assert deployment.data["environment"] == {}
    assert deployment.left_out == ("environment.docker.build.dockerfile",)
