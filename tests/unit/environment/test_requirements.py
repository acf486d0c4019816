from __future__ import annotations

import pytest

from localep.environment.requirements import (
    INFERENCE_SERVER,
    brings_server,
    clean_lines,
    package_name,
    split_private,
    without_insoluble,
    without_server,
)
from localep.errors import EnvironmentFailure
from localep.exit_codes import ExitCode


def test_comments_and_empty_lines_are_dropped() -> None:
    lines = ["# models", "", "numpy==1.26.4  # pinned", "  ", "\tpandas ", "flask\t#x"]

    assert clean_lines(lines) == ("numpy==1.26.4", "pandas", "flask")


@pytest.mark.parametrize(
    "line",
    [
        "requests[socks]>=2.31,<3",
        'numpy==1.26.4; python_version < "3.12"',
        "--extra-index-url https://packages.example.com/simple",
        "--index-url=https://packages.example.com/simple",
        "--find-links https://packages.example.com/wheels",
        "--trusted-host packages.example.com",
        "--pre",
        "git+https://github.com/org/project.git@v1.2#egg=project",
        "project @ https://example.com/project-1.0.tar.gz#sha256=abc",
        "constraint-solver",
        "rfc3986",
    ],
)
def test_a_line_that_an_index_or_address_can_serve_stays_as_it_is(line: str) -> None:
    assert clean_lines([line]) == (line,)


@pytest.mark.parametrize(
    "line",
    [
        "https://example.com/en_core_web_sm-3.7.1-py3-none-any.whl",
        "en_core_web_sm @ https://example.com/en_core_web_sm-3.7.1-py3-none-any.whl",
    ],
)
def test_a_wheel_at_an_address_is_no_local_file(line: str) -> None:
    assert clean_lines([line]) == (line,)


@pytest.mark.parametrize(
    "line",
    [
        "-r requirements.txt",
        "-rrequirements.txt",
        "--requirement requirements.txt",
        "--requirement=requirements.txt",
        "-c constraints.txt",
        "--constraint constraints.txt",
        "-e .",
        "--editable ./package",
        "./package",
        "../package",
        "/opt/package",
        "file:///opt/package",
        "package @ file:///opt/package",
        "package-1.0-py3-none-any.whl",
        "wheels/package-1.0-py3-none-any.whl",
        "--find-links ./wheels",
        "--find-links=/srv/wheels",
        "-f file:///srv/wheels",
    ],
)
def test_a_local_file_is_refused(line: str) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        clean_lines(["numpy", line])

    assert caught.value.message == f"pip's list names a local file: {line}"
    assert caught.value.cause == "Only the conda file reaches the build, here and in the cloud."
    assert caught.value.remedy == (
        "Name the package as an index has it, or build an image of your own."
    )
    assert caught.value.exit_code is ExitCode.ENVIRONMENT


def test_option_lines_with_credentials_are_split_off() -> None:
    lines = [
        "--index-url https://user:secret@packages.example.com/simple",
        "numpy",
        "--extra-index-url https://packages.example.com/open/simple",
        "--find-links=https://token@packages.example.com/wheels",
    ]

    assert split_private(lines) == (
        ("numpy", "--extra-index-url https://packages.example.com/open/simple"),
        (
            "--index-url https://user:secret@packages.example.com/simple",
            "--find-links=https://token@packages.example.com/wheels",
        ),
    )


def test_an_at_sign_in_a_requirement_is_no_login() -> None:
    lines = ["project @ https://example.com/project-1.0.tar.gz", "git+https://h/p.git@v1"]

    assert split_private(lines) == (tuple(lines), ())


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "project @ https://user:secret@example.com/project-1.0.tar.gz",
            "project @ https://example.com/project-1.0.tar.gz",
        ),
        (
            "git+https://secret@github.com/org/project.git",
            "git+https://github.com/org/project.git",
        ),
        (
            "project @ https://user:s@cret@example.com/project-1.0.tar.gz",
            "project @ https://example.com/project-1.0.tar.gz",
        ),
    ],
)
def test_a_package_address_with_credentials_is_refused_without_showing_them(
    line: str, shown: str
) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        split_private([line])

    assert caught.value.message == f"pip's list holds credentials: {shown}"
    assert caught.value.cause == "They would end in the image."
    assert caught.value.remedy == (
        "Take the package from an index, and keep its login in pip's settings."
    )
    assert caught.value.exit_code is ExitCode.ENVIRONMENT


@pytest.mark.parametrize(
    "line",
    [
        "azureml-inference-server-http",
        "azureml_inference_server_http==1.4.0",
        "AzureML-Inference-Server-HTTP>=1; python_version >= '3.8'",
        "azureml-inference-server-http @ https://example.com/server-1.4.0.tar.gz",
        "azureml-defaults",
        "azureml-defaults[x]~=1.56",
    ],
)
def test_this_line_brings_the_server(line: str) -> None:
    assert brings_server(["numpy", line])


def test_other_lines_do_not_bring_the_server() -> None:
    lines = ["azureml-core", "azureml-inference-server", "--pre", "flask", "numpy >= x"]

    assert not brings_server(lines)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Scikit_Learn[all]==1.5; python_version < '4'", "scikit-learn"),
        ("zope.interface", "zope-interface"),
        ("--index-url https://packages.example.com/simple", None),
        ("git+https://github.com/org/project.git", None),
    ],
)
def test_a_line_s_package_is_named_as_indexes_name_it(line: str, name: str | None) -> None:
    assert package_name(line) == name


@pytest.mark.parametrize(
    ("line", "python"),
    [
        ("azureml-defaults==1.33.0", None),
        ("azureml-defaults==1.33.0", "3.8"),
        ("azureml-defaults~=1.24.0.0", "3.8"),
        ("azureml-dataset-runtime[pandas,fuse]~=1.24.0.0", None),
        ("azureml-defaults==1.38.0", "3.11"),
        ("azureml-defaults~=1.34.0", "3.10"),
        ("azureml-defaults<=1.51", "3.11"),
        ("azureml-defaults==1.53.0", "3.13"),
    ],
)
def test_what_no_index_has_whole_any_more_is_taken_out(line: str, python: str | None) -> None:
    assert without_insoluble(["joblib", line, "--pre"], python) == (("joblib", "--pre"), (line,))


@pytest.mark.parametrize(
    ("line", "python"),
    [
        ("azureml-defaults==1.38.0", "3.8"),
        ("azureml-defaults==1.38.0", None),
        ("azureml-defaults", "3.12"),
        ("azureml-defaults>=1.38.0", "3.12"),
        ("azureml-defaults==1.52.0", "3.11"),
        ("azureml-defaults==1.56.0", "3.12"),
        ("azureml-defaults==1.38.0.post1", "3.12"),
        ("azureml-core==1.33.0", "3.12"),
        ("azureml-contrib-services", "3.12"),
    ],
)
def test_what_may_be_installed_stays(line: str, python: str | None) -> None:
    assert without_insoluble([line], python) == ((line,), ())


def test_the_old_server_and_pins_of_the_new_one_can_be_taken_out() -> None:
    kept = ("azureml-core", INFERENCE_SERVER, "--pre")
    taken = (
        "azureml-defaults",
        "azureml-contrib-services==1.2",
        "azureml_dataset_runtime",
        f"{INFERENCE_SERVER}==0.4.1",
        f"{INFERENCE_SERVER}>=1",
    )

    assert without_server([*kept, *taken]) == (kept, taken)
