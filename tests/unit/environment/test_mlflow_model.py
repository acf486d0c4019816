from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from localep.environment.conda_file import CondaFile, parse_conda_file
from localep.environment.mlflow_model import mlflow_environment
from localep.errors import SpecError

CONDA = """\
channels: [conda-forge]
dependencies:
- python=3.11.4
- pip<=23.1
- libgomp
- pip:
  - mlflow==2.22.5
  - azureml-inference-server-http
  - azureml-ai-monitoring
  - scikit-learn==1.7.2
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model as MLflow 2 saves one, by the file MLmodel alone."""
    folder = tmp_path / "model"
    folder.mkdir()
    write(
        folder,
        MLmodel="flavors:\n"
        "  python_function:\n"
        "    env: {conda: conda.yaml, virtualenv: python_env.yaml}\n"
        "    python_version: 3.10.12\n"
        "  sklearn: {}\n"
        "mlflow_version: 2.22.5\n",
    )
    return folder


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def packages_of(model: Path) -> CondaFile:
    environment = mlflow_environment(model)
    return parse_conda_file(environment.conda, environment.source)


def test_the_conda_file_of_a_model_is_its_environment(model: Path) -> None:
    write(model, conda__yaml=CONDA, python_env__yaml="python: 3.9.1\n")

    environment = mlflow_environment(model)

    assert environment.conda == {
        "dependencies": [
            "python=3.11",
            "libgomp",
            {
                "pip": [
                    "mlflow==2.22.5",
                    "azureml-inference-server-http",
                    "azureml-ai-monitoring",
                    "scikit-learn==1.7.2",
                ]
            },
        ]
    }
    assert environment.source == str(model / "conda.yaml")


def test_a_model_of_mlflow_1_names_its_conda_file_alone(model: Path) -> None:
    write(
        model,
        MLmodel="flavors: {python_function: {env: own.yaml}}\n",
        own__yaml="dependencies: [python=3.11, {pip: [mlflow]}]\n",
        conda__yaml=CONDA,
    )

    assert packages_of(model) == CondaFile("=3.11", (), ("mlflow", "azureml-inference-server-http"))


def test_without_a_conda_file_the_virtual_environment_counts(model: Path) -> None:
    write(
        model,
        python_env__yaml="python: 3.11.2\n"
        "build_dependencies: [pip, setuptools]\n"
        "dependencies: [-r requirements.txt, pandas]\n",
        requirements__txt="# of the model\nmlflow==2.20.0\n\nnumpy==2.3.4  # newest\n",
    )

    assert packages_of(model) == CondaFile(
        "=3.11",
        (),
        ("mlflow==2.20.0", "numpy==2.3.4", "pandas", "azureml-inference-server-http"),
    )


def test_without_either_the_requirements_and_the_flavors_python_count(model: Path) -> None:
    write(model, requirements__txt="mlflow-skinny\nazureml-inference-server-http==1.5.1\n")

    assert packages_of(model) == CondaFile(
        "=3.10", (), ("mlflow-skinny", "azureml-inference-server-http==1.5.1")
    )


@pytest.mark.parametrize(
    ("version", "added"),
    [
        ("mlflow_version: 2.22.5\n", "mlflow==2.22.5"),
        ("mlflow_version: 3.1.0.dev0\n", "mlflow"),
        ("mlflow_version: 2.9\n", "mlflow==2.9"),
        ("", "mlflow"),
    ],
)
def test_a_list_without_mlflow_gets_the_version_that_saved_the_model(
    model: Path, version: str, added: str
) -> None:
    write(
        model,
        MLmodel="flavors: {python_function: {}}\n" + version,
        conda__yaml="dependencies: [{pip: [numpy]}]\n",
    )

    assert packages_of(model).pip == ("numpy", added, "azureml-inference-server-http")


@pytest.mark.parametrize(
    ("pip", "full"),
    [
        ("mlflow", ("mlflow", "azureml-inference-server-http")),
        (
            "MLflow_Skinny[databricks]>=2",
            ("MLflow_Skinny[databricks]>=2", "azureml-inference-server-http"),
        ),
        ("mlflow, azureml-defaults", ("mlflow", "azureml-defaults")),
    ],
)
def test_what_is_there_is_not_added(model: Path, pip: str, full: tuple[str, ...]) -> None:
    lines = "".join(f"    - {line}\n" for line in pip.split(", "))
    write(model, conda__yaml=f"dependencies:\n- pip:\n{lines}")

    assert packages_of(model).pip == full


@pytest.mark.parametrize(
    ("asked", "constraint"),
    [
        ("python=3.11.4", "=3.11"),
        ("python==3.11.4", "=3.11"),
        ("python= 3.11.4", "=3.11"),
        ("python=3.11", "=3.11"),
        ("python>=3.9.2", ">=3.9.2"),
        ("python=3.11.4=h12_0", "=3.11"),
        ("python", "=3.10"),
    ],
)
def test_a_patch_release_of_python_is_not_asked_for(
    model: Path, asked: str, constraint: str
) -> None:
    write(model, conda__yaml=f"dependencies: ['{asked}', {{pip: [mlflow]}}]\n")

    assert packages_of(model).python == constraint


NO_MODEL = (
    "Name the folder that MLflow saved the model to, "
    "or use `type: custom_model` with a scoring script."
)
NO_FLAVOR = "Write a scoring script for it: add code_configuration and environment."
NOT_MLFLOWS = "Take the file that MLflow wrote."


@pytest.mark.parametrize(
    ("files", "message", "cause", "remedy"),
    [
        (
            {"MLmodel": "flavors: {sklearn: {}, crate: {}}\n"},
            "{model} cannot be served without code.",
            "It has no flavor python_function, but sklearn, crate.",
            NO_FLAVOR,
        ),
        (
            {"MLmodel": "run_id: 1\n"},
            "{model} cannot be served without code.",
            "It has no flavor python_function, but none at all.",
            NO_FLAVOR,
        ),
        (
            {"MLmodel": "[1]\n"},
            "{model}/MLmodel cannot be read.",
            "It holds something else than keys and values.",
            NOT_MLFLOWS,
        ),
        (
            {"MLmodel": "a: !!int x\n"},
            "{model}/MLmodel is not YAML.",
            "invalid literal for int() with base 10: 'x'",
            NOT_MLFLOWS,
        ),
        (
            {"MLmodel": "a: 'b\n"},
            "{model}/MLmodel is not YAML.",
            'while scanning a quoted scalar in "<unicode string>", line 1, column 4: a: \'b ^ '
            'found unexpected end of stream in "<unicode string>", line 2, column 1: ^',
            NOT_MLFLOWS,
        ),
        (
            {},
            "The packages of {model} are not known.",
            "It holds none of conda.yaml, python_env.yaml and requirements.txt.",
            "Copy the whole folder that MLflow saved, or name an environment and a scoring script.",
        ),
        (
            {"conda__yaml": "dependencies: numpy\n"},
            "{model}/conda.yaml is not a conda file.",
            "`dependencies` is not a list.",
            "Write `dependencies:` as a list of packages, with `- pip:` and a list in it.",
        ),
        (
            {"python_env__yaml": "dependencies: ['-r lost.txt']\n"},
            "{model}/lost.txt cannot be read.",
            "[Errno 2] No such file or directory: '{model}/lost.txt'",
            "Take the file that MLflow wrote, and make it readable.",
        ),
    ],
)
def test_a_model_that_cannot_be_read_is_refused(
    model: Path, files: dict[str, Any], message: str, cause: str, remedy: str
) -> None:
    write(model, **files)

    with pytest.raises(SpecError) as caught:
        mlflow_environment(model)

    error = caught.value
    assert error.message == message.replace("{model}", str(model))
    assert error.cause == cause.replace("{model}", str(model))
    assert error.remedy == remedy


@pytest.mark.parametrize(
    ("is_folder", "cause"),
    [
        (True, "It holds no file MLmodel."),
        (False, "It is a file, and no folder with a file MLmodel."),
    ],
)
def test_what_is_no_mlflow_model_is_refused(tmp_path: Path, is_folder: bool, cause: str) -> None:
    path = tmp_path / "model"
    path.mkdir() if is_folder else path.touch()

    with pytest.raises(SpecError) as caught:
        mlflow_environment(path)

    error = caught.value
    assert error.message == f"{path} is not an MLflow model."
    assert (error.cause, error.remedy) == (cause, NO_MODEL)
