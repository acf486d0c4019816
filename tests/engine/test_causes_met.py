"""Causes that show when requests come: `invoke`, `stats` and `get-logs` name them by their id."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from support.engine import Localep, copy_sample, write_script
from support.fixtures import own_command_line
from support.waiting import wait_for

from localep.engine.client import DockerEngine

SCRIPT = """\
import json, logging, os, threading
from datetime import date
from azureml_inference_server_http.api.aml_response import AMLResponse

kept = []

def init():
    logging.info("loaded")

def run(raw_data):
    asked = json.loads(raw_data)
    threading.Event().wait(asked.get("seconds", 0))
    if "keep" in asked:
        kept.append(os.urandom(asked["keep"]))
    if "raise" in asked:
        print("raising")
        raise ValueError(asked["raise"])
    if "status" in asked:
        return AMLResponse("as asked", asked["status"])
    if "exit" in asked:
        print("leaving")
        os._exit(asked["exit"])
    return date(2026, 11, 21) if "day" in asked else "fine"
"""
HEADER = "Error: The endpoint answered 424 Failed Dependency.\n"
TIME = "The deployment took longer than request_timeout_ms."
# What is asked, and all that `invoke` says of it.
FAILURES = [
    pytest.param(
        {"raise": "no"},
        HEADER + "Cause: run() failed (run-raises). ValueError: no\n"
        "  Traceback (most recent call last):\n"
        '    File "/var/azureml-app/code/score.py", line 17, in run\n'
        '      raise ValueError(asked["raise"])\n'
        "  ValueError: no\n"
        "Remedy: Correct what the traceback names.\n",
        id="an error",
    ),
    pytest.param(
        {"day": 1},
        HEADER + "Cause: run() returned date, which is not JSON (not-serialisable). "
        "TypeError: Object of type date is not JSON serializable\n"
        "Remedy: Convert it, for instance with `.tolist()`.\n",
        id="no JSON",
    ),
    pytest.param(
        {"status": 404},
        HEADER + "Cause: run() answered 404 itself (status-hidden).\n"
        "Remedy: Tell errors in the body of a 200, or read the status from the headers.\n",
        id="a status",
    ),
    pytest.param(
        {"exit": 5},
        HEADER + "Cause: The worker that had the request ended with exit code 5 (native-crash).\n"
        "  It had printed:\n"
        "    leaving\n"
        "Remedy: Look for os._exit in the script and in what it imports.\n",
        id="a crash",
    ),
    pytest.param(
        {"seconds": 1.4},
        "Error: The endpoint answered 408 Request Time-out.\n"
        "Cause: run() took longer than request_timeout_ms, which is 1000 (run-too-slow).\n"
        "Remedy: Raise request_timeout_ms (180000 at most), or make run() faster.\n",
        id="too slow",
    ),
]
LOG_NOTES = """\
native-crash, once in this log: A worker ended with exit code 5. Look for os._exit in the script \
and in what it imports.
run-raises, once in this log: run() raises an error. Correct what the traceback names.
not-serialisable, once in this log: run() returned date, which is not JSON. Convert it, for \
instance with `.tolist()`.
logs-dropped: line 8 of score.py logs what the server does not show. Add a logging.json to the \
folder of the script, or use `print`.
"""


@pytest.fixture(scope="module")
def endpoint(
    engine: DockerEngine, base_image: str, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Localep]:
    """An endpoint whose script fails as it is asked to."""
    with own_command_line(engine, tmp_path_factory.mktemp("causes")) as localep:
        hello = copy_sample(samples / "hello", localep.folder)
        write_script(hello, SCRIPT)
        localep(
            *("create", "-f", "hello/deployment.yml", "--skip-script-validation"),
            *("--set", "request_settings.request_timeout_ms=1000"),
        )
        yield localep


Post = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def post(endpoint: Localep) -> Post:
    """Sends JSON as a client would; the key and the address are looked up once."""
    uri = endpoint.json("show")["scoring_uri"]
    key = endpoint.json("get-credentials")["primaryKey"]

    def send(body: object, seconds: float = 30) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return requests.post(uri, json=body, headers=headers, timeout=seconds)

    return send


def wait_until_free(post: Post) -> None:
    """Wait until the one worker is there and has nothing to do."""
    wait_for(lambda: post({}).status_code == 200, 10)


@pytest.mark.parametrize(("body", "told"), FAILURES)
def test_invoke_names_the_cause_of_a_request(
    endpoint: Localep, post: Post, body: dict[str, Any], told: str
) -> None:
    answer = endpoint.run("invoke", "-r", "-", stdin=json.dumps(body))

    assert (answer.status, answer.stderr) == (7, told)
    wait_until_free(post)


def test_get_logs_names_the_causes_that_the_log_tells(endpoint: Localep) -> None:
    assert endpoint.run("get-logs").stderr == LOG_NOTES


def test_stats_names_the_causes_that_the_requests_show(endpoint: Localep, post: Post) -> None:
    with ThreadPoolExecutor(5) as beside:
        answers = beside.map(post, [{"seconds": 0.4}] * 5)
        assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429]

    found = endpoint.causes()

    assert list(found) == [
        "native-crash",
        "run-too-slow",
        "too-many-pending",
        "run-raises",
        "status-hidden",
        "not-serialisable",
    ]
    assert found["native-crash"] == "1 request ended with the process that had taken it."
    assert found["run-too-slow"] == "1 request took longer than 1000 ms."
    assert "came when 2 were in flight" in found["too-many-pending"]
    assert found["run-raises"] == (
        "The container answered 500 to 2 requests; `localep get-logs` tells more."
    )
    assert found["not-serialisable"] == (
        "By the logs, once: run() returned date, which is not JSON."
    )


def test_memory_that_grows_with_the_requests_is_named(endpoint: Localep, post: Post) -> None:
    for _ in range(2):
        assert "memory-growth" not in endpoint.causes()
        for _ in range(60):
            post({"keep": 200_000})

    assert endpoint.causes()["memory-growth"].startswith("Instance 1 took ")


def test_a_client_that_leaves_and_a_probe_that_waits_are_named(
    endpoint: Localep, post: Post
) -> None:
    probe = "deployment.readiness_probe"
    endpoint(
        *("update", "--set", "deployment.request_settings.request_timeout_ms=9000"),
        *("--set", f"{probe}.period=1", "--set", f"{probe}.timeout=1"),
        *("--set", f"{probe}.failure_threshold=1"),
    )

    with pytest.raises(requests.ReadTimeout):
        post({"seconds": 4}, seconds=0.1)

    assert endpoint.causes()["stale-requests"] == (
        "1 client left whose requests are still under way."
    )
    wait_until_free(post)
    found = endpoint.causes()
    assert "stale-requests" not in found
    assert found["probe-starved"] == (
        "An instance was taken out once, as its probes were not answered."
    )


def test_a_file_that_is_not_where_the_script_looks_is_told_with_those_that_are(
    localep: Localep, hello: Path
) -> None:
    model = hello / "model"
    model.mkdir()
    (model / "reg.pkl").write_bytes(b"")
    write_script(
        hello,
        "import os\n"
        "def init():\n"
        "    open(os.path.join(os.environ['AZUREML_MODEL_DIR'], 'reg.pkl'))\n"
        "def run(raw_data): pass\n",
    )

    answer = localep.run(
        *("create", "-f", "hello/deployment.yml", "-o", "json"),
        *("--set", "model.name=reg", "--set", "model.version=1", "--set", "model.path=model"),
    )

    error = json.loads(answer.stderr.splitlines()[-1])["error"]
    assert (answer.status, error["code"]) == (6, "model-file-missing")
    assert error["details"][-4:] == [
        "The server ended with exit code 3.",
        "In AZUREML_MODEL_DIR (/var/azureml-app/azureml-models/reg/1):",
        "  model/",
        "    reg.pkl",
    ]
    assert error["remedy"] == (
        'Nearest to it is os.path.join(os.environ["AZUREML_MODEL_DIR"], "model", "reg.pkl").'
    )
