"""What no command can be faster than: the interpreter, the engine and the server alone."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from benchmarks.measurement import Measurement
from benchmarks.place import ROOT, clean_up
from benchmarks.processes import BenchmarkFailed
from localep.engine.base import ContainerRequest
from localep.gateway import config
from localep.gateway.state import Operation, new_state
from localep.operations import layout
from localep.operations.snapshot import take_snapshot

if TYPE_CHECKING:
    from benchmarks.place import Place

_HOST = "127.0.0.1"
_CODE = "/var/azureml-app/code"
_TIMEOUT_SECONDS = 60
_PAUSE_SECONDS = 0.005


@dataclass(frozen=True)
class Images:
    """What localep itself runs the sample in."""

    server: str
    gateway: str


@dataclass(frozen=True)
class Floors:
    """The floors of this session, as rows."""

    python: Measurement
    server: Measurement
    in_turn: Measurement

    def rows(self) -> list[Measurement]:
        """All of them, from the lowest."""
        return [self.python, self.server, self.in_turn]


def measure_floors(place: Place) -> Floors:
    """Measure all floors; the first `create` before it is no part of them."""
    images = _images(place)
    python = tuple(place.python("pass").seconds for _ in range(place.runs))
    server = tuple(_server_alone(place, images) for _ in range(place.runs))
    in_turn = tuple(_in_turn(place, images) for _ in range(place.runs))
    return Floors(
        Measurement("floor: python -c pass", python),
        Measurement("floor: container start to the bare server's first answer", server),
        Measurement("floor: network, gateway and server one after the other", in_turn),
    )


def _images(place: Place) -> Images:
    """Create the sample once: what is built or compiled the first time is there then."""
    hello = place.copy_hello("first")
    place.localep("create", "-f", f"{hello}/endpoint.yml", "-f", f"{hello}/deployment.yml")
    found = {
        container.labels["localep.role"]: container.image
        for container in place.engine.list_containers(place.names.labels())
    }
    place.localep("delete", "--yes")
    return Images(found["deployment"], found["gateway"])


def _server_alone(place: Place, images: Images) -> float:
    begun = time.perf_counter()
    _start_server(place, images.server, "bridge")
    seconds = time.perf_counter() - begun
    clean_up(place.engine, place.names)
    return seconds


def _in_turn(place: Place, images: Images) -> float:
    begun = time.perf_counter()
    place.engine.ensure_network(place.names.network, place.names.labels())
    _start_gateway(place, images.gateway)
    _start_server(place, images.server, place.names.network)
    seconds = time.perf_counter() - begun
    clean_up(place.engine, place.names)
    return seconds


def _start_server(place: Place, image: str, network: str) -> None:
    """The server with no more around it than the code and a port."""
    port = _free_port()
    request = ContainerRequest(
        name=f"{place.names.network}-server",
        image=image,
        command=("azmlinfsrv", "--entry_script", "score.py"),
        labels=place.names.labels(),
        network=network,
        environment={"AML_APP_ROOT": _CODE, "GREETING": "Hello"},
        working_dir=_CODE,
        publish={layout.SERVER_PORT: (_HOST, port)},
    )
    snapshot = take_snapshot(ROOT / "samples" / "hello" / "code", _CODE, (0, 0))
    with snapshot.archive as archive:
        _start(place, request, archive.read())
    _wait_for(port, 200)


def _start_gateway(place: Place, image: str) -> None:
    """The gateway as localep configures it; it knows no deployment, and asks for a key."""
    port = _free_port()
    request = ContainerRequest(
        name=f"{place.names.network}-gateway",
        image=image,
        command=config.COMMAND,
        labels=place.names.labels(),
        network=place.names.network,
        aliases=(config.IDLE_HOST,),
        user=config.USER,
        publish={config.PORT: (_HOST, port)},
        scratch=config.SCRATCH,
    )
    state = new_state("key", Operation("create", "Creating"))
    _start(place, request, config.gateway_archive(state))
    _wait_for(port, 401)


def _start(place: Place, request: ContainerRequest, files: bytes) -> None:
    container = place.engine.create_container(request)
    place.engine.copy_in(container, "/", files)
    place.engine.start_container(container)


def _wait_for(port: int, status: int) -> None:
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < deadline:
            try:
                answer = session.get(f"http://{_HOST}:{port}/", timeout=1)
            except requests.RequestException:
                time.sleep(_PAUSE_SECONDS)
                continue
            if answer.status_code == status:
                return
            time.sleep(_PAUSE_SECONDS)
    raise BenchmarkFailed(f"Nothing answered {status} within {_TIMEOUT_SECONDS} s.")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((_HOST, 0))
        return int(listener.getsockname()[1])
