"""Several models of one deployment, by name and version."""

from __future__ import annotations

from support.sample_endpoint import SampleEndpoint
from support.sample_requests import Server, agreed, post_json

SAMPLE = "multi-model"


def test_every_model_is_found_by_name_and_version(endpoint: SampleEndpoint, served: Server) -> None:
    flat = {"district": "harbour", "square_metres": 80}

    answer = agreed(post_json(flat), endpoint, served)

    assert answer.summary == (200, "application/json", b'{"1": 242000, "2": 291500}')


def test_the_samples_own_request_works(endpoint: SampleEndpoint) -> None:
    answer = endpoint.localep("invoke", "-r", "multi-model/sample-request.json")

    assert answer == '{"1": 242000, "2": 291500}'


def test_the_key_is_said_to_be_localeps_own(endpoint: SampleEndpoint) -> None:
    answer = endpoint.localep.run("validate", "-f", "multi-model/deployment.yml")

    place = "multi-model/deployment.yml:6:3: warning [localep-only] models: "
    assert f"{place}is a key of localep's own; the YAML of the cloud names one model.\n" in (
        answer.stdout
    )
    assert answer.status == 0
    update = endpoint.localep.run("update")
    assert update.stderr == "One warning as before; `localep validate` shows it.\n"
