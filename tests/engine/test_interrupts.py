"""Ctrl-C, SIGTERM and SIGKILL at any moment: all or nothing, and nothing stays behind."""

from __future__ import annotations

import random
import signal
import subprocess
from pathlib import Path

import pytest
from support.engine import Localep, write_script

SIGNALS = (signal.SIGINT, signal.SIGTERM)
TURNS = 6

# A command takes no longer than this when nobody interrupts it; some turns come too late.
LONGEST = 1.5


def end(process: subprocess.Popen[str], number: signal.Signals, seconds: float) -> int:
    """Send a signal after a while and wait for the end."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert "Traceback" not in stderr
    assert process.returncode in {0, 130, -signal.SIGKILL}, stderr
    return process.returncode


def moments(number: int, turns: int = TURNS) -> list[float]:
    """Moments spread over the time that a command takes, the same in each run."""
    chance = random.Random(number)
    return [(turn + chance.random()) * LONGEST / turns for turn in range(turns)]


def write_answer(sample: Path, answer: str) -> None:
    write_script(sample, f"def init(): pass\ndef run(raw_data): return {answer!r}\n")


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupted_create_leaves_an_endpoint_or_nothing(
    localep: Localep, hello: Path, number: signal.Signals
) -> None:
    for seconds in moments(number, TURNS // 2):
        end(localep.popen("create", "-f", "hello/deployment.yml"), number, seconds)

        if localep.json("list"):
            assert localep.invoke({"name": "you"}) == {"greeting": "Hello, you!"}
            localep("delete", "--yes")
        assert localep.left_behind() == []


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupted_update_leaves_one_deployment_that_answers(
    created: Localep, hello: Path, number: signal.Signals
) -> None:
    answers = {'{"greeting": "Hello, you!"}'}
    for turn, seconds in enumerate(moments(number, TURNS // 2)):
        write_answer(hello, f"turn {turn}")
        answers.add(f'"turn {turn}"')
        end(created.popen("update"), number, seconds)

        assert created("invoke", "-r", "-", stdin='{"name": "you"}') in answers
        assert len(created.engine.list_containers(created.names.labels())) == 2
    write_answer(hello, "last")
    created("update")
    assert created.invoke({}) == "last"


@pytest.mark.parametrize("number", [*SIGNALS, signal.SIGKILL])
def test_a_delete_that_was_ended_is_done_by_the_next(
    localep: Localep, hello: Path, number: signal.Signals
) -> None:
    for seconds in moments(number, TURNS if number == signal.SIGKILL else TURNS // 2):
        localep("create", "-f", "hello/deployment.yml")
        end(localep.popen("delete", "--yes", "-n", "hello"), number, seconds / 3)

        assert localep.run("delete", "--yes", "-n", "hello").status in {0, 8}
        assert localep.left_behind() == []


def test_the_next_create_removes_what_a_killed_one_left(localep: Localep, hello: Path) -> None:
    for seconds in moments(signal.SIGKILL):
        status = end(localep.popen("create", "-f", "hello/deployment.yml"), signal.SIGKILL, seconds)

        again = localep.run("create", "-f", "hello/deployment.yml")

        # 8: the killed one had finished all but its last words.
        assert again.status in ({8} if status == 0 else {0, 8}), again.stderr
        assert localep.json("show")["last_operation"] == {
            "name": "create",
            "state": "Succeeded",
            "error": None,
        }
        assert localep.invoke({"name": "you"}) == {"greeting": "Hello, you!"}
        assert len(localep.engine.list_containers(localep.names.labels())) == 2
        localep("delete", "--yes")
        assert localep.left_behind() == []


def test_the_next_update_removes_what_a_killed_one_left(created: Localep, hello: Path) -> None:
    answers = {'{"greeting": "Hello, you!"}'}
    for turn, seconds in enumerate(moments(signal.SIGKILL)):
        write_answer(hello, f"turn {turn}")
        answers.add(f'"turn {turn}"')
        end(created.popen("update"), signal.SIGKILL, seconds)

        assert created("invoke", "-r", "-", stdin='{"name": "you"}') in answers
        operation = created.json("show")["last_operation"]
        assert operation["state"] == "Succeeded" or operation["error"] == (
            "The command was ended before it was done."
        )
        created("update")
        assert created.invoke({}) == f"turn {turn}"
        assert len(created.engine.list_containers(created.names.labels())) == 2


def test_of_two_creates_at_once_one_wins_and_the_other_is_told(
    localep: Localep, hello: Path
) -> None:
    both = [localep.popen("create", "-f", "hello/deployment.yml") for _ in range(2)]
    ended = [(process.communicate(timeout=60), process.returncode) for process in both]

    assert sorted(status for _, status in ended) == [0, 8]
    (told,) = [stderr for (_, stderr), status in ended if status == 8]
    assert told in {
        "Error: Endpoint hello is being changed.\n"
        "Cause: Another localep command is at work on it.\n"
        "Remedy: Wait for that command to end, and try again.\n",
        "Error: Deployment blue of endpoint hello exists already.\n"
        "Remedy: Change it with `localep update`, or remove it with `localep delete`.\n",
    }
    assert localep.invoke({"name": "you"}) == {"greeting": "Hello, you!"}
