"""Matrices multiplied by PyTorch: the code of a GPU deployment, on whatever is here."""

from __future__ import annotations

import json

import pytest
from support.sample_endpoint import SampleEndpoint
from support.sample_requests import Server, agreed, post_json

SAMPLE = "gpu-torch"
PRODUCT = [[2.0, 1.0], [4.0, 3.0]]

pytestmark = pytest.mark.usefixtures("cpu_wheels")


def test_the_samples_own_request_works(endpoint: SampleEndpoint) -> None:
    answer = json.loads(endpoint.localep("invoke", "-r", "gpu-torch/sample-request.json"))

    assert answer["product"] == PRODUCT
    assert f"runs on {answer['device']}, GPUs: " in endpoint.localep("get-logs")


def test_without_gpus_it_answers_as_the_server_of_this_machine_does(
    endpoint: SampleEndpoint, served: Server
) -> None:
    endpoint.localep("update", "--gpus", "none")

    matrices = [[[1, 2], [3, 4]], [[0, 1], [1, 0]]]
    answer = agreed(post_json({"matrices": matrices}), endpoint, served)

    assert answer.json() == {"device": "cpu", "gpus": [], "product": PRODUCT}


def test_gpus_that_are_not_there_are_refused_and_the_endpoint_goes_on(
    endpoint: SampleEndpoint,
) -> None:
    answer = endpoint.localep.run("update", "--gpus", "device=no-such-gpu")

    assert (answer.status, answer.stdout) == (9, "")
    assert "Error: --gpus device=no-such-gpu cannot be met.\n" in answer.stderr
    assert (
        json.loads(endpoint.localep("invoke", "-r", "gpu-torch/sample-request.json"))["product"]
        == PRODUCT
    )
