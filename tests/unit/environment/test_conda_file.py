from __future__ import annotations

from typing import Any

import pytest

from localep.environment.conda_file import CondaFile, admits_python, parse_conda_file
from localep.errors import SpecError
from localep.exit_codes import ExitCode

REMEDY = "Write `dependencies:` as a list of packages, with `- pip:` and a list in it."


def python_of(entry: str) -> str:
    parsed = parse_conda_file({"dependencies": [entry]}, "conda.yml")
    assert (parsed.packages, parsed.pip) == ((), ())
    return parsed.python


def test_a_usual_conda_file_is_taken_apart() -> None:
    data = {
        "name": "model-env",
        "channels": ["conda-forge"],
        "dependencies": [
            "python=3.11",
            "numpy=1.26.4",
            "pip",
            {"pip": ["azureml-inference-server-http", "pandas==2.2.2"]},
        ],
    }

    parsed = parse_conda_file(data, "conda.yml")

    assert parsed == CondaFile(
        python="=3.11",
        packages=("numpy=1.26.4",),
        pip=("azureml-inference-server-http", "pandas==2.2.2"),
        channels=("conda-forge",),
    )


@pytest.mark.parametrize("data", [{}, {"dependencies": None}, {"dependencies": []}])
def test_a_file_without_dependencies_asks_for_nothing(data: dict[str, Any]) -> None:
    assert parse_conda_file(data, "conda.yml") == CondaFile("", (), ())


@pytest.mark.parametrize("entry", ["pip", "pip=23.0", "pip >=22", "conda-forge::pip", "PIP"])
def test_conda_s_own_pip_is_no_package(entry: str) -> None:
    assert parse_conda_file({"dependencies": [entry]}, "conda.yml") == CondaFile("", (), ())


def test_several_lists_for_pip_are_one() -> None:
    data = {"dependencies": [{"pip": ["one"]}, {"pip": ["two"]}]}

    assert parse_conda_file(data, "conda.yml") == CondaFile("", (), ("one", "two"))


def test_blanks_around_entries_and_empty_lines_are_dropped() -> None:
    data = {"dependencies": [" numpy ", {"pip": [" flask ", "", "  "]}]}

    assert parse_conda_file(data, "conda.yml") == CondaFile("", ("numpy",), ("flask",))


@pytest.mark.parametrize(
    ("entry", "constraint"),
    [
        ("python", ""),
        ("python=3.11", "=3.11"),
        ("python = 3.11", "= 3.11"),
        ("python==3.11.4", "==3.11.4"),
        ("python>=3.8,<3.12", ">=3.8,<3.12"),
        ("python >=3.8, <3.12", ">=3.8, <3.12"),
        ("python~=3.10", "~=3.10"),
        ("python 3.11", "3.11"),
        ("python 3.8|3.11", "3.8|3.11"),
        ("python *", "*"),
        ("python=3.11.4=h1234", "=3.11.4=h1234"),
        ("Python=3.11", "=3.11"),
        ("conda-forge::python=3.11", "=3.11"),
        ("conda-forge/linux-64::python=3.11", "=3.11"),
        ("pkgs/main::python", ""),
    ],
)
def test_python_s_constraint_is_read_as_conda_spells_it(entry: str, constraint: str) -> None:
    assert python_of(entry) == constraint


@pytest.mark.parametrize("entry", ["python-dateutil=2.9", "python_abi", "conda-forge::pythonnet"])
def test_packages_with_python_in_their_name_are_packages(entry: str) -> None:
    assert parse_conda_file({"dependencies": [entry]}, "conda.yml") == CondaFile("", (entry,), ())


@pytest.mark.parametrize(
    ("dependencies", "cause"),
    [
        ("python=3.11", "`dependencies` is not a list."),
        ({"pip": ["flask"]}, "`dependencies` is not a list."),
        ([3.11], "3.11 is neither a package nor pip's list."),
        ([None], "None is neither a package nor pip's list."),
        ([{"conda": ["x"]}], "{'conda': ['x']} is neither a package nor pip's list."),
        ([["numpy"]], "['numpy'] is neither a package nor pip's list."),
        (["=3.11"], "'=3.11' is not a package."),
        ([""], "'' is not a package."),
        ([{"pip": None}], "The list under `pip:` holds something else than packages."),
        ([{"pip": "flask"}], "The list under `pip:` holds something else than packages."),
        ([{"pip": [{"a": 1}]}], "The list under `pip:` holds something else than packages."),
    ],
)
def test_another_shape_is_refused_with_what_is_wrong(dependencies: object, cause: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_conda_file({"dependencies": dependencies}, "env/conda.yml")

    assert caught.value.message == "env/conda.yml is not a conda file."
    assert caught.value.cause == cause
    assert caught.value.remedy == REMEDY
    assert caught.value.exit_code is ExitCode.SPEC


@pytest.mark.parametrize(
    "entry",
    [
        "python",
        "python=3.11",
        "python = 3.11",
        "python==3.11",
        "python==3.11.4",
        "python=3.11.4",
        "python=3.11.*",
        "python==3.11.*",
        "python 3.11.*",
        "python=3",
        "python 3",
        "python 3.*",
        "python>=3.8,<3.12",
        "python >= 3.8, < 3.12",
        "python>=3.9",
        "python>3.10",
        "python<=3.11",
        "python<4",
        "python!=3.10.*",
        "python~=3.10",
        "python~=3.11.2",
        "python 3.8|3.11",
        "python >=3.11|3.6",
        "python *",
        "python=*",
        "python 3.11",
        "python=3.11.4=h1234",
        "python==3.11.4=h1234_0_cpython",
        "python=3.11=*_cpython",
        "python=3.11.*=*_cpython",
        "python 3.11.4 h1234_0_cpython",
        "conda-forge::python=3.11",
        "conda-forge::python>=3.9",
        "python>=3.11.2",
    ],
)
def test_this_spelling_admits_python_3_11(entry: str) -> None:
    assert admits_python(python_of(entry), "3.11")


@pytest.mark.parametrize(
    "entry",
    [
        "python=3.10",
        "python==3.10.4",
        "python=3.1",
        "python=3.10.*",
        "python=2",
        "python 3.12",
        "python>=3.12",
        "python>=3.8,<3.11",
        "python >=3.8, <3.11",
        "python<3.11",
        "python!=3.11.*",
        "python~=3.10.2",
        "python~=4.0",
        "python 3.8|3.10",
        "python >=3.12|3.6",
        "python=3.10.4=h1234",
        "conda-forge::python=3.10",
        "python>=3.9,3.10",
    ],
)
def test_this_spelling_does_not_admit_python_3_11(entry: str) -> None:
    assert not admits_python(python_of(entry), "3.11")


def test_a_spelling_that_nobody_knows_admits_nothing() -> None:
    assert not admits_python("@latest", "3.11")


@pytest.mark.parametrize(
    ("entry", "spec"),
    [
        ("python=3.10", "python=3.10"),
        ("python 3.10", "python 3.10"),
        ("python >=3.8, <3.12", "python>=3.8, <3.12"),
        ("python", "python"),
        ("conda-forge::python==3.9.5", "python==3.9.5"),
        ("numpy", "python"),
    ],
)
def test_channels_are_asked_for_the_python_of_the_file(entry: str, spec: str) -> None:
    conda = parse_conda_file({"dependencies": [entry, "pip", "scipy=1.7"]}, "conda.yml")

    assert conda.specs()[0] == spec
    assert conda.specs()[-1] == "scipy=1.7"
    assert conda.specs("3.11")[0] == "python=3.11"


@pytest.mark.parametrize(
    ("constraint", "minor"),
    [
        ("=3.7", "3.7"),
        ("=3.7.13", "3.7"),
        ("==3.9.5", "3.9"),
        ("3.10.*", "3.10"),
        ("", None),
        (">=3.8", None),
        ("=3", None),
        ("3.8|3.9", None),
    ],
)
def test_the_one_python_that_is_asked_for_is_known(constraint: str, minor: str | None) -> None:
    assert CondaFile(constraint, (), ()).python_minor == minor


@pytest.mark.parametrize("channels", ["conda-forge", [1], [["conda-forge"]]])
def test_channels_of_another_shape_are_refused(channels: object) -> None:
    with pytest.raises(SpecError) as caught:
        parse_conda_file({"channels": channels}, "env/conda.yml")

    assert caught.value.message == "env/conda.yml is not a conda file."
    assert caught.value.cause == "`channels` is not a list of names."
    assert caught.value.remedy == (
        "Write each channel as an entry of its own, such as `- conda-forge`."
    )
