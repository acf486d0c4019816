"""The gateway's access log: what a line says, in the cloud's words, and what is no request."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from localep.gateway.access_log import Request, columns, iso_time, parse, trouble

# As HAProxy 2.6 wrote it.
LINE = (
    rb'{"TimeGenerated":1795284793009,"Method":"POST","Path":"\/score","DeploymentName":"blue",'
    rb'"Protocol":"HTTP/1.1","ResponseCode":424,"ModelStatusCode":500,'
    rb'"ModelStatusReason":"model_error","RequestPayloadSize":258,"ResponsePayloadSize":341,'
    rb'"UserAgent":"a \"tool\"\/1","XRequestId":"b9b127bc-aac1-49e2-aa83-46ca50bda7ac",'
    rb'"XMSClientRequestId":"mine","TotalDurationMs":31,"RequestDurationMs":2,'
    rb'"QueueDurationMs":5,"ConnectDurationMs":1,"ModelDurationMs":20,"Server":"b2",'
    rb'"Termination":"--"}'
)
REQUEST = Request(
    time=1795284793009,
    method="POST",
    path="/score",
    deployment="blue",
    protocol="HTTP/1.1",
    code=424,
    model_code=500,
    reason="model_error",
    request_bytes=258,
    response_bytes=341,
    user_agent='a "tool"/1',
    request_id="b9b127bc-aac1-49e2-aa83-46ca50bda7ac",
    client_request_id="mine",
    total_ms=31,
    request_ms=2,
    queue_ms=5,
    response_ms=28,
    instance=2,
    ended_by=None,
    connect_ms=1,
)
# One that no deployment saw; and what is no HTTP at all.
REFUSED = {
    "DeploymentName": ".",
    "ResponseCode": -1,
    "ModelStatusCode": None,
    "ModelStatusReason": "-",
    "UserAgent": "-",
    "XRequestId": "-",
    "XMSClientRequestId": "-",
    "Path": "-",
    "RequestDurationMs": -1,
    "QueueDurationMs": -1,
    "ConnectDurationMs": -1,
    "ModelDurationMs": -1,
    "Server": "<NOSRV>",
}
GARBAGE = b'{"TimeGenerated":1795284793123,"ResponseCode":400,"TotalDurationMs":4}'


def changed(**values: Any) -> bytes:
    return json.dumps({**json.loads(LINE), **values}, separators=(",", ":")).encode()


def test_a_line_is_a_request() -> None:
    assert parse(LINE) == REQUEST


def test_what_is_not_known_is_none() -> None:
    found = parse(changed(**REFUSED))

    assert found is not None
    assert {name for name, value in asdict(found).items() if value is None} == {
        "path",
        "deployment",
        "code",
        "model_code",
        "reason",
        "user_agent",
        "request_id",
        "client_request_id",
        "request_ms",
        "queue_ms",
        "response_ms",
        "instance",
        "ended_by",
        "connect_ms",
    }
    assert found.code_reason is None


def test_what_is_no_http_is_told_as_far_as_anybody_knows() -> None:
    found = parse(GARBAGE)

    assert found is not None
    assert (found.time, found.code, found.code_reason, found.total_ms, found.method) == (
        1795284793123,
        400,
        "Bad Request",
        4,
        None,
    )


@pytest.mark.parametrize(
    "name", ["RequestDurationMs", "QueueDurationMs", "ConnectDurationMs", "ModelDurationMs"]
)
def test_a_time_with_an_unknown_part_is_unknown(name: str) -> None:
    found = parse(changed(**{name: -1}))

    assert found is not None
    assert found.response_ms is None


@pytest.mark.parametrize(
    ("termination", "who"),
    [
        ("--", None),
        ("LR", None),
        ("sH", None),
        ("SH", None),
        ("CR", "client"),
        ("CD", "client"),
        ("cD", "client"),
        ("SD", "server"),
        ("sD", "server"),
        ("SL", "server"),
        ("", None),
    ],
)
def test_who_ended_a_request_early_is_told(termination: str, who: str | None) -> None:
    found = parse(changed(Termination=termination))

    assert found is not None
    assert found.ended_by == who


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (200, "OK"),
        (401, "Unauthorized"),
        (408, "Request Timeout"),
        (413, "Payload Too Large"),
        (424, "Failed Dependency"),
        (429, "Too Many Requests"),
        (599, None),
    ],
)
def test_the_words_of_a_code(code: int, reason: str | None) -> None:
    found = parse(changed(ResponseCode=code))

    assert found is not None
    assert found.code_reason == reason


def test_the_columns_are_the_clouds_in_its_order() -> None:
    assert list(columns(REQUEST, "hello").items()) == [
        ("TimeGenerated", "2026-11-21T18:13:13.009Z"),
        ("Method", "POST"),
        ("Path", "/score"),
        ("SubscriptionId", None),
        ("AzureMLWorkspaceId", None),
        ("AzureMLWorkspaceName", None),
        ("EndpointName", "hello"),
        ("DeploymentName", "blue"),
        ("Protocol", "HTTP/1.1"),
        ("ResponseCode", 424),
        ("ResponseCodeReason", "Failed Dependency"),
        ("ModelStatusCode", 500),
        ("ModelStatusReason", "model_error"),
        ("RequestPayloadSize", 258),
        ("ResponsePayloadSize", 341),
        ("UserAgent", 'a "tool"/1'),
        ("XRequestId", "b9b127bc-aac1-49e2-aa83-46ca50bda7ac"),
        ("XMSClientRequestId", "mine"),
        ("TotalDurationMs", 31),
        ("RequestDurationMs", 2),
        ("ResponseDurationMs", 28),
        ("RequestThrottlingDelayMs", 0),
        ("ResponseThrottlingDelayMs", 0),
        ("QueueDurationMs", 5),
        ("Instance", 2),
        ("EndedBy", None),
    ]


def test_a_moment_is_told_in_utc() -> None:
    assert iso_time(1769850307007) == "2026-01-31T09:05:07.007Z"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[NOTICE]   (1) : Loading success.",
        b'{"level": "info"}',
        LINE[:-1],
        LINE[:40],
        b'{"TimeGenerated":1}',
        b'{"TimeGenerated":[1,2]',
        b'{"TimeGenerated":1,"TotalDurationMs":1,"Server":7}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_request_is_none(line: bytes) -> None:
    assert parse(line) is None


@pytest.mark.parametrize(
    "line",
    [
        LINE,
        GARBAGE,
        b"",
        b" \r",
        b"[NOTICE]   (1) : New worker (16) forked",
        b"[WARNING]  (1) : Former worker (16) exited with code 0 (Exit)",
        b"[WARNING]  (16) : Server deployment/a1 is UP/DRAIN (leaving forced maintenance).",
        b"[WARNING]  (16) : deployment/a1 changed its IP from 10.0.0.2 to 10.0.0.3 by engine.",
        b"Proxy deployment stopped (cumulated conns: FE: 0, BE: 3).",
    ],
)
def test_what_is_usual_is_no_trouble(line: bytes) -> None:
    assert trouble(line) is None


@pytest.mark.parametrize(
    "line",
    [
        "[ALERT]    (8) : backend 'deployment' has no server available!",
        "[WARNING]  (8) : Server deployment/a1 is DOWN, reason: Layer7 timeout, took 2s.",
        "[WARNING]  (8) : Server deployment/a1 is UP, reason: Layer7 check passed, code: 200.",
        "haproxy: something nobody has seen yet \ufffd",
    ],
)
def test_trouble_is_told_as_it_is(line: str) -> None:
    assert trouble(f"{line}\n".encode().replace("\ufffd".encode(), b"\xff")) == line
