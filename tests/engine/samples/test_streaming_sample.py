"""Answers that are sent as they are made, large answers, and answers that are no JSON."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest
from support.engine import write_script
from support.sample_endpoint import SampleEndpoint
from support.sample_requests import Request, Server, agreed, post_json
from support.waiting import wait_for

SAMPLE = "streaming"

LINES = "application/x-ndjson"
TABLE = "text/csv; charset=utf-8"
ENDLESS = 10**15
LARGE = 1_200_000

CASES: dict[str, tuple[Request, str, bytes]] = {
    "lines": (
        post_json({"count": 2}),
        LINES,
        b'{"number": 0, "square": 0}\n{"number": 1, "square": 1}\n',
    ),
    "no line": (post_json({"count": 0}), LINES, b""),
    "a table": (post_json({"count": 2}, accept="text/csv"), TABLE, b"number,square\n0,0\n1,1\n"),
}
# Hands back what comes, a block of 1024 bytes at a time: as many as the server reads at once.
# These modules are the server's own here, as the package azureml-contrib-services is not there.
ECHO = """
from azureml.contrib.services.aml_request import rawhttp
from azureml.contrib.services.aml_response import AMLResponse
def init(): pass
@rawhttp
def run(request):
    stream = request.stream
    return AMLResponse(iter(lambda: stream.read(1024), b""), 200)
"""


@pytest.mark.parametrize("case", CASES)
def test_the_script_answers(endpoint: SampleEndpoint, served: Server, case: str) -> None:
    request, content_type, body = CASES[case]

    answer = agreed(request, endpoint, served)

    assert answer.summary == (200, content_type, body)
    assert (answer.seen, answer["x-ms-run-function-failed"]) == (200, "False")


def test_a_large_answer_comes_whole(endpoint: SampleEndpoint, served: Server) -> None:
    answer = agreed(post_json({"count": LARGE}, accept="text/csv"), endpoint, served)

    expected = "number,square\n" + "".join(f"{n},{n * n}\n" for n in range(LARGE))
    assert len(answer.body) > 20_000_000
    assert answer.body == expected.encode()


def test_a_script_goes_on_until_its_client_leaves(endpoint: SampleEndpoint) -> None:
    with endpoint.sending(post_json({"count": ENDLESS})) as response:
        assert response.readline() == b'{"number": 0, "square": 0}\n'
        assert response.readline() == b'{"number": 1, "square": 1}\n'

    wait_for(lambda: f" of {ENDLESS}" in endpoint.localep("get-logs"))
    assert endpoint.send(post_json({"count": 0})).seen == 200


def test_each_part_arrives_before_the_next_is_made(endpoint: SampleEndpoint) -> None:
    write_script(endpoint.folder, ECHO)
    endpoint.localep("update")
    connection = http.client.HTTPConnection(urlsplit(endpoint.base).netloc, timeout=30)
    connection.putrequest("POST", "/score")
    connection.putheader("authorization", f"Bearer {endpoint.key}")
    connection.putheader("transfer-encoding", "chunked")
    connection.endheaders()
    assert connection.sock is not None
    with connection.sock as upstream:
        for number in range(5):
            part = str(number).encode() * 1024
            upstream.sendall(b"400\r\n" + part + b"\r\n")
            if number == 0:
                response = connection.getresponse()
            assert response.read(1024) == part
        upstream.sendall(b"0\r\n\r\n")
        assert (response.status, response.read()) == (200, b"")
        response.close()
