"""What `serve` runs, and with which variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from localep.errors import EnvironmentFailure
from localep.operations.serving.layout import LocalLayout
from localep.operations.serving.plan import ServeOptions, plan_serve, server_variables

PYTHON = Path("/env/bin/python")
LAYOUT = LocalLayout(Path("/tmp/app"), {"AML_APP_ROOT": "/tmp/app"})
SIZE = "instance_type: Standard_F2s_v2\ninstance_count: 1\n"
CODE = "code_configuration: {code: code, scoring_script: score.py}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "score.py").write_text("def init(): ...\ndef run(raw_data): ...\n")
    (tmp_path / "model.pkl").touch()
    (tmp_path / "conda.yml").write_text("dependencies: [python=3.11, {pip: [numpy]}]\n")
    return tmp_path


def options(folder: Path, rest: str, **more: bool) -> ServeOptions:
    deployment = folder / "deployment.yml"
    deployment.write_text(f"name: blue\nendpoint_name: hello\n{SIZE}{CODE}{rest}")
    return ServeOptions((deployment,), is_isolated=more.get("is_isolated", False))


def test_all_that_makes_the_server_what_it_is_is_watched(folder: Path) -> None:
    asked = options(folder, "model: {path: model.pkl}\nenvironment: {conda_file: conda.yml}\n")

    plan = plan_serve(asked)

    assert plan.watched.paths == (
        folder / "code",
        folder / "model.pkl",
        folder / "deployment.yml",
        folder / "conda.yml",
    )
    assert plan.conda is not None
    assert (plan.conda.python, plan.conda.pip) == ("=3.11", ("numpy",))


def test_a_mount_path_is_for_containers(folder: Path) -> None:
    rest = (
        "model: {path: model.pkl}\nmodel_mount_path: /models\n"
        "environment: {conda_file: conda.yml}\n"
    )

    plan = plan_serve(options(folder, rest))

    assert plan.spec.model_mount_path is None
    assert plan.warnings[-1] == (
        "model_mount_path is for containers: AZUREML_MODEL_DIR is another folder here."
    )


def test_egress_is_for_containers(folder: Path) -> None:
    rest = "environment: {conda_file: conda.yml}\negress_public_network_access: disabled\n"

    assert plan_serve(options(folder, rest)).warnings[-1] == (
        "egress_public_network_access is for containers: the script can reach out here."
    )


def test_what_an_image_holds_is_not_in_an_isolated_environment(folder: Path) -> None:
    rest = "environment: {image: 'acme/base:1'}\n"

    assert plan_serve(options(folder, rest)).warnings == ()
    assert plan_serve(options(folder, rest, is_isolated=True)).warnings == (
        "What the image acme/base:1 has installed is not here: "
        "the environment holds the inference server alone.",
    )


def test_a_dockerfile_cannot_be_an_isolated_environment(folder: Path) -> None:
    (folder / "Dockerfile").touch()
    rest = "environment: {build: {path: .}}\n"

    assert plan_serve(options(folder, rest)).conda is None
    with pytest.raises(EnvironmentFailure) as caught:
        plan_serve(options(folder, rest, is_isolated=True))
    assert caught.value.message == "The environment is built from a Dockerfile of its own."


def test_the_deployments_variables_come_before_the_shells(folder: Path) -> None:
    asked = options(folder, "environment_variables: {COLOUR: blue}\n")
    environ = {"PATH": "/bin", "COLOUR": "red", "HOME": "/home/me", "AZUREML_MODEL_DIR": "/old"}

    assert server_variables(plan_serve(asked), asked, LAYOUT, PYTHON, environ) == {
        "PATH": "/env/bin:/bin",
        "HOME": "/home/me",
        "COLOUR": "blue",
        "PWD": "/tmp/app",
        "PYTHONUNBUFFERED": "1",
        "SCORING_TIMEOUT_MS": "5000",
        "AML_APP_ROOT": "/tmp/app",
    }


@pytest.mark.parametrize("where", ["yaml", "shell"])
def test_a_time_out_that_the_user_has_set_stays(folder: Path, where: str) -> None:
    rest = "environment_variables: {SCORING_TIMEOUT_MS: '9'}\n" if where == "yaml" else ""
    environ = {"SCORING_TIMEOUT_MS": "9"} if where == "shell" else {}
    asked = options(folder, rest)

    variables = server_variables(plan_serve(asked), asked, LAYOUT, PYTHON, environ)

    assert variables["SCORING_TIMEOUT_MS"] == "9"


def test_an_isolated_environment_takes_the_place_of_the_active_one(folder: Path) -> None:
    asked = options(folder, "environment: {conda_file: conda.yml}\n", is_isolated=True)
    environ = {"VIRTUAL_ENV": "/mine", "CONDA_PREFIX": "/conda", "PYTHONPATH": "/lib"}

    variables = server_variables(plan_serve(asked), asked, LAYOUT, PYTHON, environ)

    assert variables["VIRTUAL_ENV"] == "/env"
    assert {"CONDA_PREFIX", "PYTHONPATH"} & set(variables) == set()


def test_a_script_alone_keeps_the_shells_model(folder: Path) -> None:
    script = folder / "code" / "score.py"
    environ = {"AZUREML_MODEL_DIR": "/models"}

    for model_dir, expected in ((None, "/models"), (folder, str(folder))):
        asked = ServeOptions(entry_script=script, model_dir=model_dir, workers=3)
        variables = server_variables(plan_serve(asked), asked, LAYOUT, PYTHON, environ)
        assert variables["AZUREML_MODEL_DIR"] == expected
        assert variables["WORKER_COUNT"] == "3"
        assert "SCORING_TIMEOUT_MS" not in variables
