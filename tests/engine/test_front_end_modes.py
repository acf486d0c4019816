"""What the front end lets through: GET and POST, OPTIONS on demand, or everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from support.engine import Localep, copy_sample, write_script
from support.fixtures import own_command_line

from localep.engine.client import DockerEngine

# Fails where it is asked to, and tells the headers that it was sent.
SCRIPT = """
from azureml_inference_server_http.api.aml_request import rawhttp

def init():
    pass

@rawhttp
def run(request):
    if request.get_json()["fails"]:
        raise ValueError("broken")
    return {"headers": sorted(name.lower() for name in request.headers.keys())}
"""
FAILED = {
    "message": "An unexpected error occurred in scoring script. Check the logs for more info."
}
REFUSED = "Only GET and POST reach the deployment, as in the cloud."


def send(localep: Localep, method: str, path: str = "/score", **headers: str) -> requests.Response:
    """A request without a key."""
    address = localep.json("show")["scoring_uri"].removesuffix("/score")
    return requests.request(
        method, f"{address}{path}", json={"fails": False}, headers=headers, timeout=30
    )


def front_end(localep: Localep) -> list[str]:
    return [line for line in localep("show").splitlines() if line.startswith("front end")]


@pytest.fixture(scope="module")
def plain(
    engine: DockerEngine, base_image: str, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Localep]:
    """An endpoint with the front end of the cloud; no test changes it."""
    with own_command_line(engine, tmp_path_factory.mktemp("plain")) as localep:
        hello = copy_sample(samples / "hello", localep.folder)
        write_script(hello, SCRIPT)
        localep("create", "-f", "hello/deployment.yml")
        yield localep


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "HEAD"])
def test_get_and_post_alone_reach_a_deployment(plain: Localep, method: str) -> None:
    answer = send(plain, method)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert answer.text == ("" if method == "HEAD" else REFUSED)
    assert front_end(plain) == []


def test_invoke_shows_the_containers_own_answer_on_demand(plain: Localep) -> None:
    answer = plain.run("invoke", "--direct", "-r", "-", stdin='{"fails": true}')

    assert (answer.status, answer.stdout, answer.stderr) == (
        7,
        '{"message": "An unexpected error occurred in scoring script. '
        'Check the logs for more info."}',
        "Error: The endpoint answered 500 INTERNAL SERVER ERROR.\n"
        "Cause: run() failed (run-raises). ValueError: broken\n"
        "  Traceback (most recent call last):\n"
        '    File "/var/azureml-app/code/score.py", line 10, in run\n'
        '      raise ValueError("broken")\n'
        "  ValueError: broken\n"
        "Remedy: Correct what the traceback names.\n",
    )
    as_the_cloud = plain.post({"fails": True})
    assert (as_the_cloud.status_code, as_the_cloud.json()) == (424, FAILED)


def test_what_opens_the_way_never_reaches_the_script(plain: Localep) -> None:
    seen = plain.invoke({"fails": False}, "--direct")["headers"]

    assert "content-type" in seen
    assert {"x-localep-direct", "x-localep-probe", "authorization"} & set(seen) == set()


@pytest.mark.parametrize("token", ["", "1", "true", "wrong"])
def test_nobody_else_finds_the_way(plain: Localep, token: str) -> None:
    answer = send(plain, "POST", **{"x-localep-direct": token})
    assert (answer.status_code, answer.text) == (401, "key_auth_bad_header_forbidden")

    key = plain.json("get-credentials")["primaryKey"]
    answer = send(plain, "POST", **{"x-localep-direct": key})
    assert answer.status_code == 401


def test_options_reach_the_deployment_where_they_are_allowed(localep: Localep, hello: Path) -> None:
    localep("create", "-f", "hello/deployment.yml", "--allow-options")

    preflight = send(localep, "OPTIONS")
    assert (preflight.status_code, preflight.text) == (200, "")
    assert preflight.headers["x-ms-server-version"].startswith("azmlinfsrv/")
    refused = send(localep, "PUT")
    assert (refused.status_code, refused.headers["allow"], refused.text) == (
        405,
        "GET, POST",
        REFUSED,
    )
    assert send(localep, "POST").status_code == 401
    key = f"Bearer {localep.json('get-credentials')['primaryKey']}"
    alive = send(localep, "GET", "/", Authorization=key)
    assert (alive.status_code, alive.text) == (200, "Healthy")
    assert front_end(localep) == ["front end            lets OPTIONS through"]

    write_script(hello, "def init(): pass\ndef run(raw_data): return 'new'\n")
    localep("update")

    assert localep.invoke({}) == "new"
    assert send(localep, "OPTIONS").status_code == 200
    assert localep.json("show", "--query", "front_end") == "allow-options"


def test_an_endpoint_may_do_without_a_front_end(localep: Localep, hello: Path) -> None:
    write_script(hello, SCRIPT)
    localep("create", "-f", "hello/deployment.yml", "--direct")
    uri = localep.json("show")["scoring_uri"]

    assert send(localep, "POST").status_code == 200
    failed = requests.post(uri, json={"fails": True}, timeout=30)
    assert (failed.status_code, failed.json()) == (500, FAILED)
    assert "ms-azureml-model-error-statuscode" not in failed.headers
    assert send(localep, "POST", **{"azureml-model-deployment": "green"}).status_code == 200
    own = send(localep, "POST", **{"x-request-id": "mine", "x-ms-client-request-id": "too"})
    assert own.headers["x-request-id"] == "mine"
    unknown = send(localep, "PUT", "/nope")
    assert (unknown.status_code, unknown.headers["server"]) == (404, "gunicorn")
    assert localep.run("invoke", "-r", "-", stdin='{"fails": true}').stdout == failed.text
    assert front_end(localep) == [
        "front end            none: the container's own answers, without keys"
    ]
