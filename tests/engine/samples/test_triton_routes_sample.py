"""A container that answers on the routes of Triton: probes, models and their inference."""

from __future__ import annotations

from urllib.parse import urlsplit

from support.sample_endpoint import SampleEndpoint
from support.sample_requests import Server, get, post, post_json

SAMPLE = "triton-routes"
INFER = "/v2/models/line/infer"


def server_of(endpoint: SampleEndpoint) -> Server:
    """The whole endpoint, not only what lies below its scoring route."""
    parts = urlsplit(endpoint.localep.json("show")["scoring_uri"])
    return Server(f"{parts.scheme}://{parts.netloc}", endpoint.key)


def test_invoke_asks_the_scoring_route(endpoint: SampleEndpoint) -> None:
    answer = endpoint.localep("invoke", "-r", "triton-routes/sample-request.json")

    assert endpoint.localep.json("show")["scoring_uri"].endswith(INFER)
    assert answer == (
        '{"model_name": "line", "outputs": [{"name": "y", "shape": [3], "datatype": "FP32", '
        '"data": [2.5, 4.5, 6.5]}]}'
    )


def test_every_other_route_is_reached_through_the_endpoint(endpoint: SampleEndpoint) -> None:
    server = server_of(endpoint)

    assert server.send(get("/v2/health/ready")).summary == (200, "application/json", b"")
    described = server.send(get("/v2/models/line"))
    assert described.json() == {"name": "line", "platform": "line"}
    unknown = server.send(post(b"{}", path="/v2/models/curve/infer"))
    assert (unknown.status, unknown.seen) == (404, 424)


def test_the_servers_refusal_is_told_as_the_cloud_does(endpoint: SampleEndpoint) -> None:
    request = post_json({"inputs": []})

    answer = server_of(endpoint).send(post(request.body, path=INFER))

    assert (answer.status, answer.seen) == (400, 424)
    assert answer.json()["error"].startswith("not an inference request: ValueError(")
