from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.loading import load_files
from unit.spec.spec_files import errors_of, write

from localep.spec.documents import read_document
from localep.spec.findings import Finding, Findings, Severity, Topic
from localep.spec.ga import read_deployment, read_endpoint
from localep.spec.loader import Bundle
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

START = "Paths start from the folder of the YAML file."
LOCAL = "Name a local path for a local run."
NAMES = "name: blue\nendpoint_name: orders\n"
PLAIN = DeploymentSpec("blue", "orders", instance_type="F2")


def blue(text: str) -> str:
    """A whole document; ``text`` follows the names, and may name the instance type itself."""
    size = "" if "instance_type" in text else "instance_type: F2\n"
    return f"{NAMES}{text}{size}"


def deployment_of(folder: Path, text: str) -> DeploymentSpec:
    """The deployment of a document without an error; ``text`` follows its names."""
    bundle = load_files([write(folder, "blue.yml", blue(text))])
    assert bundle.deployment is not None
    return bundle.deployment


def deployment_errors(folder: Path, text: str) -> list[str]:
    """``line:column: message`` of every error; ``text`` follows the names, from line 3."""
    source = write(folder, "blue.yml", blue(text))
    return [line.removeprefix(f"{source}:") for line in errors_of(source)]


def endpoint_errors(folder: Path, text: str) -> list[str]:
    source = write(folder, "endpoint.yml", text)
    return [line.removeprefix(f"{source}:") for line in errors_of(source)]


def partial(folder: Path, text: str) -> tuple[DeploymentSpec | None, list[tuple[Topic, str]]]:
    """What is read of a deployment with errors, and the errors' topics and codes."""
    findings = Findings()
    spec = read_deployment(read_document(write(folder, "blue.yml", blue(text))), findings)
    assert all(item.severity is Severity.ERROR for item in findings.items)
    return spec, [(item.topic, item.code) for item in findings.items]


def test_a_whole_endpoint(tmp_path: Path) -> None:
    source = write(
        tmp_path,
        "endpoint.yml",
        """\
        $schema: https://azuremlschemas.azureedge.net/latest/managedOnlineEndpoint.schema.json
        name: orders
        description: Predicts orders
        auth_mode: AmlToken
        tags: {team: vision, year: 2024}
        properties:
          owner: ada
        traffic:
          blue: 90
          green: "10"
        mirror_traffic: {green: 5}
        public_network_access: Enabled
        identity:
          type: user_assigned
          user_assigned_identities:
            - resource_id: /subscriptions/1/x
        id: /subscriptions/1/endpoints/orders
        kind: Managed
        location: westeurope
        provisioning_state: Succeeded
        scoring_uri: https://orders.example.com/score
        openapi_uri: https://orders.example.com/swagger.json
        """,
    )
    document = read_document(source)
    assert load_files([source]) == Bundle(
        endpoint=EndpointSpec(
            name="orders",
            auth_mode="aml_token",
            description="Predicts orders",
            tags={"team": "vision", "year": 2024},
            properties={"owner": "ada"},
            traffic={"blue": 90, "green": 10},
            cloud_only=CloudOnly(("identity", "mirror_traffic")),
        ),
        deployment=None,
        documents=(document,),
    )


def test_an_endpoint_needs_only_a_name(tmp_path: Path) -> None:
    source = write(tmp_path, "endpoint.yml", "name: orders\n")
    assert load_files([source]).endpoint == EndpointSpec(
        "orders", "key", description=None, tags={}, properties={}, traffic={}
    )


def test_an_endpoint_of_kubernetes_is_read_alike(tmp_path: Path) -> None:
    source = write(tmp_path, "endpoint.yml", "name: orders\ncompute: azureml:cluster\n")
    assert load_files([source]).endpoint == EndpointSpec(
        "orders", cloud_only=CloudOnly(("compute",))
    )


@pytest.mark.parametrize(
    ("spelled", "auth_mode"),
    [
        ("key", "key"),
        ("Key", "key"),
        ("KEY", "key"),
        ("aml_token", "aml_token"),
        ("AML_TOKEN", "aml_token"),
        ("amlToken", "aml_token"),
        ("AADToken", "aad_token"),
        ("aad_token", "aad_token"),
    ],
)
def test_the_casing_of_auth_mode_does_not_matter(
    tmp_path: Path, spelled: str, auth_mode: str
) -> None:
    source = write(tmp_path, "endpoint.yml", f"name: orders\nauth_mode: {spelled}\n")
    assert load_files([source]).endpoint == EndpointSpec("orders", auth_mode)


@pytest.mark.parametrize(
    "name",
    ["abc", "ABC", "a1b", "a-b", "a-b-c-1", "a" * 32],
    ids=["letters", "capitals", "digit", "dash", "dashes", "32 letters"],
)
def test_a_name_within_the_rule_is_taken(tmp_path: Path, name: str) -> None:
    source = write(tmp_path, "endpoint.yml", f"name: {name}\n")
    assert load_files([source]).endpoint == EndpointSpec(name)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="nothing"),
        pytest.param("ab", id="2 letters"),
        pytest.param("a" * 33, id="33 letters"),
        pytest.param("1abc", id="digit first"),
        pytest.param("-abc", id="dash first"),
        pytest.param("abc-", id="dash last"),
        pytest.param("a--b", id="two dashes"),
        pytest.param("a_b", id="underscore"),
        pytest.param("a b", id="space"),
        pytest.param(" abc", id="space first"),
        pytest.param("größe", id="letter beyond ASCII"),
        pytest.param("../x", id="path"),
        pytest.param("<ENDPOINT_NAME>", id="placeholder"),
    ],
)
@pytest.mark.parametrize("key", ["name", "endpoint_name"])
def test_a_name_outside_the_rule_is_refused(tmp_path: Path, name: str, key: str) -> None:
    names = {"name": "blue", "endpoint_name": "orders", key: name, "instance_type": "F2"}
    text = "".join(f"{entry}: '{value}'\n" for entry, value in names.items())
    source = write(tmp_path, "blue.yml", text)
    place = {"name": "1:7", "endpoint_name": "2:16"}[key]
    assert errors_of(source) == [
        f"{source}:{place}: {key}: {name!r} is not a valid name. "
        "Use 3 to 32 letters, digits and single dashes, beginning with a letter."
    ]


def test_a_line_end_is_no_part_of_a_name(tmp_path: Path) -> None:
    assert endpoint_errors(tmp_path, 'name: "orders\\n"\n') == [
        "1:7: name: 'orders\\n' is not a valid name. "
        "Use 3 to 32 letters, digits and single dashes, beginning with a letter."
    ]


RULE = "traffic: the shares are more than 100 in all."
BELOW = "traffic: a share cannot be below 0."


@pytest.mark.parametrize(
    ("traffic", "read"),
    [
        pytest.param("{}", {}, id="none"),
        pytest.param("{blue: 100}", {"blue": 100}, id="all"),
        pytest.param("{blue: 60}", {"blue": 60}, id="part"),
        pytest.param("{blue: 0, green: 100}", {"blue": 0, "green": 100}, id="split"),
        pytest.param('{blue: "60", green: 40.0}', {"blue": 60, "green": 40}, id="other types"),
    ],
)
def test_traffic_up_to_100_percent_is_taken(
    tmp_path: Path, traffic: str, read: dict[str, int]
) -> None:
    source = write(tmp_path, "endpoint.yml", f"name: orders\ntraffic: {traffic}\n")
    assert load_files([source]).endpoint == EndpointSpec("orders", traffic=read)


@pytest.mark.parametrize(
    ("traffic", "errors"),
    [
        pytest.param("{blue: 101}", [f"2:10: {RULE}"], id="over 100"),
        pytest.param("{blue: 60, green: 50}", [f"2:10: {RULE}"], id="over 100 in all"),
        pytest.param("{blue: -1}", [f"2:10: {BELOW}"], id="below 0"),
        pytest.param("{blue: 110, green: -10}", [f"2:10: {BELOW}"], id="over and below"),
        pytest.param("100", ["2:10: traffic: should be a mapping, not 100."], id="number"),
        pytest.param(
            "{blue: most, green: [1]}",
            [
                "2:17: traffic.blue: should be a whole number, not 'most'.",
                "2:30: traffic.green: should be a whole number, not a list.",
            ],
            id="words",
        ),
    ],
)
def test_other_traffic_is_refused(tmp_path: Path, traffic: str, errors: list[str]) -> None:
    assert endpoint_errors(tmp_path, f"name: orders\ntraffic: {traffic}\n") == errors


WRONG_ENDPOINT_LINES = {
    "auth_mode: none": "2:12: auth_mode: 'none' is not one of aad_token, aml_token, key.",
    "auth_mode: 1": "2:12: auth_mode: should be a string, not 1.",
    "auth_mode:": "2:11: auth_mode: may not be null. Give it a value or remove the key.",
    "tags: [a]": "2:7: tags: should be a mapping, not a list.",
    "tags: null": "2:7: tags: may not be null. Give it a value or remove the key.",
    "properties: a": "2:13: properties: should be a mapping, not 'a'.",
    "description: 5": "2:14: description: should be a string, not 5.",
    "auth_mod: key": "2:11: auth_mod: is not a known key here. Did you mean `auth_mode`?",
    "zzz: 1": "2:6: zzz: is not a known key here.",
}


@pytest.mark.parametrize("line", WRONG_ENDPOINT_LINES)
def test_an_endpoint_with_one_wrong_line_is_refused(tmp_path: Path, line: str) -> None:
    assert endpoint_errors(tmp_path, f"name: orders\n{line}\n") == [WRONG_ENDPOINT_LINES[line]]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("auth_mode: key\n", "1:1: `name` is missing."),
        ("name:\n", "1:6: name: may not be null. Give it a value or remove the key."),
        ("name: 123\n", "1:7: name: should be a string, not 123."),
        ("name: [orders]\n", "1:7: name: should be a string, not a list."),
    ],
    ids=["missing", "null", "number", "list"],
)
def test_an_endpoint_without_a_name_is_refused(tmp_path: Path, text: str, error: str) -> None:
    assert endpoint_errors(tmp_path, text) == [error]


def test_an_endpoint_with_a_wrong_name_is_not_read(tmp_path: Path) -> None:
    findings = Findings()
    source = write(tmp_path, "endpoint.yml", "name: a_b\n")
    assert read_endpoint(read_document(source), findings) is None
    assert [(item.topic, item.code) for item in findings.items] == [(Topic.DOCUMENT, "name-rule")]


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
        type: Managed
        description: The first
        tags: {team: vision}
        properties: {owner: ada}
        model:
          name: boosted
          version: 3
          type: custom_model
          path: model/
          description: trees
          tags: {a: b}
        code_configuration:
          code: ./code
          scoring_script: score.py
        environment:
          name: trees
          version: "7"
          image: mcr.example/azureml/minimal:latest
          conda_file: conda.yml
          os_type: linux
          description: slim
        environment_variables:
          LEVEL: debug
        instance_type: Standard_DS3_v2
        instance_count: 2
        app_insights_enabled: true
        id: /subscriptions/1/deployments/blue
        provisioning_state: Succeeded
        private_network_connection: true
        egress_public_network_access: disabled
        model_mount_path: /var/models
        scale_settings: {type: default}
        request_settings:
          request_timeout_ms: 90000
          max_concurrent_requests_per_instance: 4
          max_queue_wait_ms: 600
        liveness_probe:
          initial_delay: 30
          period: 31
          timeout: 32
          success_threshold: 1
          failure_threshold: 33
        readiness_probe: {initial_delay: 5, failure_threshold: 3}
        data_collector:
          collections:
            model_inputs: {enabled: 'true'}
        """,
    )
    document = read_document(source)
    assert load_files([source]) == Bundle(
        endpoint=None,
        deployment=DeploymentSpec(
            name="blue",
            endpoint_name="orders",
            model=ModelSpec(tmp_path / "model", None, "boosted", "3", "custom_model"),
            code=CodeSpec(tmp_path / "code", "score.py"),
            environment=EnvironmentSpec(
                image="mcr.example/azureml/minimal:latest",
                conda_file=tmp_path / "conda.yml",
                conda=None,
                reference=None,
                build=None,
                name="trees",
                version="7",
            ),
            environment_variables={"LEVEL": "debug"},
            instance_type="Standard_DS3_v2",
            instance_count=2,
            app_insights_enabled=True,
            model_mount_path="/var/models",
            request_settings=RequestSettings(90000, 4, 600),
            liveness_probe=ProbeSettings(30, 31, 32, 1, 33),
            readiness_probe=ProbeSettings(5, 10, 2, 1, 3),
            has_egress=False,
            description="The first",
            tags={"team": "vision"},
            properties={"owner": "ada"},
            cloud_only=CloudOnly(
                (
                    "data_collector",
                    "private_network_connection",
                    "app_insights_enabled",
                )
            ),
        ),
        documents=(document,),
    )


def test_a_deployment_needs_only_its_names_and_instance_type(tmp_path: Path) -> None:
    assert deployment_of(tmp_path, "") == DeploymentSpec(
        name="blue",
        endpoint_name="orders",
        model=None,
        code=None,
        environment=None,
        environment_variables={},
        instance_type="F2",
        instance_count=None,
        app_insights_enabled=None,
        request_settings=RequestSettings(5000, 1, 500),
        liveness_probe=ProbeSettings(10, 10, 2, 1, 30),
        readiness_probe=ProbeSettings(10, 10, 2, 1, 30),
        description=None,
        tags={},
        properties={},
    )


def test_a_deployment_of_kubernetes_is_read_alike(tmp_path: Path) -> None:
    text = """\
type: kubernetes
resources:
  requests: {cpu: "1", memory: 1Gi}
  limits: {nvidia.com/gpu: "1"}
instance_count: 1
"""
    assert deployment_of(tmp_path, text) == replace(
        PLAIN, instance_count=1, cloud_only=CloudOnly(("resources",))
    )


def test_paths_start_from_the_folder_of_the_file_wherever_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "app/models/model.pkl")
    write(tmp_path, "app/src/score.py")
    write(tmp_path, "app/deploy/cloud/conda.yml")
    text = """\
model: {path: ../../models/model.pkl}
code_configuration: {code: ../../src, scoring_script: ./score.py}
environment: {image: python, conda_file: ./conda.yml}
"""
    write(tmp_path, "app/deploy/cloud/blue.yml", blue(text))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    app = tmp_path / "app"
    assert load_files([Path("../app/deploy/cloud/blue.yml")]).deployment == replace(
        PLAIN,
        model=ModelSpec(app / "models/model.pkl"),
        code=CodeSpec(app / "src", "score.py"),
        environment=EnvironmentSpec("python", app / "deploy/cloud/conda.yml"),
    )


def test_paths_may_hold_spaces_and_letters_beyond_ascii(tmp_path: Path) -> None:
    folder = tmp_path / "mes modèles 日本"
    write(folder, "größe 1/modèle.pkl")
    write(folder, "my code/sub dir/score é.py")
    write(folder, "conda ü.yml")
    text = """\
model: {path: größe 1/modèle.pkl}
code_configuration: {code: my code, scoring_script: sub dir/score é.py}
environment: {image: python, conda_file: conda ü.yml}
"""
    assert deployment_of(folder, text) == replace(
        PLAIN,
        model=ModelSpec(folder / "größe 1/modèle.pkl"),
        code=CodeSpec(folder / "my code", "sub dir/score é.py"),
        environment=EnvironmentSpec("python", folder / "conda ü.yml"),
    )


@pytest.mark.parametrize(
    ("code", "script", "read"),
    [
        pytest.param("code", "score.py", ("code", "score.py"), id="beside"),
        pytest.param("code/", "./score.py", ("code", "score.py"), id="dots and slashes"),
        pytest.param(".", "code/score.py", (".", "code/score.py"), id="own folder"),
        pytest.param("./", "code/sub/main.py", (".", "code/sub/main.py"), id="deeper"),
        pytest.param("code/sub", "main.py", ("code/sub", "main.py"), id="nested"),
        pytest.param("code", "sub/../score.py", ("code", "score.py"), id="there and back"),
    ],
)
def test_the_script_is_named_from_the_code_folder(
    tmp_path: Path, code: str, script: str, read: tuple[str, str]
) -> None:
    write(tmp_path, "code/score.py")
    write(tmp_path, "code/sub/main.py")
    text = f"code_configuration: {{code: '{code}', scoring_script: {script}}}\n"
    assert deployment_of(tmp_path, text) == replace(
        PLAIN, code=CodeSpec(tmp_path / read[0], read[1])
    )


@pytest.mark.parametrize("script", ["../score.py", "sub/../../score.py", "/score.py", ".."])
def test_a_script_outside_the_code_folder_is_refused(tmp_path: Path, script: str) -> None:
    write(tmp_path, "code/main.py")
    write(tmp_path, "score.py")
    text = f"code_configuration:\n  code: code\n  scoring_script: {script}\n"
    assert deployment_errors(tmp_path, text) == [
        f"5:19: code_configuration.scoring_script: {script} lies outside the code folder. "
        "Only the code folder reaches the deployment: move the script into it."
    ]


def test_a_folder_whose_name_begins_alike_is_outside_the_code_folder(tmp_path: Path) -> None:
    write(tmp_path, "code/main.py")
    write(tmp_path, "code2/score.py")
    text = "code_configuration:\n  code: code\n  scoring_script: ../code2/score.py\n"
    assert deployment_errors(tmp_path, text) == [
        "5:19: code_configuration.scoring_script: ../code2/score.py lies outside the code "
        "folder. Only the code folder reaches the deployment: move the script into it."
    ]


def test_a_missing_script_is_reported_with_its_place(tmp_path: Path) -> None:
    write(tmp_path, "code/main.py")
    text = "code_configuration:\n  code: code\n  scoring_script: score.py\n"
    assert deployment_errors(tmp_path, text) == [
        f"5:19: code_configuration.scoring_script: there is no file score.py in "
        f"{tmp_path}/code. The path of the script starts from the code folder."
    ]


def test_a_folder_is_no_script(tmp_path: Path) -> None:
    write(tmp_path, "code/score.py/main.py")
    text = "code_configuration:\n  code: code\n  scoring_script: score.py\n"
    assert deployment_errors(tmp_path, text) == [
        f"5:19: code_configuration.scoring_script: there is no file score.py in "
        f"{tmp_path}/code. The path of the script starts from the code folder."
    ]


def test_of_a_missing_code_folder_only_the_folder_is_reported(tmp_path: Path) -> None:
    text = "code_configuration:\n  code: ../code\n  scoring_script: score.py\n"
    assert deployment_errors(tmp_path, text) == [
        f"4:9: code_configuration.code: there is no folder at {tmp_path.parent}/code. {START}"
    ]


def test_a_file_is_no_code_folder(tmp_path: Path) -> None:
    write(tmp_path, "score.py")
    text = "code_configuration:\n  code: score.py\n  scoring_script: score.py\n"
    assert deployment_errors(tmp_path, text) == [
        f"4:9: code_configuration.code: there is no folder at {tmp_path}/score.py. {START}"
    ]


@pytest.mark.parametrize("path", ["model.pkl", "models"], ids=["file", "folder"])
def test_a_model_is_a_file_or_a_folder(tmp_path: Path, path: str) -> None:
    write(tmp_path, "model.pkl")
    write(tmp_path, "models/model.pkl")
    assert deployment_of(tmp_path, f"model:\n  path: {path}\n") == replace(
        PLAIN, model=ModelSpec(tmp_path / path)
    )


MISSING_FILES = [
    pytest.param(
        "model:\n  path: gone\n",
        "4:9: model.path: there is no file or folder at {}/gone.",
        id="model",
    ),
    pytest.param(
        "environment:\n  image: python\n  conda_file: gone.yml\n",
        "5:15: environment.conda_file: there is no file at {}/gone.yml.",
        id="conda file",
    ),
    pytest.param(
        "environment: file:gone.yml\n",
        "3:14: environment: there is no file at {}/gone.yml.",
        id="environment file",
    ),
    pytest.param(
        "environment: file:.\n", "3:14: environment: there is no file at {}.", id="a folder for it"
    ),
    pytest.param(
        "environment: {build: {path: gone}}\n",
        "3:29: environment.build.path: there is no folder at {}/gone.",
        id="build folder",
    ),
]


@pytest.mark.parametrize(("text", "error"), MISSING_FILES)
def test_a_missing_file_is_reported_with_its_place(tmp_path: Path, text: str, error: str) -> None:
    assert deployment_errors(tmp_path, text) == [f"{error.format(tmp_path)} {START}"]


LONG = "x" * 300


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param(
            f"environment: file:{LONG}\n",
            f"3:14: environment: there is no file at {{}}/{LONG}. {START}",
            id="environment file",
        ),
        pytest.param(
            f"code_configuration: {{code: {LONG}, scoring_script: score.py}}\n",
            f"3:28: code_configuration.code: there is no folder at {{}}/{LONG}. {START}",
            id="code",
        ),
        pytest.param(
            f"code_configuration: {{code: ., scoring_script: {LONG}}}\n",
            f"3:47: code_configuration.scoring_script: there is no file {LONG} in {{}}. "
            "The path of the script starts from the code folder.",
            id="script",
        ),
    ],
)
def test_a_name_too_long_for_any_file_is_that_of_a_missing_one(
    tmp_path: Path, text: str, error: str
) -> None:
    assert deployment_errors(tmp_path, text) == [error.format(tmp_path)]


REFERENCES = [
    pytest.param(
        "model: azureml:boosted:1\n",
        replace(PLAIN, model=ModelSpec(reference="azureml:boosted:1")),
        "3:8: model: azureml:boosted:1 can only be resolved by the cloud. "
        "Write `path: FILE OR FOLDER` under `model:`.",
        id="model",
    ),
    pytest.param(
        "model: {name: boosted, path: runs:/1234/model}\n",
        replace(PLAIN, model=ModelSpec(name="boosted")),
        "3:30: model.path: runs:/1234/model can only be resolved by the cloud. " + LOCAL,
        id="path of a model",
    ),
    pytest.param(
        "environment: azureml:AzureML-sklearn@latest\n",
        replace(
            PLAIN,
            environment=EnvironmentSpec(reference="azureml:AzureML-sklearn@latest"),
        ),
        "3:14: environment: azureml:AzureML-sklearn@latest can only be resolved by the cloud. "
        "Write `image:` and `conda_file:` under `environment:`.",
        id="environment",
    ),
    pytest.param(
        "code_configuration: {code: 'azureml:code:1', scoring_script: score.py}\n",
        PLAIN,
        "3:28: code_configuration.code: azureml:code:1 can only be resolved by the cloud. " + LOCAL,
        id="code",
    ),
    pytest.param(
        "environment: {build: {path: https://example.com/x.git}}\n",
        replace(PLAIN, environment=EnvironmentSpec()),
        "3:29: environment.build.path: https://example.com/x.git can only be resolved by the "
        "cloud. " + LOCAL,
        id="build folder",
    ),
]


@pytest.mark.parametrize(("text", "spec", "error"), REFERENCES)
def test_what_only_the_cloud_resolves_is_read_and_reported(
    tmp_path: Path, text: str, spec: DeploymentSpec, error: str
) -> None:
    assert partial(tmp_path, text) == (spec, [(Topic.MACHINE, "cloud-reference")])
    assert deployment_errors(tmp_path, text) == [error]


WRONG_DEPLOYMENT_LINES = {
    "model: boosted:1": (
        "3:8: model: 'boosted:1' is not a reference to a registered model. "
        "Write `azureml:NAME:VERSION`, or a mapping that names a local path."
    ),
    "environment: python:3.11": (
        "3:14: environment: 'python:3.11' is not a reference to a registered environment. "
        "Write `azureml:NAME:VERSION`, or a mapping with `image:` and `conda_file:`."
    ),
    "model: {name: boosted}": "3:8: model: `path` is missing.",
    "model: {path: ., version: 1}": "3:27: model.version: stands without a `name`.",
    "model: {path: ., name: m, version: [1]}": (
        "3:36: model.version: should be a version, not a list."
    ),
    "model: [.]": "3:8: model: should be a string, not a list.",
    "model:": "3:7: model: may not be null. Give it a value or remove the key.",
    "code_configuration: {scoring_script: a.py}": "3:21: code_configuration: `code` is missing.",
    "code_configuration: {code: .}": "3:21: code_configuration: `scoring_script` is missing.",
    "code_configuration: {code: [.], scoring_script: a.py}": (
        "3:28: code_configuration.code: should be a string, not a list."
    ),
    "code_configuration: .": "3:21: code_configuration: should be a mapping, not '.'.",
    "environment: {imag: python}": (
        "3:21: environment.imag: is not a known key here. Did you mean `image`?"
    ),
    "environment: {image: 3.11}": "3:22: environment.image: should be a string, not 3.11.",
    "environment: {conda_file: [a.yml]}": (
        "3:27: environment.conda_file: should be a string, not a list."
    ),
    "environment: {build: {}}": "3:22: environment.build: `path` is missing.",
    "environment: {build: {path: ., docker_file: x}}": (
        "3:45: environment.build.docker_file: is not a known key here. "
        "Did you mean `dockerfile_path`?"
    ),
    "environment: {build: {path: ., dockerfile_path: Dockerfile.dev}}": (
        "3:49: environment.build.dockerfile_path: there is no file Dockerfile.dev in {here}. "
        "The path of the Dockerfile starts from `path`."
    ),
    "environment: {image: mine, inference_config: 8501}": (
        "3:46: environment.inference_config: should be a mapping, not 8501."
    ),
    "model_mount_path: models": (
        "3:19: model_mount_path: 'models' is not an absolute path. "
        "Write the path of a folder in the container, such as /models."
    ),
    "model: {path: ., type: pickle}": (
        "3:24: model.type: 'pickle' is not one of custom_model, mlflow_model, triton_model."
    ),
    "models: {path: .}": "3:9: models: should be a list, not a mapping.",
    "models: [.]": "3:10: models.0: should be a mapping.",
    "models: [{path: .}]": "3:10: models.0: `name` is missing.",
    "models: [{name: first}]": "3:10: models.0: `path` is missing.",
    "models: [{name: first, path: gone}]": (
        f"3:30: models.0.path: there is no file or folder at {{here}}/gone. {START}"
    ),
    "models: [{name: first, path: ., type: custom_model}]": (
        "3:39: models.0.type: is not a known key here."
    ),
    "models: [{name: a, path: .}, {name: b, path: .}, {name: a, path: ., version: 1}]": (
        "3:57: models.2.name: is the name of another model of this version. "
        "Give each model a name or a version of its own."
    ),
    "environment_variables: [A=1]": "3:24: environment_variables: should be a mapping, not a list.",
    "instance_count: two": "3:17: instance_count: should be a whole number, not 'two'.",
    "instance_type: 3": "3:16: instance_type: should be a string, not 3.",
    "app_insights_enabled: maybe": (
        "3:23: app_insights_enabled: should be true or false, not 'maybe'."
    ),
    "request_settings: {request_timeout: 5}": (
        "3:37: request_settings.request_timeout: is not a known key here. "
        "Did you mean `request_timeout_ms`?"
    ),
    "liveness_probe: {period: often}": (
        "3:26: liveness_probe.period: should be a whole number, not 'often'."
    ),
    "readiness_probe: 5": "3:18: readiness_probe: should be a mapping, not 5.",
    "readiness_probe: {period: }": (
        "3:27: readiness_probe.period: may not be null. Give it a value or remove the key."
    ),
    "enviroment: {image: python}": (
        "3:13: enviroment: is not a known key here. Did you mean `environment`?"
    ),
    "dependencies: [numpy]": "3:15: dependencies: is not a known key here.",
}


@pytest.mark.parametrize("text", WRONG_DEPLOYMENT_LINES)
def test_a_deployment_with_one_wrong_line_is_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path, "Dockerfile")
    expected = WRONG_DEPLOYMENT_LINES[text].replace("{here}", str(tmp_path))
    assert deployment_errors(tmp_path, f"{text}\n") == [expected]


def test_all_errors_of_the_routes_are_reported_at_once(tmp_path: Path) -> None:
    text = """\
environment:
  image: mine
  inference_config:
    liveness_route: {port: 0, path: /}
    readiness_route: {port: 65536, pat: /}
    scoring_rout: {port: 8501, path: /}
"""
    assert deployment_errors(tmp_path, text) == [
        "6:28: environment.inference_config.liveness_route.port: 0 is not a port. "
        "Use a number from 1 to 65535.",
        "7:22: environment.inference_config.readiness_route: `path` is missing.",
        "7:41: environment.inference_config.readiness_route.pat: is not a known key here. "
        "Did you mean `path`?",
        "7:29: environment.inference_config.readiness_route.port: 65536 is not a port. "
        "Use a number from 1 to 65535.",
        "6:5: environment.inference_config: `scoring_route` is missing.",
        "8:19: environment.inference_config.scoring_rout: is not a known key here. "
        "Did you mean `scoring_route`?",
    ]


@pytest.mark.parametrize("port", [1, 65535])
def test_a_port_may_be_the_first_and_the_last(tmp_path: Path, port: int) -> None:
    routes = ", ".join(
        f"{name}_route: {{port: {port}, path: /}}" for name in ("liveness", "readiness", "scoring")
    )
    spec = deployment_of(tmp_path, f"environment: {{image: x, inference_config: {{{routes}}}}}\n")
    assert spec.routes == InferenceConfig(Route(port, "/"), Route(port, "/"), Route(port, "/"))


@pytest.mark.parametrize("word", ["mlflow_model", "Mlflow_Model", "MLFLOW_MODEL"])
def test_the_casing_of_a_models_type_does_not_matter(tmp_path: Path, word: str) -> None:
    write(tmp_path, "model/MLmodel")
    assert deployment_of(tmp_path, f"model: {{path: model, type: {word}}}\n") == replace(
        PLAIN, model=ModelSpec(tmp_path / "model", type="mlflow_model")
    )


def test_several_models_are_read_with_a_warning(tmp_path: Path) -> None:
    write(tmp_path, "models/a.pkl")
    write(tmp_path, "blue/b.pkl")
    text = "models: [{name: a, path: models/a.pkl}, {name: a, path: blue, version: 2}]\n"
    bundle = load_files([write(tmp_path, "blue.yml", blue(text))])
    first = ModelSpec(tmp_path / "models/a.pkl", name="a")
    second = ModelSpec(tmp_path / "blue", name="a", version="2")
    assert bundle.deployment == replace(PLAIN, models=(first, second))
    assert bundle.deployment.all_models == (first, second)
    assert bundle.warnings == (
        Finding(
            Severity.WARNING,
            Topic.DOCUMENT,
            "localep-only",
            f"{tmp_path}/blue.yml:3:9",
            "models: is a key of localep's own; the YAML of the cloud names one model.",
        ),
    )


def test_several_models_beside_one_are_refused(tmp_path: Path) -> None:
    text = "model: {path: .}\nmodels: [{name: a, path: .}]\n"
    assert deployment_errors(tmp_path, text) == [
        "4:9: models: stands beside `model`. Keep one of them."
    ]


def test_no_model_among_several_is_none(tmp_path: Path) -> None:
    bundle = load_files([write(tmp_path, "blue.yml", blue("models: []\n"))])
    assert (bundle.deployment, bundle.warnings) == (PLAIN, ())


def test_all_errors_of_a_code_section_are_reported_at_once(tmp_path: Path) -> None:
    text = "code_configuration: {code: ., scoring_script: 5, scoring_scrip: a.py}\n"
    assert deployment_errors(tmp_path, text) == [
        "3:47: code_configuration.scoring_script: should be a string, not 5.",
        "3:65: code_configuration.scoring_scrip: is not a known key here. "
        "Did you mean `scoring_script`?",
    ]


CODES = {
    "model: [.]": (Topic.DOCUMENT, "type"),
    "model: boosted:1": (Topic.DOCUMENT, "asset-ref-form"),
    "model: azureml:boosted:1": (Topic.MACHINE, "cloud-reference"),
    "model: {path: azureml:boosted:1}": (Topic.MACHINE, "azureml-ref-in-path"),
    "model: {path: azureml://datastores/a/paths/b}": (Topic.MACHINE, "cloud-reference"),
    "model: {path: gone}": (Topic.MACHINE, "missing-local-path"),
    "model: {name: boosted}": (Topic.MACHINE, "missing-key"),
    "model:": (Topic.DOCUMENT, "null"),
    "environment: python:3.11": (Topic.DOCUMENT, "asset-ref-form"),
    "environment: azureml:trees:1": (Topic.MACHINE, "cloud-reference"),
    "environment: file:gone.yml": (Topic.MACHINE, "missing-local-path"),
    "environment: {zzz: 1}": (Topic.DOCUMENT, "unknown-key"),
    "environment: {build: {path: .}}": (Topic.MACHINE, "dockerfile-path"),
    "model_mount_path: ./models": (Topic.MACHINE, "mount-path"),
    "code_configuration: {code: ., scoring_script: ../a.py}": (
        Topic.MACHINE,
        "outside-code-folder",
    ),
    "code_configuration: {code: ., scoring_script: a.py}": (
        Topic.MACHINE,
        "scoring-script-missing",
    ),
}


@pytest.mark.parametrize("text", CODES)
def test_an_error_of_a_deployment_has_its_code_and_topic(tmp_path: Path, text: str) -> None:
    assert partial(tmp_path, f"{text}\n")[1] == [CODES[text]]


ENDPOINT_CODES = {
    "name: a_b": "name-rule",
    "name: abc\ntraffic: {blue: 101}": "traffic-rule",
    "name: abc\nauth_mode: none": "value",
}


@pytest.mark.parametrize("text", ENDPOINT_CODES)
def test_an_error_of_an_endpoint_has_its_code(tmp_path: Path, text: str) -> None:
    findings = Findings()
    read_endpoint(read_document(write(tmp_path, "endpoint.yml", f"{text}\n")), findings)
    assert [(item.topic, item.code) for item in findings.items] == [
        (Topic.DOCUMENT, ENDPOINT_CODES[text])
    ]


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        pytest.param("name: blue\ninstance_type: F2\n", ["`endpoint_name` is missing."], id="one"),
        pytest.param(
            "instance_type: F2\n", ["`endpoint_name` is missing.", "`name` is missing."], id="both"
        ),
    ],
)
def test_a_deployment_without_its_names_is_refused_and_not_read(
    tmp_path: Path, text: str, errors: list[str]
) -> None:
    findings = Findings()
    assert read_deployment(read_document(write(tmp_path, "blue.yml", text)), findings) is None
    assert [item.message for item in findings.items if item.topic is Topic.DOCUMENT] == errors


@pytest.mark.parametrize(
    ("environment", "read"),
    [
        pytest.param("{image: python}", EnvironmentSpec("python"), id="image"),
        pytest.param(
            "{image: python, conda_file: conda.yml}",
            EnvironmentSpec("python", Path("conda.yml")),
            id="image and conda file",
        ),
        pytest.param(
            "{conda_file: conda.yml}",
            EnvironmentSpec(conda_file=Path("conda.yml")),
            id="conda file alone",
        ),
        pytest.param(
            "{image: python, conda_file: {name: env, dependencies: [pip, {pip: [numpy]}]}}",
            EnvironmentSpec(
                "python", conda={"name": "env", "dependencies": ["pip", {"pip": ["numpy"]}]}
            ),
            id="conda mapping",
        ),
        pytest.param(
            "{build: {path: docker, dockerfile_path: Dockerfile.dev}}",
            EnvironmentSpec(build=BuildSpec(Path("docker"), "Dockerfile.dev")),
            id="build folder",
        ),
        pytest.param(
            "{build: {path: docker/whole/}}",
            EnvironmentSpec(build=BuildSpec(Path("docker/whole"), "Dockerfile")),
            id="build folder with a Dockerfile of the usual name",
        ),
        pytest.param(
            "{image: mine, inference_config: {liveness_route: {port: 8501, path: /alive}, "
            "readiness_route: {port: '8502', path: ready}, "
            "scoring_route: {port: 8503, path: //v1/count}}}",
            EnvironmentSpec(
                "mine",
                inference_config=InferenceConfig(
                    Route(8501, "/alive"), Route(8502, "/ready"), Route(8503, "/v1/count")
                ),
            ),
            id="routes of a custom container, with and without a leading slash",
        ),
        pytest.param(
            "{image: python, name: env, version: 7}",
            EnvironmentSpec("python", name="env", version="7"),
            id="name and version",
        ),
    ],
)
def test_an_environment_is_read_in_each_of_its_forms(
    tmp_path: Path, environment: str, read: EnvironmentSpec
) -> None:
    write(tmp_path, "conda.yml")
    write(tmp_path, "docker/Dockerfile.dev")
    write(tmp_path, "docker/whole/Dockerfile")
    expected = replace(
        read,
        conda_file=tmp_path / read.conda_file if read.conda_file else None,
        build=replace(read.build, path=tmp_path / read.build.path) if read.build else None,
    )
    assert deployment_of(tmp_path, f"environment: {environment}\n") == replace(
        PLAIN, environment=expected
    )


def test_all_other_keys_of_a_model_are_taken_and_play_no_part(tmp_path: Path) -> None:
    write(tmp_path, "model.pkl")
    text = """\
model:
  path: model.pkl
  $schema: https://azuremlschemas.azureedge.net/latest/model.schema.json
  allowed_deployment_templates: [{asset_id: a}]
  creation_context: {created_by: ada}
  datastore: azureml:store
  default_deployment_template: {asset_id: a}
  description: trees
  flavors: {sklearn: {version: 1.0}}
  id: /subscriptions/1/models/x
  intellectual_property: {publisher: ada}
  job_name: job
  latest_version: 3
  properties: {a: b}
  stage: Production
  system_metadata: {a: b}
  tags: {a: b}
  utc_time_created: 2024-01-31
"""
    assert deployment_of(tmp_path, text) == replace(PLAIN, model=ModelSpec(tmp_path / "model.pkl"))


def test_all_other_keys_of_an_environment_are_taken_and_play_no_part(tmp_path: Path) -> None:
    text = """\
environment:
  image: python
  $schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json
  auto_delete_setting: {condition: CreatedGreaterThan, value: 30d}
  creation_context: {created_by: ada}
  datastore: azureml:store
  description: slim
  id: azureml:/subscriptions/1/environments/x
  intellectual_property: {publisher: ada}
  latest_version: 3
  os_type: Linux
  tags: {a: b}
"""
    assert deployment_of(tmp_path, text) == replace(PLAIN, environment=EnvironmentSpec("python"))


def test_an_environment_in_a_file_of_its_own_names_paths_from_its_own_folder(
    tmp_path: Path,
) -> None:
    write(tmp_path, "envs/conda.yml")
    write(
        tmp_path,
        "envs/env.yml",
        """\
        $schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json
        name: trees
        version: 2
        image: python
        conda_file: ./conda.yml
        """,
    )
    assert deployment_of(tmp_path, "environment: file:envs/env.yml\n") == replace(
        PLAIN,
        environment=EnvironmentSpec(
            "python", tmp_path / "envs/conda.yml", name="trees", version="2"
        ),
    )


def test_an_error_in_the_file_of_an_environment_is_reported_in_that_file(tmp_path: Path) -> None:
    environment = write(tmp_path, "env.yml", "image: python\nconda_fil: conda.yml\n")
    source = write(tmp_path, "blue.yml", blue("environment: file:env.yml\nmodel: 5\n"))
    assert errors_of(source) == [
        f"{source}:4:8: model: should be a string, not 5.",
        f"{environment}:2:12: conda_fil: is not a known key here. Did you mean `conda_file`?",
    ]


def test_environment_variables_become_strings(tmp_path: Path) -> None:
    text = """\
environment_variables:
  TEXT: plain text
  EMPTY: ""
  QUOTED: "1"
  WHOLE: 1
  FRACTION: 1.5
  YES: true
  NO: false
  NOTHING: null
  BLANK:
  DAY: 2024-01-31
"""
    assert deployment_of(tmp_path, text) == replace(
        PLAIN,
        environment_variables={
            "TEXT": "plain text",
            "EMPTY": "",
            "QUOTED": "1",
            "WHOLE": "1",
            "FRACTION": "1.5",
            "YES": "True",
            "NO": "False",
            "NOTHING": "",
            "BLANK": "",
            "DAY": "2024-01-31",
        },
    )


def test_whole_numbers_may_be_written_as_strings_and_fractions_are_cut(tmp_path: Path) -> None:
    text = """\
instance_count: "2"
app_insights_enabled: "true"
request_settings: {request_timeout_ms: "60000", max_queue_wait_ms: 10.9}
liveness_probe: {initial_delay: 2.5, period: "7"}
"""
    assert deployment_of(tmp_path, text) == replace(
        PLAIN,
        instance_count=2,
        app_insights_enabled=True,
        request_settings=RequestSettings(60000, 1, 10),
        liveness_probe=ProbeSettings(2, 7, 2, 1, 30),
        cloud_only=CloudOnly(("app_insights_enabled",)),
    )


def test_probes_may_share_values_by_anchor_and_merge_key(tmp_path: Path) -> None:
    text = """\
liveness_probe: &probe
  period: 5
  timeout: 3
readiness_probe:
  <<: *probe
  period: 7
"""
    source = write(tmp_path, "blue.yml", blue(text))
    document = read_document(source)
    assert load_files([source]) == Bundle(
        endpoint=None,
        deployment=replace(
            PLAIN,
            liveness_probe=ProbeSettings(period=5, timeout=3),
            readiness_probe=ProbeSettings(period=7, timeout=3),
        ),
        documents=(document,),
        warnings=(),
    )


def test_all_errors_of_a_document_are_reported_at_once(tmp_path: Path) -> None:
    write(tmp_path, "code/main.py")
    source = write(
        tmp_path,
        "blue.yml",
        """\
        name: 1st
        endpoint_name: orders
        model:
          path: gone
        code_configuration:
          code: code
          scoring_script: score.py
        environment: azureml:trees:1
        instance_cuont: 1
        instance_type:
        request_settings:
          request_timeout_ms: long
          retries: 3
        """,
    )
    assert sorted(errors_of(source)) == sorted(
        [
            f"{source}:1:7: name: '1st' is not a valid name. "
            "Use 3 to 32 letters, digits and single dashes, beginning with a letter.",
            f"{source}:4:9: model.path: there is no file or folder at {tmp_path}/gone. {START}",
            f"{source}:7:19: code_configuration.scoring_script: there is no file score.py in "
            f"{tmp_path}/code. The path of the script starts from the code folder.",
            f"{source}:8:14: environment: azureml:trees:1 can only be resolved by the cloud. "
            "Write `image:` and `conda_file:` under `environment:`.",
            f"{source}:9:17: instance_cuont: is not a known key here. "
            "Did you mean `instance_count`?",
            f"{source}:10:15: instance_type: may not be null. Give it a value or remove the key.",
            f"{source}:12:23: request_settings.request_timeout_ms: should be a whole number, "
            "not 'long'.",
            f"{source}:13:12: request_settings.retries: is not a known key here.",
        ]
    )


def test_the_errors_of_all_documents_are_reported_at_once(tmp_path: Path) -> None:
    endpoint = write(tmp_path, "endpoint.yml", "name: orders\nauth_mode: none\n")
    deployment = write(tmp_path, "blue.yml", blue("instance_count: two\n"))
    assert errors_of(endpoint, deployment) == [
        f"{endpoint}:2:12: auth_mode: 'none' is not one of aad_token, aml_token, key.",
        f"{deployment}:3:17: instance_count: should be a whole number, not 'two'.",
    ]
