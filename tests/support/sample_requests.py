"""Requests to samples as data, and the inference server's answers in a form that compares."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

_SECONDS = 30.0
_JSON = "application/json"
_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# What differs from answer to answer, and its shape.
_SHAPES = {
    "x-request-id": ("<uuid>", _UUID),
    "x-ms-request-id": ("<uuid>", _UUID),
    "x-ms-run-fn-exec-ms": ("<ms>", r"\d+\.\d{3}"),
}
# What belongs to a connection or to the front end, and is not the inference server's.
_NOT_THE_SERVERS = ("connection", "date", "transfer-encoding")
_OF_THE_GATEWAY = "ms-azureml-"
_CONTAINER_STATUS = "ms-azureml-model-error-statuscode"


@dataclass(frozen=True)
class Request:
    """A request that can be sent to an endpoint and to `localep serve` alike."""

    method: str
    path: str = "/score"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def get(path: str = "/score", **headers: str) -> Request:
    """A GET; underscores in the names of headers stand for dashes."""
    return Request("GET", path, headers=_headers(headers))


def post(body: bytes, content_type: str = _JSON, path: str = "/score", **headers: str) -> Request:
    """A POST of bytes; underscores in the names of headers stand for dashes."""
    return Request("POST", path, body, {"content-type": content_type, **_headers(headers)})


def post_json(data: object, **headers: str) -> Request:
    """A POST of what is made JSON."""
    return post(json.dumps(data).encode(), **headers)


def upload(field_name: str, file_name: str, content: bytes) -> Request:
    """A POST as a browser's form makes it of one file."""
    boundary = "the-end-of-a-part"
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{field_name}"; filename="{file_name}"\r\n\r\n'
    )
    body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return post(body, f"multipart/form-data; boundary={boundary}")


@dataclass(frozen=True)
class Answer:
    """What the inference server answered: its own status, the body, all of its headers.

    Answers compare by that; ``seen`` is the status that the client saw.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seen: int = field(compare=False)

    def __getitem__(self, name: str) -> str | None:
        """A header's value, joined with commas where it comes more than once."""
        return ", ".join(value for key, value in self.headers if key == name) or None

    @property
    def summary(self) -> tuple[int, str | None, bytes]:
        """The status, the content type and the body."""
        return self.status, self["content-type"], self.body

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """Where requests go: an endpoint with its key, or an inference server itself."""

    base: str
    key: str | None

    def send(self, request: Request) -> Answer:
        """Send a request once and wait for the end of its answer."""
        with self.sending(request) as response:
            return _answer(response, response.read())

    @contextmanager
    def sending(self, request: Request) -> Iterator[http.client.HTTPResponse]:
        """Send a request; its answer may be read as it comes."""
        headers = dict(request.headers)
        if self.key is not None:
            headers["authorization"] = f"Bearer {self.key}"
        connection = http.client.HTTPConnection(urlsplit(self.base).netloc, timeout=_SECONDS)
        try:
            connection.request(request.method, request.path, request.body or None, headers)
            with connection.getresponse() as response:
                yield response
        finally:
            connection.close()


def agreed(request: Request, *servers: Server) -> Answer:
    """The answer of all of the servers, which must be one and the same."""
    first, *others = [server.send(request) for server in servers]
    for other in others:
        assert other == first
    return first


def _headers(named: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in named.items()}


def _answer(response: http.client.HTTPResponse, body: bytes) -> Answer:
    pairs = [(name.lower(), value) for name, value in response.getheaders()]
    status = dict(pairs).get(_CONTAINER_STATUS, response.status)
    headers = tuple(
        sorted(
            (name, _shape(name, value))
            for name, value in pairs
            if name not in _NOT_THE_SERVERS and not name.startswith(_OF_THE_GATEWAY)
        )
    )
    return Answer(int(status), headers, body, response.status)


def _shape(name: str, value: str) -> str:
    shape, pattern = _SHAPES.get(name, ("", ""))
    return shape if shape and re.fullmatch(pattern, value) else value
