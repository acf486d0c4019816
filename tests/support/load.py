"""A steady load on an endpoint, over connections that last."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from support.engine import Localep
from support.waiting import wait_for


@dataclass(frozen=True)
class Outcome:
    """What became of a request; ``status`` is 0 where there was no answer, as ``text`` tells."""

    status: int
    text: str
    headers: Mapping[str, str]


class Load:
    """Sends so many requests a second while a block runs, each thread over a connection of its own.

    ``body`` gives the body of the n-th request, counted from 1. Where answers are slow, requests
    come later than they should, and no more come at once than there are connections.
    """

    def __init__(
        self,
        localep: Localep,
        body: Callable[[int], object],
        *,
        rate: float = 50,
        connections: int = 10,
    ) -> None:
        uri = urlsplit(localep.json("show")["scoring_uri"])
        self.host, self.port, self.path = uri.hostname or "", uri.port, uri.path
        key = localep.json("get-credentials")["primaryKey"]
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.body, self.pause = body, connections / rate
        self.outcomes: list[Outcome] = []
        self._sent = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(number / rate,))
            for number in range(connections)
        ]

    @property
    def failed(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status != 200]

    def more(self, count: int) -> None:
        """Wait until so many more requests were answered."""
        wanted = len(self.outcomes) + count
        wait_for(lambda: len(self.outcomes) >= wanted)

    def ask(self, body: object) -> object:
        """What is answered to one more request, which must go well and does not count."""
        with closing(http.client.HTTPConnection(self.host, self.port, timeout=60)) as connection:
            outcome = self._ask(connection, body)
        assert outcome.status == 200, outcome
        return json.loads(outcome.text)

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        self.more(1)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send(self, delay: float) -> None:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        due = time.monotonic() + delay
        while not self._stop.wait(due - time.monotonic()):
            due = max(due + self.pause, time.monotonic())
            try:
                self.outcomes.append(self._ask(connection, self._next_body()))
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self.outcomes.append(Outcome(0, repr(error), {}))
        connection.close()

    def _next_body(self) -> object:
        with self._lock:
            self._sent += 1
            return self.body(self._sent)

    def _ask(self, connection: http.client.HTTPConnection, body: object) -> Outcome:
        connection.request("POST", self.path, json.dumps(body), self.headers)
        answer = connection.getresponse()
        return Outcome(answer.status, answer.read().decode(), dict(answer.getheaders()))
