"""A network in PyTorch, on the CPU."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.sample_endpoint import SampleEndpoint
from support.sample_requests import Server, agreed, post_json
from support.wheels import served_wheels

from localep.engine.client import DockerEngine

SAMPLE = "torch"


@pytest.fixture(scope="module", autouse=True)
def cpu_wheels(engine: DockerEngine) -> Iterator[None]:
    """Where pip knows a folder with PyTorch for CPUs, the build takes that, and not 5 GB more."""
    bridge = engine.api.inspect_network("bridge")
    host = bridge["IPAM"]["Config"][0].get("Gateway", "172.17.0.1")
    with served_wheels(host) as addresses, pytest.MonkeyPatch.context() as patch:
        if addresses is not None:
            patch.setenv("PIP_FIND_LINKS", addresses)
        yield


def test_the_network_knows_the_circle(endpoint: SampleEndpoint, served: Server) -> None:
    points = [[0, 0], [0.6, 0.6], [0.9, 0.9], [-1.2, 0.1], [0, -0.8]]

    answer = agreed(post_json({"points": points}), endpoint, served)

    assert answer.json() == {"device": "cpu", "inside": [True, True, False, False, True]}
    assert "azmlinfsrv.print - runs on cpu" in endpoint.localep("get-logs")


def test_the_samples_own_request_works(endpoint: SampleEndpoint) -> None:
    answer = endpoint.localep("invoke", "-r", "torch/sample-request.json")

    assert answer == '{"device": "cpu", "inside": [true, true, false, false]}'
