"""A deployment whose YAML says that it may not reach out of its network."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.bridge import host_address
from support.engine import Localep, write_script
from support.load import Load

DISABLED = "--set=egress_public_network_access=disabled"
ENABLED = "--set=egress_public_network_access=enabled"
NONE = "egress               none: the script cannot reach out of its network\n"
# Says whether it could reach what it is asked for.
SCRIPT = """
import json, socket

def init():
    pass

def run(raw_data):
    request = json.loads(raw_data)
    try:
        if "name" in request:
            socket.getaddrinfo(request["name"], 443)
        if "address" in request:
            socket.create_connection(request["address"], 1).close()
    except OSError as error:
        return type(error).__name__
    return "fine"
"""


@contextmanager
def listener(localep: Localep) -> Iterator[tuple[str, int]]:
    """The address of a server that containers reach as they reach this machine."""
    host = host_address(localep.engine)
    with socket.create_server((host, 0)) as server:
        yield host, server.getsockname()[1]


def test_the_script_cannot_reach_out_and_the_endpoint_answers(
    localep: Localep, hello: Path
) -> None:
    write_script(hello, SCRIPT)
    more = "--set=request_settings.max_concurrent_requests_per_instance=4"
    wait = "--set=request_settings.max_queue_wait_ms=20000"
    answer = localep.run("create", "-f", "hello/deployment.yml", DISABLED, more, wait)
    assert answer.status == 0, answer.stderr
    assert "Only the cloud acts on" not in answer.stderr
    assert NONE in localep("show")
    # It finds its two networks, and its container in one of them.
    localep.engine.api.restart(localep.container("gateway"), timeout=1)

    with listener(localep) as address, Load(localep, lambda _: {}, connections=4) as load:
        assert load.ask({"address": address}) in {"OSError", "TimeoutError"}
        assert load.ask({"name": "localep.invalid"}) == "gaierror"

        localep("update", ENABLED)
        assert load.ask({"address": address}) == "fine"
        assert NONE not in localep("show")

        localep("update", DISABLED)
        assert load.ask({"address": address}) in {"OSError", "TimeoutError"}

    assert load.failed == []
    assert {json.loads(outcome.text) for outcome in load.outcomes} == {"fine"}
