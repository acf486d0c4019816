from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.loading import load_files
from unit.spec.spec_files import errors_of, write

from localep.spec.documents import read_document
from localep.spec.findings import Finding, Findings, Severity, Topic
from localep.spec.loader import Bundle, Selection
from localep.spec.may2021 import read_combined, read_deployment, read_endpoint
from localep.spec.model import (
    BuildSpec,
    CloudOnly,
    CodeSpec,
    DeploymentSpec,
    EndpointSpec,
    EnvironmentSpec,
    InferenceConfig,
    ModelSpec,
    ProbeSettings,
    RequestSettings,
    Route,
)

if TYPE_CHECKING:
    from pathlib import Path

START = "Paths start from the folder of the YAML file."
HEAD = "name: orders\ndeployments:\n  - name: blue\n"


def warning_of(source: Path) -> Finding:
    """What every document of this generation is told."""
    return Finding(
        Severity.WARNING,
        Topic.DOCUMENT,
        "old-generation",
        f"{source}:1:1",
        "The document is of the public preview of May 2021; today's cloud refuses it.",
        "`localep upgrade -f FILE` writes it as the cloud reads it today.",
    )


def deployment_of(folder: Path, text: str) -> DeploymentSpec:
    """The one deployment of a document without an error; ``text`` follows its name."""
    bundle = load_files([write(folder, "endpoint.yml", HEAD + text)])
    assert bundle.deployment is not None
    return bundle.deployment


def deployment_errors(folder: Path, text: str) -> list[str]:
    """``line:column: message`` of every error; ``text`` follows the name, from line 4."""
    source = write(folder, "endpoint.yml", HEAD + text)
    return [line.removeprefix(f"{source}:") for line in errors_of(source)]


def test_a_whole_combined_document(tmp_path: Path) -> None:
    write(tmp_path, "model-1/model/model.pkl")
    write(tmp_path, "model-1/onlinescoring/score.py")
    write(tmp_path, "model-1/environment/conda.yml")
    source = write(
        tmp_path,
        "managed/endpoint.yml",
        """\
        $schema: https://azuremlschemas.azureedge.net/latest/managedOnlineEndpoint.schema.json
        name: orders
        type: online
        description: Predicts orders
        auth_mode: Key
        tags: {team: vision}
        properties: {owner: ada}
        location: westeurope
        swagger_uri: https://orders.example.com/swagger.json
        identity: {type: SystemAssigned}
        traffic:
          blue: 100
        deployments:
          - name: blue
            tags: {color: blue}
            properties: {wave: first}
            model:
              name: boosted
              version: 1
              local_path: ../model-1/model/model.pkl
            code_configuration:
              code:
                local_path: ../model-1/onlinescoring/
              scoring_script: score.py
            environment:
              name: trees
              version: 2
              path: .
              conda_file: file:../model-1/environment/conda.yml
              docker:
                image: mcr.example/azureml/openmpi4.1.0-ubuntu22.04:latest
            environment_variables: {LEVEL: 3}
            instance_type: Standard_F2s_v2
            app_insights_enabled: yes
            request_settings:
              request_timeout_ms: 3000
              max_concurrent_requests_per_instance: 2
              max_queue_wait_ms: 3001
            liveness_probe: {period: 11}
            readiness_probe: {timeout: 12}
            scale_settings:
              scale_type: Manual
              instance_count: 2
              min_instances: 1
              max_instances: 3
        """,
    )
    document = read_document(source)
    assert load_files([source]) == Bundle(
        endpoint=EndpointSpec(
            name="orders",
            auth_mode="key",
            description="Predicts orders",
            tags={"team": "vision"},
            properties={"owner": "ada"},
            traffic={"blue": 100},
            cloud_only=CloudOnly(("identity",)),
        ),
        deployment=DeploymentSpec(
            name="blue",
            endpoint_name="orders",
            model=ModelSpec(tmp_path / "model-1/model/model.pkl", None, "boosted", "1"),
            code=CodeSpec(tmp_path / "model-1/onlinescoring", "score.py"),
            environment=EnvironmentSpec(
                image="mcr.example/azureml/openmpi4.1.0-ubuntu22.04:latest",
                conda_file=tmp_path / "model-1/environment/conda.yml",
                name="trees",
                version="2",
            ),
            environment_variables={"LEVEL": "3"},
            instance_type="Standard_F2s_v2",
            instance_count=2,
            app_insights_enabled=True,
            request_settings=RequestSettings(3000, 2, 3001),
            liveness_probe=ProbeSettings(period=11),
            readiness_probe=ProbeSettings(timeout=12),
            tags={"color": "blue"},
            properties={"wave": "first"},
            cloud_only=CloudOnly(("app_insights_enabled",)),
        ),
        documents=(document,),
        warnings=(warning_of(source),),
    )


def test_a_deployment_needs_only_a_name(tmp_path: Path) -> None:
    assert deployment_of(tmp_path, "") == DeploymentSpec("blue", "orders")


def test_all_deployments_are_read_in_their_order(tmp_path: Path) -> None:
    source = write(
        tmp_path,
        "endpoint.yml",
        "name: orders\ndeployments: [{name: green}, {name: blue, instance_type: F2}]\n",
    )
    findings = Findings()
    assert read_combined(read_document(source), findings) == (
        EndpointSpec("orders"),
        [DeploymentSpec("green", "orders"), DeploymentSpec("blue", "orders", instance_type="F2")],
    )
    assert findings.items == []


def test_a_document_without_deployments_in_its_list_is_an_endpoint(tmp_path: Path) -> None:
    source = write(tmp_path, "endpoint.yml", "name: orders\ndeployments: []\n")
    document = read_document(source)
    assert load_files([source]) == Bundle(
        EndpointSpec("orders"), None, (document,), (warning_of(source),)
    )


def test_a_document_of_kubernetes_is_read_alike(tmp_path: Path) -> None:
    source = write(
        tmp_path,
        "endpoint.yml",
        """\
        name: orders
        target: azureml:cluster
        deployments:
          - name: blue
            resource_requirements: {cpu: 1.5, memory_in_gb: 1.0, gpu: 1, cpu_cores_limit: "2",
                                    memory_in_gb_limit: 2}
            scale_settings: {scale_type: auto, polling_interval: 1,
                             target_utilization_percentage: 70}
        """,
    )
    document = read_document(source)
    assert load_files([source]) == Bundle(
        EndpointSpec("orders", cloud_only=CloudOnly(("target",))),
        DeploymentSpec(
            "blue", "orders", cloud_only=CloudOnly(("scale_settings", "resource_requirements"))
        ),
        (document,),
        (warning_of(source),),
    )


def test_an_endpoint_without_deployments_may_stand_alone(tmp_path: Path) -> None:
    source = write(tmp_path, "endpoint.yml", "name: orders\ntype: online\nauth_mode: aml_token\n")
    assert load_files([source]).endpoint == EndpointSpec("orders", "aml_token")
    findings = Findings()
    assert read_endpoint(read_document(source), findings) == EndpointSpec("orders", "aml_token")
    assert findings.items == []


def test_a_deployment_that_stands_alone_gets_its_endpoint_from_the_command_line(
    tmp_path: Path,
) -> None:
    write(tmp_path, "model.pkl")
    source = write(
        tmp_path,
        "blue.yml",
        """\
        $schema: https://azuremlschemas.azureedge.net/latest/managedOnlineDeployment.schema.json
        name: blue
        model: {name: boosted, version: 1, local_path: model.pkl}
        environment: {docker: {image: python}}
        instance_type: F2
        scale_settings: {scale_type: manual, instance_count: 1}
        """,
    )
    assert errors_of(source) == [f"{source}:1:1: `endpoint_name` is missing."]
    bundle = load_files([source], Selection(endpoint="orders"))
    assert (bundle.endpoint, bundle.deployment) == (
        None,
        DeploymentSpec(
            "blue",
            "orders",
            model=ModelSpec(tmp_path / "model.pkl", None, "boosted", "1"),
            environment=EnvironmentSpec("python"),
            instance_type="F2",
            instance_count=1,
        ),
    )


def test_a_deployment_without_its_names_is_not_read(tmp_path: Path) -> None:
    findings = Findings()
    source = write(tmp_path, "blue.yml", "instance_type: F2\n")
    assert read_deployment(read_document(source), findings) is None
    assert [item.message for item in findings.items] == [
        "`endpoint_name` is missing.",
        "`name` is missing.",
    ]


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("{local_path: code}", id="local_path"),
        pytest.param("{path: ./code/, name: scripts, version: 1}", id="path"),
        pytest.param("file:code", id="file:"),
        pytest.param("code", id="plain path"),
    ],
)
def test_code_is_named_in_each_of_its_forms(tmp_path: Path, code: str) -> None:
    write(tmp_path, "code/score.py")
    text = f"    code_configuration:\n      code: {code}\n      scoring_script: score.py\n"
    assert deployment_of(tmp_path, text) == DeploymentSpec(
        "blue", "orders", code=CodeSpec(tmp_path / "code", "score.py")
    )


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("local_path: models", id="local_path"),
        pytest.param("path: ./models", id="path"),
        pytest.param("local_path: file:models", id="file:"),
    ],
)
def test_a_model_is_named_in_each_of_its_forms(tmp_path: Path, path: str) -> None:
    write(tmp_path, "models/model.pkl")
    text = f"    model: {{name: boosted, version: '2', {path}}}\n"
    assert deployment_of(tmp_path, text) == DeploymentSpec(
        "blue", "orders", model=ModelSpec(tmp_path / "models", None, "boosted", "2")
    )


def test_an_environment_in_a_file_of_its_own_names_paths_from_its_own_folder(
    tmp_path: Path,
) -> None:
    write(tmp_path, "envs/conda.yml")
    write(
        tmp_path,
        "envs/env.yml",
        "name: trees\nversion: 1\ndocker: {image: python}\nconda_file: file:conda.yml\n",
    )
    assert deployment_of(tmp_path, "    environment: file:envs/env.yml\n") == DeploymentSpec(
        "blue",
        "orders",
        environment=EnvironmentSpec(
            "python", tmp_path / "envs/conda.yml", name="trees", version="1"
        ),
    )


@pytest.mark.parametrize(
    ("environment", "read"),
    [
        pytest.param("{docker: {image: python}}", EnvironmentSpec("python"), id="image"),
        pytest.param(
            "{docker: {image: python}, conda_file: {dependencies: [pip]}}",
            EnvironmentSpec("python", conda={"dependencies": ["pip"]}),
            id="conda mapping",
        ),
        pytest.param(
            "{docker: {image: mine}, inference_config: {liveness_route: {port: 8501, path: /}, "
            "readiness_route: {port: 8501, path: ready}, scoring_route: {port: 80, path: /v1}}}",
            EnvironmentSpec(
                "mine",
                inference_config=InferenceConfig(
                    Route(8501, "/"), Route(8501, "/ready"), Route(80, "/v1")
                ),
            ),
            id="custom container",
        ),
    ],
)
def test_an_environment_is_read_in_each_of_its_forms(
    tmp_path: Path, environment: str, read: EnvironmentSpec
) -> None:
    assert deployment_of(tmp_path, f"    environment: {environment}\n") == DeploymentSpec(
        "blue", "orders", environment=read
    )


@pytest.mark.parametrize(
    ("environment", "build"),
    [
        pytest.param(
            "{docker: {build: {dockerfile: file:docker/Dockerfile}}}",
            ("docker", "Dockerfile"),
            id="the folder of the Dockerfile is sent",
        ),
        pytest.param(
            "{docker: {build: {dockerfile: docker/Dockerfile}}}",
            ("docker", "Dockerfile"),
            id="without file:",
        ),
        pytest.param(
            "{path: ., docker: {build: {dockerfile: file:docker/Dockerfile}}}",
            (".", "docker/Dockerfile"),
            id="the folder that path names is sent",
        ),
        pytest.param(
            "{path: code, docker: {build: {dockerfile: file:docker/Dockerfile}}}",
            ("docker", "Dockerfile"),
            id="a folder without the Dockerfile is of no use",
        ),
    ],
)
def test_an_environment_is_built_from_a_dockerfile(
    tmp_path: Path, environment: str, build: tuple[str, str]
) -> None:
    write(tmp_path, "docker/Dockerfile")
    write(tmp_path, "code/score.py")
    folder, dockerfile = build
    assert deployment_of(tmp_path, f"    environment: {environment}\n") == DeploymentSpec(
        "blue",
        "orders",
        environment=EnvironmentSpec(build=BuildSpec(tmp_path / folder, dockerfile)),
    )


@pytest.mark.parametrize(
    "text", ["FROM python", "from python", "ARG a", "# syntax", "  FROM python"]
)
def test_the_text_of_a_dockerfile_is_built_alone(tmp_path: Path, text: str) -> None:
    line = f"    environment: {{docker: {{build: {{dockerfile: '{text}'}}}}}}\n"
    assert deployment_of(tmp_path, line) == DeploymentSpec(
        "blue",
        "orders",
        environment=EnvironmentSpec(build=BuildSpec(tmp_path, text=text, sends_folder=False)),
    )


def test_the_build_of_a_text_is_sent_the_folder_that_path_names(tmp_path: Path) -> None:
    write(tmp_path, "image/run.sh")
    line = '    environment: {path: image, docker: {build: {dockerfile: "FROM a\\nCOPY . /"}}}\n'
    assert deployment_of(tmp_path, line) == DeploymentSpec(
        "blue",
        "orders",
        environment=EnvironmentSpec(build=BuildSpec(tmp_path / "image", text="FROM a\nCOPY . /")),
    )


@pytest.mark.parametrize("word", ["manual", "Manual", "MANUAL"])
def test_the_casing_of_scale_type_does_not_matter(tmp_path: Path, word: str) -> None:
    text = f"    scale_settings: {{scale_type: {word}, instance_count: '2'}}\n"
    assert deployment_of(tmp_path, text) == DeploymentSpec("blue", "orders", instance_count=2)


WRONG_DEPLOYMENT_LINES = {
    "model: {name: boosted, version: 1, local_path: gone}": "4:52: deployments.0.model.local_path: "
    "there is no file or folder at {here}/gone. " + START,
    "model: {name: boosted, version: 1}": "4:12: deployments.0.model: `local_path` is missing.",
    "model: {version: 1, local_path: .}": "4:12: deployments.0.model: `name` is missing.",
    "model: {name: boosted, local_path: .}": "4:12: deployments.0.model: `version` is missing.",
    "model: {name: boosted, version: 1, local_path: ., path: .}": "4:61: deployments.0.model.path: "
    "is not a known key here. It stands beside `local_path`: keep one of them.",
    "model: {name: boosted, version: 1, path: ., asset_path: .}": "4:61: "
    "deployments.0.model.asset_path: is not a known key here. "
    "It is of another generation of the documents; write `model.local_path`.",
    "model: boosted:1": "4:12: deployments.0.model: 'boosted:1' is not a reference to a "
    "registered model. Write `azureml:NAME:VERSION`, or a mapping that names a local path.",
    "model: azureml:boosted:1": "4:12: deployments.0.model: azureml:boosted:1 can only be "
    "resolved by the cloud. Write `path: FILE OR FOLDER` under `model:`.",
    "code_configuration: {code: {local_path: gone}, scoring_script: score.py}": "4:45: "
    "deployments.0.code_configuration.code.local_path: there is no folder at {here}/gone. " + START,
    "code_configuration: {code: {local_path: .}, scoring_script: score.py}": "4:65: "
    "deployments.0.code_configuration.scoring_script: there is no file score.py in {here}. "
    "The path of the script starts from the code folder.",
    "code_configuration: {code: {local_path: .}, scoring_script: ../score.py}": "4:65: "
    "deployments.0.code_configuration.scoring_script: ../score.py lies outside the code folder. "
    "Only the code folder reaches the deployment: move the script into it.",
    "code_configuration: {code: {local_path: .}}": "4:25: deployments.0.code_configuration: "
    "`scoring_script` is missing.",
    "code_configuration: {code: 'azureml:code:1', scoring_script: score.py}": "4:32: "
    "deployments.0.code_configuration.code: azureml:code:1 can only be resolved by the cloud. "
    "Name a local path for a local run.",
    "environment: {docker: {imag: python}}": "4:34: deployments.0.environment.docker.imag: "
    "is not a known key here. Did you mean `image`?",
    "environment: {image: python}": "4:26: deployments.0.environment.image: "
    "is not a known key here. "
    "It is of another generation of the documents; write `environment.docker.image`.",
    "environment: {docker: {build: {}}}": "4:35: deployments.0.environment.docker.build: "
    "`dockerfile` is missing.",
    "environment: {docker: {build: {dockerfile: 'file:gone'}}}": "4:48: "
    "deployments.0.environment.docker.build.dockerfile: there is no file at {here}/gone. " + START,
    "environment: {os_type: mac}": "4:28: deployments.0.environment.os_type: "
    "'mac' is not one of linux, windows.",
    "environment: {conda_file: 'file:gone.yml'}": "4:31: deployments.0.environment.conda_file: "
    "there is no file at {here}/gone.yml. " + START,
    "environment: {docker: {image: mine}, inference_config: {liveness_route: {port: 1, path: /}, "
    "readiness_route: {port: 1, path: /}}}": "4:60: deployments.0.environment.inference_config: "
    "`scoring_route` is missing.",
    "environment: azureml:trees:1": "4:18: deployments.0.environment: azureml:trees:1 can only "
    "be resolved by the cloud. Write `image:` and `conda_file:` under `environment:`.",
    "scale_settings: {scale_type: default}": "4:34: deployments.0.scale_settings.scale_type: "
    "'default' is not one of auto, manual.",
    "scale_settings: {scale_type: manual}": "4:21: deployments.0.scale_settings: "
    "`instance_count` is missing.",
    "scale_settings: {minimum: 1}": "4:31: deployments.0.scale_settings.minimum: "
    "is not a known key here. "
    "It is of another generation of the documents; write `scale_settings.min_instances`.",
    "liveness_probe: {period_seconds: 1}": "4:38: deployments.0.liveness_probe.period_seconds: "
    "is not a known key here. "
    "It is of another generation of the documents; write `liveness_probe.period`.",
    "resources: {}": "4:16: deployments.0.resources: is not a known key here. "
    "It is of another generation of the documents; write `resource_requirements`.",
    "resource_requirements: {cpu: many}": "4:34: deployments.0.resource_requirements.cpu: "
    "should be a number, not 'many'.",
    "resource_requirements: {memory: 1}": "4:37: deployments.0.resource_requirements.memory: "
    "is not a known key here. Did you mean `memory_in_gb`?",
    "sku: F2": "4:10: deployments.0.sku: is not a known key here. "
    "It is of another generation of the documents; write `instance_type`.",
    "scale_settings: {instance_count: many}": "4:38: "
    "deployments.0.scale_settings.instance_count: should be a whole number, not 'many'.",
    "scale_settings: {instances: 1}": "4:33: deployments.0.scale_settings.instances: "
    "is not a known key here. Did you mean `min_instances`?",
    "instance_count: 1": "4:21: deployments.0.instance_count: is not a known key here. "
    "It is of another generation of the documents; write `scale_settings.instance_count`.",
    "instance_type:": "4:19: deployments.0.instance_type: may not be null. "
    "Give it a value or remove the key.",
}


@pytest.mark.parametrize("line", WRONG_DEPLOYMENT_LINES)
def test_a_deployment_with_one_wrong_line_is_refused(tmp_path: Path, line: str) -> None:
    assert deployment_errors(tmp_path, f"    {line}\n") == [
        WRONG_DEPLOYMENT_LINES[line].replace("{here}", str(tmp_path))
    ]


def test_all_errors_of_a_code_section_are_reported_at_once(tmp_path: Path) -> None:
    text = "    code_configuration: {code: {localpath: ., name: x}, script: score.py}\n"
    assert sorted(deployment_errors(tmp_path, text)) == [
        "4:25: deployments.0.code_configuration: `scoring_script` is missing.",
        "4:32: deployments.0.code_configuration.code: `local_path` is missing.",
        "4:44: deployments.0.code_configuration.code.localpath: is not a known key here. "
        "Did you mean `local_path`?",
        "4:65: deployments.0.code_configuration.script: is not a known key here. "
        "Did you mean `scoring_script`?",
    ]


WRONG_DOCUMENTS = {
    "deployments: [{name: blue}]": ["1:1: `name` is missing."],
    "name: 5\ndeployments: [{name: blue}]": ["1:7: name: should be a string, not 5."],
    "name: orders\ndeployments:": [
        "2:13: deployments: may not be null. Give it a value or remove the key."
    ],
    "name: orders\ndeployments: blue": ["2:14: deployments: should be a list, not 'blue'."],
    "name: orders\ndeployments: []\ncompute: azureml:aks": [
        "3:10: compute: is not a known key here. "
        "It is of another generation of the documents; write `target`."
    ],
    "name: orders\ndeployments: []\ninfrastructure: managed": [
        "3:17: infrastructure: is not a known key here. "
        "It is of another generation of the documents; write `target`."
    ],
    "name: orders\ndeployments: [blue]": ["2:15: deployments.0: should be a mapping."],
    "name: orders\ndeployments: [{instance_type: F2}]": ["2:15: deployments.0: `name` is missing."],
    "name: orders\ndeployments: []\nendpoint_name: x": [
        "3:16: endpoint_name: is not a known key here."
    ],
    "name: orders\ndeployments: []\ntraffic: {blue: 101}": [
        "3:10: traffic: the shares are more than 100 in all."
    ],
    "name: a_b\ndeployments: [{name: b_c}, {name: blue, size: 1}]": [
        "2:22: deployments.0.name: 'b_c' is not a valid name. "
        "Use 3 to 32 letters, digits and single dashes, beginning with a letter.",
        "2:47: deployments.1.size: is not a known key here.",
        "1:7: name: 'a_b' is not a valid name. "
        "Use 3 to 32 letters, digits and single dashes, beginning with a letter.",
    ],
}


@pytest.mark.parametrize("text", WRONG_DOCUMENTS)
def test_a_wrong_combined_document_is_refused(tmp_path: Path, text: str) -> None:
    source = write(tmp_path, "endpoint.yml", f"{text}\n")
    assert errors_of(source) == [f"{source}:{error}" for error in WRONG_DOCUMENTS[text]]
