"""What each verb says where no engine answers, and where its files are wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Localep = Callable[..., CompletedProcess[str]]
Answers = dict[str, CompletedProcess[str]]

FILES = "-f samples/hello/endpoint.yml -f samples/hello/deployment.yml"
VERBS = [
    f"create {FILES}",
    "update",
    "invoke -r samples/hello/sample-request.json",
    "get-logs",
    "show",
    "list",
    "get-credentials",
    "delete --yes",
    f"build {FILES}",
    "base build",
]
IN_JSON = [f"create {FILES} -o json", "list --query [].name"]
OTHERS = ["--debug list", "create -f nope.yml", f"create {FILES} --query ["]
NO_ENGINE = """\
Error: No Docker engine answers.
Cause: None listens here.
Remedy: Start Docker, or point DOCKER_HOST at an engine that runs.
"""


@pytest.fixture(scope="module")
def answers(all_of: Callable[[list[str]], Answers]) -> Answers:
    return all_of([*VERBS, *IN_JSON, *OTHERS])


@pytest.mark.parametrize("line", VERBS)
def test_a_verb_without_an_engine_says_so(answers: Answers, line: str) -> None:
    answer = answers[line]

    assert (answer.returncode, answer.stdout, answer.stderr) == (4, "", NO_ENGINE)


@pytest.mark.parametrize("line", IN_JSON)
def test_programs_get_the_error_as_json(answers: Answers, line: str) -> None:
    answer = answers[line]

    assert (answer.returncode, answer.stdout) == (4, "")
    assert json.loads(answer.stderr) == {
        "error": {
            "type": "EngineError",
            "message": "No Docker engine answers.",
            "cause": "None listens here.",
            "remedy": "Start Docker, or point DOCKER_HOST at an engine that runs.",
            "details": [],
            "exit_code": 4,
        }
    }


def test_no_socket_is_left_open(localep: Localep) -> None:
    answer = localep("list", PYTHONWARNINGS="error")

    assert (answer.returncode, answer.stderr) == (4, NO_ENGINE)


def test_the_traceback_is_shown_on_demand(answers: Answers) -> None:
    answer = answers["--debug list"]

    assert answer.returncode == 4
    assert answer.stderr.startswith("Traceback (most recent call last):\n")
    assert answer.stderr.endswith(NO_ENGINE)


def test_an_interrupt_is_told_from_an_engine_that_does_not_answer(
    environment: dict[str, str], root: Path, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "docker.sock"))
        listener.listen()
        command = subprocess.Popen(
            [sys.executable, "-m", "localep", "list"],
            cwd=root,
            env=environment | {"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)  # it has asked, and waits for the answer
            command.send_signal(signal.SIGINT)
            stdout, stderr = command.communicate(timeout=30)

    assert (command.returncode, stdout, stderr) == (130, "", "Interrupted.\n")


def test_a_reader_who_has_enough_is_no_failure(environment: dict[str, str], root: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        result = subprocess.run(
            [sys.executable, "-m", "localep", "--help"],
            check=False,
            cwd=root,
            env=environment,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        os.close(writing)

    assert (result.returncode, result.stderr) == (0, "")


def test_a_file_that_is_not_there_is_named(answers: Answers) -> None:
    answer = answers["create -f nope.yml"]

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        3,
        "",
        "Error: nope.yml is not there.\nRemedy: Check the path given with -f.\n",
    )


def test_a_file_that_is_not_there_is_named_in_json(here: Localep) -> None:
    answer = here("build", "-f", "nope.yml", "-o", "json")

    assert (answer.returncode, answer.stdout) == (3, "")
    assert json.loads(answer.stderr) == {
        "error": {
            "type": "SpecError",
            "message": "nope.yml is not there.",
            "cause": None,
            "remedy": "Check the path given with -f.",
            "details": [],
            "exit_code": 3,
        }
    }


def test_all_that_is_wrong_with_a_file_is_shown_at_once(here: Localep, tmp_path: Path) -> None:
    file = tmp_path / "deployment.yml"
    file.write_text(
        "name: blue\nendpoint_name: hello\ninstance_cuont: 1\nmodel: {path: nope.pkl}\n"
    )

    answer = here("create", "-f", str(file))

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        3,
        "",
        f"""\
Error: The YAML has 2 errors.
  {file}:4:15: model.path: there is no file or folder at {tmp_path}/nope.pkl. \
Paths start from the folder of the YAML file.
  {file}:3:17: instance_cuont: is not a known key here. Did you mean `instance_count`?
Remedy: Correct the places named above and try again.
""",
    )


def test_a_request_file_that_is_not_there_is_named(here: Localep) -> None:
    answer = here("invoke", "--request-file", "nope.json")

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        2,
        "",
        "Error: The request file nope.json cannot be read.\n"
        "Cause: No such file or directory.\n"
        "Remedy: Check the path given with --request-file.\n",
    )


def test_a_change_that_is_none_is_refused(here: Localep) -> None:
    answer = here("create", *FILES.split(), "--set", "name")

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        2,
        "",
        "Error: --set name is not a change.\n"
        "Cause: It does not have the form path=value.\n"
        "Remedy: Write for example --set environment_variables.LEVEL=debug.\n",
    )


def test_several_changes_may_follow_one_set(here: Localep) -> None:
    answer = here("create", *FILES.split(), "--set", "traffic.blue=1", "tags.a=b")

    assert (answer.returncode, answer.stderr) == (
        2,
        "Error: --set tags.a=b fits no single document.\n"
        "Cause: `tags` is a key of endpoints and of deployments, or of neither.\n"
        "Remedy: Write --set endpoint.tags.a=b or --set deployment.tags.a=b.\n",
    )


def test_a_query_that_is_none_is_refused_before_anything_is_done(answers: Answers) -> None:
    answer = answers[f"create {FILES} --query ["]

    error = json.loads(answer.stderr)["error"]
    assert (answer.returncode, answer.stdout, error["type"]) == (2, "", "UsageError")
    assert error["message"] == "--query [ is not a JMESPath expression."
