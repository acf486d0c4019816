from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from support.loading import load_documents, load_files
from unit.spec.spec_files import errors_of, told, write

from localep.errors import EndpointConflict, LocalepError, SpecError, UsageError
from localep.spec.documents import read_document
from localep.spec.findings import Finding, Severity, Topic
from localep.spec.loader import Bundle, Selection
from localep.spec.model import (
    CodeSpec,
    DeploymentSpec,
    EndpointSpec,
    EnvironmentSpec,
    ModelSpec,
)

if TYPE_CHECKING:
    from pathlib import Path


SIZE = "instance_type: F2\n"


@pytest.fixture
def endpoint(tmp_path: Path) -> Path:
    return write(tmp_path, "endpoint.yml", "name: orders\nauth_mode: aml_token\n")


@pytest.fixture
def blue(tmp_path: Path) -> Path:
    return write(
        tmp_path, "blue.yml", f"name: blue\nendpoint_name: orders\ninstance_count: 1\n{SIZE}"
    )


@pytest.fixture
def green(tmp_path: Path) -> Path:
    return write(
        tmp_path, "green.yml", f"name: green\nendpoint_name: orders\ninstance_count: 2\n{SIZE}"
    )


@pytest.fixture
def combined(tmp_path: Path) -> Path:
    return write(
        tmp_path,
        "combined.yml",
        """\
        name: orders
        deployments:
          - name: blue
            instance_type: F2
          - name: green
            instance_type: F4
        """,
    )


ORDERS = EndpointSpec("orders", "aml_token")
BLUE = DeploymentSpec("blue", "orders", instance_type="F2", instance_count=1)
GREEN = DeploymentSpec("green", "orders", instance_type="F2", instance_count=2)
KINDS = "Give the YAML of an online endpoint or deployment."


def refusal(files: list[Path], selection: Selection) -> LocalepError:
    with pytest.raises(LocalepError) as caught:
        load_files(files, selection)
    return caught.value


def test_an_endpoint_and_its_deployment_are_read_in_either_order(
    endpoint: Path, blue: Path
) -> None:
    documents = {path: read_document(path) for path in (endpoint, blue)}
    for files in permutations([endpoint, blue]):
        assert load_files(files) == Bundle(
            endpoint=ORDERS,
            deployment=BLUE,
            documents=tuple(documents[file] for file in files),
            warnings=(),
        )


def test_a_deployment_alone_names_its_endpoint(blue: Path) -> None:
    bundle = load_files([blue])
    assert bundle == Bundle(None, BLUE, (read_document(blue),))
    assert bundle.endpoint_name == "orders"


def test_an_endpoint_alone_has_no_deployment(endpoint: Path) -> None:
    bundle = load_files([endpoint])
    assert bundle == Bundle(ORDERS, None, (read_document(endpoint),))
    assert bundle.endpoint_name == "orders"


def test_no_file_gives_a_bundle_without_a_name() -> None:
    bundle = load_files([])
    assert bundle == Bundle(None, None, ())
    with pytest.raises(SpecError) as caught:
        _ = bundle.endpoint_name
    assert told(caught.value) == (
        "The documents hold neither an endpoint nor a deployment.",
        None,
        "Name the YAML of one of them with -f.",
        (),
    )


def test_the_samples_of_both_generations_say_the_same(tmp_path: Path) -> None:
    write(tmp_path, "code/score.py")
    write(tmp_path, "model/model.pkl")
    write(tmp_path, "conda.yml")
    endpoint = write(tmp_path, "endpoint.yml", "name: orders\n")
    deployment = write(
        tmp_path,
        "deployment.yml",
        """\
        name: blue
        endpoint_name: orders
        model: {name: boosted, version: 1, path: model}
        code_configuration: {code: code, scoring_script: score.py}
        environment: {image: python, conda_file: conda.yml}
        instance_type: F2
        instance_count: 1
        """,
    )
    combined = write(
        tmp_path,
        "2021/endpoint.yml",
        """\
        name: orders
        type: online
        deployments:
          - name: blue
            model: {name: boosted, version: 1, local_path: ../model}
            code_configuration: {code: {local_path: ../code}, scoring_script: score.py}
            environment: {docker: {image: python}, conda_file: file:../conda.yml}
            instance_type: F2
            scale_settings: {scale_type: manual, instance_count: 1}
        """,
    )
    old, new = load_files([combined]), load_files([endpoint, deployment])
    assert new.deployment == DeploymentSpec(
        "blue",
        "orders",
        model=ModelSpec(tmp_path / "model", None, "boosted", "1"),
        code=CodeSpec(tmp_path / "code", "score.py"),
        environment=EnvironmentSpec("python", tmp_path / "conda.yml"),
        instance_type="F2",
        instance_count=1,
    )
    assert (old.endpoint, old.deployment) == (new.endpoint, new.deployment)


def test_the_endpoint_given_on_the_command_line_overrides_all_names(
    endpoint: Path, blue: Path
) -> None:
    bundle = load_files([endpoint, blue], Selection(endpoint="shop"))
    first, second = read_document(endpoint), read_document(blue)
    assert bundle == Bundle(
        EndpointSpec("shop", "aml_token"),
        replace(BLUE, endpoint_name="shop"),
        (
            replace(first, data=first.data | {"name": "shop"}),
            replace(second, data=second.data | {"endpoint_name": "shop"}),
        ),
    )


def test_the_endpoint_given_on_the_command_line_fills_missing_names(tmp_path: Path) -> None:
    endpoint = write(tmp_path, "endpoint.yml", "auth_mode: aml_token\n")
    blue = write(tmp_path, "blue.yml", f"name: blue\ninstance_count: 1\n{SIZE}")
    bundle = load_files([endpoint, blue], Selection(endpoint="orders"))
    assert (bundle.endpoint, bundle.deployment) == (ORDERS, BLUE)


def test_the_endpoint_given_on_the_command_line_names_a_combined_document(
    combined: Path,
) -> None:
    bundle = load_files([combined], Selection(endpoint="shop", deployment="blue"))
    assert (bundle.endpoint, bundle.deployment) == (
        EndpointSpec("shop"),
        DeploymentSpec("blue", "shop", instance_type="F2"),
    )


def test_the_endpoint_given_on_the_command_line_takes_the_place_of_a_placeholder(
    tmp_path: Path,
) -> None:
    blue = write(tmp_path, "blue.yml", f"name: blue\nendpoint_name: <ENDPOINT_NAME>\n{SIZE}")
    bundle = load_files([blue], Selection(endpoint="orders"))
    assert bundle.deployment == DeploymentSpec("blue", "orders", instance_type="F2")


def test_the_deployment_given_on_the_command_line_fills_a_missing_name(tmp_path: Path) -> None:
    blue = write(tmp_path, "blue.yml", f"endpoint_name: orders\ninstance_count: 1\n{SIZE}")
    assert load_files([blue], Selection(deployment="blue")).deployment == BLUE


def test_the_deployment_given_on_the_command_line_names_no_endpoint(tmp_path: Path) -> None:
    source = write(tmp_path, "endpoint.yml", "auth_mode: key\n")
    assert errors_of(source, selection=Selection(deployment="blue")) == [
        f"{source}:1:1: `name` is missing."
    ]


@pytest.mark.parametrize(
    ("wanted", "spec"),
    [
        ("blue", DeploymentSpec("blue", "orders", instance_type="F2")),
        ("green", DeploymentSpec("green", "orders", instance_type="F4")),
    ],
)
def test_the_deployment_given_on_the_command_line_is_chosen_from_a_combined_document(
    combined: Path, wanted: str, spec: DeploymentSpec
) -> None:
    bundle = load_files([combined], Selection(deployment=wanted))
    assert (bundle.endpoint, bundle.deployment) == (EndpointSpec("orders"), spec)


@pytest.mark.parametrize(("wanted", "spec"), [("blue", BLUE), ("green", GREEN)])
def test_the_deployment_given_on_the_command_line_is_chosen_from_several_files(
    endpoint: Path, blue: Path, green: Path, wanted: str, spec: DeploymentSpec
) -> None:
    bundle = load_files([endpoint, blue, green], Selection(deployment=wanted))
    assert (bundle.endpoint, bundle.deployment) == (ORDERS, spec)


def test_a_deployment_given_beside_an_endpoint_alone_chooses_nothing(endpoint: Path) -> None:
    bundle = load_files([endpoint], Selection(deployment="blue"))
    assert (bundle.endpoint, bundle.deployment) == (ORDERS, None)


@pytest.mark.parametrize(
    ("names", "cause"),
    [
        pytest.param(["combined"], "They name blue, green.", id="combined"),
        pytest.param(["endpoint", "blue", "green"], "They name blue, green.", id="several"),
        pytest.param(["blue"], "They name blue.", id="one"),
    ],
)
def test_a_deployment_that_is_not_there_cannot_be_chosen(
    names: list[str], cause: str, request: pytest.FixtureRequest
) -> None:
    files = [request.getfixturevalue(name) for name in names]
    error = refusal(files, Selection(deployment="red"))
    assert (type(error), told(error)) == (
        EndpointConflict,
        (
            "The documents have no deployment red.",
            cause,
            "Choose one of these with --deployment.",
            (),
        ),
    )


@pytest.mark.parametrize("names", [["combined"], ["endpoint", "blue", "green"]])
def test_one_of_several_deployments_must_be_chosen(
    names: list[str], request: pytest.FixtureRequest
) -> None:
    files = [request.getfixturevalue(name) for name in names]
    error = refusal(files, Selection())
    assert (type(error), told(error)) == (
        UsageError,
        (
            "The documents hold several deployments.",
            "They name blue, green; a local endpoint runs one.",
            "Choose one of them: --deployment blue.",
            (),
        ),
    )


def test_an_error_in_a_deployment_that_is_not_chosen_stands_in_nobodys_way(
    tmp_path: Path,
) -> None:
    source = write(
        tmp_path,
        "combined.yml",
        "name: orders\ndeployments: [{name: blue, sise: 1}, {name: green}]\n",
    )
    assert load_files([source], Selection(deployment="green")).deployment == DeploymentSpec(
        "green", "orders"
    )


def test_an_error_in_the_chosen_deployment_is_reported_where_it_stands(tmp_path: Path) -> None:
    source = write(
        tmp_path,
        "combined.yml",
        """\
        name: orders
        deployments:
          - name: blue
            instance_type: F2
          - name: green
            instance_type: 4
        """,
    )
    assert errors_of(source, selection=Selection(deployment="green")) == [
        f"{source}:6:20: deployments.1.instance_type: should be a string, not 4."
    ]


@pytest.mark.parametrize("deployments", ["blue", "5", "true"])
def test_nothing_is_chosen_from_what_is_no_list(tmp_path: Path, deployments: str) -> None:
    source = write(tmp_path, "combined.yml", f"name: orders\ndeployments: {deployments}\n")
    (error,) = errors_of(source, selection=Selection(deployment="blue"))
    assert error.startswith(f"{source}:2:14: deployments: should be a list, not ")


def test_an_endpoint_and_a_deployment_of_another_one_are_refused(
    tmp_path: Path, endpoint: Path
) -> None:
    other = write(tmp_path, "other.yml", f"name: blue\nendpoint_name: shop\n{SIZE}")
    error = refusal([other, endpoint], Selection())
    assert (type(error), told(error)) == (
        SpecError,
        (
            "Deployment blue belongs to another endpoint.",
            "Its endpoint_name is shop; the endpoint's document is named orders.",
            "Correct one of the names, or name both with -n.",
            (),
        ),
    )


def test_names_that_differ_are_reconciled_by_the_command_line(
    tmp_path: Path, endpoint: Path
) -> None:
    other = write(
        tmp_path, "other.yml", f"name: blue\nendpoint_name: shop\ninstance_count: 1\n{SIZE}"
    )
    bundle = load_files([other, endpoint], Selection(endpoint="orders"))
    assert (bundle.endpoint, bundle.deployment) == (ORDERS, BLUE)


def test_two_endpoints_are_refused(tmp_path: Path, endpoint: Path, combined: Path) -> None:
    other = write(tmp_path, "other.yml", "name: shop\n")
    error = refusal([endpoint, other], Selection())
    assert (type(error), told(error)) == (
        UsageError,
        (
            "The files hold more than one endpoint.",
            "They name orders, shop.",
            "Give one endpoint a command.",
            (),
        ),
    )
    assert told(refusal([other, combined], Selection(deployment="blue"))) == (
        "The files hold more than one endpoint.",
        "They name shop, orders.",
        "Give one endpoint a command.",
        (),
    )


@pytest.mark.parametrize(
    "line",
    [
        "$schema: https://azuremlschemas.azureedge.net/latest/batchEndpoint.schema.json",
        "$schema: https://azuremlschemas.azureedge.net/latest/BatchDeployment.schema.json",
        "type: batch",
        "type: command",
        "type: pipeline",
        "type: sweep",
    ],
)
@pytest.mark.parametrize("rest", ["", "endpoint_name: orders", "deployments: [{name: blue}]"])
def test_a_document_of_another_kind_is_refused(tmp_path: Path, line: str, rest: str) -> None:
    source = write(tmp_path, "other.yml", f"{line}\nname: orders\n{rest}\n")
    error = refusal([source], Selection())
    assert (type(error), told(error)) == (
        SpecError,
        (
            f"{source} is not an online endpoint or deployment.",
            "Its `$schema` or `type` names another kind of document.",
            KINDS,
            (),
        ),
    )


def test_a_duplicate_key_warns_and_the_last_one_counts(tmp_path: Path) -> None:
    source = write(
        tmp_path,
        "blue.yml",
        """\
        name: blue
        endpoint_name: orders
        instance_count: 7
        environment_variables: {A: 1, A: 2}
        instance_count: 1
        instance_type: F2
        """,
    )
    assert load_files([source]) == Bundle(
        None,
        replace(BLUE, environment_variables={"A": "2"}),
        (read_document(source),),
        (
            Finding(
                Severity.WARNING,
                Topic.DOCUMENT,
                "duplicate-key",
                f"{source}:4:34",
                "environment_variables.A: is given twice; the last one counts.",
            ),
            Finding(
                Severity.WARNING,
                Topic.DOCUMENT,
                "duplicate-key",
                f"{source}:5:17",
                "instance_count: is given twice; the last one counts.",
            ),
        ),
    )


def test_a_duplicate_key_is_no_error_beside_an_error(tmp_path: Path) -> None:
    source = write(tmp_path, "endpoint.yml", "name: a\nname: orders\nauth_mode: none\n")
    assert errors_of(source) == [
        f"{source}:3:12: auth_mode: 'none' is not one of aad_token, aml_token, key."
    ]


def test_overrides_are_applied_before_the_reading(endpoint: Path, blue: Path) -> None:
    selection = Selection(
        overrides=(
            "auth_mode=key",
            "traffic.blue=100",
            "environment.image=python",
            'environment_variables={"LEVEL": "debug", "COUNT": 3}',
            "environment_variables.MODE=fast",
            "instance_count=4",
            "endpoint.tags.team=vision",
        )
    )
    bundle = load_files([blue, endpoint], selection)
    assert (bundle.endpoint, bundle.deployment) == (
        EndpointSpec("orders", tags={"team": "vision"}, traffic={"blue": 100}),
        DeploymentSpec(
            "blue",
            "orders",
            environment=EnvironmentSpec("python"),
            environment_variables={"LEVEL": "debug", "COUNT": "3", "MODE": "fast"},
            instance_type="F2",
            instance_count=4,
        ),
    )


def test_an_override_reaches_into_the_deployments_of_a_combined_document(combined: Path) -> None:
    selection = Selection(deployment="green", overrides=("deployments[1].instance_type=F16",))
    assert load_files([combined], selection).deployment == DeploymentSpec(
        "green", "orders", instance_type="F16"
    )


LOUD = Selection(log_level="DEBUG")


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("", {"LOCALEP_LOG_LEVEL": "DEBUG"}),
        ("environment_variables:\n", {"LOCALEP_LOG_LEVEL": "DEBUG"}),
        ("environment_variables: {A: 1}\n", {"A": "1", "LOCALEP_LOG_LEVEL": "DEBUG"}),
        ("environment_variables: {LOCALEP_LOG_LEVEL: INFO}\n", {"LOCALEP_LOG_LEVEL": "DEBUG"}),
    ],
)
def test_the_log_level_given_on_the_command_line_is_a_variable_of_the_deployment(
    tmp_path: Path, endpoint: Path, text: str, variables: dict[str, str]
) -> None:
    file = write(tmp_path, "blue.yml", f"name: blue\nendpoint_name: orders\n{text}{SIZE}")
    bundle = load_files([endpoint, file], LOUD)
    assert bundle.endpoint == ORDERS
    assert bundle.deployment == DeploymentSpec(
        "blue", "orders", instance_type="F2", environment_variables=variables
    )
    assert load_documents(bundle.documents) == bundle


def test_the_log_level_reaches_the_deployments_of_a_combined_document(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "combined.yml",
        """\
        name: orders
        deployments:
          - name: blue
            environment_variables: {A: 1}
          - name: green
        """,
    )
    expected = {
        "blue": {"A": "1", "LOCALEP_LOG_LEVEL": "DEBUG"},
        "green": {"LOCALEP_LOG_LEVEL": "DEBUG"},
    }
    for name, variables in expected.items():
        bundle = load_files([file], replace(LOUD, deployment=name))
        assert bundle.deployment == DeploymentSpec(name, "orders", environment_variables=variables)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            f"endpoint_name: orders\nenvironment_variables: [A]\n{SIZE}",
            "3:24: environment_variables",
        ),
        ("deployments: {blue: 5}\n", "2:21: deployments.blue"),
    ],
)
def test_the_log_level_finds_no_place_in_what_is_no_mapping(
    tmp_path: Path, text: str, error: str
) -> None:
    file = write(tmp_path, "wrong.yml", f"name: blue\n{text}")
    assert [line[: len(f"{file}:{error}")] for line in errors_of(file, selection=LOUD)] == [
        f"{file}:{error}"
    ]


def test_an_override_mends_an_error_and_makes_one(tmp_path: Path, blue: Path) -> None:
    broken = write(tmp_path, "broken.yml", "name: blue\nendpoint_name: orders\ninstance_type: 5\n")
    mended = load_files([broken], Selection(overrides=("instance_type=F2",)))
    assert mended.deployment == DeploymentSpec("blue", "orders", instance_type="F2")
    assert errors_of(blue, selection=Selection(overrides=("instance_count=many",))) == [
        f"{blue} (--set instance_count): instance_count: should be a whole number, not 'many'."
    ]


def test_what_only_an_override_brought_is_told_as_that(blue: Path) -> None:
    overrides = ("instance_cuont=3", 'request_setting={"a": 1}', "request_setting.a=2", "x.y.z=1")
    assert errors_of(blue, selection=Selection(overrides=overrides)) == [
        f"{blue} (--set instance_cuont): instance_cuont: is not a known key here. "
        "Did you mean `instance_count`?",
        f"{blue} (--set request_setting): request_setting: is not a known key here. "
        "Did you mean `request_settings`?",
        f"{blue} (--set x.y.z): x: is not a known key here.",
    ]


def test_the_name_given_on_the_command_line_wins_over_an_override(endpoint: Path) -> None:
    selection = Selection(endpoint="shop", overrides=("name=store",))
    assert load_files([endpoint], selection).endpoint == EndpointSpec("shop", "aml_token")


def test_neither_overrides_nor_names_change_the_documents_given(endpoint: Path, blue: Path) -> None:
    documents = [read_document(endpoint), read_document(blue)]
    selection = Selection("shop", None, ("environment_variables.A=1", "traffic.blue=5"))
    bundle = load_documents(documents, selection)
    assert documents == [read_document(endpoint), read_document(blue)]
    assert [document.data for document in bundle.documents] == [
        {"name": "shop", "auth_mode": "aml_token", "traffic": {"blue": 5}},
        {
            "name": "blue",
            "endpoint_name": "shop",
            "instance_count": 1,
            "instance_type": "F2",
            "environment_variables": {"A": 1},
        },
    ]


@pytest.mark.parametrize(
    ("names", "selection"),
    [
        pytest.param(["endpoint", "blue"], Selection(), id="two files"),
        pytest.param(
            ["endpoint", "blue"],
            Selection("shop", None, ("instance_count=9", "auth_mode=key")),
            id="two files changed",
        ),
        pytest.param(["combined"], Selection("shop", "green"), id="combined"),
    ],
)
def test_the_documents_of_a_bundle_read_again_give_the_same_bundle(
    names: list[str], selection: Selection, request: pytest.FixtureRequest
) -> None:
    bundle = load_files([request.getfixturevalue(name) for name in names], selection)
    assert load_documents(bundle.documents) == bundle


def test_the_first_file_that_cannot_be_read_ends_the_reading(
    tmp_path: Path, endpoint: Path
) -> None:
    gone = tmp_path / "gone.yml"
    assert refusal([endpoint, gone, tmp_path], Selection()).message == f"{gone} is not there."


@pytest.mark.parametrize("name", ["x", "my_endpoint", "1st", "a--b", "a" * 33])
def test_a_name_of_the_command_line_follows_the_clouds_rule(tmp_path: Path, name: str) -> None:
    (tmp_path / "endpoint.yml").write_text("name: hello\n")

    with pytest.raises(UsageError) as caught:
        load_files([tmp_path / "endpoint.yml"], Selection(endpoint=name))

    assert caught.value.message == f"No endpoint can be named {name!r}."
    assert caught.value.cause == "The name given with -n is not one that the cloud takes."
    assert caught.value.remedy == (
        "Use 3 to 32 letters, digits and single dashes, beginning with a letter."
    )
