"""The gateway's access log and `stats`: what a user learns of every request, whatever it holds."""

from __future__ import annotations

import re
import select
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.engine import Localep, copy_sample, write_script
from support.fixtures import own_command_line
from support.waiting import wait_for

from localep.engine.client import DockerEngine

# Fails, or answers in pieces, as it is asked to.
SCRIPT = """
import time
from azureml_inference_server_http.api.aml_request import rawhttp
from azureml_inference_server_http.api.aml_response import AMLResponse

def init():
    print("started")

def pieces(seconds):
    while True:
        yield "piece "
        time.sleep(seconds)

@rawhttp
def run(request):
    asked = request.get_data()
    if asked == b"raise":
        raise ValueError("no")
    if asked == b"pieces":
        return AMLResponse(pieces(0.1), 200)
    return "fine"
"""
TIMEOUT_MS = 1000
NAMES = [
    "TimeGenerated",
    "Method",
    "Path",
    "SubscriptionId",
    "AzureMLWorkspaceId",
    "AzureMLWorkspaceName",
    "EndpointName",
    "DeploymentName",
    "Protocol",
    "ResponseCode",
    "ResponseCodeReason",
    "ModelStatusCode",
    "ModelStatusReason",
    "RequestPayloadSize",
    "ResponsePayloadSize",
    "UserAgent",
    "XRequestId",
    "XMSClientRequestId",
    "TotalDurationMs",
    "RequestDurationMs",
    "ResponseDurationMs",
    "RequestThrottlingDelayMs",
    "ResponseThrottlingDelayMs",
    "QueueDurationMs",
    "Instance",
    "EndedBy",
]


@dataclass
class Client:
    """Sends bytes to an endpoint of two instances; no test changes it."""

    localep: Localep
    address: tuple[str, int]
    key: str
    sent: int = 0

    @contextmanager
    def sending(self, content: bytes) -> Iterator[socket.socket]:
        """Send them over a connection of their own."""
        with socket.create_connection(self.address, timeout=20) as connection:
            connection.sendall(content)
            self.sent += 1
            yield connection

    def send(self, content: bytes) -> None:
        """Send them and wait for the end of all that comes back."""
        with self.sending(content) as connection:
            while connection.recv(65536):
                pass

    def request(self, body: bytes, path: bytes = b"/score", headers: bytes = b"") -> bytes:
        """A request with the key, after which the connection ends."""
        head = b"POST %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" % path
        key = b"Authorization: Bearer %s\r\n" % self.key.encode()
        length = b"Content-Length: %d\r\n\r\n" % len(body)
        return head + key + headers + length + body

    def post(self, body: bytes = b"x", path: bytes = b"/score", headers: bytes = b"") -> None:
        """Send such a request and wait for the answer's end."""
        self.send(self.request(body, path, headers))

    def wait(self) -> None:
        """Wait until the engine has the line of every request."""
        gateway = self.localep.container("gateway")

        def has_all() -> bool:
            written = b"".join(self.localep.engine.logs(gateway))
            return written.count(b'{"TimeGenerated"') >= self.sent

        wait_for(has_all)

    def last(self, count: int) -> list[dict[str, Any]]:
        """The records of the last requests."""
        self.wait()
        found: list[dict[str, Any]] = self.localep.json(
            "get-logs", "--container", "gateway", "--lines", str(count)
        )
        return found

    def record(self) -> dict[str, Any]:
        """The record of the last request."""
        (found,) = self.last(1)
        return found


@pytest.fixture(scope="module")
def client(
    engine: DockerEngine, base_image: str, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    with own_command_line(engine, tmp_path_factory.mktemp("log")) as localep:
        hello = copy_sample(samples / "hello", localep.folder)
        (hello / "model.pkl").write_bytes(b"pickle")
        write_script(hello, SCRIPT)
        localep(
            *("create", "-f", "hello/deployment.yml", "--instances", "2"),
            *("--set", f"request_settings.request_timeout_ms={TIMEOUT_MS}"),
            *("--set", "model.path=model.pkl", "model.name=m", "model.version=3"),
        )
        uri = localep.json("show")["scoring_uri"]
        host, port = uri.removeprefix("http://").removesuffix("/score").split(":")
        key = localep.json("get-credentials")["primaryKey"]
        yield Client(localep, (host, int(port)), key)


def test_a_request_has_the_clouds_columns(client: Client) -> None:
    client.post(headers=b"User-Agent: tests\r\nx-ms-client-request-id: mine\r\n")

    record = client.record()

    assert list(record) == NAMES
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("TimeGenerated"))
    assert re.fullmatch(r"[0-9a-f-]{36}", record.pop("XRequestId"))
    times = [record.pop(name) for name in NAMES if name.endswith("DurationMs")]
    assert all(0 <= time <= TIMEOUT_MS for time in times)
    assert record.pop("RequestPayloadSize") > 100
    assert record.pop("ResponsePayloadSize") > 200
    assert record.pop("Instance") in {1, 2}
    assert record == {
        "Method": "POST",
        "Path": "/score",
        "SubscriptionId": None,
        "AzureMLWorkspaceId": None,
        "AzureMLWorkspaceName": None,
        "EndpointName": "hello",
        "DeploymentName": "blue",
        "Protocol": "HTTP/1.1",
        "ResponseCode": 200,
        "ResponseCodeReason": "OK",
        "ModelStatusCode": 200,
        "ModelStatusReason": None,
        "UserAgent": "tests",
        "XMSClientRequestId": "mine",
        "RequestThrottlingDelayMs": 0,
        "ResponseThrottlingDelayMs": 0,
        "EndedBy": None,
    }


@pytest.mark.parametrize(
    ("content", "agent"),
    [
        (b'a "b" \\c /d %s %d {}', 'a "b" \\c /d %s %d {}'),
        (b"\x01\x1b[31m\x7f\tx", "\x01\x1b[31m\x7f\tx"),
        (b"\xff\xfe\xc3( ok", "( ok"),
        ("ä€😀".encode(), "ä€"),  # what takes more than four digits has no place in HAProxy's JSON
        (b"\x01" * 5000, "\x01" * 70),
        (b"x" * 69 + "ä".encode(), "x" * 69),
    ],
)
def test_a_user_agent_of_any_bytes_is_told(client: Client, content: bytes, agent: str) -> None:
    client.post(headers=b"User-Agent: %s\r\n" % content)

    assert client.record()["UserAgent"] == agent


def test_a_path_of_any_bytes_is_told_and_cut(client: Client) -> None:
    client.post(path=b'/a"b\\c%22?key=secret')
    assert client.record()["Path"] == '/a"b\\c%22'

    client.post(path=b"/" + b'"' * 8000)
    record = client.record()
    assert (record["Path"], record["Protocol"]) == ("/" + '"' * 499, "HTTP/1.1")


def test_what_did_not_go_well_is_told(client: Client) -> None:
    client.post(b"raise")
    client.post(b"pieces")
    client.send(b"GET /score HTTP/1.0\r\n\r\n")
    client.send(b"\x00\x01 garbage\r\n\r\n")
    client.send(b'P"ST /score HTTP/1.1\r\n\r\n')

    said = ("ResponseCode", "ModelStatusCode", "ModelStatusReason", "EndedBy", "Method", "Protocol")
    assert [tuple(record[name] for name in said) for record in client.last(5)] == [
        (424, 500, "model_error", None, "POST", "HTTP/1.1"),
        (200, 200, None, "server", "POST", "HTTP/1.1"),
        (401, None, None, None, "GET", "HTTP/1.0"),
        (400, None, None, None, None, None),
        (400, None, None, None, None, None),
    ]
    lines = client.localep("get-logs", "-c", "gateway", "--lines", "5").splitlines()
    assert [re.sub(r"^\S+ | \d+ ms$", "", line) for line in lines if "Lua" not in line] == [
        "POST /score 424 model_error (500)",
        "POST /score 200 OK broken off by the server",
        "GET /score 401 Unauthorized",
        "- - 400 Bad Request",
        "- - 400 Bad Request",
    ]


def test_no_key_is_in_the_log(client: Client) -> None:
    client.post()
    client.wait()

    gateway = client.localep.container("gateway")
    written = b"".join(client.localep.engine.logs(gateway))
    assert b'"UserAgent"' in written
    assert client.key.encode() not in written


def test_a_followed_log_tells_each_request_as_it_comes(client: Client) -> None:
    process = client.localep.popen("get-logs", "--container", "gateway", "--follow", "--lines", "0")
    assert process.stdout is not None
    line = ""
    while not line:  # a line counts only once the command is there to see it
        client.post()
        if select.select([process.stdout], [], [], 0.2)[0]:
            line = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=10)

    assert re.fullmatch(r"\S+Z POST /score 200 OK \d+ ms\n", line)
    assert (process.returncode, stderr) == (130, "Interrupted.\n")


def test_the_log_of_each_instance_is_given(client: Client) -> None:
    first = client.localep.run("get-logs")
    second = client.localep.run("get-logs", "--instance", "2")

    # Which of the two has a cause to tell depends on who got the request that failed.
    note = "This is instance 1 of 2; --instance shows another."
    assert first.stderr.splitlines().count(note) == 1
    assert note not in second.stderr
    assert "azmlinfsrv.print - started" in first.stdout
    assert "azmlinfsrv.print - started" in second.stdout
    # Each line has its time.
    assert first.stdout != second.stdout
    missing = client.localep.run("get-logs", "--instance", "3")
    assert (missing.status, missing.stderr.splitlines()[0]) == (
        2,
        "Error: Deployment blue has no instance 3.",
    )


def test_what_was_placed_where_is_told(client: Client) -> None:
    found = client.localep.json("get-logs", "--container", "storage-initializer")

    folder = client.localep.folder / "hello"
    assert [(one["kind"], one["source"], one["target"], one["how"]) for one in found[:2]] == [
        (
            "model",
            str(folder / "model.pkl"),
            "/var/azureml-app/azureml-models/m/3/model.pkl",
            "mounted, read-only",
        ),
        ("code", str(folder / "code"), "/var/azureml-app/code", "copied"),
    ]
    environment = found[2]
    image = client.localep.engine.find_image(environment["target"])
    assert image is not None
    assert (environment["kind"], environment["digest"]) == ("environment", image.identity)
    assert len(client.localep("get-logs", "-c", "storage-initializer").splitlines()) == 3


def test_the_figures_are_those_of_the_requests(client: Client) -> None:
    for _ in range(3):
        client.post()
    client.send(b"GET /score HTTP/1.0\r\n\r\n")
    client.wait()

    found = client.localep.json("stats", "--lines", "4")

    assert (found["requests"], found["codes"]) == (4, {"200": 3, "401": 1})
    assert 0 < found["p50_ms"] <= found["p95_ms"] <= found["p99_ms"] <= found["max_ms"] < TIMEOUT_MS
    assert (found["in_flight"], found["queued"], found["limit"]) == (0, 0, 4)
    assert found["total_requests"] >= 4
    assert [(one["instance"], one["state"]) for one in found["instances"]] == [(1, "up"), (2, "up")]
    assert sum(one["requests"] for one in found["instances"]) == 3
    for one in (*found["instances"], found["gateway"]):
        assert one["usage"]["memory_bytes"] > 1_000_000


def test_what_is_under_way_is_counted(client: Client) -> None:
    with client.sending(client.request(b"pieces")) as connection:
        assert b"200 OK" in connection.recv(1000)
        found = client.localep.json("stats")

    assert (found["in_flight"], sum(one["in_flight"] for one in found["instances"])) == (1, 1)


def test_the_engine_keeps_no_endless_log(client: Client) -> None:
    gateway = client.localep.engine.api.inspect_container(client.localep.container("gateway"))

    assert gateway["HostConfig"]["LogConfig"] == {
        "Type": "json-file",
        "Config": {"max-file": "2", "max-size": "10000000"},
    }


def test_a_change_of_settings_loses_no_figure(created: Localep) -> None:
    for _ in range(3):
        created.invoke({"name": "you"})
    before = created.json("stats")
    created("update", "--set", "request_settings.max_queue_wait_ms=900")

    after = created.json("stats")

    assert (before["total_requests"], after["total_requests"]) == (3, 3)
    assert after["gateway"]["requests"] == 0
    assert after["codes"] == {"200": 3}


def test_trouble_of_haproxy_is_told(created: Localep) -> None:
    created.engine.stop_container(created.container(), 1)

    def alerts() -> list[str]:
        lines = created("get-logs", "--container", "gateway").splitlines()
        return [line for line in lines if line.startswith("[ALERT]")]

    wait_for(lambda: alerts() != [])
    assert alerts()[0].endswith("backend 'deployment' has no server available!")
    assert created.post().status_code == 424
    answer = created.run("get-logs", "--container", "gateway", "-o", "tsv")
    assert "has no server available!" in answer.stderr
    assert [line.split("\t")[9] for line in answer.stdout.splitlines()] == ["424"]
    (instance,) = created.json("stats")["instances"]
    assert (instance["state"], instance["usage"]) == ("exited", None)
