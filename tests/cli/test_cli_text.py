"""What people read of an endpoint."""

from __future__ import annotations

from dataclasses import replace

import pytest

from localep.cli.text import credentials, endpoint_details, endpoint_ready
from localep.operations.credentials import Keys, Token
from localep.operations.instances import InstancesView, InstanceView
from localep.operations.start_time import StartView
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
    limits={"cpus": None, "memory_bytes": None, "shm_bytes": None},
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
        ("no-auth", ["front end            asks for no key"]),
        (
            "allow-options, max-payload 1500",
            ["front end            lets OPTIONS through, refuses requests of more than 1500 bytes"],
        ),
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
        "limits               none",
    ]


def test_keys_are_told_with_their_names() -> None:
    assert list(credentials(Keys("first", "second"))) == [
        "primary key          first",
        "secondary key        second",
    ]


def test_a_token_is_told_with_its_times() -> None:
    assert list(credentials(Token("opaque", 1_795_003_600))) == [
        "access token         opaque",
        "token type           Bearer",
        "expires              2026-11-18 12:06:40 UTC",
        "refresh after        2026-11-18 11:51:40 UTC",
    ]


ALONE = InstancesView(1, 1, [InstanceView("blue-1", "running", 0, 0)])
WRONG = "GET /alive at port 8501 answered 500: the cloud would restart this container."


@pytest.mark.parametrize(
    ("instances", "told"),
    [
        (None, []),
        (ALONE, ["instances            1 of 1 ready"]),
        (InstancesView(3, None, []), ["instances            3"]),
        (
            InstancesView(
                2,
                1,
                [
                    InstanceView("blue-1", "running", 2, 0),
                    InstanceView("blue-2", "running", 3, 1, WRONG),
                ],
            ),
            [
                "instances            1 of 2 ready",
                "restarts             5, 1 of them by the liveness probe",
                f"liveness             {WRONG}",
            ],
        ),
        (
            InstancesView(1, 1, [InstanceView("blue-1", "running", 2, 0)]),
            ["instances            1 of 1 ready", "restarts             2"],
        ),
    ],
)
def test_the_instances_are_counted(instances: InstancesView | None, told: list[str]) -> None:
    endpoint = replace(HELLO, deployments=[replace(CUSTOM, instances=instances)])

    lines = list(endpoint_details(endpoint))

    beginning = lines.index("state                Succeeded, running") + 1
    assert lines[beginning : beginning + len(told) + 1] == [
        *told,
        "image                localep/build:0a1b",
    ]


def test_a_deployment_without_egress_says_so() -> None:
    shut_in = replace(CUSTOM, egress_public_network_access="disabled")

    (*_, last) = endpoint_details(replace(HELLO, deployments=[shut_in]))

    assert last == "egress               none: the script cannot reach out of its network"


@pytest.mark.parametrize(
    ("start", "told"),
    [
        (None, []),
        (StartView(30.2, 302, "liveness_probe"), []),
        (
            StartView(30.21, 302, "readiness_probe"),
            ["  start        30.2 s of the 302 s that the cloud's readiness_probe allows"],
        ),
    ],
)
def test_a_slow_start_is_told_beside_what_the_cloud_allows(
    start: StartView | None, told: list[str]
) -> None:
    endpoint = replace(HELLO, deployments=[replace(CUSTOM, start=start)])

    assert list(endpoint_ready("Created", endpoint, 31.4)) == [
        "Created hello, deployment blue: ready after 31.4 s.",
        "  scoring URI  http://127.0.0.1:8085/v1/predict",
        *told,
    ]
