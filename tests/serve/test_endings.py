"""However `localep serve` ends, nothing of it is left."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
import requests
from support.engine import write_script
from support.serving import Serve, Serving
from support.waiting import wait_for

# Tells in a file that a request is under way, and takes a while for it.
SLOW = """\
import os, time

def init():
    pass

def run(raw_data):
    open(os.environ["MARK"], "w").close()
    time.sleep(float(os.environ["SECONDS"]))
    return "done"
"""

# Logs on its own, with no request.
TALKATIVE = """\
import threading, time

def talk():
    while True:
        print("still here", flush=True)
        time.sleep(0.05)

def init():
    threading.Thread(target=talk, daemon=True).start()

def run(raw_data):
    return "done"
"""


class Request(threading.Thread):
    """A request under way."""

    def __init__(self, serving: Serving) -> None:
        super().__init__()
        self._serving = serving
        self.answer: requests.Response | None = None
        self.start()

    def run(self) -> None:
        try:
            self.answer = self._serving.post()
        except requests.RequestException:
            self.answer = None


def servers_below(folder: Path) -> list[int]:
    """The processes whose working directory lies below a folder."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "cwd").readlink().is_relative_to(folder):
                found.append(int(process.name))
        except OSError:
            continue  # ended meanwhile
    return found


@pytest.fixture
def slow(hello: Path) -> Path:
    write_script(hello, SLOW)
    return hello


def variables(folder: Path, seconds: float) -> tuple[str, ...]:
    mark = f"environment_variables.MARK={folder}/mark"
    return ("--set", mark, f"environment_variables.SECONDS={seconds}")


def test_a_request_under_way_is_answered_first(serve: Serve, slow: Path, scratch: Path) -> None:
    arguments = variables(slow, 1.0)
    with serve.started("-f", "hello/deployment.yml", *arguments, "--isolated") as serving:
        serving.wait_until_ready()
        request = Request(serving)
        wait_for((slow / "mark").exists)
        assert serving.stop() == 0
        request.join()

    assert request.answer is not None
    assert request.answer.json() == "done"


def test_the_second_interrupt_ends_at_once(serve: Serve, slow: Path, scratch: Path) -> None:
    arguments = variables(slow, 60)
    with serve.started("-f", "hello/deployment.yml", *arguments, "--isolated") as serving:
        serving.wait_until_ready()
        request = Request(serving)
        wait_for((slow / "mark").exists)
        serving.process.send_signal(signal.SIGINT)
        wait_for(lambda: "Handling signal: term" in serving.log)
        begun = time.monotonic()
        assert serving.stop() == 0
        assert time.monotonic() - begun < 5
        request.join()

    assert request.answer is None


def test_an_interrupt_while_it_starts(serve: Serve, hello: Path, scratch: Path) -> None:
    write_script(hello, "import time\ndef init(): time.sleep(60)\ndef run(raw_data): pass\n")
    with serve.started("-f", "hello/deployment.yml", "--isolated") as serving:
        wait_for(lambda: "Invoking user's init function" in serving.log)
        assert serving.stop() == 130

    assert serving.told == "Interrupted.\n"
    assert servers_below(scratch) == []


def test_the_server_ends_with_a_localep_that_is_killed(
    serve: Serve, hello: Path, scratch: Path
) -> None:
    with serve.started("-f", "hello/deployment.yml", "--isolated") as serving:
        serving.wait_until_ready()
        base = serving.base
        assert servers_below(scratch) != []
        serving.process.kill()
        serving.process.wait()

        wait_for(lambda: servers_below(scratch) == [])
        wait_for(lambda: list(scratch.iterdir()) == [])
        with pytest.raises(requests.ConnectionError):
            requests.get(base, timeout=5)


def test_it_ends_where_nobody_reads_the_log_any_more(
    serve: Serve, hello: Path, scratch: Path
) -> None:
    write_script(hello, TALKATIVE)
    command = (
        "{ python -m localep serve -f hello/deployment.yml --isolated --port 0; echo $? >status; }"
        " | sed -n '/still here/q'"
    )
    subprocess.run(
        ["sh", "-c", command],
        cwd=serve.folder,
        env=serve.environment({}),
        check=True,
        capture_output=True,
        timeout=60,
    )

    assert (serve.folder / "status").read_text() == "0\n"


def test_an_environment_that_is_interrupted_is_made_anew(
    serve: Serve, hello: Path, scratch: Path, tmp_path: Path
) -> None:
    cold = {"XDG_CACHE_HOME": str(tmp_path / "cold"), "UV_CACHE_DIR": str(tmp_path / "uv-cache")}
    made = tmp_path / "cold" / "localep" / "environments"
    with serve.started("-f", "hello/deployment.yml", "--isolated", environ=cold) as serving:
        serving.wait_until_told("Using Python")
        assert serving.stop() == 130

    assert serving.told.endswith("Interrupted.\n")
    assert [path.suffix for path in made.iterdir()] == [".lock"]
