"""`localep export` where no engine answers: the manifests need none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

Localep = Callable[..., CompletedProcess[str]]

FILES = ("-f", "samples/hello/endpoint.yml", "-f", "samples/hello/deployment.yml")
NOTE = (
    "The manifests name the image hello:blue; make it with: "
    "localep export image -n hello -t hello:blue\n"
)
WITHOUT_FILES = """\
Error: Without -f, an endpoint is exported as it runs.
Cause: An option asks to change or choose what files describe.
Remedy: Name the files with -f, or change the endpoint first with `localep update`.
"""


def test_the_manifests_go_to_standard_output(here: Localep) -> None:
    answer = here("export", "k8s", *FILES)

    assert (answer.returncode, answer.stderr) == (0, NOTE)
    deployment, service = yaml.safe_load_all(answer.stdout)
    assert answer.stdout.startswith("# Deployment blue of endpoint hello, rendered by localep.\n")
    assert (deployment["kind"], service["kind"]) == ("Deployment", "Service")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "hello:blue"
    assert container["env"] == [{"name": "GREETING", "value": "Hello"}]


def test_the_manifests_are_data_for_programs(here: Localep) -> None:
    image = ("--image", "registry.example/hello:1")
    text = here("export", "k8s", *FILES, *image).stdout

    answer = here("export", "k8s", *FILES, *image, "-o", "json")

    assert (answer.returncode, answer.stderr) == (0, "")
    assert json.loads(answer.stdout) == list(yaml.safe_load_all(text))


def test_the_manifests_go_to_a_file(here: Localep, tmp_path: Path) -> None:
    file = tmp_path / "hello.yaml"
    secret = ("--set", "environment_variables.API_KEY=hush")

    answer = here("export", "k8s", *FILES, *secret, "--image", "hello:1", "-O", str(file))

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        0,
        f"Wrote {file} for hello:1.\n",
        "Warning: The Secret holds the value of API_KEY: keep the manifests out of version "
        "control.\n",
    )
    kinds = [document["kind"] for document in yaml.safe_load_all(file.read_text())]
    assert kinds == ["Secret", "Deployment", "Service"]
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "arguments",
    [
        ("k8s", "--set", "instance_count=2"),
        ("k8s", "--var", "A=1"),
        ("k8s", "-d", "blue"),
        ("image", "-t", "hello:1", "--set", "instance_count=2"),
        ("image", "-t", "hello:1", "--model", "azureml:words:1"),
        ("image", "-t", "hello:1", "--python", "3.11"),
    ],
)
def test_an_endpoint_is_not_changed_on_its_way(here: Localep, arguments: tuple[str, ...]) -> None:
    answer = here("export", *arguments)

    assert (answer.returncode, answer.stdout, answer.stderr) == (2, "", WITHOUT_FILES)


def test_an_endpoints_file_alone_describes_nothing_to_export(here: Localep) -> None:
    answer = here("export", "k8s", *FILES[:2])

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        2,
        "",
        "Error: The files hold no deployment.\n"
        "Cause: An endpoint alone has nothing that could be exported.\n"
        "Remedy: Name the deployment's file with -f, too.\n",
    )
