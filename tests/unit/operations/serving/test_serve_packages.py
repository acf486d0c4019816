"""What a Python lacks of what a conda file asks for, and the command that installs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from localep.environment.conda_file import CondaFile
from localep.operations.serving.packages import install_command, missing_package, package_warnings
from localep.server.interpreter import Installed

PYTHON = Path("/env/bin/python")
THERE = Installed("3.11.7", {"pip": "24.0", "Flask": "3.1.3", "scikit_learn": "1.5.0"})


def test_pip_installs_where_it_is_and_uv_elsewhere() -> None:
    assert install_command(PYTHON, THERE, ["a==1", "b>=2"]) == (
        "/env/bin/python -m pip install a==1 'b>=2'"
    )
    assert install_command(PYTHON, Installed("3.11.7", {}), ["a"]) == (
        "uv pip install --python /env/bin/python a"
    )
    assert install_command(PYTHON, None, ["a"]) == "/env/bin/python -m pip install a"


@pytest.mark.parametrize(
    "conda",
    [
        CondaFile("=3.11", (), ("flask", "scikit-learn==1.5.0", "Scikit.Learn>=1.4")),
        CondaFile(
            "", ("gxx_linux-64",), ("--extra-index-url https://x/simple", "flask  # the web")
        ),
        CondaFile("", (), ("tomli; python_version < '3.11'", "git+https://x/y.git")),
    ],
)
def test_a_python_that_has_it_all_is_passed_over(conda: CondaFile) -> None:
    assert package_warnings(conda, PYTHON, THERE) == []


def test_all_that_differs_is_told_in_one_warning() -> None:
    conda = CondaFile("=3.9", ("lightgbm=4.5", "scikit-learn"), ("flask==1.0", "xgboost[cuda]>=2"))

    assert package_warnings(conda, PYTHON, THERE) == [
        "The conda file asks for python=3.9; /env/bin/python is Python 3.11.7.",
        "Not as the conda file has it: lightgbm==4.5.* (missing), flask==1.0 (3.1.3 is there), "
        "xgboost[cuda]>=2 (missing). To install: /env/bin/python -m pip install "
        "'lightgbm==4.5.*' flask==1.0 'xgboost[cuda]>=2'",
    ]


@pytest.mark.parametrize(
    ("error", "package"),
    [
        ("ModuleNotFoundError: No module named 'xgboost'", "xgboost"),
        ("ModuleNotFoundError: No module named 'xgboost.core'", "xgboost"),
        ("ModuleNotFoundError: No module named 'sklearn.linear_model'", "scikit-learn"),
        ("ModuleNotFoundError: No module named 'PIL'", "pillow"),
        ("ModuleNotFoundError: No module named 'azureml.contrib'", "azureml-contrib-services"),
        ("ImportError: cannot import name 'x' from 'y'", None),
        ("RuntimeError: ModuleNotFoundError: No module named 'a'", None),
    ],
)
def test_the_package_of_a_module_that_is_missing(error: str, package: str | None) -> None:
    assert missing_package(error) == package
