"""A change is served as soon as it works, and no request is lost for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from support.failing_scripts import NOT_IMPORTED
from support.serving import Serve, Serving
from support.waiting import wait_for

AGAIN = "Ready again"
ASKED = {"name": "you"}


def save(path: Path, text: str) -> None:
    """Save as editors do: a new file in the place of the old one."""
    new = path.with_name(f"{path.name}~")
    new.write_text(text)
    new.replace(path)


def greets(serving: Serving, greeting: str) -> bool:
    return serving.answer(ASKED) == {"greeting": f"{greeting}, you!"}


@contextmanager
def load(serving: Serving) -> Iterator[list[object]]:
    """Clients that never stop asking; the answers that they did not like."""
    bad: list[object] = []
    answered = 0
    done = threading.Event()

    def ask() -> None:
        nonlocal answered
        while not done.is_set():
            try:
                answer = serving.post(ASKED)
                if answer.status_code != 200:
                    bad.append(answer.text)
                answered += 1
            except requests.RequestException as error:
                bad.append(error)

    clients = [threading.Thread(target=ask) for _ in range(3)]
    for client in clients:
        client.start()
    try:
        yield bad
    finally:
        done.set()
        for client in clients:
            client.join()
    assert answered > 20


@pytest.fixture
def serving(serve: Serve, hello: Path, scratch: Path) -> Iterator[Serving]:
    """The sample, served."""
    with serve("-f", "hello/deployment.yml") as started:
        yield started


def test_a_saved_script_answers_and_no_request_is_lost(serving: Serving, hello: Path) -> None:
    script = hello / "code" / "score.py"
    text = script.read_text()

    with load(serving) as bad:
        for number in range(3):
            save(script, text.replace("os.environ['GREETING']", f"'Hello {number}'"))
            wait_for(lambda n=number: greets(serving, f"Hello {n}"))  # type: ignore[misc]
        serving.wait_until_told(AGAIN, 3)

    assert bad == []
    assert serving.told.count("score.py changed.\n") == 3
    assert [path.name for path in (hello / "code").iterdir()] == ["score.py"]


def test_of_changes_while_a_server_starts_the_last_counts(serving: Serving, hello: Path) -> None:
    script = hello / "code" / "score.py"
    text = script.read_text()
    slow = text.replace("def init():", "def init():\n    __import__('time').sleep(60)")

    for number in range(3):
        save(script, slow.replace("os.environ['GREETING']", f"'Never {number}'"))
        serving.wait_until_told("score.py changed.", number + 1)
        assert greets(serving, "Hello")
    save(script, text.replace("os.environ['GREETING']", "'At last'"))

    wait_for(lambda: greets(serving, "At last"))
    serving.wait_until_told(AGAIN)
    assert serving.told.count(AGAIN) == 1


def test_a_script_that_fails_leaves_the_former_at_work(serving: Serving, hello: Path) -> None:
    script = hello / "code" / "score.py"
    text = script.read_text()

    save(script, "raise OSError('no licence')\n")
    serving.wait_until_told("What was served before goes on.\n")

    assert greets(serving, "Hello")
    assert serving.told.partition("score.py changed.\n")[2] == (
        "Error: The deployment did not get ready.\n"
        f"Cause: The scoring script could not be imported ({NOT_IMPORTED}). OSError: no licence\n"
        "  Traceback (most recent call last):\n"
        f'    File "{script}", line 1, in <module>\n'
        "      raise OSError('no licence')\n"
        "  OSError: no licence\n"
        "  The server ended with exit code 3.\n"
        "Remedy: Correct score.py and try again.\n"
        "What was served before goes on.\n"
    )
    save(script, text.replace("os.environ['GREETING']", "'Corrected'"))
    wait_for(lambda: greets(serving, "Corrected"))


def test_yaml_and_conda_file_count_and_wrong_ones_change_nothing(
    serving: Serving, hello: Path
) -> None:
    deployment = hello / "deployment.yml"
    text = deployment.read_text()

    save(deployment, text.replace("GREETING: Hello", "GREETING: Servus"))
    wait_for(lambda: greets(serving, "Servus"))

    save(deployment, text.replace("instance_count: 1", "instance_count: many"))
    serving.wait_until_told("What was served before goes on.\n")
    assert "instance_count: should be a whole number" in serving.told
    assert greets(serving, "Servus")

    conda = hello / "conda.yml"
    save(conda, conda.read_text() + "      - no-such-package==77777\n")
    serving.wait_until_told("Error:", 2)  # of the YAML still
    save(deployment, text)
    serving.wait_until_told("Error: The environment could not be made.\n")
    assert greets(serving, "Servus")

    save(conda, conda.read_text().replace("- no-such-package==77777", "- iniconfig==2.0.0"))
    save(deployment, text.replace("GREETING: Hello", "GREETING: Ciao"))
    wait_for(lambda: greets(serving, "Ciao"), 60)


def test_a_model_counts_and_folders_may_be_replaced(serve: Serve, hello: Path) -> None:
    models = hello / "weights"
    models.mkdir()
    (models / "name.txt").write_text("first")
    script = hello / "code" / "score.py"
    script.write_text(
        "import os, pathlib\n"
        "def init():\n"
        "    global name\n"
        "    path = pathlib.Path(os.environ['AZUREML_MODEL_DIR'], 'weights', 'name.txt')\n"
        "    name = path.read_text()\n"
        "def run(raw_data): return name\n"
    )
    with (hello / "deployment.yml").open("a") as deployment:
        deployment.write("model: {path: weights}\n")

    with serve("-f", "hello/deployment.yml") as serving:
        assert serving.answer({}) == "first"
        save(models / "name.txt", "second")
        wait_for(lambda: serving.answer({}) == "second")

        new = hello / "weights-new"
        new.mkdir()
        (new / "name.txt").write_text("third")
        models.rename(hello / "weights-old")
        new.rename(models)
        wait_for(lambda: serving.answer({}) == "third")

        save(models / "name.txt", "fourth")
        wait_for(lambda: serving.answer({}) == "fourth")


def test_a_first_start_that_fails_waits_for_a_change(serve: Serve, hello: Path) -> None:
    script = hello / "code" / "score.py"
    text = script.read_text()
    script.write_text("def init(:\n")

    with serve.started("-f", "hello/deployment.yml", "--isolated") as serving:
        serving.wait_until_told("Remedy: Correct the line and try again.\nWaiting for a change.\n")
        save(script, text)
        serving.wait_until_ready()
        assert greets(serving, "Hello")
        assert serving.stop() == 0


def test_a_server_that_ends_by_itself_is_started_by_the_next_change(
    serving: Serving, hello: Path
) -> None:
    script = hello / "code" / "score.py"
    text = script.read_text()
    ends = "os.kill(os.getppid(), 9); __import__('time').sleep(60)"
    save(script, text.replace("return {", f"{ends}\n    return {{"))
    serving.wait_until_told(AGAIN)

    with pytest.raises(requests.RequestException):
        serving.post(ASKED)
    serving.wait_until_told("Waiting for a change.\n")

    assert "Error: The server ended by itself.\nCause: Its exit code is 137.\n" in serving.told
    save(script, text)
    wait_for(lambda: greets(serving, "Hello"))


def test_nothing_is_reloaded_where_that_is_not_wanted(serve: Serve, hello: Path) -> None:
    script = hello / "code" / "score.py"
    with serve("-f", "hello/deployment.yml", "--no-reload") as serving:
        save(script, "raise OSError\n")
        (hello / "code" / "new.py").touch()
        assert greets(serving, "Hello")

    assert "changed" not in serving.told
