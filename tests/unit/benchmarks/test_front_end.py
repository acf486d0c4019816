"""The load of the gateway's benchmark, against a server of the test's own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from benchmarks.front_end import Way, ask, lost_percent
from benchmarks.processes import BenchmarkFailed


@contextmanager
def answering(*pieces: bytes) -> Iterator[tuple[Way, list[bytes]]]:
    """A server that answers one connection in these pieces, and what it was sent."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with closing(connection):
                got.append(connection.recv(65536))
                for piece in pieces:
                    connection.sendall(piece)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Way(listener.getsockname(), "sesame"), got
        finally:
            thread.join()


def test_a_request_has_the_key_and_says_how_long_it_takes() -> None:
    with (
        answering(b"HTTP/1.1 200 OK\r\n", b'\r\n"fi', b'ne"') as (way, got),
        closing(way.connect()) as connection,
    ):
        ask(connection, way.request(10))

    assert got == [
        b"POST /score HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer sesame\r\n"
        b'Content-Length: 10\r\n\r\n{"ms": 10}'
    ]


@pytest.mark.parametrize(
    "answer", [b"", b'HTTP/1.1 429 Too Many Requests\r\n\r\n"fine"', b"HTTP/1.1 429 Too Many"]
)
def test_any_other_answer_ends_the_benchmark(answer: bytes) -> None:
    with (
        answering(answer) as (way, _),
        closing(way.connect()) as connection,
        pytest.raises(BenchmarkFailed, match="The endpoint answered"),
    ):
        ask(connection, way.request(0))


def test_what_is_lost_is_told_in_percent() -> None:
    assert lost_percent(200, 190) == 5
    assert lost_percent(200, 210) == -5
