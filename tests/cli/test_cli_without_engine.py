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
    "get-logs --container gateway",
    "stats",
    "show",
    "list",
    "get-credentials",
    "list-keys",
    "regenerate-keys --key-kind Secondary",
    "delete --yes",
    f"build {FILES}",
    "export image -t hello:1",
    f"export image {FILES} -t hello:1",
    "export k8s",
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


INTERRUPTED = {
    "list": "Interrupted.\n",
    "list -o json": '{"error": {"type": "Interrupted", "message": "Interrupted.", "cause": null, '
    '"remedy": "Run the command again.", "details": [], "exit_code": 130}}\n',
}


@pytest.mark.parametrize("line", INTERRUPTED)
def test_an_interrupt_is_told_from_an_engine_that_does_not_answer(
    environment: dict[str, str], root: Path, tmp_path: Path, line: str
) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "docker.sock"))
        listener.listen()
        command = subprocess.Popen(
            [sys.executable, "-m", "localep", *line.split()],
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

    assert (command.returncode, stdout, stderr) == (130, "", INTERRUPTED[line])


def test_an_interrupt_before_the_first_command_is_an_error_like_any(
    environment: dict[str, str], root: Path
) -> None:
    program = (
        "import sys, localep.cli.app; from localep import __main__\n"
        "from localep.errors import Interrupted\n"
        "def run(_): raise Interrupted('Interrupted.')\n"
        "localep.cli.app.run = run\n"
        "sys.exit(__main__.main())\n"
    )

    results = [
        subprocess.run(
            [sys.executable, "-c", program, *arguments],
            capture_output=True,
            check=False,
            cwd=root,
            env=environment,
            text=True,
        )
        for arguments in (["list"], ["list", "--output=json"])
    ]

    assert [result.returncode for result in results] == [130, 130]
    assert results[0].stderr == "Interrupted.\n"
    assert json.loads(results[1].stderr)["error"]["exit_code"] == 130


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


RENDER = "render -f samples/hello/deployment.yml"


def shell(environment: dict[str, str], root: Path, line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", line.replace("localep", f"{sys.executable} -m localep", 1)],
        capture_output=True,
        check=False,
        cwd=root,
        env=environment,
        text=True,
    )


def test_a_full_disk_is_no_bug(environment: dict[str, str], root: Path) -> None:
    answer = shell(environment, root, f"localep {RENDER} -o json >/dev/full")

    assert answer.returncode == 2
    assert json.loads(answer.stderr.splitlines()[-1])["error"] == {
        "type": "UsageError",
        "message": "The result cannot be written.",
        "cause": "Standard output: No space left on device.",
        "remedy": "Send it elsewhere, or make room where it goes.",
        "details": [],
        "exit_code": 2,
    }


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (f"localep {RENDER} >&-", 0),
        (f"localep {RENDER} 2>&-", 0),
        (f"localep {RENDER} | :", 0),
        ("localep list 2>&-", 4),
        ("localep list 2>&1 | :", 0),  # of the pipe's last command
        ("localep invoke -r - <&-", 4),
        ("localep delete <&-", 4),
    ],
)
def test_streams_that_are_closed_change_nothing(
    environment: dict[str, str], root: Path, line: str, status: int
) -> None:
    answer = shell(environment, root, line)

    assert answer.returncode == status
    assert "Exception" not in answer.stderr
    assert "Traceback" not in answer.stderr


def break_down(*_: object) -> None:
    raise ZeroDivisionError("division by zero")


BUG = {
    "message": "localep has a bug.",
    "cause": "ZeroDivisionError: division by zero",
    "remedy": "Run it again with --debug in front of the verb, and report what it shows.",
}


def test_a_bug_is_owned_up_to(here: Localep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localep.operations.checked.load_checked_files", break_down)

    answer = here(*RENDER.split())

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        1,
        "",
        f"Error: {BUG['message']}\nCause: {BUG['cause']}\nRemedy: {BUG['remedy']}\n",
    )


def test_programs_are_told_of_a_bug_in_json(here: Localep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localep.operations.checked.load_checked_files", break_down)
    monkeypatch.setenv("LOCALEP_DEBUG", "1")

    answer = here(*RENDER.split(), "-o", "json")

    traceback, error = map(json.loads, answer.stderr.splitlines())
    assert traceback["traceback"][0] == "Traceback (most recent call last):"
    assert traceback["traceback"][-1] == BUG["cause"]
    assert error["error"] == BUG | {"type": "LocalepError", "details": [], "exit_code": 1}
    assert answer.returncode == 1


def test_a_followed_log_is_no_result(here: Localep) -> None:
    answer = here("get-logs", "--follow", "-o", "tsv")

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        2,
        "",
        "Error: --follow does not go with -o tsv.\n"
        "Cause: It writes lines as they come, and has no result.\n"
        "Remedy: Leave one of the two out.\n",
    )


@pytest.mark.parametrize("container", ["gateway", "storage-initializer"])
def test_what_all_instances_share_is_of_none(here: Localep, container: str) -> None:
    answer = here("get-logs", "--container", container, "--instance", "2")

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        2,
        "",
        f"Error: --instance does not go with --container {container}.\n"
        "Cause: All instances have the same.\n"
        "Remedy: Leave one of the two out.\n",
    )


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
        "instance_type: Standard_F2s_v2\n"
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
