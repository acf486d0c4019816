"""Which web pages may use a deployment: told by the script itself, or by AML_CORS_ORIGINS."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from support.engine import Localep, copy_sample
from support.sample_endpoint import SampleEndpoint, server_of
from support.sample_requests import Answer, Request, Server, agreed, get, post_json
from support.serving import Serve

SAMPLE = "cors"

PAGE, APP, OTHER = (f"https://{name}.example.com" for name in ("www", "app", "other"))
OF_THE_SCRIPT = {
    "access-control-allow-origin": PAGE,
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "*",
}


def preflight(origin: str) -> Request:
    """What a browser asks, without a key, before it posts JSON to another site."""
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type",
    }
    return Request("OPTIONS", headers=headers)


def of_browsers(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers if name.startswith("access-control-")}


@pytest.mark.parametrize(
    ("request_", "body"),
    [(get("/score?a=1", origin=PAGE), b"/score?a=1"), (post_json([1], origin=OTHER), b"[1]")],
    ids=["GET", "POST"],
)
def test_the_script_says_its_headers(
    endpoint: SampleEndpoint, served: Server, request_: Request, body: bytes
) -> None:
    answer = agreed(request_, endpoint, served)

    assert (answer.seen, answer.body, of_browsers(answer)) == (200, body, OF_THE_SCRIPT)


def test_the_front_end_lets_no_preflight_through(endpoint: SampleEndpoint) -> None:
    answer = endpoint.send(preflight(PAGE))

    assert answer.summary == (
        405,
        "text/plain",
        b"Only GET and POST reach the deployment, as in the cloud.",
    )
    assert (answer["allow"], of_browsers(answer)) == ("GET, POST", {})


@pytest.mark.parametrize("option", ["--allow-options", "--direct"])
def test_a_preflight_reaches_the_script_where_that_is_asked_for(
    localep: Localep, samples: Path, served: Server, option: str
) -> None:
    copy_sample(samples / SAMPLE, localep.folder)
    localep("create", "-f", "cors/endpoint.yml", "-f", "cors/deployment.yml", option)
    server = replace(server_of(localep), key=None)

    answer = agreed(preflight(OTHER), server, served)
    assert answer.summary == (200, "text/html; charset=utf-8", b"")
    assert (answer["x-ms-run-fn-exec-ms"], of_browsers(answer)) == ("<ms>", OF_THE_SCRIPT)

    localep("update", "-f", "cors/deployment-origins.yml")

    for origin in (PAGE, APP):
        answer = server.send(preflight(origin))
        assert answer.summary == (200, "text/html; charset=utf-8", b"")
        assert (answer["x-ms-run-fn-exec-ms"], of_browsers(answer)) == (
            None,
            {
                "access-control-allow-origin": origin,
                "access-control-allow-methods": "GET, POST",
                "access-control-allow-headers": "authorization, content-type",
            },
        )
    assert of_browsers(server.send(preflight(OTHER))) == {}
    keyless = server.send(post_json([1], origin=APP))
    assert keyless.seen == (401 if option == "--allow-options" else 200)


def test_the_server_says_headers_for_a_script_that_knows_of_none(
    localep: Localep, serve: Serve, samples: Path
) -> None:
    copy_sample(samples / SAMPLE, localep.folder)
    localep("create", "-f", "cors/endpoint.yml", "-f", "cors/deployment-origins.yml")
    endpoint = server_of(localep)

    with serve("-f", "cors/deployment-origins.yml", "--no-reload") as serving:
        served = Server(serving.base, None)
        for origin in (PAGE, APP):
            answer = agreed(post_json([1], origin=origin), endpoint, served)
            assert (answer.json(), answer["vary"]) == ({"received": [1]}, "Origin")
            assert of_browsers(answer) == {"access-control-allow-origin": origin}
        answer = agreed(get("/score?a=1", origin=APP), endpoint, served)
        assert answer.json() == {"received": {"a": 1}}
        answer = agreed(post_json([1], origin=OTHER), endpoint, served)
        assert (answer.json(), of_browsers(answer)) == ({"received": [1]}, {})
