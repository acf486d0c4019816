"""Several instances behind one endpoint: they share the requests, and one may die."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.engine import Localep, copy_sample, write_script
from support.fixtures import own_command_line
from support.gateway_servers import server_of
from support.load import Load
from support.waiting import wait_for

from localep.engine.client import DockerEngine

# Tells which instance it is. One that is started again gets ready once it is told to.
SCRIPT = """
import os, socket, threading

def init():
    if os.path.exists("/tmp/started"):
        while not os.path.exists("/tmp/go"):
            threading.Event().wait(0.01)
    open("/tmp/started", "w").close()

def run(raw_data):
    threading.Event().wait(0.05)
    return socket.gethostname()
"""


@pytest.fixture(scope="module")
def endpoint(
    engine: DockerEngine, base_image: str, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Localep]:
    """An endpoint with three instances, as its YAML says; nobody waits too long for a worker."""
    with own_command_line(engine, tmp_path_factory.mktemp("instances")) as localep:
        hello = copy_sample(samples / "hello", localep.folder)
        write_script(hello, SCRIPT)
        localep(
            *("create", "-f", "hello/deployment.yml", "--instances", "yaml"),
            *("--set", "instance_count=3"),
            *("--set", "request_settings.max_queue_wait_ms=20000"),
            *("--set", "request_settings.request_timeout_ms=20000"),
            *("--set", "readiness_probe.timeout=60"),
        )
        yield localep


def hosts(localep: Localep) -> list[str]:
    """The names that the instances' containers have for themselves, the first instance first."""
    found = localep.engine.list_containers(localep.names.labels(role="deployment"))
    found.sort(key=lambda container: container.labels["localep.instance"])
    return [container.identity[:12] for container in found]


def test_the_instances_are_shown(endpoint: Localep) -> None:
    (deployment,) = endpoint.json("show")["deployments"]

    instances = deployment["instances"]
    containers = instances.pop("containers")
    assert instances == {"wanted": 3, "ready": 3}
    assert [(found["status"], found["restarts"]) for found in containers] == [("running", 0)] * 3
    assert len({found["name"] for found in containers}) == 3
    assert "instances            3 of 3 ready\n" in endpoint("show")


def test_requests_are_spread_over_the_instances(endpoint: Localep) -> None:
    with Load(endpoint, lambda _: {}, connections=3) as load:
        load.more(60)

    assert load.failed == []
    answered = Counter(json.loads(outcome.text) for outcome in load.outcomes)
    assert sorted(answered) == sorted(hosts(endpoint))
    # Who is asked next is whoever has the fewest requests.
    assert min(answered.values()) >= len(load.outcomes) / 6


def test_an_instance_that_is_killed_costs_no_request_but_that_in_flight(endpoint: Localep) -> None:
    first, killed, third = hosts(endpoint)
    with Load(endpoint, lambda _: {}, connections=4) as load:
        load.more(40)
        endpoint.engine.api.kill(killed)
        load.more(100)

    # It answers one request at a time.
    assert len(load.failed) <= 1
    last = {json.loads(outcome.text) for outcome in load.outcomes[-20:]}
    assert last == {first, third}
    (deployment,) = endpoint.json("show")["deployments"]
    assert (deployment["provisioning_state"], deployment["status"], deployment["error"]) == (
        "Succeeded",
        "exited",
        "Instance 2: It ended with exit code 137.",
    )
    assert endpoint.ready() == 2

    # Its name has an address again at once; its server is not ready for long.
    wait_for(lambda: server_of(endpoint, 2).status.startswith("MAINT"))
    endpoint.engine.start_container(killed)
    wait_for(lambda: server_of(endpoint, 2).status.startswith("DOWN"))
    assert {str(load.ask({})) for _ in range(20)} == {first, third}
    assert endpoint.ready() == 2

    endpoint.engine.execute(killed, ["touch", "/tmp/go"])
    wait_for(lambda: endpoint.ready() == 3)
    with Load(endpoint, lambda _: {}, connections=3) as load:
        load.more(60)
    assert load.failed == []
    assert killed in {json.loads(outcome.text) for outcome in load.outcomes}
