"""A LightGBM model, which needs a library that wheels expect of the system (libgomp)."""

from __future__ import annotations

import pytest
from support.sample_endpoint import SampleEndpoint
from support.sample_requests import Request, Server, agreed, post_json

SAMPLE = "lightgbm"

CASES: dict[str, tuple[Request, int, bytes]] = {
    "two flowers": (
        post_json({"flowers": [[1.4, 0.2], [6.0, 2.3]]}),
        200,
        b'[{"kind": "setosa", "probability": 0.8}, {"kind": "virginica", "probability": 0.8}]',
    ),
    "a flower with a measure too many": (
        post_json({"flowers": [[1.4, 0.2, 3.0]]}),
        500,
        b'{"message": "An unexpected error occurred in scoring script. '
        b'Check the logs for more info."}',
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_script_answers(endpoint: SampleEndpoint, served: Server, case: str) -> None:
    request, status, body = CASES[case]

    answer = agreed(request, endpoint, served)

    assert answer.summary == (status, "application/json", body)


def test_the_log_tells_what_was_loaded_and_what_was_wrong(endpoint: SampleEndpoint) -> None:
    endpoint.send(CASES["a flower with a measure too many"][0])

    log = endpoint.localep("get-logs")
    assert "azmlinfsrv.print - loaded 30 trees" in log
    assert "number of features in data (3) is not the same as it was in training data (2)" in log


def test_the_samples_own_request_works(endpoint: SampleEndpoint) -> None:
    answer = endpoint.localep("invoke", "-r", "lightgbm/sample-request.json")

    assert answer.count('"kind"') == 3
