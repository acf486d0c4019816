"""An endpoint whose deployment stands in slot b of its gateway."""

from __future__ import annotations

import pytest

from localep.gateway.state import Backend, GatewayState, Operation, Readiness


@pytest.fixture
def backend() -> Backend:
    return Backend(
        deployment="blue",
        revision="0a1b2c3d",
        aliases=("localep-0a1b2c3d",),
        slot="b",
        port=5001,
        scoring_path="/score",
        request_timeout_ms=2500,
        max_concurrent_requests=3,
        max_queue_wait_ms=700,
        readiness=Readiness(5002, "/ready", 5, 1, 2, 4),
    )


@pytest.fixture
def state(backend: Backend) -> GatewayState:
    return GatewayState(
        auth_mode="key",
        primary_key="first-key",
        secondary_key="second-key",
        probe_token="probe-token",
        operation=Operation("update", "Failed", "blue", "It did not get ready."),
        backend=backend,
        traffic={"blue": 90},
        documents=[{"source": "/app/endpoint.yml", "data": {"name": "hello", "tags": {"a": 1}}}],
        told=["d0123456789abcdef"],
    )
