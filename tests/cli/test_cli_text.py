"""What people read of an endpoint."""

from __future__ import annotations

from dataclasses import replace

import pytest

from localep.cli.text import endpoint_details
from localep.operations.views import DeploymentView, EndpointView

CUSTOM = DeploymentView(
    name="blue",
    endpoint_name="hello",
    provisioning_state="Succeeded",
    status="running",
    error=None,
    instance_type=None,
    instance_count=None,
    image="localep/build:0a1b",
    requested_image=None,
    model="/p/a.pkl, /p/b",
    code=None,
    scoring_script=None,
    request_settings={"request_timeout_ms": 5000, "max_concurrent_requests_per_instance": 1},
)
HELLO = EndpointView(
    name="hello",
    provisioning_state="Succeeded",
    scoring_uri="http://127.0.0.1:8085/v1/predict",
    openapi_uri="http://127.0.0.1:8085/swagger.json",
    auth_mode="key",
    traffic={},
    last_operation={"name": "create", "state": "Succeeded", "error": None},
)
HEAD = [
    "name                 hello",
    "state                Succeeded",
    "scoring URI          http://127.0.0.1:8085/v1/predict",
    "OpenAPI URI          http://127.0.0.1:8085/swagger.json",
    "authentication       key",
]
TAIL = [
    "traffic              none, as there is no deployment",
    "last operation       create: Succeeded",
]


@pytest.mark.parametrize(
    ("front_end", "told"),
    [
        (None, []),
        ("allow-options", ["front end            lets OPTIONS through"]),
        ("direct", ["front end            none: the container's own answers, without keys"]),
    ],
)
def test_what_the_front_end_lets_through_is_told(front_end: str | None, told: list[str]) -> None:
    endpoint = replace(HELLO, front_end=front_end)

    assert list(endpoint_details(endpoint)) == [*HEAD, *told, *TAIL]


def test_of_a_custom_container_no_code_is_told() -> None:
    endpoint = replace(HELLO, traffic={"blue": 100}, deployments=[CUSTOM])

    assert list(endpoint_details(endpoint)) == [
        *HEAD,
        "traffic              blue 100 %",
        "last operation       create: Succeeded",
        "",
        "deployment           blue",
        "state                Succeeded, running",
        "image                localep/build:0a1b",
        "model                /p/a.pkl, /p/b",
        "request timeout      5000 ms",
        "concurrent requests  1",
    ]
