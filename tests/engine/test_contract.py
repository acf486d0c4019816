"""One table of requests, sent to a local endpoint, beside what the cloud's pages say of them."""

from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import requests
from support.contract import PATTERNS, Row, all_rows
from support.engine import Localep, Silent, copy_sample, write_script
from support.fixtures import own_command_line

from localep.engine.client import DockerEngine
from localep.operations.endpoints import find_endpoint
from localep.operations.gateways import Gateway
from localep.operations.workplace import Workplace

SCRIPT = """
import threading, time
from azureml_inference_server_http.api.aml_request import rawhttp
from azureml_inference_server_http.api.aml_response import AMLResponse

def init():
    pass

def pieces():
    yield f"{time.time()}"
    threading.Event().wait(0.7)
    yield f" {time.time()}"

@rawhttp
def run(request):
    asked = request.get_json(silent=True) or {}
    threading.Event().wait(asked.get("seconds", 0))
    if "raise" in asked:
        raise ValueError(asked["raise"])
    if "status" in asked:
        return AMLResponse("as asked", asked["status"])
    if "in_pieces" in asked:
        return AMLResponse(pieces(), 200)
    return {name.lower(): value for name, value in request.headers.items()}
"""
FROM_ENDPOINT = ("update", "-f", "hello/endpoint.yml", "--set")


def stop(localep: Localep) -> None:
    localep(*FROM_ENDPOINT, "traffic.blue=100")
    localep.engine.stop_container(localep.container(), 1)


# How an endpoint that is in one of the former stages gets into the next one.
STAGES: dict[str, Callable[[Localep], object]] = {
    "key": lambda _: None,
    "token": lambda localep: localep(*FROM_ENDPOINT, "auth_mode=aml_token"),
    "aad-token": lambda localep: localep(*FROM_ENDPOINT, "auth_mode=aad_token"),
    "no-auth": lambda localep: localep(*FROM_ENDPOINT, "auth_mode=key", "--no-auth"),
    "no-traffic": lambda localep: localep(*FROM_ENDPOINT, "traffic.blue=0", "--auth"),
    "stopped": stop,
    "no-deployment": lambda localep: localep("delete", "--deployment", "blue", "--yes"),
}
ROWS = sorted(
    (row for row in all_rows() if row.send is not None),
    key=lambda row: list(STAGES).index(row.stage),
)


@dataclass
class Answer:
    """What came back; ``began`` is when its first piece came, in seconds since 1970."""

    status: int
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    began: float = 0


@dataclass
class Client:
    """Sends the rows to one endpoint."""

    localep: Localep
    uri: str
    stage: str = "key"
    told: list[str] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)

    def enter(self, stage: str) -> None:
        if stage != self.stage:
            STAGES[stage](self.localep)
            self.stage = stage
        if not self.keys:
            found = self.localep.json("get-credentials")
            self.keys = {"primary": found["primaryKey"], "secondary": found["secondaryKey"]}
        if stage.endswith("token") and f"{stage} of" not in self.keys:
            self.keys[f"{stage} of"] = stage
            self.keys["token"] = self.localep.json("get-credentials")["accessToken"]
            self.keys["expired"] = expired_token(self.localep)

    def send(self, row: Row) -> list[Answer]:
        asked = row.send or {}
        count = asked.get("at_once", 1)
        with ThreadPoolExecutor(count) as beside:
            return list(beside.map(lambda _: self._send_one(asked), range(count)))

    def _send_one(self, asked: Any) -> Answer:
        headers = {"x-test": "here", **asked.get("headers", {})}
        key = asked.get("key", "primary")
        if key != "none":
            value = f"Bearer {self.keys[key]}" if key in self.keys else key
            headers["authorization"] = value.replace("PRIMARY", self.keys["primary"])
        headers["content-type"] = "application/json"
        body: Any = json.dumps(asked.get("body", {})).encode()
        if "bytes" in asked:
            body = b" " * asked["bytes"]
        if asked.get("chunked"):
            body = pieces_of(body)
        method = asked.get("method", "POST")
        address = self.uri + asked.get("path", "/score")
        has_body = method in {"POST", "PUT"}
        with requests.request(
            method,
            address,
            data=body if has_body else None,
            headers=headers,
            timeout=30,
            stream=True,
        ) as answer:
            began, text = 0.0, b""
            for piece in answer.iter_content(chunk_size=None):
                began = began or time.time()
                text += piece
            found = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status_code, text.decode(), found, began)


def pieces_of(body: bytes) -> Iterator[bytes]:
    """A body that is sent without its length."""
    for start in range(0, len(body), 50_000):
        yield body[start : start + 50_000]


def expired_token(localep: Localep) -> str:
    """A token of the endpoint that ended just now."""
    place = Workplace(localep.engine, Silent(), localep.names)
    endpoint = find_endpoint(place, "hello")
    state = endpoint.state
    state = replace(state, tokens={**state.tokens, "of-yesterday": int(time.time()) - 1})
    gateway = Gateway(localep.engine, endpoint.gateway.identity, endpoint.address)
    gateway.save(state)
    gateway.load_keys(state)
    return "of-yesterday"


@pytest.fixture(scope="module")
def client(
    engine: DockerEngine, base_image: str, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Client]:
    """An endpoint that goes through the stages; the table is printed at its end."""
    with own_command_line(engine, tmp_path_factory.mktemp("contract")) as localep:
        hello = copy_sample(samples / "hello", localep.folder)
        write_script(hello, SCRIPT)
        localep(
            *("create", "-f", "hello/endpoint.yml", "-f", "hello/deployment.yml"),
            *("--set", "deployment.request_settings.request_timeout_ms=1000"),
            *("--max-payload", "1500000"),
        )
        uri = localep.json("show")["scoring_uri"].removesuffix("/score")
        client = Client(localep, uri)
        yield client
        sys.stdout.write("\n".join(["", *client.told, ""]))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.stage}: {row.request}")
def test_a_request_is_answered_as_the_table_says(client: Client, row: Row) -> None:
    client.enter(row.stage)

    answers = client.send(row)

    counts = Counter(answer.status for answer in answers)
    first, expect = answers[0], row.expect
    found = ", ".join(f"{count} x {status}" for status, count in counts.items())
    client.told.append(f"{row.request} | {row.cloud} | {found} {first.text[:60]}")
    if "counts" in expect:
        assert dict(counts) == expect["counts"]
        return
    assert first.status == expect["status"], first.text
    if "text" in expect:
        assert first.text == expect["text"]
    for name, value in expect.get("headers", {}).items():
        assert_is(first.headers[name], value)
    for name, value in expect.get("sees", {}).items():
        assert_is(json.loads(first.text)[name], value)
    if expect.get("streams"):
        last_piece = float(first.text.split()[-1])  # tells when it was written
        assert first.began < last_piece


def assert_is(found: str, value: str) -> None:
    pattern = PATTERNS.get(value, re.escape(value))
    assert re.fullmatch(pattern, found), f"{found} is not {value}"
