"""`render`: the Dockerfile of an environment, without an engine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from localep.environment.plan import BaseImage, plan_environment
from localep.operations.environments.base_image import base_reference
from localep.resources import read_resource

Answer = CompletedProcess[str]
Answers = dict[str, Answer]
Localep = Callable[..., Answer]

HELLO = Path(__file__).parents[2] / "samples" / "hello" / "deployment.yml"
IMAGE = next(
    line.split()[1] for line in HELLO.read_text().splitlines() if line.startswith("  image:")
)
STAND_IN = f"Warning: The image {IMAGE} is not here. {base_reference()} stands in for it.\n"
PLAN = plan_environment(None, BaseImage(base_reference(), "", "3.11"))
DOCKERFILE = f"""\
# The environment of an online deployment, rendered by localep.
FROM {base_reference()}

RUN uv venv --quiet --no-python-downloads --python 3.11 \\
        /opt/localep/env
COPY finish_environment.py requirements.txt /opt/localep/
RUN --mount=type=cache,id=localep-uv,target=/root/.cache/uv \\
    --mount=type=secret,id=localep-ca \\
    --mount=type=secret,id=localep-settings \\
    localep-build uv pip install --python /opt/localep/env \\
        --requirements /opt/localep/requirements.txt \\
 && /opt/localep/env/bin/python /opt/localep/finish_environment.py >/opt/localep/packages.json

ENV PATH=/opt/localep/env/bin:$PATH
WORKDIR /var/azureml-app
EXPOSE 5001
LABEL localep.role=environment
LABEL localep.root={PLAN.root} localep.lines="{PLAN.lines[0]}" localep.growth=0
"""
CONTEXT = ["Dockerfile", "finish_environment.py", "requirements.txt"]
SAMPLE = "samples/hello/deployment.yml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("render")


@pytest.fixture(scope="module")
def other(samples: Path, folder: Path) -> Path:
    """The deployment of a copy of the sample that asks for another Python."""
    shutil.copytree(samples / "hello", folder / "hello")
    conda = folder / "hello" / "conda.yml"
    conda.write_text(conda.read_text().replace("python=3.11", "python=3.12"))
    return folder / "hello" / "deployment.yml"


@pytest.fixture(scope="module")
def answers(all_of: Callable[[list[str]], Answers], folder: Path, other: Path) -> list[Answer]:
    lines = [
        f"render -f {SAMPLE}",
        f"render -f {SAMPLE} --to {folder}/new/context",
        f"render -f {other} --solver pypi",
        f"render -f {other} --python 3.11",
        f"render -f {other} --to {folder}/channels",
    ]
    return list(all_of(lines).values())


def test_the_dockerfile_of_the_sample(answers: list[Answer]) -> None:
    answer = answers[0]

    assert (answer.returncode, answer.stdout, answer.stderr) == (0, DOCKERFILE, STAND_IN)


def test_the_whole_context_is_written_into_a_folder(answers: list[Answer], folder: Path) -> None:
    context = folder / "new" / "context"
    answer = answers[1]

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        0,
        "".join(f"{context}/{name}\n" for name in CONTEXT),
        STAND_IN,
    )
    assert {path.name: path.read_text() for path in context.iterdir()} == {
        "Dockerfile": DOCKERFILE,
        "finish_environment.py": read_resource("templates/finish_environment.py"),
        "requirements.txt": "azureml-inference-server-http\n",
    }


def test_another_python_is_refused_with_the_way_out(answers: list[Answer]) -> None:
    answer = answers[2]

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        5,
        "",
        f"""\
Error: The conda file asks for python=3.12.
Cause: {base_reference()} has Python 3.11.
Remedy: Use --python 3.11 to run with that one all the same, \
or change the conda file to python=3.11.
""",
    )


def test_a_python_that_the_base_lacks_comes_from_channels(
    answers: list[Answer], folder: Path
) -> None:
    answer = answers[4]

    assert (answer.returncode, answer.stderr) == (0, STAND_IN)
    dockerfile = (folder / "channels" / "Dockerfile").read_text()
    assert "localep-build localep-conda /opt/localep/conda.json /opt/localep/env\n" in dockerfile
    asked = json.loads((folder / "channels" / "conda.json").read_text())
    assert (asked["platform"], asked["specs"]) == ("linux-64", ["python=3.12"])
    assert asked["channels"][0].endswith("/conda-forge")
    assert ["__glibc", "2.36", "0"] in asked["virtual_packages"]


def test_the_way_out_leads_out(answers: list[Answer]) -> None:
    answer = answers[3]

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        0,
        DOCKERFILE,
        f"{STAND_IN}Warning: The conda file asks for python=3.12; Python 3.11 is used instead.\n",
    )


def test_a_folder_that_cannot_be_made_is_named(here: Localep, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    answer = here("render", "-f", SAMPLE, "--to", str(file))

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        2,
        "",
        f"{STAND_IN}Error: {file} cannot be written.\n"
        "Cause: File exists.\n"
        "Remedy: Name another folder with --to.\n",
    )


def test_a_stand_in_may_be_refused(here: Localep) -> None:
    answer = here("render", "-f", SAMPLE, "--strict-image")

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        5,
        "",
        f"Error: The image {IMAGE} cannot be used.\n"
        f"Cause: The image {IMAGE} is not here.\n"
        "Remedy: Leave out --strict-image to run on localep's own base image instead.\n",
    )


def test_an_endpoint_alone_has_no_environment(here: Localep) -> None:
    answer = here("render", "-f", "samples/hello/endpoint.yml")

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        2,
        "",
        "Error: The files hold no deployment.\n"
        "Cause: An environment belongs to a deployment.\n"
        "Remedy: Name the deployment's file with -f.\n",
    )
