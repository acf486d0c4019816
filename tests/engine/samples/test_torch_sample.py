"""A network in PyTorch, on the CPU."""

from __future__ import annotations

import pytest
from support.sample_endpoint import SampleEndpoint
from support.sample_requests import Server, agreed, post_json

SAMPLE = "torch"


pytestmark = pytest.mark.usefixtures("cpu_wheels")


def test_the_network_knows_the_circle(endpoint: SampleEndpoint, served: Server) -> None:
    points = [[0, 0], [0.6, 0.6], [0.9, 0.9], [-1.2, 0.1], [0, -0.8]]

    answer = agreed(post_json({"points": points}), endpoint, served)

    assert answer.json() == {"device": "cpu", "inside": [True, True, False, False, True]}
    assert "azmlinfsrv.print - runs on cpu" in endpoint.localep("get-logs")


def test_the_samples_own_request_works(endpoint: SampleEndpoint) -> None:
    answer = endpoint.localep("invoke", "-r", "torch/sample-request.json")

    assert answer == '{"device": "cpu", "inside": [true, true, false, false]}'
