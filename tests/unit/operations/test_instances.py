"""The instances of a deployment, as `show` tells of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from localep.engine.base import Container
from localep.errors import EngineError
from localep.gateway.state import Backend, GatewayState, Operation, Readiness
from localep.operations.endpoints import Endpoint
from localep.operations.instances import InstancesView, InstanceView, view_instances
from localep.operations.workplace import Workplace
from localep.resources import read_resource

ALIASES = ("localep-r1", "localep-r1-2")
BACKEND = Backend("blue", "r1", ALIASES, "a", 5001, "/score", 5000, 1, 500, Readiness())
STATE = GatewayState(
    auth_mode="key",
    primary_key="",
    secondary_key="",
    probe_token="",
    operation=Operation("create", "Succeeded", "blue"),
    backend=BACKEND,
)
STATE_FILE = "/tmp/.localep-liveness"
CUSTOM = {
    "liveness_route": {"port": 8501, "path": "/alive"},
    "liveness_probe": {"failure_threshold": 3},
}


def test_the_program_in_the_container_writes_where_show_looks() -> None:
    assert f'STATE_FILE = Path("{STATE_FILE}")' in read_resource("templates/liveness.py")


@contextmanager
def gateway(answer: str) -> Iterator[str]:
    """What answers in the place of a gateway: ``host:port``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told = answer if self.headers["x-localep-ready"] else "Healthy"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(told.encode())

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def containers(engine: Any) -> tuple[Container, ...]:
    """Two instances, the second of which was started again."""
    labels = {"localep.revision": "r1", "localep.spec": json.dumps({"liveness_route": None})}
    found = tuple(
        Container(
            f"id-{number}",
            f"blue-{number}",
            "img",
            "running",
            {**labels, "localep.instance": str(number)},
            restart_count=number - 1,
        )
        for number in (1, 2)
    )
    engine.containers = {container.identity: container for container in found}
    engine.files = {container.identity: {} for container in found}
    return found


def endpoint_at(address: str, containers: tuple[Container, ...]) -> Endpoint[GatewayState]:
    labels = {"localep.address": address}
    front = Container("id-gateway", "hello-gateway", "img", "running", labels)
    return Endpoint("hello", front, STATE, containers)


def custom(containers: tuple[Container, ...]) -> tuple[Container, ...]:
    """The same as containers that nobody but `show` asks whether they live."""
    spec = {"localep.spec": json.dumps(CUSTOM)}
    return tuple(
        replace(container, labels={**container.labels, **spec}) for container in containers
    )


def test_the_gateway_tells_how_many_are_ready(
    place: Workplace, containers: tuple[Container, ...]
) -> None:
    with gateway("1") as address:
        view = view_instances(place, endpoint_at(address, containers))

    assert view == InstancesView(
        wanted=2,
        ready=1,
        containers=[
            InstanceView("blue-1", "running", restarts=0, liveness_restarts=0),
            InstanceView("blue-2", "running", restarts=1, liveness_restarts=0),
        ],
    )


@pytest.mark.parametrize("answer", ["Healthy", ""])
def test_a_gateway_that_does_not_know_tells_nothing(
    place: Workplace, containers: tuple[Container, ...], answer: str
) -> None:
    with gateway(answer) as address:
        assert view_instances(place, endpoint_at(address, containers)).ready is None

    assert view_instances(place, endpoint_at(address, containers)).ready is None


@pytest.mark.parametrize(
    ("content", "known"),
    [(b"123 1\n", 1), (b"123 9\n", 2), (b"123 x\n", 0), (b"", 0), (None, 0)],
)
def test_restarts_by_the_probe_are_known_from_its_memory(
    place: Workplace,
    engine: Any,
    containers: tuple[Container, ...],
    content: bytes | None,
    known: int,
) -> None:
    again = replace(containers[0], restart_count=2)
    engine.containers["id-1"] = again
    if content is not None:
        engine.files["id-1"][STATE_FILE] = content

    (view, _) = view_instances(place, endpoint_at("127.0.0.1:9", containers)).containers

    assert (view.restarts, view.liveness_restarts) == (2, known)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("200", None),
        ("503", "answered 503"),
        ("refused", "found nobody who listens there"),
        ("silent", "did not answer within 1 s"),
        ("broken", "gave no answer of HTTP"),
    ],
)
def test_a_custom_container_is_asked_by_its_gateway(
    place: Workplace,
    containers: tuple[Container, ...],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    told: str | None,
) -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []

    def execute(identity: str, command: Any) -> tuple[int, str]:
        asked.append((identity, tuple(command[5:])))
        return 0, f"200\n{answer}\n"

    monkeypatch.setattr(place.engine, "execute", execute)

    view = view_instances(place, endpoint_at("127.0.0.1:9", custom(containers)))

    assert asked == [("id-gateway", ("ask", "1", "8501", "/alive", *ALIASES))]
    wrong = told and (
        f"GET /alive at port 8501 {told}: "
        "the cloud would restart this container where that is so 3 times in a row."
    )
    assert [instance.liveness for instance in view.containers] == [None, wrong]


def test_an_instance_that_does_not_run_is_not_asked(
    place: Workplace, containers: tuple[Container, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = custom(containers)
    gone = replace(first, status="exited")
    monkeypatch.setattr(place.engine, "execute", lambda _, command: (0, f"{command[-1]}\n"))

    view = view_instances(place, endpoint_at("127.0.0.1:9", (gone, second)))

    assert [instance.liveness is None for instance in view.containers] == [True, False]


@pytest.mark.parametrize("answer", [(1, ""), (0, "200\n"), None])
def test_without_an_answer_of_the_gateways_nothing_is_claimed(
    place: Workplace,
    containers: tuple[Container, ...],
    monkeypatch: pytest.MonkeyPatch,
    answer: tuple[int, str] | None,
) -> None:
    def execute(*_: object) -> tuple[int, str]:
        if answer is None:
            raise EngineError("It is not running.")
        return answer

    monkeypatch.setattr(place.engine, "execute", execute)

    view = view_instances(place, endpoint_at("127.0.0.1:9", custom(containers)))

    assert [instance.liveness for instance in view.containers] == [None, None]
