"""The program that keeps the liveness probe inside containers."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

WATCH = ("watch", "0.2", "5001", "/", "5", "0.01", "3")


@pytest.fixture
def program(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program as a module, with a memory of its own, in a container that began at "7"."""
    spec = importlib.util.spec_from_file_location("liveness", root / "templates" / "liveness.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "STATE_FILE", tmp_path / "state")
    monkeypatch.setattr(module, "start_of_container", lambda: "7")
    return module


@contextmanager
def server(answer: bytes) -> Iterator[int]:
    """A port where every connection is answered so, and closed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    ("answer", "judged"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nHealthy", "200"),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", "503"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "broken"),
        (b"HTTP/1.1\r\n", "broken"),
        (b"", "broken"),
    ],
)
def test_an_answer_is_its_status(program: ModuleType, answer: bytes, judged: str) -> None:
    with server(answer) as port:
        assert program.answer("127.0.0.1", port, "/", 5) == judged


def test_nobody_who_listens_is_told_from_somebody_who_is_silent(program: ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert program.answer("127.0.0.1", port, "/", 0.1) == "silent"

    assert program.answer("127.0.0.1", port, "/", 5) == "refused"


def test_a_connection_that_waits_is_not_taken(program: ModuleType) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()),
    ):
        port = listener.getsockname()[1]
        assert program.has_taken_a_connection(port) is False

        with listener.accept()[0]:
            assert program.has_taken_a_connection(port) is True


def test_the_first_process_has_a_start(root: Path) -> None:
    code = "import liveness; print(int(liveness.start_of_container()) >= 0)"
    folder = root / "templates"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, check=True)

    assert done.stdout == b"True\n"


def test_a_process_has_an_age(program: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    monkeypatch.setattr(program, "start_of_container", lambda: str(begun))
    age = program.age_of_container()

    monkeypatch.setattr(program, "start_of_container", lambda: str(begun - 200))
    assert 0 <= age < 3600
    assert program.age_of_container() - age == pytest.approx(200 / os.sysconf("SC_CLK_TCK"), abs=1)


def play(
    program: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    answers: str,
    *,
    has_taken: bool = False,
    age: float = 5,
) -> tuple[int, list[str]]:
    """Run the watch; each letter is an answer: ``+`` is 200. What it did is told in order."""
    left, done = list(answers), []

    def answer(*_: object) -> str:
        done.append("asked")
        return "200" if left.pop(0) == "+" else "silent"

    monkeypatch.setattr(program, "answer", answer)
    monkeypatch.setattr(program, "has_taken_a_connection", lambda _: has_taken)
    monkeypatch.setattr(program, "age_of_container", lambda: age)
    monkeypatch.setattr(program, "end_container", lambda count: done.append(f"ended after {count}"))
    return program.main(*WATCH), done


def test_a_route_that_answers_is_asked_once(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert play(program, monkeypatch, "+") == (0, ["asked"])
    assert program.recall() == ("7", 0)


def test_nothing_counts_before_the_first_answer(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.remember("6", 2)  # of the start before

    assert play(program, monkeypatch, "-") == (1, ["asked"])
    assert program.recall() == ("6", 2)


def test_after_an_answer_failures_in_a_row_end_the_container(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.remember("7", 0)

    assert play(program, monkeypatch, "---") == (1, [*["asked"] * 3, "ended after 3"])


def test_a_connection_that_was_taken_counts_like_an_answer(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = play(program, monkeypatch, "---", has_taken=True)

    assert played == (1, [*["asked"] * 3, "ended after 3"])
    assert program.recall() == ("7", 0)


def test_one_answer_ends_the_row(program: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    program.remember("7", 1)

    assert play(program, monkeypatch, "--+") == (0, ["asked"] * 3)
    assert program.recall() == ("7", 1)


def test_within_the_initial_delay_nothing_ends_the_container(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert play(program, monkeypatch, "-", has_taken=True, age=4.9) == (1, ["asked"])
    assert program.recall() == ("7", 0)

    assert play(program, monkeypatch, "", age=4.9) == (0, [])
    assert play(program, monkeypatch, "---") == (1, [*["asked"] * 3, "ended after 3"])


@pytest.mark.parametrize("content", ["", "7", "7 x", "7 1 2"])
def test_a_memory_that_makes_no_sense_is_none(program: ModuleType, content: str) -> None:
    program.STATE_FILE.write_text(content)

    assert program.recall() == ("", 0)


def test_where_nothing_can_be_written_the_probe_goes_on(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(program, "STATE_FILE", tmp_path / "no" / "folder")

    assert play(program, monkeypatch, "+") == (0, ["asked"])


def test_each_host_is_asked_once(root: Path) -> None:
    with server(b"HTTP/1.0 204 No Content\r\n\r\n") as port:
        done = subprocess.run(
            [
                *(sys.executable, "-I", "-S", root / "templates" / "liveness.py"),
                *("ask", "5", str(port), "/alive", "127.0.0.1", "127.0.0.2"),
            ],
            capture_output=True,
            check=True,
        )

    assert done.stdout == b"204\nrefused\n"
