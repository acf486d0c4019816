"""Code, model and variables lie where the cloud puts them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from localep.operations import layout
from localep.spec.model import (
    CodeSpec,
    DeploymentSpec,
    EnvironmentSpec,
    InferenceConfig,
    ModelSpec,
    Route,
)

CODE = CodeSpec(Path("/home/me/hello/onlinescoring"), "score.py")
NESTED = CodeSpec(Path("/home/me/hello/src"), "serving/v2/score.py")
MODELS = "/var/azureml-app/azureml-models"
MODEL = ModelSpec(Path("/home/me/models/diabetes.pkl"), name="diabetes", version="3")


@pytest.mark.parametrize(
    ("code", "folder", "app_root", "command"),
    [
        (
            CODE,
            "/var/azureml-app/onlinescoring",
            "/var/azureml-app/onlinescoring",
            ["azmlinfsrv", "--entry_script", "score.py"],
        ),
        (
            NESTED,
            "/var/azureml-app/src",
            "/var/azureml-app/src/serving/v2",
            ["azmlinfsrv", "--entry_script", "score.py"],
        ),
        (
            CodeSpec(Path("/home/me/my code"), "./score me.py"),
            "/var/azureml-app/my code",
            "/var/azureml-app/my code",
            ["azmlinfsrv", "--entry_script", "score me.py"],
        ),
    ],
)
def test_the_server_runs_in_the_folder_of_the_scoring_script(
    code: CodeSpec, folder: str, app_root: str, command: list[str]
) -> None:
    assert layout.code_folder(code) == folder
    assert layout.app_root(code) == app_root
    assert layout.server_command(code) == command


def test_the_server_answers_where_the_cloud_expects_it() -> None:
    assert layout.routes(DeploymentSpec("blue", "hello")) == InferenceConfig(
        Route(5001, "/"), Route(5001, "/"), Route(5001, "/score")
    )


@pytest.mark.parametrize(
    ("name", "version", "folder"),
    [
        ("diabetes", "3", "/var/azureml-app/azureml-models/diabetes/3"),
        ("diabetes", None, "/var/azureml-app/azureml-models/diabetes/1"),
    ],
)
def test_a_model_lies_under_its_name_and_version(
    name: str, version: str | None, folder: str
) -> None:
    model = ModelSpec(Path("/m/x.pkl"), None, name, version)

    assert layout.model_folder(model, MODELS) == folder


def test_a_model_without_a_name_keeps_the_one_that_it_gets() -> None:
    path = Path("/home/me/models/diabetes.pkl")
    generated = hashlib.md5(b"/home/me/models/diabetes.pkl", usedforsecurity=False).hexdigest()

    assert layout.model_folder(ModelSpec(path), MODELS) == (
        f"/var/azureml-app/azureml-models/{generated}/1"
    )


def test_models_without_a_name_do_not_share_a_folder() -> None:
    first, second = ModelSpec(Path("/m/a.pkl")), ModelSpec(Path("/m/b.pkl"))

    assert layout.model_folder(first, MODELS) != layout.model_folder(second, MODELS)


def test_the_variables_are_those_of_the_cloud() -> None:
    spec = DeploymentSpec("blue", "hello", model=MODEL, code=NESTED)

    assert layout.variables(spec) == {
        "HOME": "/tmp",
        "PYTHONUNBUFFERED": "1",
        "AML_APP_ROOT": "/var/azureml-app/src/serving/v2",
        "AZUREML_ENTRY_SCRIPT": "score.py",
        "AZUREML_MODEL_DIR": "/var/azureml-app/azureml-models/diabetes/3",
    }


def test_without_a_model_there_is_no_variable_for_one() -> None:
    assert layout.variables(DeploymentSpec("blue", "hello", code=CODE)) == {
        "HOME": "/tmp",
        "PYTHONUNBUFFERED": "1",
        "AML_APP_ROOT": "/var/azureml-app/onlinescoring",
        "AZUREML_ENTRY_SCRIPT": "score.py",
    }


def test_a_user_sets_any_variable_but_those_of_the_cloud() -> None:
    spec = DeploymentSpec(
        "blue",
        "hello",
        model=MODEL,
        code=CODE,
        environment_variables={
            "GREETING": "Hello",
            "WORKER_COUNT": "2",
            "HOME": "/var/azureml-app",
            "AML_APP_ROOT": "/elsewhere",
            "AZUREML_ENTRY_SCRIPT": "other.py",
            "AZUREML_MODEL_DIR": "/elsewhere",
        },
    )

    assert layout.variables(spec) == {
        "GREETING": "Hello",
        "WORKER_COUNT": "2",
        "HOME": "/var/azureml-app",
        "PYTHONUNBUFFERED": "1",
        "AML_APP_ROOT": "/var/azureml-app/onlinescoring",
        "AZUREML_ENTRY_SCRIPT": "score.py",
        "AZUREML_MODEL_DIR": "/var/azureml-app/azureml-models/diabetes/3",
    }


def test_several_models_lie_beside_each_other_by_name_and_version() -> None:
    first = ModelSpec(Path("/m/a.pkl"), name="first")
    second = ModelSpec(Path("/n/folder"), name="second", version="2")
    spec = DeploymentSpec("blue", "hello", models=(first, second))

    assert layout.model_places(spec) == {
        f"{MODELS}/first/1/a.pkl": first,
        f"{MODELS}/second/2/folder": second,
    }
    assert layout.cloud_variables(spec) == {"AZUREML_MODEL_DIR": MODELS}


def test_the_mount_path_of_models_takes_the_place_of_the_clouds_own() -> None:
    spec = DeploymentSpec("blue", "hello", model=MODEL, model_mount_path="/models")

    assert layout.model_places(spec) == {"/models/diabetes/3/diabetes.pkl": MODEL}
    assert layout.cloud_variables(spec) == {"AZUREML_MODEL_DIR": "/models/diabetes/3"}


def test_all_of_it_can_lie_below_another_root() -> None:
    spec = DeploymentSpec("blue", "hello", model=MODEL, code=NESTED)

    assert layout.cloud_variables(spec, "/tmp/x") == {
        "AML_APP_ROOT": "/tmp/x/src/serving/v2",
        "AZUREML_ENTRY_SCRIPT": "score.py",
        "AZUREML_MODEL_DIR": "/tmp/x/azureml-models/diabetes/3",
    }


def test_a_custom_container_gets_the_clouds_variables_and_the_users_alone() -> None:
    routes = InferenceConfig(Route(80, "/live"), Route(80, "/ready"), Route(80, "/predict"))
    spec = DeploymentSpec(
        "blue",
        "hello",
        model=MODEL,
        environment=EnvironmentSpec("mine", inference_config=routes),
        environment_variables={"A": "1"},
    )

    assert layout.routes(spec) == routes
    assert layout.variables(spec) == {
        "A": "1",
        "AZUREML_MODEL_DIR": "/var/azureml-app/azureml-models/diabetes/3",
    }
