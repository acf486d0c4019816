"""`invoke`, `get-logs`, `show`, `list`, `delete` against a real endpoint."""

from __future__ import annotations

import select
import signal
import subprocess
from pathlib import Path

from support.engine import RARE_PROBES, Localep, write_script


def test_the_body_reaches_stdout_untouched(localep: Localep, hello: Path) -> None:
    write_script(
        hello,
        "import json\ndef init(): pass\ndef run(raw_data): return json.loads(raw_data)['text']\n",
    )
    localep("create", "-f", "hello/deployment.yml")
    (localep.folder / "request.json").write_text('{"text": "ä\\n\\u0000€"}', encoding="utf-8")

    result = subprocess.run(
        ["python", "-m", "localep", "invoke", "--request-file", "request.json"],
        cwd=localep.folder,
        env=localep.environment(),
        capture_output=True,
        check=True,
    )

    assert result.stdout == b'"\\u00e4\\n\\u0000\\u20ac"'
    assert result.stderr == b""


def test_a_post_is_sent_once_even_where_it_fails(localep: Localep, hello: Path) -> None:
    write_script(
        hello,
        "calls = 0\n"
        "def init(): pass\n"
        "def run(raw_data):\n"
        "    global calls\n"
        "    calls += 1\n"
        "    print('call', calls)\n"
        "    raise RuntimeError('no')\n",
    )
    localep("create", "-f", "hello/deployment.yml")

    answer = localep.run("invoke", "-r", "hello/sample-request.json")

    assert (answer.status, answer.stdout, answer.stderr) == (
        7,
        '{"message": "An unexpected error occurred in scoring script. '
        'Check the logs for more info."}',
        "Error: The endpoint answered 424 Failed Dependency.\n"
        "Cause: run() failed (run-raises). RuntimeError: no\n"
        "  Traceback (most recent call last):\n"
        '    File "/var/azureml-app/code/score.py", line 7, in run\n'
        "      raise RuntimeError('no')\n"
        "  RuntimeError: no\n"
        "Remedy: Correct what the traceback names.\n",
    )
    log = localep("get-logs")
    assert "call 1" in log
    assert "call 2" not in log


def test_the_last_lines_of_the_log_are_given(created: Localep) -> None:
    created("update", *RARE_PROBES)
    created.invoke({"name": "you"})
    whole = created("get-logs").splitlines()

    assert any(line.endswith("azmlinfsrv.print - greeting you") for line in whole)
    assert created("get-logs", "--lines", "2").splitlines() == whole[-2:]
    assert created("get-logs", "--deployment", "blue").splitlines() == whole
    assert created.run("get-logs", "--deployment", "green").status == 8


def test_a_followed_log_goes_on_until_it_is_interrupted(created: Localep) -> None:
    process = created.popen("get-logs", "--follow", "--lines", "0")
    assert process.stdout is not None
    line = ""
    # A line counts only once the command is there to see it.
    while not line.endswith("greeting follower\n"):
        created.invoke({"name": "follower"})
        while select.select([process.stdout], [], [], 0.2)[0]:
            line = process.stdout.readline()
            if line.endswith("greeting follower\n"):
                break
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=10)

    assert (process.returncode, stderr) == (130, "Interrupted.\n")


def test_delete_removes_everything(created: Localep) -> None:
    assert created.left_behind() != []

    assert created("delete", "--yes") == "Deleted hello.\n"

    assert created.left_behind() == []
    again = created.run("delete", "--yes")
    assert again.status == 8


def test_delete_asks_where_nobody_can_answer(created: Localep) -> None:
    answer = created.run("delete", stdin="")

    assert (answer.status, answer.stderr) == (
        2,
        "Error: Nobody can be asked whether to delete hello.\n"
        "Cause: Standard input is not a terminal.\n"
        "Remedy: Say --yes.\n",
    )
    assert created.invoke({"name": "you"}) == {"greeting": "Hello, you!"}
