"""A build in the middle: what is seen of it, and what is left where it is broken off."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.bridge import host_address
from support.buildx import dangling_images
from support.engine import Localep
from support.slow_index import SlowIndex, slow_index
from support.waiting import wait_for

from localep.engine.client import DockerEngine
from localep.rules.causes import cause

SECONDS = 20.0
FIRST_LINE = "Using Python 3.11"


@pytest.fixture
def index(engine: DockerEngine) -> Iterator[SlowIndex]:
    """An index that build containers reach by the engine's own network, and wait for."""
    with slow_index(host_address(engine)) as served:
        yield served


@pytest.fixture
def waiting(building: Localep, hello: Path, index: SlowIndex) -> Localep:
    """A command line whose builds wait for the index, with a folder of its own for files."""
    unknown = f"no-such-package-of-{building.names.namespace}"
    with (hello / "conda.yml").open("a") as conda:
        conda.write(f"      - {unknown}\n")
    temporary = building.folder / "temporary"
    temporary.mkdir()
    building.environ |= {"PIP_INDEX_URL": index.address, "TMPDIR": str(temporary)}
    return building


def build(waiting: Localep) -> subprocess.Popen[str]:
    return waiting.popen("build", "-f", "hello/deployment.yml", "--no-cache")


def test_lines_are_seen_as_they_come(waiting: Localep, index: SlowIndex) -> None:
    with build(waiting) as process:
        index.wait_until_asked()
        assert process.stderr is not None
        told = [process.stderr.readline() for _ in range(3)]
        while FIRST_LINE not in told[-1]:
            told.append(process.stderr.readline())
        # The step still waits: nobody was let go.
        assert process.poll() is None
        index.let_go.set()
        _, rest = process.communicate(timeout=SECONDS)

    assert process.returncode == 5
    begun = [line for line in told if not line.startswith("Not reachable")]
    assert begun[0] == "Building the environment\n"
    assert "FROM" in begun[1]
    assert told[-1].startswith(f"  {FIRST_LINE}")
    assert "was not found in the package registry" in rest
    # What was told already is told again with the failure, and once.
    assert rest.count(FIRST_LINE) == 1


def test_a_terminal_shows_a_display_that_moves(waiting: Localep, index: SlowIndex) -> None:
    with on_a_terminal(waiting) as (process, terminal):
        display = read_until(terminal, lambda text: FIRST_LINE in text)
        index.wait_until_asked()
        moving = read_until(terminal, lambda text: len(frames(text)) >= 3)
        index.let_go.set()
        end = read_until(terminal, lambda _: False)
        process.wait(SECONDS)

    assert process.returncode == 5
    assert "uv venv" in display
    assert {line.strip() for line in frames(moving).values()} == {
        next(line.strip() for line in frames(display).values() if FIRST_LINE in line)
    }
    # The display is gone from the line in which the error begins.
    assert "\x1b[2K" in end[: end.index("Error: ")]
    last = end[end.index("Error: ") :].replace("\r\n", "\n")
    assert last.startswith("Error: The image localep/env:")
    assert last.endswith(f"Remedy: {cause('package-not-found').remedy}\n")


def test_an_interrupted_build_ends_at_once_and_leaves_nothing(
    waiting: Localep, index: SlowIndex
) -> None:
    images = dangling_images(waiting.engine)
    containers = unlabelled_containers(waiting.engine)
    with build(waiting) as process:
        index.wait_until_asked()
        clients = children(process.pid)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=SECONDS)
        seconds = time.monotonic() - begun

    assert (process.returncode, stdout) == (130, "")
    assert stderr.splitlines()[-1] == "Interrupted."
    assert "Error" not in stderr
    assert seconds < 2
    assert bool(clients) == (waiting.environ["LOCALEP_BUILDER"] != "classic")
    assert not any(is_alive(client) for client in clients)
    assert list((waiting.folder / "temporary").iterdir()) == []
    index.wait_until_given_up()
    wait_for(lambda: unlabelled_containers(waiting.engine) <= containers)
    wait_for(lambda: dangling_images(waiting.engine) <= images)


def test_a_build_ends_with_a_localep_that_is_killed(waiting: Localep, index: SlowIndex) -> None:
    containers = unlabelled_containers(waiting.engine)
    with build(waiting) as process:
        index.wait_until_asked()
        clients = children(process.pid)
        process.kill()
        process.communicate(timeout=SECONDS)

    index.wait_until_given_up()
    wait_for(lambda: not any(is_alive(client) for client in clients))
    wait_for(lambda: unlabelled_containers(waiting.engine) <= containers)
    assert list((waiting.folder / "temporary").iterdir()) == []


@contextmanager
def on_a_terminal(waiting: Localep) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A build on a terminal of 80 columns, and the terminal's other side."""
    ours, theirs = pty.openpty()
    environ = {**waiting.environment(), "TERM": "xterm", "COLUMNS": "80"}
    environ.pop("NO_COLOR", None)
    with subprocess.Popen(
        [sys.executable, "-m", "localep", "build", "-f", "hello/deployment.yml", "--no-cache"],
        cwd=waiting.folder,
        env=environ,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        try:
            yield process, ours
        finally:
            process.kill()
            os.close(ours)


def read_until(terminal: int, is_enough: Callable[[str], bool]) -> str:
    """What a terminal shows until it is enough or the program ends."""
    text = b""
    deadline = time.monotonic() + SECONDS
    while not is_enough(text.decode(errors="replace")):
        assert time.monotonic() < deadline, text
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            chunk = os.read(terminal, 10_000)
        except OSError:  # its other side is closed
            break
        text += chunk
    return text.decode(errors="replace")


def frames(display: str) -> dict[str, str]:
    """What is beside each picture of the thing that moves."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", display)
    return dict(re.findall(r"([\u2800-\u28ff]) ([^\r\n\u2800-\u28ff]*)", plain))


def unlabelled_containers(engine: DockerEngine) -> set[str]:
    """Containers that no endpoint owns, as those of a build's steps."""
    found = engine.api.containers(all=True)
    return {entry["Id"] for entry in found if not entry["Labels"].get("localep.endpoint")}


def children(parent: int) -> list[tuple[int, str]]:
    """The processes that a process has started, with when, as numbers are given again."""
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [(int(number), _started(int(number))) for number in listed]


def is_alive(process: tuple[int, str]) -> bool:
    number, started = process
    try:
        return _started(number) == started
    except (FileNotFoundError, ProcessLookupError):
        return False


def _started(number: int) -> str:
    _, _, rest = Path(f"/proc/{number}/stat").read_text().rpartition(")")
    state, *values = rest.split()
    return "" if state == "Z" else values[18]
