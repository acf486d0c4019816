"""Causes that requests meet, each from a fault that is real: what the commands say of them."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from support.engine import Localep, copy_sample, write_script
from support.fixtures import own_command_line
from support.silence import nobody_answers

from localep.engine.client import DockerEngine

SCRIPT = """\
import json, socket, threading, urllib.request

is_loaded = False

def init(): pass

def run(raw_data):
    global is_loaded
    asked = json.loads(raw_data)
    if not is_loaded:
        threading.Event().wait(0.7)
        is_loaded = True
    threading.Event().wait(asked.get("seconds", 0))
    if "address" in asked:
        urllib.request.urlopen("http://" + asked["address"], timeout=0.2)
    if "port" in asked:
        socket.create_connection((asked["host"], asked["port"]), timeout=0.2)
    return "fine"
"""
FAILED = "Error: The endpoint answered 424 Failed Dependency.\n"
TIMED_OUT = (
    f"{FAILED}Cause: run() took longer than WORKER_TIMEOUT, and the server ended its worker "
    "(worker-timeout).\n"
    "  Traceback (most recent call last):\n"
    '    File "/var/azureml-app/code/score.py", line 13, in run\n'
    '      threading.Event().wait(asked.get("seconds", 0))\n'
)
LOG_NOTES = """\
worker-timeout, once in this log: A request takes longer than the server lets a worker be. Split \
the work.
needs-internet, once in this log: The script asked another machine for something, and no answer \
came. Ship the files with the model or the image.
run-raises, once in this log: run() raised a TimeoutError, and the server does not show where. \
See what run() waits for, such as a host that does not answer; catch the TimeoutError there to \
see more.
"""


@pytest.fixture(scope="module")
def endpoint(
    engine: DockerEngine, base_image: str, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Localep]:
    """An endpoint whose script fails as it is asked to, and whose requests may be too large."""
    with own_command_line(engine, tmp_path_factory.mktemp("happen")) as localep:
        hello = copy_sample(samples / "hello", localep.folder)
        write_script(hello, SCRIPT)
        localep(
            *("create", "-f", "hello/deployment.yml", "--skip-script-validation"),
            *("--set", "request_settings.request_timeout_ms=20000", "--max-payload", "6000000"),
            *("--set", "environment_variables.WORKER_TIMEOUT=2"),
        )
        yield localep


def causes(endpoint: Localep) -> dict[str, str]:
    """The causes that `stats` names, and what shows them; numbers are N."""
    return {name: re.sub(r"\d+ ms", "N ms", shown) for name, shown in endpoint.causes().items()}


def test_a_model_that_is_loaded_with_the_first_request(endpoint: Localep) -> None:
    for _ in range(7):
        assert endpoint.post({}).text == '"fine"'

    assert causes(endpoint) == {
        "slow-first-request": "The first request took N ms, half of the others no more than N ms."
    }


def test_a_request_that_outlasts_the_servers_patience(endpoint: Localep) -> None:
    answer = endpoint.run("invoke", "-r", "-", stdin='{"seconds": 60}')

    assert answer.status == 7
    assert answer.stderr.startswith(TIMED_OUT)
    assert answer.stderr.endswith("  SystemExit: 1\nRemedy: Split the work.\n")


def test_a_request_for_which_another_machine_is_asked(
    endpoint: Localep, engine: DockerEngine
) -> None:
    with nobody_answers(engine) as address:
        body = json.dumps({"address": address})
        answer = endpoint.run("invoke", "-r", "-", stdin=body)
        host, port = address.split(":")
        body = json.dumps({"host": host, "port": int(port)})
        without_traceback = endpoint.run("invoke", "-r", "-", stdin=body)

    assert answer.status == 7
    assert answer.stderr.startswith(
        f"{FAILED}Cause: The script asked another machine for something, and no answer came "
        "(needs-internet). run() failed. urllib.error.URLError: <urlopen error timed out>\n"
    )
    assert answer.stderr.endswith("Remedy: Ship the files with the model or the image.\n")
    assert (without_traceback.status, without_traceback.stderr) == (
        7,
        f"{FAILED}Cause: run() raised a TimeoutError, and the server does not show where "
        "(run-raises). run() failed. azureml_inference_server_http.server.user_script."
        "UserScriptTimeout: Script failed to finish execution within the allocated time: "
        "3600000ms\n"
        "Remedy: See what run() waits for, such as a host that does not answer; catch the "
        "TimeoutError there to see more.\n",
    )


def test_get_logs_names_them(endpoint: Localep) -> None:
    assert endpoint.run("get-logs").stderr == LOG_NOTES


def test_requests_that_the_front_end_does_not_take(endpoint: Localep) -> None:
    answer = endpoint.run("invoke", "-r", "-", stdin=json.dumps("x" * 5_999_999))
    assert (answer.status, answer.stderr) == (
        7,
        "Error: The endpoint answered 413 Request Entity Too Large.\n"
        "Cause: The request has 6000001 bytes; the limit is 6000000 (payload-size).\n"
        "Remedy: Send the address of the data instead of the data.\n",
    )
    uri = endpoint.json("show")["scoring_uri"]
    assert requests.options(uri, timeout=30).status_code == 405
    assert requests.post(uri, timeout=30).status_code == 401
    assert endpoint.post({"text": "x" * 5_500_000}).text == '"fine"'

    found = causes(endpoint)

    assert list(found) == [
        "slow-first-request",
        "run-raises",
        "auth",
        "cors",
        "payload-size",
        "rate-or-bandwidth",
        "worker-timeout",
        "needs-internet",
    ]
    assert found["run-raises"] == (
        "The container answered 500 to 3 requests; `localep get-logs` tells more."
    )
    assert found["worker-timeout"] == (
        "By the logs, once: A request takes longer than the server lets a worker be."
    )
    assert found["needs-internet"] == (
        "By the logs, once: The script asked another machine for something, and no answer came."
    )
    assert found["auth"] == "1 request had no valid key or token."
    assert found["cors"] == "1 OPTIONS request of a browser got no further."
    assert found["payload-size"] == "1 request had more bytes than the endpoint takes."
    assert " MB went through within a second; the cloud " in found["rate-or-bandwidth"]


def test_more_requests_within_a_second_than_the_cloud_takes(endpoint: Localep) -> None:
    uri = urlsplit(endpoint.json("show")["scoring_uri"])
    request = b"GET /score HTTP/1.1\r\nHost: localhost\r\n%b\r\n"
    count = 1100  # of which more than 500 come within one second, wherever that begins
    with socket.create_connection((uri.hostname, uri.port or 80), 30) as client:
        client.sendall(request % b"" * (count - 1) + request % b"Connection: close\r\n")
        answers = b"".join(iter(lambda: client.recv(65536), b""))
    assert answers.count(b"HTTP/1.1 401 ") == count

    told = re.fullmatch(
        r"(\d+) requests came within a second; the cloud takes 500\.",
        causes(endpoint)["rate-or-bandwidth"],
    )

    assert told is not None
    assert 500 < int(told[1]) <= count + 10


def test_a_server_that_is_ready_before_its_model_is(
    discarded: list[str], localep: Localep, samples: Path
) -> None:
    sample = copy_sample(samples / "custom-container", localep.folder)
    server = sample / "image" / "server.py"
    early = (
        "        if next(STILL_LOADING, False):\n"
        '            self.answer(503, {"error": "the model is still loading"})\n'
        "            return\n"
        "        try:\n"
    )
    text = server.read_text().replace("        try:\n", early)
    server.write_text(
        text.replace("\n\nclass ", "\nSTILL_LOADING = iter([True, True])\n\n\nclass ")
    )
    discarded.append(localep.json("build", "-f", "custom-container/deployment.yml")["image"])
    localep("create", "-f", "custom-container/deployment.yml")

    answer = localep.run("invoke", "-r", "-", stdin="{}")

    assert answer.status == 7
    assert re.fullmatch(
        rf"{re.escape(FAILED)}Cause: The container answered 503 \(ready-too-early\)\. It has run "
        r"for \d+ s\.\n"
        r"(?:  .*\n)*"  # the container's last lines, among them those of probes
        r'  \S+ .* "POST /v1/words:count HTTP/1\.1" 503 -\n'
        r"Remedy: Give readiness a route of its own that waits for the model\.\n",
        answer.stderr,
    )
    assert [localep.post({"text": "a"}).status_code for _ in range(2)] == [424, 200]
    assert causes(localep) == {
        "ready-too-early": "2 requests failed before the first one went well."
    }
