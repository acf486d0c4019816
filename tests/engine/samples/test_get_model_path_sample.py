"""azureml-core finds the model where localep puts it."""

from __future__ import annotations

from support.sample_endpoint import SampleEndpoint
from support.sample_requests import Server, agreed, post_json

SAMPLE = "get-model-path"


def test_the_model_is_found_by_its_name(endpoint: SampleEndpoint, served: Server) -> None:
    answer = agreed(post_json({"square_metres": 80}), endpoint, served)

    assert answer.summary == (200, "application/json", b'{"price": 220000}')
    assert (
        "azmlinfsrv.print - the model is /var/azureml-app/code/azureml-models/price/3/price.json\n"
    ) in endpoint.localep("get-logs")


def test_the_samples_own_request_works(endpoint: SampleEndpoint) -> None:
    answer = endpoint.localep("invoke", "-r", "get-model-path/sample-request.json")

    assert answer == '{"price": 220000}'
