"""Code, model and variables lie where the cloud puts them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from localep.operations import layout
from localep.spec.model import CodeSpec, DeploymentSpec, ModelSpec

CODE = CodeSpec(Path("/home/me/hello/onlinescoring"), "score.py")
NESTED = CodeSpec(Path("/home/me/hello/src"), "serving/v2/score.py")
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
    assert (layout.SERVER_PORT, layout.READINESS_PATH, layout.SCORING_PATH) == (5001, "/", "/score")


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
    assert layout.model_folder(ModelSpec(Path("/m/x.pkl"), None, name, version)) == folder


def test_a_model_without_a_name_keeps_the_one_that_it_gets() -> None:
    path = Path("/home/me/models/diabetes.pkl")
    generated = hashlib.md5(b"/home/me/models/diabetes.pkl", usedforsecurity=False).hexdigest()

    assert layout.model_folder(ModelSpec(path)) == (
        f"/var/azureml-app/azureml-models/{generated}/1"
    )


def test_models_without_a_name_do_not_share_a_folder() -> None:
    assert layout.model_folder(ModelSpec(Path("/m/a.pkl"))) != layout.model_folder(
        ModelSpec(Path("/m/b.pkl"))
    )


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
