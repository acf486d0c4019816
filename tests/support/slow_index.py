"""A package index that keeps whoever asks it waiting, so that a build stands in its last step."""

from __future__ import annotations

import http.server
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_SECONDS = 30.0


@dataclass
class SlowIndex:
    """Answers nothing until it is let go, then that it has no such package.

    ``asked`` is set once somebody asks, ``given_up`` once all who asked have gone without an
    answer, as a program does that is ended.
    """

    address: str = ""
    asked: threading.Event = field(default_factory=threading.Event)
    given_up: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def wait_until_asked(self) -> None:
        assert self.asked.wait(_SECONDS), "nobody asked the index"

    def wait_until_given_up(self) -> None:
        assert self.given_up.wait(_SECONDS), "somebody still waits for the index"


@contextmanager
def slow_index(host: str) -> Iterator[SlowIndex]:
    """Serve until the context ends."""
    index = SlowIndex()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked.set()
            deadline = time.monotonic() + _SECONDS
            while not index.let_go.wait(0.02) and time.monotonic() < deadline:
                # What a client sends that waits for an answer is its end.
                if select.select([self.connection], [], [], 0)[0]:
                    index.given_up.set()
                    self.close_connection = True
                    return
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = False
    index.address = f"http://{host}:{server.server_port}/simple"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield index
    finally:
        index.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()
