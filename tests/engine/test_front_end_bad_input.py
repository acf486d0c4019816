"""What no client should send: it is refused or served, and nobody else notices."""

from __future__ import annotations

import json
import re
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from support.engine import Localep, copy_sample, write_script
from support.fixtures import own_command_line

from localep.engine.client import DockerEngine

# Counts how often it was called, so that a request nobody sent would be seen.
SCRIPT = """
from azureml_inference_server_http.api.aml_request import rawhttp

calls = 0

def init():
    pass

@rawhttp
def run(request):
    global calls
    calls += 1
    return {"calls": calls, "bytes": len(request.get_data())}
"""
SECONDS = 5.0


@dataclass(frozen=True)
class Client:
    """Speaks with an endpoint, byte by byte where it is asked to."""

    localep: Localep
    host: str
    port: int
    key: str

    @property
    def opening(self) -> bytes:
        """The headers of every request that is let through."""
        return f"Host: {self.host}\r\nAuthorization: Bearer {self.key}\r\n".encode()

    def connect(self) -> socket.socket:
        return socket.create_connection((self.host, self.port), timeout=SECONDS)

    def send(self, data: bytes, *, half_closed: bool = False) -> list[int]:
        """The statuses of all answers to these bytes, until the connection ends or is silent."""
        with self.connect() as connection:
            connection.sendall(data.replace(b"OPENING\r\n", self.opening))
            if half_closed:
                connection.shutdown(socket.SHUT_WR)
            return statuses(read(connection))

    def ask(self) -> tuple[int, float]:
        """How many calls the script has had, and the seconds that a request takes."""
        begun = time.monotonic()
        answer = requests.post(
            f"http://{self.host}:{self.port}/score",
            json={},
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=30,
        )
        assert answer.status_code == 200
        return int(answer.json()["calls"]), time.monotonic() - begun


def read(connection: socket.socket) -> bytes:
    """What comes until the connection ends, or for half a second nothing does."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
            connection.settimeout(0.5)
    except (TimeoutError, ConnectionResetError):
        pass
    return received


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)]


@pytest.fixture(scope="module")
def client(
    engine: DockerEngine, base_image: str, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    with own_command_line(engine, tmp_path_factory.mktemp("bad-input")) as localep:
        hello = copy_sample(samples / "hello", localep.folder)
        write_script(hello, SCRIPT)
        localep("create", "-f", "hello/endpoint.yml", "-f", "hello/deployment.yml")
        host, _, port = (
            localep.json("show")["scoring_uri"][7:].removesuffix("/score").partition(":")
        )
        key = localep.json("get-credentials")["primaryKey"]
        yield Client(localep, host, int(port), key)


@pytest.fixture(autouse=True)
def _others_are_served(client: Client) -> Iterator[None]:
    """The gateway and the container that were there before a test serve after it."""
    containers = [client.localep.container(role) for role in ("gateway", "deployment")]

    def starts() -> list[str]:
        inspect = client.localep.engine.api.inspect_container
        return [inspect(container)["State"]["StartedAt"] for container in containers]

    before = starts()
    yield
    assert client.ask()[1] < 2
    assert starts() == before


POST = b"POST /score HTTP/1.1\r\nOPENING\r\n"
GET = b"GET /score HTTP/1.1\r\nOPENING\r\n"
REFUSED = [400]
# What is sent, and the answers; the script is called as often as there is a 200.
REQUESTS = [
    pytest.param(GET + b"\r\n", [200], id="a plain one"),
    pytest.param(GET + b"X-Long: " + b"x" * 65536 + b"\r\n\r\n", REFUSED, id="header of 64 KiB"),
    pytest.param(GET + b"X: y\r\n" * 2000 + b"\r\n", REFUSED, id="2,000 headers"),
    pytest.param(
        b"GET /" + b"x" * 65536 + b" HTTP/1.1\r\nOPENING\r\n\r\n", REFUSED, id="path of 64 KiB"
    ),
    pytest.param(b"GET /\xff\xfe HTTP/1.1\r\nOPENING\r\n\r\n", REFUSED, id="path not UTF-8"),
    pytest.param(GET + b'User-Agent: \xff\xfe"\\\r\n\r\n', [200], id="header not UTF-8"),
    pytest.param(GET + b"X-\xff: y\r\n\r\n", REFUSED, id="header name not UTF-8"),
    # The inference server refuses it.
    pytest.param(GET + b"X: a\x00b\r\n\r\n", [424], id="NUL in a header"),
    pytest.param(GET + b"X : y\r\n\r\n", REFUSED, id="space before the colon"),
    pytest.param(GET + b"no colon\r\n\r\n", REFUSED, id="header without a colon"),
    pytest.param(
        POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", REFUSED, id="2 lengths"
    ),
    pytest.param(
        POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", [200], id="one length twice"
    ),
    pytest.param(POST + b"Content-Length: -1\r\n\r\n", REFUSED, id="a length below 0"),
    pytest.param(POST + b"Content-Length: 0x2\r\n\r\n{}", REFUSED, id="a length in hex"),
    pytest.param(
        POST + b"Content-Length: 99999999999999999999\r\n\r\n", REFUSED, id="a length of 67 bits"
    ),
    # The length is dropped, as RFC 9112 wants it, and the connection is closed after the answer.
    pytest.param(
        POST
        + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
        + GET
        + b"\r\n",
        [200],
        id="length and chunks",
    ),
    pytest.param(
        POST + b"Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n\r\n{}",
        REFUSED,
        id="an unknown encoding",
    ),
    pytest.param(
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", REFUSED, id="a bad chunk"
    ),
    pytest.param(
        POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}",
        REFUSED,
        id="a huge chunk",
    ),
    pytest.param(b"GET /score\r\n\r\n", REFUSED, id="HTTP/0.9"),
    pytest.param(b"GET /score HTTP/1.0\r\nOPENING\r\n\r\n", [200], id="HTTP/1.0"),
    pytest.param(b"GET /score HTTP/9.9\r\nOPENING\r\n\r\n", [200], id="HTTP/9.9"),
    pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", REFUSED, id="TLS"),
    pytest.param(b"\r\n\r\n" + GET + b"\r\n", [200], id="empty lines before it"),
    pytest.param(b"TRACE /score HTTP/1.1\r\nOPENING\r\n\r\n", [405], id="TRACE"),
    pytest.param(b"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", [405], id="CONNECT"),
    pytest.param((GET + b"\r\n") * 5, [200] * 5, id="pipelining"),
    pytest.param(
        GET + b"\r\nGET /score HTTP/1.1\r\nHost: x\r\n\r\n", [200, 401], id="a second without a key"
    ),
]


@pytest.mark.parametrize(("data", "allowed"), REQUESTS)
def test_an_odd_request_is_answered_once_or_refused(
    client: Client, data: bytes, allowed: list[int]
) -> None:
    before, _ = client.ask()

    answers = client.send(data)

    assert answers == allowed
    after, _ = client.ask()
    assert after - before - 1 == answers.count(200)


def test_odd_requests_leave_an_access_log_that_programs_can_read(client: Client) -> None:
    client.send(GET + b'User-Agent: \xff\x01"\\\t\r\nx-ms-client-request-id: "\\\xff\r\n\r\n')
    client.send(b'GET /"\\x?"\\ HTTP/1.1\r\nOPENING\r\n\r\n')

    log = b"".join(client.localep.engine.logs(client.localep.container("gateway")))
    lines = [line for line in log.splitlines() if line.startswith(b"{")]
    assert lines
    for line in lines:
        assert json.loads(line.decode())["ResponseCode"] >= 200


def test_a_request_of_100_mb_is_served(client: Client) -> None:
    with client.connect() as connection:
        connection.sendall(b"POST /score HTTP/1.1\r\n" + client.opening)
        connection.sendall(b"Content-Length: 100000000\r\nConnection: close\r\n\r\n")
        for _ in range(100):
            connection.sendall(b" " * 1_000_000)
        connection.settimeout(30)
        answer = read(connection)

    assert statuses(answer) == [200]
    assert b'"bytes": 100000000' in answer


@pytest.mark.parametrize("part", [b"POST /sco", POST, POST + b"Content-Length: 9\r\n\r\n12"])
def test_slow_clients_hold_up_nobody(client: Client, part: bytes) -> None:
    sent = part.replace(b"OPENING\r\n", client.opening)
    with ExitStack() as stack:
        slow = [stack.enter_context(client.connect()) for _ in range(50)]
        for connection in slow:
            connection.sendall(sent[:-1])
        times = [client.ask()[1] for _ in range(5)]
        for connection in slow:
            connection.sendall(sent[-1:])
        times += [client.ask()[1] for _ in range(5)]

    assert max(times) < 1


def test_a_slow_client_is_served_in_the_end(client: Client) -> None:
    data = (POST + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}").replace(
        b"OPENING\r\n", client.opening
    )
    with client.connect() as connection:
        for start in range(0, len(data), 10):
            connection.sendall(data[start : start + 10])
            client.ask()
        assert statuses(read(connection)) == [200]


def test_a_client_may_close_its_half_of_the_connection(client: Client) -> None:
    assert client.send(GET + b"\r\n", half_closed=True) == [200]


def test_half_a_request_on_a_half_closed_connection_is_dropped(client: Client) -> None:
    before, _ = client.ask()

    assert client.send(POST + b"Content-Length: 9\r\n\r\n12", half_closed=True) == []
    assert client.ask()[0] == before + 1


def test_a_client_that_goes_away_is_forgotten(client: Client) -> None:
    for _ in range(20):
        with client.connect() as connection:
            connection.sendall((GET + b"\r\n").replace(b"OPENING\r\n", client.opening))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    # Not one of them counts as in flight any more.
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            # More often than there are places, so that none is held any more.
            for _ in range(5):
                client.ask()
            return
        except AssertionError:
            assert time.monotonic() < deadline


def test_a_thousand_idle_connections_hold_up_nobody(client: Client) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, limits[1]), limits[1]))
    try:
        with ExitStack() as stack:
            for _ in range(1000):
                stack.enter_context(client.connect())
            times = [client.ask()[1] for _ in range(10)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert max(times) < 1


def test_all_at_once_disturb_nobody(client: Client) -> None:
    bad = [case.values[0] for case in REQUESTS if case.values[1] != [200]]
    senders = [threading.Thread(target=client.send, args=(data,)) for data in bad[:12]]
    for sender in senders:
        sender.start()
    codes = [client.send(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n") for _ in range(10)]
    for sender in senders:
        sender.join()

    assert codes == [[200]] * 10
