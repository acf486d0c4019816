from __future__ import annotations

from dataclasses import replace

import pytest

from localep.environment.conda_file import CondaFile
from localep.environment.dockerfile import build_context
from localep.environment.plan import (
    BaseImage,
    EnvironmentPlan,
    complete_environment,
    image_reference,
    plan_environment,
    plan_from_channels,
    plan_from_lock,
    without_old_server,
)
from localep.errors import EnvironmentFailure
from localep.exit_codes import ExitCode

OWN = BaseImage("localep/base:1a2b", "sha256:aaa", "3.11")
FOREIGN = BaseImage("example.com/inference:5", "sha256:bbb", "3.10", tools="localep/base:1a2b")
SERVER = "azureml-inference-server-http"


def reference_of(plan: EnvironmentPlan) -> str:
    return image_reference(plan, build_context(plan))


def test_a_conda_file_with_the_server_is_planned_as_it_stands() -> None:
    conda = CondaFile("=3.11", (), ("numpy==1.26.4  # pinned", "", f"{SERVER}==1.4.0"))

    assert plan_environment(conda, OWN) == EnvironmentPlan(
        OWN, ("numpy==1.26.4", f"{SERVER}==1.4.0")
    )


def test_a_missing_server_is_added() -> None:
    plan = plan_environment(CondaFile("", (), ("numpy",)), OWN)

    assert plan == EnvironmentPlan(OWN, ("numpy", SERVER))


def test_azureml_defaults_counts_as_the_server() -> None:
    plan = plan_environment(CondaFile("", (), ("azureml-defaults==1.56.0",)), OWN)

    assert plan == EnvironmentPlan(OWN, ("azureml-defaults==1.56.0",))


def test_an_image_alone_gets_the_server() -> None:
    assert plan_environment(None, OWN) == EnvironmentPlan(OWN, (SERVER,))


def test_an_image_of_another_keeps_its_packages_where_there_is_no_conda_file() -> None:
    assert plan_environment(None, FOREIGN) == EnvironmentPlan(
        FOREIGN, (SERVER,), keeps_packages=True
    )


def test_an_image_of_another_does_not_keep_its_packages_under_a_conda_file() -> None:
    plan = plan_environment(CondaFile("=3.10", (), (SERVER,)), FOREIGN)

    assert plan == EnvironmentPlan(FOREIGN, (SERVER,))


def test_option_lines_with_credentials_become_private() -> None:
    private = "--extra-index-url https://user:secret@packages.example.com/simple"

    plan = plan_environment(CondaFile("", (), (private, SERVER, "--pre")), OWN)

    assert plan == EnvironmentPlan(OWN, (SERVER, "--pre"), private_options=(private,))


def test_another_python_is_refused_naming_the_option_that_overrides_it() -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        plan_environment(CondaFile("=3.9", (), (SERVER,)), OWN)

    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    assert int(caught.value.exit_code) == 5
    assert caught.value.message == "The conda file asks for python=3.9."
    assert caught.value.cause == "localep/base:1a2b has Python 3.11."
    assert caught.value.remedy == (
        "Use --python 3.11 to run with that one all the same, "
        "or change the conda file to python=3.11."
    )


def test_an_override_of_the_conda_file_s_python_is_warned_of() -> None:
    plan = plan_environment(CondaFile("=3.9", (), (SERVER,)), OWN, python="3.11")

    assert plan == EnvironmentPlan(
        OWN,
        (SERVER,),
        warnings=("The conda file asks for python=3.9; Python 3.11 is used instead.",),
    )


def test_an_override_that_changes_nothing_is_not_warned_of() -> None:
    plan = plan_environment(CondaFile(">=3.9", (), (SERVER,)), OWN, python="3.11")

    assert plan == EnvironmentPlan(OWN, (SERVER,))


@pytest.mark.parametrize("conda", [CondaFile("=3.12", (), (SERVER,)), None])
def test_a_wanted_python_that_the_base_lacks_is_refused(conda: CondaFile | None) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        plan_environment(conda, OWN, python="3.12")

    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    assert caught.value.message == "Python 3.12 is not to be had."
    assert caught.value.cause == "localep/base:1a2b has Python 3.11."
    assert caught.value.remedy == "Use --python 3.11."


def test_conda_packages_are_replaced_by_their_twins_with_a_warning() -> None:
    conda = CondaFile("", ("numpy=1.26", "pytorch==2.3.1", "mkl"), ("flask",))

    assert plan_environment(conda, OWN) == EnvironmentPlan(
        OWN,
        ("numpy==1.26.*", "torch==2.3.1", "flask", SERVER),
        warnings=(
            "Taken from PyPI in the place of conda's channels: numpy==1.26.*, "
            "torch==2.3.1 (pytorch). "
            "Left out, as wheels and Python bring what they need of it: mkl.",
        ),
    )


def test_conda_packages_that_pip_s_list_has_too_are_not_asked_for_twice() -> None:
    assert plan_environment(CondaFile("", ("numpy=1.26",), ("numpy==2.0",)), OWN) == (
        EnvironmentPlan(
            OWN,
            ("numpy==2.0", SERVER),
            warnings=("Conda's packages are in pip's list, too: they come from PyPI.",),
        )
    )


def test_conda_packages_without_a_twin_are_refused_by_name() -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        plan_environment(CondaFile("", ("numpy=1.26", "nvidia-apex=0.1", "gxx_linux-64"), ()), OWN)

    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    assert caught.value.message == "The conda file asks for packages that PyPI has no twin of."
    assert caught.value.cause == "They are nvidia-apex=0.1, gxx_linux-64."
    assert caught.value.remedy == (
        "Take them from conda's channels with --solver conda, or name what replaces them in the "
        "list under `pip:`."
    )


def test_packages_of_the_old_server_that_are_known_to_be_gone_are_taken_out() -> None:
    conda = CondaFile("", (), ("azureml-defaults==1.33.0", "joblib", "azureml-core==1.33.0"))

    assert plan_environment(conda, OWN) == EnvironmentPlan(
        OWN,
        ("joblib", "azureml-core==1.33.0", SERVER),
        warnings=(
            "Taken out of pip's list, as no index has all that they need any more: "
            f"azureml-defaults==1.33.0. {SERVER} is installed instead.",
        ),
    )


def test_packages_of_the_old_server_can_be_taken_out_of_a_plan() -> None:
    plan = EnvironmentPlan(
        OWN, ("azureml-defaults", "joblib", f"{SERVER}==0.4.1"), warnings=("Look out.",)
    )

    assert without_old_server(plan) == EnvironmentPlan(
        OWN,
        ("joblib", SERVER),
        warnings=(
            "Look out.",
            "Taken out of pip's list, as they cannot be installed any more: azureml-defaults, "
            f"{SERVER}==0.4.1. {SERVER} is installed instead.",
        ),
    )


@pytest.mark.parametrize(
    "plan",
    [
        EnvironmentPlan(OWN, ("joblib", SERVER)),
        EnvironmentPlan(OWN, (f"{SERVER} @ https://example.com/s.whl",), is_locked=True),
    ],
)
def test_a_plan_without_the_old_server_or_with_a_lock_stays(plan: EnvironmentPlan) -> None:
    assert without_old_server(plan) is None


def test_what_comes_from_channels_is_a_list_for_localep_conda_and_pip_s_list() -> None:
    conda = CondaFile("=3.9", ("numpy",), ("flask",), ("conda-forge",))

    assert plan_from_channels(conda, OWN, "{}") == EnvironmentPlan(
        OWN, ("flask", SERVER), conda="{}"
    )
    assert plan_from_channels(conda, OWN, "{}", python="3.12") == EnvironmentPlan(
        OWN,
        ("flask", SERVER),
        warnings=("The conda file asks for python=3.9; Python 3.12 is used instead.",),
        conda="{}",
    )


def test_what_a_lock_names_is_installed_file_by_file() -> None:
    private = "--index-url https://user:secret@packages.example.com/simple"
    conda = CondaFile("=3.9", ("numpy",), ("flask", private))
    line = "flask @ https://example.com/flask.whl --hash=sha256:00"

    assert plan_from_lock(conda, OWN, "{}", [line], brings_server=False) == EnvironmentPlan(
        OWN, (line,), (private,), conda="{}", is_locked=True, unlocked=(SERVER,)
    )
    assert plan_from_lock(conda, OWN, None, [line], brings_server=True) == EnvironmentPlan(
        OWN, (line,), (private,), is_locked=True
    )


def test_the_requirements_are_a_file_with_one_line_each() -> None:
    assert EnvironmentPlan(OWN, ("numpy", SERVER)).requirements_text == f"numpy\n{SERVER}\n"


def test_a_complete_environment_needs_nothing_built() -> None:
    assert complete_environment("example.com/full:1", "sha256:ccc") == EnvironmentPlan(
        BaseImage("example.com/full:1", "sha256:ccc", ""), (), is_complete=True
    )


def test_the_same_plan_has_the_same_image() -> None:
    first = plan_environment(CondaFile("=3.11", (), ("numpy", SERVER)), OWN)
    second = plan_environment(CondaFile("3.11.*", (), ("# x", "numpy ", SERVER)), replace(OWN))

    assert reference_of(first) == reference_of(second)
    repository, _, tag = reference_of(first).partition(":")
    assert repository == "localep/env"
    assert len(tag) == 16
    assert set(tag) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    "other",
    [
        EnvironmentPlan(replace(OWN, identity="sha256:zzz"), ("numpy",)),
        EnvironmentPlan(replace(OWN, reference="localep/base:zzz"), ("numpy",)),
        EnvironmentPlan(replace(OWN, python="3.12"), ("numpy",)),
        EnvironmentPlan(replace(OWN, tools="localep/base:1a2b"), ("numpy",)),
        EnvironmentPlan(OWN, ("numpy==1.26.4",)),
        EnvironmentPlan(OWN, ("numpy", "flask")),
        EnvironmentPlan(OWN, ("numpy",), keeps_packages=True),
        EnvironmentPlan(OWN, ("numpy",), conda="{}"),
        EnvironmentPlan(OWN, ("numpy",), is_locked=True),
        EnvironmentPlan(OWN, ("numpy",), unlocked=("flask",)),
    ],
)
def test_another_plan_has_another_image(other: EnvironmentPlan) -> None:
    assert reference_of(other) != reference_of(EnvironmentPlan(OWN, ("numpy",)))


def test_what_does_not_end_in_the_image_does_not_change_its_name() -> None:
    plan = EnvironmentPlan(OWN, ("numpy",))
    same = replace(
        plan,
        private_options=("--index-url https://user:secret@packages.example.com/simple",),
        warnings=("Look out.",),
        stands_in_for="example.com/inference:5",
        private_channels=("https://example.com/t/secret/private",),
    )

    assert reference_of(same) == reference_of(plan)
