"""The probes of the steady state: readiness takes an instance out and back, liveness restarts."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from support.engine import Localep, copy_sample, write_script
from support.fixtures import own_command_line
from support.gateway_servers import server_of_one
from support.waiting import wait_for

from localep.engine.client import DockerEngine

READINESS = ("--set=readiness_probe.period=1", "--set=readiness_probe.timeout=1")
LIVENESS = tuple(
    f"--set=liveness_probe.{number}=1" for number in ("initial_delay", "period", "timeout")
)

# Answers once its file is there, or computes for ever what nothing interrupts.
SCRIPT = """
import json, os, time

def init():
    pass

def run(raw_data):
    request = json.loads(raw_data)
    if "until" in request:
        while not os.path.exists(request["until"]):
            time.sleep(0.01)
    if "computes" in request:
        sum(range(10**13))
    return "fine"
"""
SLOW = """
import time

def init():
    time.sleep(4.2)

def run(raw_data):
    return "fine"
"""


@pytest.fixture(scope="module")
def endpoint(
    engine: DockerEngine, base_image: str, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Localep]:
    """An endpoint whose readiness is probed often, and whose requests may take long."""
    with own_command_line(engine, tmp_path_factory.mktemp("probes")) as localep:
        hello = copy_sample(samples / "hello", localep.folder)
        write_script(hello, SCRIPT)
        timeout = "--set=request_settings.request_timeout_ms=180000"
        localep("create", "-f", "hello/deployment.yml", *READINESS, timeout)
        yield localep


@contextmanager
def busy(localep: Localep, file: str) -> Iterator[Callable[[], None]]:
    """A request that keeps the one worker busy until what is given is called; it is answered."""
    answers: list[requests.Response] = []
    thread = threading.Thread(target=lambda: answers.append(localep.post({"until": file})))
    thread.start()

    def release() -> None:
        localep.engine.execute(localep.container(), ["touch", file])
        thread.join()

    try:
        yield release
    finally:
        release()
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, "fine")]


def test_a_busy_worker_is_out_only_after_as_many_probes_as_the_yaml_says(endpoint: Localep) -> None:
    with busy(endpoint, "/tmp/first") as release:
        wait_for(lambda: server_of_one(endpoint).probes_failed >= 2)
        release()

    assert server_of_one(endpoint).went_out == 0
    assert endpoint.post().status_code == 200

    endpoint("update", "--set=readiness_probe.failure_threshold=2")
    with busy(endpoint, "/tmp/second") as release:
        wait_for(lambda: server_of_one(endpoint).status.startswith("DOWN"))
        server = server_of_one(endpoint)
        refused = endpoint.post()
        shown = endpoint("show")
        release()

    assert (server.probes_failed, server.went_out) == (2, 1)
    assert refused.status_code == 424
    assert refused.headers["ms-azureml-model-error-reason"] == "model_not_ready"
    assert "instances            0 of 1 ready\n" in shown
    wait_for(lambda: endpoint.ready() == 1)
    assert endpoint.post().status_code == 200


def test_liveness_restarts_a_container_whose_worker_never_ends(endpoint: Localep) -> None:
    endpoint("update", *LIVENESS, "--set=liveness_probe.failure_threshold=2")

    Path(endpoint.folder, "lost.json").write_text('{"computes": true}')
    lost = endpoint.run("invoke", "-r", "lost.json")

    assert lost.status == 7
    assert lost.stderr == (
        "Error: The endpoint answered 424 Failed Dependency.\n"
        "Cause: The liveness probe failed during the request, and the container was started anew "
        "(probe-starved).\n"
        "Remedy: Raise WORKER_COUNT, or the probe's timeout.\n"
    )
    wait_for(lambda: instance_of(endpoint)["restarts"] == 1)
    wait_for(lambda: endpoint.ready() == 1)
    assert endpoint.post().status_code == 200
    assert instance_of(endpoint)["liveness_restarts"] == 1
    assert "restarts             1, 1 of them by the liveness probe\n" in endpoint("show")
    logs = endpoint.run("get-logs")
    assert re.findall(r" E \[\d+\] localep - (.*)", logs.stdout) == [
        "The liveness probe failed 2 times in a row; the container restarts, as in the cloud."
    ]
    assert logs.stderr == (
        "probe-starved, once in this log: The liveness probe failed, and the container was started "
        "anew. Raise WORKER_COUNT, or the probe's timeout.\n"
    )
    assert endpoint.causes() == {
        "probe-starved": "The liveness probe failed, and a container was started anew once."
    }


def instance_of(localep: Localep) -> dict[str, Any]:
    (deployment,) = localep.json("show")["deployments"]
    (instance,) = deployment["instances"]["containers"]
    found: dict[str, Any] = instance
    return found


def test_a_slow_init_is_waited_for_and_the_cloud_would_not(localep: Localep, hello: Path) -> None:
    write_script(hello, SLOW)

    answer = localep.run(
        *("create", "-f", "hello/deployment.yml", "--query", "deployments[0].start"),
        *(*LIVENESS, "--set=liveness_probe.failure_threshold=2"),
    )

    assert answer.status == 0, answer.stderr
    start = json.loads(answer.stdout)
    assert (start["allowed_seconds"], start["probe"]) == (3, "liveness_probe")
    assert start["seconds"] > 4.2
    assert re.search(
        rf"The deployment took {start['seconds']:.1f} s to get ready; in the cloud its "
        r"liveness_probe would have given up after 3 s \(init-too-slow\)\. Raise initial_delay ",
        answer.stderr,
    )
    assert instance_of(localep)["restarts"] == 0
    assert localep.json("show")["deployments"][0]["start"] == start


CUSTOM = """\
name: blue
endpoint_name: own
instance_type: Standard_DS3_v2
environment:
  build: {path: image}
  inference_config:
    liveness_route: {port: 8501, path: /alive}
    readiness_route: {port: 8501, path: /ready}
    scoring_route: {port: 8501, path: /score}
readiness_probe: {period: 1, timeout: 1, failure_threshold: 3, success_threshold: 2}
"""
DOCKERFILE = """\
FROM localep/base:latest
COPY server.py /opt/server.py
ENTRYPOINT ["python3", "/opt/server.py"]
"""
# Does what the last request said: `alive` is the status of /alive, `unready` how many times /ready
# answers 503 from now on. It answers what it has been asked since.
SERVER = """
import json, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

state = {"alive": 200, "unready": 0}
asked = []

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        status = state["alive"]
        if self.path == "/ready":
            status = 503 if state["unready"] > 0 else 200
            state["unready"] -= 1
            asked.append((time.monotonic(), status))
        self.send_response(status)
        self.end_headers()

    def do_POST(self):
        size = int(self.headers["Content-Length"])
        known = json.dumps(asked).encode()
        wanted = json.loads(self.rfile.read(size))
        if wanted:
            state.update(wanted)
            asked.clear()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(known)

    def log_message(self, *_):
        pass

ThreadingHTTPServer(("", 8501), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def own_server(
    engine: DockerEngine, base_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Localep]:
    """The endpoint of a custom container that does as it is told."""
    with own_command_line(engine, tmp_path_factory.mktemp("own")) as localep:
        image = localep.folder / "image"
        image.mkdir()
        (image / "Dockerfile").write_text(DOCKERFILE)
        (image / "server.py").write_text(SERVER)
        (localep.folder / "own.yml").write_text(CUSTOM)
        localep("create", "-f", "own.yml")
        yield localep
        built = localep.json("build", "-f", "own.yml")["image"]
    engine.api.remove_image(built, force=True)


def test_an_instance_goes_out_and_back_by_the_numbers_of_the_yaml(own_server: Localep) -> None:
    own_server.post({"unready": 2})
    wait_for(lambda: [status for _, status in own_server.post().json()][:3] == [503, 503, 200])
    assert (server_of_one(own_server).status, server_of_one(own_server).went_out) == ("UP", 0)

    own_server.post({"unready": 4})
    wait_for(lambda: server_of_one(own_server).went_out == 1)
    wait_for(lambda: own_server.ready() == 1)

    times, answers = zip(*own_server.post().json(), strict=True)
    # Out after three failures, back after two successes.
    assert answers[:6] == (503, 503, 503, 503, 200, 200)
    assert min(times[1] - times[0], times[2] - times[1]) > 0.9
    assert server_of_one(own_server).went_out == 1


def test_what_the_cloud_would_restart_is_shown(own_server: Localep) -> None:
    assert instance_of(own_server)["liveness"] is None
    assert "liveness" not in own_server("show")

    own_server.post({"alive": 500})

    told = (
        "GET /alive at port 8501 answered 500: "
        "the cloud would restart this container where that is so 30 times in a row."
    )
    assert instance_of(own_server)["liveness"] == told
    assert f"liveness             {told}\n" in own_server("show")
    assert instance_of(own_server)["restarts"] == 0
    own_server.post({"alive": 200})
    assert instance_of(own_server)["liveness"] is None
