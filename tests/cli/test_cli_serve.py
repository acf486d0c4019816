"""What `localep serve` refuses before anything is started."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Localep = Callable[..., CompletedProcess[str]]

HELLO = "samples/hello"
WHAT = (
    "Cause: A server runs the scoring script of one deployment, or one script alone.\n"
    "Remedy: Name the deployment's YAML with -f, or a scoring script with --entry-script.\n"
)


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ("", 2, f"Error: What shall be served?\n{WHAT}"),
        (
            f"-f {HELLO}/deployment.yml --entry-script {HELLO}/code/score.py",
            2,
            f"Error: -f and --entry-script exclude each other.\n{WHAT}",
        ),
        (
            f"-f {HELLO}/deployment.yml --model-dir {HELLO}",
            2,
            "Error: --model-dir goes with --entry-script alone.\n"
            "Cause: The YAML names the model.\n"
            "Remedy: Leave it out, or change the YAML: --set model.path=DIR.\n",
        ),
        (
            f"-f {HELLO}/deployment.yml --python 3.12",
            2,
            "Error: --python goes with --isolated alone.\n"
            "Cause: Otherwise the server runs in the Python of the active environment.\n"
            "Remedy: Add --isolated, or activate an environment with another Python.\n",
        ),
        (
            "--entry-script nowhere.py",
            2,
            "Error: There is no file nowhere.py.\n"
            "Cause: --entry-script names the scoring script.\n"
            "Remedy: Correct the path; it starts from the folder that you are in.\n",
        ),
        (
            f"--entry-script {HELLO}/code/score.py --model-dir nowhere",
            2,
            "Error: There is no folder nowhere.\n"
            "Cause: --model-dir becomes AZUREML_MODEL_DIR.\n"
            "Remedy: Name the folder that holds the model.\n",
        ),
        (
            f"-f {HELLO}/endpoint.yml",
            2,
            "Error: The files hold no deployment.\n"
            "Cause: A server runs the scoring script of one.\n"
            "Remedy: Name the deployment's file with -f.\n",
        ),
        (
            f"-f {HELLO}/deployment.yml --host 192.0.2.1",
            2,
            "Error: 192.0.2.1 is no address of this machine.\n"
            "Cause: Cannot assign requested address.\n"
            "Remedy: Leave out --host, or use 0.0.0.0 for every network.\n",
        ),
        (
            "-f nowhere.yml",
            3,
            "Error: nowhere.yml is not there.\nRemedy: Check the path given with -f.\n",
        ),
    ],
)
def test_what_cannot_be_served_is_refused(
    here: Localep, arguments: str, status: int, told: str
) -> None:
    answer = here("serve", *arguments.split())

    assert (answer.returncode, answer.stdout, answer.stderr) == (status, "", told)


@pytest.mark.parametrize(
    ("addition", "told"),
    [
        ("model: azureml:net:1\n", "azureml:net:1 is not in the local registry."),
        (
            "environment: azureml:curated@latest\n",
            "azureml:curated@latest is not in the local registry.",
        ),
    ],
)
def test_what_lies_in_the_cloud_alone_is_refused(
    here: Localep, tmp_path: Path, addition: str, told: str
) -> None:
    (tmp_path / "score.py").touch()
    deployment = tmp_path / "deployment.yml"
    deployment.write_text(
        "name: blue\nendpoint_name: hello\ninstance_type: Standard_F2s_v2\n"
        f"code_configuration: {{code: ., scoring_script: score.py}}\n{addition}"
    )

    answer = here("serve", "-f", str(deployment))

    assert (answer.returncode, answer.stdout) == (3, "")
    assert told in answer.stderr
