from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.loading import load_documents, load_files
from unit.spec.spec_files import errors_of, write

from localep.spec.april2021 import read_combined, read_deployment, read_endpoint
from localep.spec.documents import read_document
from localep.spec.findings import Finding, Findings, Severity, Topic
from localep.spec.loader import Bundle, Selection
from localep.spec.model import (
    BuildSpec,
    CloudOnly,
    CodeSpec,
    DeploymentSpec,
    EndpointSpec,
    EnvironmentSpec,
    ModelSpec,
    ProbeSettings,
    RequestSettings,
)

if TYPE_CHECKING:
    from pathlib import Path

START = "Paths start from the folder of the YAML file."
HEAD = "name: orders\ndeployments:\n  blue:\n"
BLUE = DeploymentSpec("blue", "orders")


def deployment_of(folder: Path, text: str) -> DeploymentSpec:
    """The one deployment of a document without an error; ``text`` is all that it holds."""
    bundle = load_files([write(folder, "endpoint.yml", HEAD + text)])
    assert bundle.deployment is not None
    return bundle.deployment


def deployment_errors(folder: Path, text: str) -> list[str]:
    """``line:column: message`` of every error; ``text`` is the deployment, from line 4."""
    source = write(folder, "endpoint.yml", HEAD + text)
    return [line.removeprefix(f"{source}:") for line in errors_of(source)]


def test_a_whole_document(tmp_path: Path) -> None:
    write(tmp_path, "models/model.pkl")
    write(tmp_path, "code/score.py")
    write(tmp_path, "env/conda.yml")
    source = write(
        tmp_path,
        "deploy/endpoint.yml",
        """\
        $schema: http://azureml/sdk-2-0/OnlineEndpoint.json
        name: orders
        type: online
        description: Predicts orders
        infrastructure: azureml:cluster
        ssl_enabled: false
        auth_mode: AMLToken
        tags: {team: vision}
        properties: {owner: ada}
        location: westeurope
        identity: {type: SystemAssigned}
        traffic: {blue: 100}
        deployments:
          blue:
            model:
              name: boosted
              version: 1
              asset_path: ../models
            code_configuration:
              code: {directory: ../code}
              scoring_script: score.py
            environment:
              name: trees
              version: 2
              path: .
              conda_file: file:../env/conda.yml
              docker: {image: mcr.example/python}
            environment_variables: {LEVEL: 3}
            sku: Standard_F2s_v2
            app_insights_enabled: false
            resource_requirements: {cpu: 1.5, memory_in_gb: 1.0, gpu: 1.0, memory: 1 Gib}
            request_settings: {request_timeout_ms: 3000}
            liveness_probe:
              initial_delay_seconds: 2.5
              period_seconds: 11
              timeout_seconds: "0.1"
              success_threshold: 1
              failure_threshold: 7
            readiness_probe: {period_seconds: 4.0}
            scale_settings:
              scale_type: Auto
              minimum: 1
              maximum: 3
              instance_count: 2
              polling_interval: 1
              target_utilization_percentage: 70
        """,
    )
    document = read_document(source)
    assert load_files([source]) == Bundle(
        endpoint=EndpointSpec(
            name="orders",
            auth_mode="aml_token",
            description="Predicts orders",
            tags={"team": "vision"},
            properties={"owner": "ada"},
            traffic={"blue": 100},
            cloud_only=CloudOnly(("identity", "infrastructure")),
        ),
        deployment=DeploymentSpec(
            name="blue",
            endpoint_name="orders",
            model=ModelSpec(tmp_path / "models", None, "boosted", "1"),
            code=CodeSpec(tmp_path / "code", "score.py"),
            environment=EnvironmentSpec(
                "mcr.example/python", tmp_path / "env/conda.yml", name="trees", version="2"
            ),
            environment_variables={"LEVEL": "3"},
            instance_type="Standard_F2s_v2",
            instance_count=2,
            app_insights_enabled=False,
            request_settings=RequestSettings(request_timeout_ms=3000),
            liveness_probe=ProbeSettings(3, 11, 1, 1, 7),
            readiness_probe=ProbeSettings(period=4),
            cloud_only=CloudOnly(("scale_settings", "resource_requirements")),
        ),
        documents=(document,),
        warnings=(
            Finding(
                Severity.WARNING,
                Topic.DOCUMENT,
                "old-generation",
                f"{source}:1:1",
                "The document is of the private preview of April 2021; today's cloud refuses it.",
                "`localep upgrade -f FILE` writes it as the cloud reads it today.",
            ),
        ),
    )


def test_a_deployment_needs_nothing_but_its_name(tmp_path: Path) -> None:
    assert deployment_of(tmp_path, "    {}\n") == BLUE


def test_a_managed_endpoint_asks_for_nothing_of_the_cloud_alone(tmp_path: Path) -> None:
    source = write(
        tmp_path, "endpoint.yml", "name: orders\ninfrastructure: managed\ndeployments: {}\n"
    )
    bundle = load_files([source])
    assert (bundle.endpoint, bundle.deployment) == (EndpointSpec("orders"), None)


def test_all_deployments_are_read_in_their_order(tmp_path: Path) -> None:
    source = write(
        tmp_path,
        "endpoint.yml",
        "name: orders\ndeployments: {green: {}, blue: {sku: F2}, red: {name: rose}}\n",
    )
    findings = Findings()
    assert read_combined(read_document(source), findings) == (
        EndpointSpec("orders"),
        [
            DeploymentSpec("green", "orders"),
            DeploymentSpec("blue", "orders", instance_type="F2"),
            DeploymentSpec("rose", "orders"),
        ],
    )
    assert findings.items == []


def test_one_of_several_deployments_is_chosen_by_its_name(tmp_path: Path) -> None:
    source = write(
        tmp_path,
        "endpoint.yml",
        "name: orders\ndeployments: {green: {size: 1}, blue: {sku: F2}}\n",
    )
    bundle = load_files([source], Selection(deployment="blue"))
    blue = DeploymentSpec("blue", "orders", instance_type="F2")
    assert bundle.deployment == blue
    assert bundle.documents[0].data["deployments"] == {"blue": {"sku": "F2"}}
    assert load_documents(bundle.documents).deployment == blue
    assert errors_of(source) == [f"{source}:2:29: deployments.green.size: is not a known key here."]


def test_an_override_reaches_into_a_deployment(tmp_path: Path) -> None:
    source = write(tmp_path, "endpoint.yml", "name: orders\ndeployments: {blue: {sku: F2}}\n")
    bundle = load_files([source], Selection(overrides=("deployments.blue.sku=F4",)))
    assert bundle.deployment == DeploymentSpec("blue", "orders", instance_type="F4")


def test_the_log_level_reaches_every_deployment(tmp_path: Path) -> None:
    source = write(tmp_path, "endpoint.yml", "name: orders\ndeployments: {blue: {}, green: {}}\n")
    for name in ("blue", "green"):
        bundle = load_files([source], Selection(deployment=name, log_level="DEBUG"))
        assert bundle.deployment == DeploymentSpec(
            name, "orders", environment_variables={"LOCALEP_LOG_LEVEL": "DEBUG"}
        )


def test_an_endpoint_without_deployments_may_stand_alone(tmp_path: Path) -> None:
    source = write(
        tmp_path, "endpoint.yml", "name: orders\ntype: online\ninfrastructure: azureml:cluster\n"
    )
    expected = EndpointSpec("orders", cloud_only=CloudOnly(("infrastructure",)))
    findings = Findings()
    assert read_endpoint(read_document(source), findings) == expected
    assert findings.items == []
    assert load_files([source]).endpoint == expected


def test_a_deployment_that_stands_alone_gets_its_endpoint_from_the_command_line(
    tmp_path: Path,
) -> None:
    source = write(tmp_path, "blue.yml", "name: blue\nsku: F2\n")
    assert errors_of(source) == [f"{source}:1:1: `endpoint_name` is missing."]
    assert load_files([source], Selection(endpoint="orders")).deployment == DeploymentSpec(
        "blue", "orders", instance_type="F2"
    )
    assert read_deployment(read_document(source), Findings()) is None


@pytest.mark.parametrize("key", ["asset_path", "local_path", "path"])
def test_a_model_is_named_in_each_of_its_forms(tmp_path: Path, key: str) -> None:
    write(tmp_path, "models/model.pkl")
    text = f"    model: {{name: boosted, version: 2, {key}: file:models}}\n"
    assert deployment_of(tmp_path, text) == DeploymentSpec(
        "blue", "orders", model=ModelSpec(tmp_path / "models", None, "boosted", "2")
    )


@pytest.mark.parametrize("code", ["{directory: code}", "{local_path: code}", "file:code", "code"])
def test_code_is_named_in_each_of_its_forms(tmp_path: Path, code: str) -> None:
    write(tmp_path, "code/score.py")
    text = f"    code_configuration: {{code: '{code}', scoring_script: score.py}}\n"
    text = text.replace("'{", "{").replace("}'", "}")
    assert deployment_of(tmp_path, text) == DeploymentSpec(
        "blue", "orders", code=CodeSpec(tmp_path / "code", "score.py")
    )


def test_an_environment_is_built_from_a_dockerfile(tmp_path: Path) -> None:
    write(tmp_path, "Dockerfile")
    text = "    environment: {path: ., docker: {build: {dockerfile: file:Dockerfile}}}\n"
    assert deployment_of(tmp_path, text) == DeploymentSpec(
        "blue", "orders", environment=EnvironmentSpec(build=BuildSpec(tmp_path, "Dockerfile"))
    )


@pytest.mark.parametrize(
    ("seconds", "whole"), [("0", 0), ("0.2", 1), ("1", 1), ("1.0", 1), ("1.01", 2), ("'2.5'", 3)]
)
def test_seconds_of_a_probe_are_rounded_up(tmp_path: Path, seconds: str, whole: int) -> None:
    text = f"    readiness_probe: {{initial_delay_seconds: {seconds}}}\n"
    assert deployment_of(tmp_path, text) == DeploymentSpec(
        "blue", "orders", readiness_probe=ProbeSettings(initial_delay=whole)
    )


def test_the_newer_word_for_the_size_is_known_too(tmp_path: Path) -> None:
    assert deployment_of(tmp_path, "    instance_type: F2\n").instance_type == "F2"
    assert deployment_of(tmp_path, "    {sku: F2, instance_type: F4}\n").instance_type == "F2"


OTHER = "It is of another generation of the documents; write"
WRONG_LINES = {
    "sku: 3": "4:10: deployments.blue.sku: should be a string, not 3.",
    "skuu: F2": "4:11: deployments.blue.skuu: is not a known key here. Did you mean `sku`?",
    "model: {name: boosted, version: 1, asset_path: gone}": "4:52: deployments.blue.model."
    "asset_path: there is no file or folder at {here}/gone. " + START,
    "model: {name: boosted, version: 1}": "4:12: deployments.blue.model: `asset_path` is missing.",
    "code_configuration: {code: {directory: ., directry: .}, scoring_script: endpoint.yml}": (
        "4:57: deployments.blue.code_configuration.code.directry: is not a known key here. "
        "Did you mean `directory`?"
    ),
    "environment: {image: python}": "4:26: deployments.blue.environment.image: "
    f"is not a known key here. {OTHER} `environment.docker.image`.",
    "instance_count: 1": "4:21: deployments.blue.instance_count: is not a known key here. "
    f"{OTHER} `scale_settings.instance_count`.",
    "scale_settings: {scale_type: manual}": "4:21: deployments.blue.scale_settings: "
    "`instance_count` is missing.",
    "scale_settings: {scale_type: default}": "4:34: deployments.blue.scale_settings.scale_type: "
    "'default' is not one of auto, manual.",
    "scale_settings: {type: default}": "4:28: deployments.blue.scale_settings.type: "
    f"is not a known key here. {OTHER} `scale_settings.scale_type`.",
    "liveness_probe: {period: 1}": "4:30: deployments.blue.liveness_probe.period: "
    f"is not a known key here. {OTHER} `liveness_probe.period_seconds`.",
    "liveness_probe: {period_seconds: often}": "4:38: deployments.blue.liveness_probe."
    "period_seconds: should be a number, not 'often'.",
    "readiness_probe: 5": "4:22: deployments.blue.readiness_probe: should be a mapping, not 5.",
    "resource_requirements: {memory: 1}": "4:37: deployments.blue.resource_requirements.memory: "
    "should be a string, not 1.",
    "traffic: {}": "4:14: deployments.blue.traffic: is not a known key here.",
}


@pytest.mark.parametrize("line", WRONG_LINES)
def test_a_deployment_with_one_wrong_line_is_refused(tmp_path: Path, line: str) -> None:
    expected = WRONG_LINES[line].replace("{here}", str(tmp_path))
    assert deployment_errors(tmp_path, f"    {line}\n") == [expected]


WRONG_DOCUMENTS = {
    "deployments: {blue: {}}": ["1:1: `name` is missing."],
    "name: orders\ndeployments: {blue: [a]}": [
        "2:21: deployments.blue: should be a mapping, not a list."
    ],
    "name: orders\ndeployments: {blue: }": [
        "2:21: deployments.blue: may not be null. Give it a value or remove the key."
    ],
    "name: orders\nssl_enabled: maybe\ndeployments: {}": [
        "2:14: ssl_enabled: should be true or false, not 'maybe'."
    ],
    "name: orders\ncompute: azureml:aks\ndeployments: {}": [
        f"2:10: compute: is not a known key here. {OTHER} `infrastructure`."
    ],
    "name: orders\ninfrastucture: managed\ndeployments: {}": [
        "2:16: infrastucture: is not a known key here. Did you mean `infrastructure`?"
    ],
    "name: orders\ntraffic: {blue: 101}\ndeployments: {}": [
        "2:10: traffic: the shares are more than 100 in all."
    ],
    "name: orders\ndeployments: {b_c: {}}": [
        "2:20: deployments.b_c.name: 'b_c' is not a valid name. "
        "Use 3 to 32 letters, digits and single dashes, beginning with a letter."
    ],
}


@pytest.mark.parametrize("text", WRONG_DOCUMENTS)
def test_a_wrong_document_is_refused(tmp_path: Path, text: str) -> None:
    source = write(tmp_path, "endpoint.yml", f"{text}\n")
    assert errors_of(source) == [f"{source}:{error}" for error in WRONG_DOCUMENTS[text]]
