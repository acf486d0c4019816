"""Rules for what the documents themselves define."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.rules.rule_files import FILES, found, found_in, write

from localep.operations.validate import validate
from localep.rules.definition import DEPRECATED_IMAGES, repository_of
from localep.spec.loader import Selection

IMAGE = "host.example/azureml/openmpi4.1.0-ubuntu22.04:20250101.v1"
COUNT = "instance_count: 1\n"
MODEL = "model:\n  path: model\n"
MLFLOW = {MODEL: "model:\n  path: model\n  type: mlflow_model\n"}
CODE = "code_configuration:\n  code: src\n  scoring_script: score.py\n"
ENVIRONMENT = f"environment:\n  image: {IMAGE}\n  conda_file: conda.yml\n"
ROUTES = """\
  inference_config:
    liveness_route: {port: 5001, path: /}
    readiness_route: {port: 5001, path: /}
    scoring_route: {port: 5001, path: /score}
"""
KEY = "auth_mode: key\n"


def added(text: str) -> dict[str, str]:
    """The change that puts a text at the end of a deployment."""
    return {COUNT: COUNT + text}


# The code, what is changed in the deployment, and what is told.
FAULTS = [
    (
        "request-timeout-limit",
        added("request_settings: {request_timeout_ms: 180001}\n"),
        "warning deployment.yml:13:40 request_settings.request_timeout_ms: "
        "180001 ms is above the cloud's limit of 180000 ms.",
    ),
    (
        "probe-values",
        added("readiness_probe:\n  period: 0\n"),
        "warning deployment.yml:14:11 readiness_probe.period: 0 is below 1.",
    ),
    (
        "probe-values",
        added("liveness_probe:\n  success_threshold: 2\n"),
        "warning deployment.yml:14:22 liveness_probe.success_threshold: "
        "a liveness probe succeeds at once; 2 is not 1.",
    ),
    (
        "instance-type-unknown",
        {"Standard_DS3_v2": "Standard_DS3_v9"},
        "warning deployment.yml:11:16 instance_type: "
        "Standard_DS3_v9 is no instance type of managed endpoints.",
    ),
    (
        "instance-count",
        {COUNT: ""},
        "warning deployment.yml:1:1 `instance_count` is missing, and the cloud asks for it.",
    ),
    (
        "instance-count",
        {COUNT: "instance_count: 51\n"},
        "warning deployment.yml:12:17 instance_count: 51 does not lie between 1 and 50.",
    ),
    (
        "own-reserved-variable",
        added("environment_variables:\n  AML_APP_ROOT: /app\n"),
        "warning deployment.yml:14:17 environment_variables.AML_APP_ROOT: "
        "the cloud sets AML_APP_ROOT itself.",
    ),
    (
        "own-reserved-variable",
        {
            "  conda_file: conda.yml\n": ROUTES,
            **added("environment_variables:\n  AZUREML_MODEL_DIR: /models\n"),
        },
        "info deployment.yml:17:22 environment_variables.AZUREML_MODEL_DIR: "
        "the cloud sets AZUREML_MODEL_DIR itself.",
    ),
    (
        "docker-option-count",
        {"  conda_file: conda.yml\n": "  build: {path: src}\n"},
        "warning deployment.yml:9:3 environment: "
        "`image` and `build` stand beside each other; localep builds.",
    ),
    (
        "docker-option-count",
        {f"  image: {IMAGE}\n": ""},
        "warning deployment.yml:9:3 environment: there is neither `image` nor `build`.",
    ),
    (
        "base-image-tag",
        {IMAGE: "host.example:5000/azureml/openmpi4.1.0-ubuntu22.04"},
        "warning deployment.yml:9:10 environment.image: "
        "host.example:5000/azureml/openmpi4.1.0-ubuntu22.04 has neither a tag nor a digest.",
    ),
    (
        "base-image-deprecated",
        {IMAGE: "host.example/azureml/openmpi3.1.2-ubuntu18.04:latest"},
        "warning deployment.yml:9:10 environment.image: "
        "host.example/azureml/openmpi3.1.2-ubuntu18.04:latest gets no updates any more.",
    ),
    (
        "environment-name",
        {ENVIRONMENT: ENVIRONMENT + "  name: AzureML-own\n"},
        "info deployment.yml:11:9 environment.name: "
        "AzureML-own begins as the cloud's own; it cannot be registered.",
    ),
    (
        "environment-name",
        {ENVIRONMENT: f"{ENVIRONMENT}  name: {'e' * 256}\n"},
        "info deployment.yml:11:9 environment.name: "
        "it has 256 characters; it cannot be registered.",
    ),
    (
        "routes-on-inference-image",
        {
            IMAGE: "host.example/azureml/minimal-py312-inference:latest",
            "  conda_file: conda.yml\n": ROUTES,
        },
        "warning deployment.yml:11:5 environment.inference_config: "
        "host.example/azureml/minimal-py312-inference:latest brings routes of its own.",
    ),
    (
        "missing-driver-program",
        {CODE: ""},
        "warning deployment.yml:1:1 there is neither `code_configuration` nor `inference_config`.",
    ),
    (
        "missing-driver-program",
        {CODE: "", MODEL: ""},
        "info deployment.yml:1:1 "
        "there is neither `code_configuration` nor `inference_config`, nor a model.",
    ),
    (
        "mlflow-script-alone",
        {**MLFLOW, ENVIRONMENT: ""},
        "warning deployment.yml:7:3 code_configuration: "
        "the model has a scoring script, but no environment.",
    ),
    (
        "mlflow-private",
        {**MLFLOW, CODE: "egress_public_network_access: Disabled\n", ENVIRONMENT: ""},
        "warning deployment.yml:6:31 egress_public_network_access: "
        "the packages of the MLflow model cannot be fetched when the container starts.",
    ),
    (
        "secret-ref-form",
        added("environment_variables:\n  KEY: ${{keyvault:https://kv.example/secrets/key}}\n"),
        "warning deployment.yml:14:8 environment_variables.KEY: "
        "${{keyvault:https://kv.example/secrets/key}} is no reference that the cloud can read.",
    ),
    (
        "secret-ref-form",
        added("environment_variables:\n  KEY: azureml://connections/search/target\n"),
        "warning deployment.yml:14:8 environment_variables.KEY: "
        "azureml://connections/search/target is no reference that the cloud can read.",
    ),
]
# The code, and what is changed without that anything is told.
SOUND = [
    ("request-timeout-limit", added("request_settings: {request_timeout_ms: 180000}\n")),
    ("probe-values", added("liveness_probe: {period: 1, success_threshold: 1}\n")),
    ("probe-values", added("readiness_probe: {success_threshold: 2}\n")),
    ("instance-type-unknown", {"Standard_DS3_v2": "STANDARD_DS3_V2"}),
    ("instance-type-unknown", {"Standard_DS3_v2": "<% SIZE %>"}),
    ("instance-type-unknown", {"Standard_DS3_v2": "large\ntype: kubernetes"}),
    ("instance-count", {COUNT: "instance_count: 50\n"}),
    (
        "instance-count",
        {COUNT: "type: kubernetes\nscale_settings: {type: TargetUtilization}\n"},
    ),
    ("own-reserved-variable", added("environment_variables: {MODEL_DIR: /models}\n")),
    ("docker-option-count", {ENVIRONMENT: "environment: azureml:env:1\n"}),
    ("docker-option-count", {ENVIRONMENT: "environment: {build: {path: src}}\n"}),
    ("base-image-tag", {IMAGE: f"host.example:5000/base@sha256:{'0' * 64}"}),
    ("base-image-tag", {IMAGE: "<ACR_NAME>.example/base"}),
    ("base-image-deprecated", {IMAGE: "host.example/own/openmpi3.1.2-ubuntu18.04:1"}),
    ("environment-name", {ENVIRONMENT: f"{ENVIRONMENT}  name: {'e' * 255}\n"}),
    ("routes-on-inference-image", {IMAGE: "host.example/azureml/minimal-py312-inference:latest"}),
    ("routes-on-inference-image", {"  conda_file: conda.yml\n": ROUTES}),
    ("missing-driver-program", {**MLFLOW, CODE: ""}),
    ("missing-driver-program", {CODE: "", MODEL: "model: azureml:m:1\n"}),
    ("missing-driver-program", {CODE: "", ENVIRONMENT: "environment: azureml:env:1\n"}),
    ("missing-driver-program", {CODE: "", "  conda_file: conda.yml\n": ROUTES}),
    ("missing-driver-program", {CODE: "code_configuration: {code: 1}\n"}),
    ("mlflow-script-alone", MLFLOW),
    ("mlflow-script-alone", {ENVIRONMENT: ""}),
    ("mlflow-private", {**MLFLOW, CODE: "", ENVIRONMENT: ""}),
    ("mlflow-private", {**MLFLOW, COUNT: f"{COUNT}egress_public_network_access: disabled\n"}),
    ("secret-ref-form", added("environment_variables: {KEY: connections, URL: azureml://x}\n")),
]
REFERENCES = (
    "${{azureml://connections/search}}",
    "${{azureml://connections/search/target}}",
    "${{azureml://connections/search/credentials/key}}",
    "${{azureml://connections/search/metadata/ApiVersion}}",
    "${{keyvault:https://kv.example/secrets/key/1a2b}}",
)
NO_REFERENCES = (
    "${{azureml://connections/}}",
    "${{azureml://connections/search/key}}",
    "${{azureml://connections/search/credentials}}",
    "Bearer ${{azureml://connections/search/credentials/key}}",
    "${{keyvault:https://kv.example/secrets/key}}",
    "${{keyvault:kv/key/1}}",
    "${keyvault:https://kv.example/secrets/key/1a2b}",
    "${{secrets.KEY}}",
)


@pytest.mark.parametrize(("code", "changes", "told"), FAULTS)
def test_a_fault_is_told_at_its_place(
    tmp_path: Path, code: str, changes: dict[str, str], told: str
) -> None:
    assert found_in(tmp_path, code, deployment=changes) == [told]


@pytest.mark.parametrize("code", sorted({code for code, _, _ in FAULTS}))
def test_of_a_sound_deployment_nothing_is_told(tmp_path: Path, code: str) -> None:
    assert found_in(tmp_path, code) == []


@pytest.mark.parametrize(("code", "changes"), SOUND)
def test_of_what_only_looks_like_a_fault_nothing_is_told(
    tmp_path: Path, code: str, changes: dict[str, str]
) -> None:
    assert found_in(tmp_path, code, deployment=changes) == []


@pytest.mark.parametrize(
    ("mlmodel", "told"),
    [
        ("flavors:\n  spark: {}\n", ["MLmodel of model has no flavor python_function."]),
        ("run_id: 1\n", ["MLmodel of model has no flavor python_function."]),
        ("[", ["model has no MLmodel that could be read."]),
        (None, ["model has no MLmodel that could be read."]),
        ("flavors:\n  python_function: {}\n", []),
    ],
)
def test_an_mlflow_model_without_a_script_has_the_flavor_of_python(
    tmp_path: Path, mlmodel: str | None, told: list[str]
) -> None:
    files = {} if mlmodel is None else {"model/MLmodel": mlmodel}
    place = "warning deployment.yml:4:9 model.path: "

    without_code = found_in(tmp_path, "mlflow-not-pyfunc", files, deployment={**MLFLOW, CODE: ""})

    assert without_code == [f"{place}{message}" for message in told]
    assert found_in(tmp_path, "mlflow-not-pyfunc", files, deployment=MLFLOW) == []


def test_a_dockerfile_has_100_kb(tmp_path: Path) -> None:
    changes = {ENVIRONMENT: "environment: {build: {path: image}}\n"}
    files = {"image/Dockerfile": "#" * 100 * 1024}
    assert found_in(tmp_path, "dockerfile-path", files, deployment=changes) == []

    files["image/Dockerfile"] += "#"
    assert found_in(tmp_path, "dockerfile-path", files, deployment=changes) == [
        "warning deployment.yml:8:22 environment.build: Dockerfile has more than 100 KB."
    ]


@pytest.mark.parametrize(
    ("code", "text", "told"),
    [
        (
            "traffic-rule",
            "traffic: {blue: 60}\n",
            "warning endpoint.yml:3:10 traffic: "
            "the shares are 60 % in all, where the cloud takes 0 or 100.",
        ),
        (
            "traffic-rule",
            "traffic: {green: 100}\n",
            "warning endpoint.yml:3:18 traffic.green: no deployment of these files is named green.",
        ),
        (
            "traffic-rule",
            "mirror_traffic: {blue: 51}\n",
            "warning endpoint.yml:3:24 mirror_traffic.blue: "
            "51 % is above the cloud's limit of 50 %.",
        ),
        (
            "kubernetes-compute",
            "compute: azureml:cluster\n",
            "info endpoint.yml:3:10 compute: azureml:cluster has to be a cluster with the "
            "extension of Azure ML; an AKS cluster attached without it is refused.",
        ),
        (
            "secret-flag-with-uai",
            "identity: {type: user_assigned, user_assigned_identities: [{resource_id: me}]}\n"
            "properties: {enforce_access_to_default_secret_stores: enabled}\n",
            "warning endpoint.yml:4:55 properties.enforce_access_to_default_secret_stores: "
            "the endpoint has a user-assigned identity.",
        ),
    ],
)
def test_a_fault_of_an_endpoint_is_told_at_its_place(
    tmp_path: Path, code: str, text: str, told: str
) -> None:
    assert found_in(tmp_path, code, endpoint={KEY: KEY + text}) == [told]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("traffic-rule", "traffic: {blue: 100}\nmirror_traffic: {blue: 50}\n"),
        ("traffic-rule", "traffic: {}\n"),
        ("kubernetes-compute", ""),
        (
            "secret-flag-with-uai",
            "identity: {type: system_assigned}\n"
            "properties: {enforce_access_to_default_secret_stores: enabled}\n",
        ),
        (
            "secret-flag-with-uai",
            "identity: {type: user_assigned, user_assigned_identities: [{resource_id: me}]}\n"
            "properties: {enforce_access_to_default_secret_stores: disabled}\n",
        ),
    ],
)
def test_of_a_sound_endpoint_nothing_is_told(tmp_path: Path, code: str, text: str) -> None:
    assert found_in(tmp_path, code, endpoint={KEY: KEY + text}) == []


def test_traffic_is_mirrored_to_one_deployment(tmp_path: Path) -> None:
    mirrored = "mirror_traffic: {blue: 10, green: 10}\n"

    assert found_in(tmp_path, "traffic-rule", endpoint={KEY: KEY + mirrored}) == [
        "warning endpoint.yml:3:17 mirror_traffic: "
        "the cloud mirrors the traffic to one deployment alone.",
        "warning endpoint.yml:3:35 mirror_traffic.green: "
        "no deployment of these files is named green.",
    ]


def test_of_an_endpoint_alone_the_deployments_are_not_known(tmp_path: Path) -> None:
    write(tmp_path, {"endpoint.yml": "name: orders\ntraffic: {green: 100}\n"})

    assert found(tmp_path, "traffic-rule", "endpoint.yml") == []


@pytest.mark.parametrize(
    "deployments",
    ["deployments: [{name: blue}, {name: green}]", "deployments: {blue: {}, green: {}}"],
)
def test_a_deployment_that_is_not_chosen_is_known(tmp_path: Path, deployments: str) -> None:
    write(tmp_path, {"old.yml": f"name: orders\n{deployments}\ntraffic: {{green: 100, red: 0}}\n"})
    chosen = Selection(deployment="blue")

    result = validate([tmp_path / "old.yml"], chosen)

    assert [item.message for item in result.findings if item.code == "traffic-rule"] == [
        "traffic.red: no deployment of these files is named red."
    ]


def test_an_endpoint_has_20_deployments(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    names = [f"blue{number}.yml" for number in range(21)]
    for name in names:
        text = str(FILES["deployment.yml"]).replace("name: blue", f"name: {name[:-4]}")
        write(tmp_path, {name: text})

    assert found(tmp_path, "instance-count", "endpoint.yml", *names[:20]) == []
    assert found(tmp_path, "instance-count", "endpoint.yml", *names) == [
        "warning endpoint.yml:1:1 the files hold 21 deployments, and an endpoint has 20."
    ]


@pytest.mark.parametrize("value", REFERENCES)
def test_a_reference_to_a_secret_is_taken(tmp_path: Path, value: str) -> None:
    variables = added(f'environment_variables: {{KEY: "{value}"}}\n')

    assert found_in(tmp_path, "secret-ref-form", deployment=variables) == []


@pytest.mark.parametrize("value", NO_REFERENCES)
def test_another_form_of_a_secret_is_told(tmp_path: Path, value: str) -> None:
    variables = added(f'environment_variables: {{KEY: "{value}"}}\n')

    assert found_in(tmp_path, "secret-ref-form", deployment=variables) == [
        "warning deployment.yml:13:30 environment_variables.KEY: "
        f"{value} is no reference that the cloud can read."
    ]


def test_faults_of_older_documents_are_told_where_they_stand(tmp_path: Path) -> None:
    text = """\
name: orders
deployments:
  blue:
    sku: Standard_DS3_v2
    model: {name: m, version: 1, asset_path: model}
    environment:
      docker: {image: host.example/azureml/base-gpu}
    liveness_probe: {period_seconds: 0}
    scale_settings: {scale_type: manual, instance_count: 1}
"""
    write(tmp_path, {**FILES, "old.yml": text})

    assert found(tmp_path, "probe-values", "old.yml") == [
        "warning old.yml:8:38 deployments.blue.liveness_probe.period_seconds: 0 is below 1."
    ]
    assert found(tmp_path, "base-image-tag", "old.yml") == [
        "warning old.yml:7:23 deployments.blue.environment.docker.image: "
        "host.example/azureml/base-gpu has neither a tag nor a digest."
    ]
    assert found(tmp_path, "base-image-deprecated", "old.yml") == [
        "warning old.yml:7:23 deployments.blue.environment.docker.image: "
        "host.example/azureml/base-gpu gets no updates any more."
    ]


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("host.example/azureml/base:latest", "base"),
        ("azureml/o16n-base/python-slim", "o16n-base/python-slim"),
        ("host.example:5000/azureml/base@sha256:00", "base"),
        ("host.example/base:1", ""),
        ("host.example/more/azureml/base:1", ""),
    ],
)
def test_the_repository_of_an_image(image: str, repository: str) -> None:
    assert repository_of(image) == repository


def test_as_many_images_are_given_up_as_the_cloud_lists() -> None:
    assert len(DEPRECATED_IMAGES) == 17
