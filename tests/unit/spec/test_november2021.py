from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.loading import load_files
from unit.spec.spec_files import write

from localep.spec.documents import read_document
from localep.spec.findings import Finding, Findings, Severity, Topic
from localep.spec.loader import Bundle
from localep.spec.model import (
    BuildSpec,
    CloudOnly,
    CodeSpec,
    DeploymentSpec,
    EnvironmentSpec,
    ModelSpec,
    ProbeSettings,
    RequestSettings,
)
from localep.spec.november2021 import read_deployment

if TYPE_CHECKING:
    from pathlib import Path

NAMES = "name: blue\nendpoint_name: orders\n"
BLUE = DeploymentSpec("blue", "orders")


def read(folder: Path, text: str) -> tuple[DeploymentSpec | None, list[str]]:
    """The deployment, and every finding without its file; ``text`` follows the names."""
    source = write(folder, "blue.yml", NAMES + text)
    findings = Findings()
    spec = read_deployment(read_document(source), findings)
    return spec, [str(item).removeprefix(f"{source}:") for item in findings.items]


def test_a_whole_deployment(tmp_path: Path) -> None:
    write(tmp_path, "model/model.pkl")
    write(tmp_path, "code/score.py")
    write(tmp_path, "conda.yml")
    source = write(
        tmp_path,
        "blue.yml",
        """\
        $schema: https://azuremlschemas.azureedge.net/latest/managedOnlineDeployment.schema.json
        name: blue
        endpoint_name: orders
        type: kubernetes
        description: The first
        tags: {team: vision}
        model:
          name: boosted
          version: 1
          local_path: ./model/
        code_configuration:
          code:
            local_path: ./code/
          scoring_script: score.py
        environment:
          name: trees
          version: 2
          image: mcr.example/python
          conda_file: file:./conda.yml
        environment_variables: {LEVEL: 3}
        instance_type: Standard_F2s_v2
        instance_count: 2
        app_insights_enabled: true
        model_mount_path: /models
        egress_public_network_access: disabled
        resources: {requests: {cpu: "1", memory: 1Gi}}
        request_settings: {request_timeout_ms: 3000}
        liveness_probe: {initial_delay: 5}
        readiness_probe: {period: 6}
        """,
    )
    document = read_document(source)
    assert load_files([source]) == Bundle(
        endpoint=None,
        deployment=DeploymentSpec(
            name="blue",
            endpoint_name="orders",
            model=ModelSpec(tmp_path / "model", None, "boosted", "1"),
            model_mount_path="/models",
            code=CodeSpec(tmp_path / "code", "score.py"),
            environment=EnvironmentSpec(
                "mcr.example/python", tmp_path / "conda.yml", name="trees", version="2"
            ),
            environment_variables={"LEVEL": "3"},
            instance_type="Standard_F2s_v2",
            instance_count=2,
            app_insights_enabled=True,
            request_settings=RequestSettings(request_timeout_ms=3000),
            liveness_probe=ProbeSettings(initial_delay=5),
            readiness_probe=ProbeSettings(period=6),
            has_egress=False,
            description="The first",
            tags={"team": "vision"},
            cloud_only=CloudOnly(("resources", "app_insights_enabled")),
        ),
        documents=(document,),
        warnings=(
            Finding(
                Severity.WARNING,
                Topic.DOCUMENT,
                "old-generation",
                f"{source}:1:1",
                "The document is of the public preview of November 2021; today's cloud refuses it.",
                "`localep upgrade -f FILE` writes it as the cloud reads it today.",
            ),
        ),
    )


def test_a_deployment_needs_only_its_names(tmp_path: Path) -> None:
    assert read(tmp_path, "") == (BLUE, [])


@pytest.mark.parametrize(
    ("text", "count", "asked"),
    [
        ("instance_count: 1", 1, ()),
        ("scale_settings: {scale_type: manual, instance_count: 2}", 2, ()),
        ("scale_settings: {scale_type: Manual}\ninstance_count: 1", 1, ()),
        ("scale_settings: {scale_type: manual, instance_count: 2}\ninstance_count: 1", 1, ()),
        ("scale_settings: {scale_type: default}", None, ()),
        ("scale_settings: {type: default}", None, ()),
        ("scale_settings: {scale_type: auto, min_instances: 1}", None, ("scale_settings",)),
        ("scale_settings: {type: TargetUtilization}", None, ("scale_settings",)),
        ("resource_requirements: {cpu: 1}", None, ("resources",)),
        ("resources: {limits: {gpu: '1'}}\nresource_requirements: {}", None, ("resources",)),
        ("egress_public_network_access: Enabled", None, ()),
    ],
)
def test_the_words_of_may_and_of_today_are_read(
    tmp_path: Path, text: str, count: int | None, asked: tuple[str, ...]
) -> None:
    spec = replace(BLUE, instance_count=count, cloud_only=CloudOnly(asked))
    assert read(tmp_path, f"{text}\n") == (spec, [])


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("{local_path: model}", None),
        ("{path: model}", None),
        ("{local_path: model, model_format: Custom}", "custom_model"),
        ("{local_path: model, model_format: mlflow}", "mlflow_model"),
        ("{local_path: model, model_format: MLflow}", "mlflow_model"),
        ("{local_path: model, model_format: Triton}", "triton_model"),
        ("{path: model, type: triton_model}", "triton_model"),
    ],
)
def test_a_model_is_read_in_each_of_its_forms(tmp_path: Path, model: str, kind: str | None) -> None:
    write(tmp_path, "model/a")
    spec = replace(BLUE, model=ModelSpec(tmp_path / "model", type=kind))
    assert read(tmp_path, f"model: {model}\n") == (spec, [])


@pytest.mark.parametrize("environment", ["{image: python}", "{docker: {image: python}}"])
def test_an_image_is_named_in_each_of_its_forms(tmp_path: Path, environment: str) -> None:
    spec = replace(BLUE, environment=EnvironmentSpec("python"))
    assert read(tmp_path, f"environment: {environment}\n") == (spec, [])


@pytest.mark.parametrize(
    "environment", ["{build: {path: .}}", "{docker: {build: {dockerfile: file:Dockerfile}}}"]
)
def test_a_dockerfile_is_named_in_each_of_its_forms(tmp_path: Path, environment: str) -> None:
    write(tmp_path, "Dockerfile")
    spec = replace(BLUE, environment=EnvironmentSpec(build=BuildSpec(tmp_path, "Dockerfile")))
    assert read(tmp_path, f"environment: {environment}\n") == (spec, [])


@pytest.mark.parametrize("code", ["{local_path: code}", "{path: code}", "code", "file:code"])
def test_code_is_named_in_each_of_its_forms(tmp_path: Path, code: str) -> None:
    write(tmp_path, "code/score.py")
    spec = replace(BLUE, code=CodeSpec(tmp_path / "code", "score.py"))
    text = f"code_configuration:\n  code: {code}\n  scoring_script: score.py\n"
    assert read(tmp_path, text) == (spec, [])


WRONG_LINES = {
    "instance_cuont: 1": "3:17: instance_cuont: is not a known key here. "
    "Did you mean `instance_count`?",
    "sku: F2": "3:6: sku: is not a known key here. "
    "It is of another generation of the documents; write `instance_type`.",
    "model: {local_path: gone}": "3:21: model.local_path: there is no file or folder at "
    "{here}/gone. Paths start from the folder of the YAML file.",
    "model: {name: boosted}": "3:8: model: `local_path` is missing.",
    "model: {path: code, model_format: pickle}": "3:35: model.model_format: "
    "'pickle' is not one of custom, mlflow, triton.",
    "model: {path: code, local_path: code}": "3:15: model.path: is not a known key here. "
    "It stands beside `local_path`: keep one of them.",
    "model: {local_path: code, asset_path: code}": "3:39: model.asset_path: "
    "is not a known key here. "
    "It is of another generation of the documents; write `model.local_path`.",
    "scale_settings: {type: often}": "3:24: scale_settings.type: "
    "'often' is not one of auto, default, manual, target_utilization.",
    "model_mount_path: models": "3:19: model_mount_path: 'models' is not an absolute path. "
    "Write the path of a folder in the container, such as /models.",
    "egress_public_network_access: true": "3:31: egress_public_network_access: "
    "should be a string, not True. Put it in quotes: 'true'.",
    "resources: {requests: {cpu: 1}}": "3:29: resources.requests.cpu: should be a string, not 1.",
}


@pytest.mark.parametrize("line", WRONG_LINES)
def test_a_wrong_line_is_told_with_its_place(tmp_path: Path, line: str) -> None:
    write(tmp_path, "code/score.py")
    assert read(tmp_path, f"{line}\n")[1] == [WRONG_LINES[line].replace("{here}", str(tmp_path))]
