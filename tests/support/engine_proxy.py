"""A door to the engine that can be shut: a socket that relays requests, or breaks them off."""

from __future__ import annotations

import re
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from docker.constants import DEFAULT_UNIX_SOCKET

from localep.engine.client import DockerEngine


class Fault(Enum):
    """What happens to a request."""

    DROP = "its connection breaks before the engine hears of it"
    LOSE = "its connection breaks when the engine has answered"
    REFUSE = "it is answered with status 500"
    DIE = "its connection breaks, and nobody listens any more"


@dataclass
class Rule:
    """The ``nth`` request that fits the pattern (``POST /containers/create``) gets the fault.

    ``act`` is called before that.
    """

    pattern: re.Pattern[str]
    fault: Fault | None
    nth: int = 1
    act: Callable[[], object] = bool


@dataclass
class EngineProxy:
    """Relays to the engine; ``requests`` are those that came, without the API's version."""

    upstream: str
    path: Path
    rules: list[Rule] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._sockets: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.open()

    @property
    def address(self) -> str:
        """What DOCKER_HOST shall be."""
        return f"unix://{self.path}"

    def break_at(self, pattern: str, fault: Fault, nth: int = 1) -> None:
        """Have the ``nth`` request from now on that fits the pattern go wrong, once."""
        self.rules.append(Rule(re.compile(pattern), fault, nth))

    def before(self, pattern: str, act: Callable[[], object]) -> None:
        """Have something done before the next request that fits the pattern reaches the engine."""
        self.rules.append(Rule(re.compile(pattern), None, act=act))

    def open(self) -> None:
        """Listen, again after ``shut``, and let whoever comes in."""
        self.path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self.path.chmod(0o666)
        self._listener.listen(50)
        self._start(self._accept, self._listener)

    def shut(self) -> None:
        """Listen no more, and break every connection off."""
        with self._lock:
            listener, self._listener = self._listener, None
            sockets = [*self._sockets, *([listener] if listener else [])]
        for end in sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Shut the door and wait for the last thread."""
        self.shut()
        for thread in self._threads:
            thread.join(10)
        assert not any(thread.is_alive() for thread in self._threads)

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with listener:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as engine, client.makefile("rb") as stream:
            with self._lock:
                self._sockets |= {client, engine}
            try:
                engine.connect(self.upstream)
                answers = _Answers(engine, client)
                self._start(answers.relay)
                with suppress(OSError):
                    while self._relay_request(stream, client, engine, answers):
                        pass
                _hang_up(engine)
                answers.done.wait(10)
                _hang_up(client)
            finally:
                with self._lock:
                    self._sockets -= {client, engine}

    def _relay_request(
        self, stream: BinaryIO, client: socket.socket, engine: socket.socket, answers: _Answers
    ) -> bool:
        """Pass one request on; whether the connection goes on after it."""
        head = _read_head(stream)
        if not head:
            return False
        lines = head.decode("latin-1").split("\r\n")
        method, target = lines[0].split(" ")[:2]
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:])
        }
        request = f"{method} {re.sub(r'^/v[0-9.]+', '', target)}"
        fault = self._fault(request)
        if fault is Fault.DIE:
            self.shut()
        if fault in {Fault.DROP, Fault.DIE}:
            _hang_up(client)
            return False
        if fault is Fault.LOSE:
            answers.are_lost = True
        body = _body(stream, headers)
        if fault is Fault.REFUSE:
            for _ in body:
                pass
            client.sendall(_REFUSAL)
            return True
        engine.sendall(head)
        for part in body:
            engine.sendall(part)
        if "upgrade" in headers:
            while part := stream.read1(65536):  # type: ignore[attr-defined]
                engine.sendall(part)
            return False
        return True

    def _fault(self, request: str) -> Fault | None:
        with self._lock:
            self.requests.append(request)
            for rule in self.rules:
                if rule.pattern.search(request):
                    rule.nth -= 1
                    if rule.nth == 0:
                        rule.act()
                        self.faults.append(request)
                        return rule.fault
        return None


class _Answers:
    """Carries what the engine says to the client, until it is to be lost."""

    def __init__(self, engine: socket.socket, client: socket.socket) -> None:
        self.engine = engine
        self.client = client
        self.are_lost = False
        self.done = threading.Event()

    def relay(self) -> None:
        with suppress(OSError):
            while part := self.engine.recv(65536):
                if self.are_lost:
                    _hang_up(self.client)
                    break
                self.client.sendall(part)
        self.done.set()
        _hang_up(self.client)


_MESSAGE = b'{"message": "the engine stumbled"}\n'
_REFUSAL = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_MESSAGE), _MESSAGE)
)


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


def _read_head(stream: BinaryIO) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return b""
        head += line
    return head


def _body(stream: BinaryIO, headers: dict[str, str]) -> Iterator[bytes]:
    left = int(headers.get("content-length", 0))
    while left:
        part = stream.read(min(left, 65536))
        if not part:
            return
        left -= len(part)
        yield part
    while "chunked" in headers.get("transfer-encoding", ""):
        size = stream.readline()
        yield size
        yield stream.read(int(size, 16) + 2)
        if int(size, 16) == 0:
            return


@contextmanager
def engine_proxy(engine: DockerEngine) -> Iterator[EngineProxy]:
    """A proxy that anybody on this machine may use, until the context ends."""
    url = engine.address.url or DEFAULT_UNIX_SOCKET
    folder = Path(tempfile.mkdtemp(prefix="engine-"))  # a socket's path has to be short
    folder.chmod(0o755)
    proxy = EngineProxy(url.partition("://")[2], folder / "docker.sock")
    try:
        yield proxy
    finally:
        proxy.close()
        shutil.rmtree(folder)
