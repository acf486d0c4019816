"""The gateway's share of a request, beside the same server without it, in the same minute."""

from __future__ import annotations

import json
import socket
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING

from benchmarks.measurement import MILLISECONDS, PERCENT, Measurement
from benchmarks.processes import BenchmarkFailed
from localep.gateway import config
from localep.operations.layout import SERVER_PORT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.floors import Floors
    from benchmarks.place import Place

_BOUND_OF_THE_SHARE = 0.3
_BOUND_OF_THE_LOSS = 5.0
_REQUESTS = 400
_WORKERS = 2
_SECONDS = 0.5
_SLICES = 9
_TIMEOUT_SECONDS = 10
# As many milliseconds as the request says, in which the worker is busy and the processor is not.
_SCRIPT = """\
import json
import time

def init():
    pass

def run(raw_data):
    time.sleep(json.loads(raw_data)["ms"] / 1000)
    return "fine"
"""
# As many clients as the gateway lets in: those that are served, and as many that wait. With fewer
# the server would wait for them, and the rate would tell of a request's time once more.
_CLIENTS = 2 * _WORKERS
# With no time in run(), the server, the gateway and the clients divide the processors among them.
_MILLISECONDS = (30, 10, 0)
_BOUNDED_MS = (30, 10)


@dataclass(frozen=True)
class Way:
    """An address that leads to the server, and the key that it asks for."""

    address: tuple[str, int]
    key: str

    def request(self, milliseconds: int) -> bytes:
        """A request that keeps a worker busy for so long."""
        body = json.dumps({"ms": milliseconds})
        head = f"POST /score HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.key}\r\n"
        return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    def connect(self) -> socket.socket:
        """A new connection."""
        connection = socket.create_connection(self.address, timeout=_TIMEOUT_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def measure_front_end(place: Place, _: Floors) -> list[Measurement]:
    """What the gateway adds to a request, and what it takes of the throughput.

    The inference server closes every connection: a client connects anew for each request, with
    the gateway and without it.
    """
    hello = place.copy_hello("front-end")
    (hello / "code" / "score.py").write_text(_SCRIPT, encoding="utf-8")
    place.localep(
        *("create", "-f", f"{hello}/endpoint.yml", "-f", f"{hello}/deployment.yml"),
        *("--set", f"environment_variables.WORKER_COUNT={_WORKERS}"),
        *("--set", f"request_settings.max_concurrent_requests_per_instance={_WORKERS}"),
    )
    server, gateway, port = _ways(place)
    rows = [*_shares(place.runs, server, gateway, port), *_losses(place.runs, server, gateway)]
    place.localep("delete", "--yes")
    return rows


def ask(connection: socket.socket, request: bytes) -> None:
    """Send a request and wait for its answer, which ends with the script's word.

    Raises BenchmarkFailed for any other.
    """
    connection.sendall(request)
    answer = b""
    while not answer.endswith(b'"fine"'):
        part = connection.recv(65536)
        if not part:
            break
        answer += part
    if not answer.startswith(b"HTTP/1.1 200"):
        raise BenchmarkFailed(f"The endpoint answered {answer[:200]!r}")


def lost_percent(plain: float, less: float) -> float:
    """How much smaller one rate is than another."""
    return 100 * (plain - less) / plain


def _ways(place: Place) -> tuple[Way, Way, Way]:
    """To the server itself, to the gateway on the same network, and by the published port."""
    found = {
        container.labels["localep.role"]: container
        for container in place.engine.list_containers(place.names.labels())
    }
    key = json.loads(place.localep("get-credentials", "-o", "json").output)["primaryKey"]
    network = place.names.network
    host, _, port = found["gateway"].labels["localep.address"].rpartition(":")
    return (
        Way((found["deployment"].addresses[network], SERVER_PORT), key),
        Way((found["gateway"].addresses[network], config.PORT), key),
        Way((host, int(port)), key),
    )


def _shares(runs: int, server: Way, gateway: Way, port: Way) -> list[Measurement]:
    rounds = [_latencies(server, gateway, port) for _ in range(runs)]

    def row(name: str, of: Callable[[Sequence[float]], float], way: str, base: str) -> Measurement:
        shares = tuple(of(times[way]) - of(times[base]) for times in rounds)
        bound = _BOUND_OF_THE_SHARE if of is median and way in {"gateway", "kept"} else None
        return Measurement(name, shares, bound, unit=MILLISECONDS)

    plain = tuple(median(times["server"]) for times in rounds)
    return [
        Measurement("request to the bare server, p50", plain, unit=MILLISECONDS),
        row("  the gateway's share, p50", median, "gateway", "server"),
        row("  the gateway's share, p99", _p99, "gateway", "server"),
        row("  over a kept connection, p50", median, "kept", "server"),
        row("  what the engine's published port adds, p50", median, "port", "gateway"),
    ]


def _latencies(server: Way, gateway: Way, port: Way) -> Mapping[str, list[float]]:
    """Milliseconds by way; one request each in turn, so that all meet the same load."""
    times: dict[str, list[float]] = defaultdict(list)
    with closing(gateway.connect()) as kept:
        for _ in range(_REQUESTS):
            times["server"].append(_connect_and_ask(server))
            times["gateway"].append(_connect_and_ask(gateway))
            times["kept"].append(_timed(lambda: ask(kept, gateway.request(0))))
            times["port"].append(_connect_and_ask(port))
    return times


def _losses(runs: int, server: Way, gateway: Way) -> list[Measurement]:
    def row(milliseconds: int) -> Measurement:
        losses = tuple(_loss(server, gateway, milliseconds) for _ in range(runs))
        bound = _BOUND_OF_THE_LOSS if milliseconds in _BOUNDED_MS else None
        return Measurement(
            f"throughput lost, run() of {milliseconds} ms", losses, bound, unit=PERCENT
        )

    return [row(milliseconds) for milliseconds in _MILLISECONDS]


def _loss(server: Way, gateway: Way, milliseconds: int) -> float:
    """In short slices in turn, so that both meet the same load."""
    return median(
        lost_percent(_rate(server, milliseconds), _rate(gateway, milliseconds))
        for _ in range(_SLICES)
    )


def _rate(way: Way, milliseconds: int) -> float:
    """Requests a second, each over a connection of its own, of clients that wait for nothing."""
    end = time.perf_counter() + _SECONDS

    def ask_on() -> int:
        count = 0
        while time.perf_counter() < end:
            _connect_and_ask(way, milliseconds)
            count += 1
        return count

    begun = time.perf_counter()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        counts = [future.result() for future in [pool.submit(ask_on) for _ in range(_CLIENTS)]]
    return sum(counts) / (time.perf_counter() - begun)


def _connect_and_ask(way: Way, milliseconds: int = 0) -> float:
    def run() -> None:
        with closing(way.connect()) as connection:
            ask(connection, way.request(milliseconds))

    return _timed(run)


def _timed(action: Callable[[], None]) -> float:
    begun = time.perf_counter()
    action()
    return (time.perf_counter() - begun) * 1000


def _p99(times: Sequence[float]) -> float:
    return quantiles(times, n=100)[98]
