"""An endpoint whose deployment stands in slot b of its gateway."""

from __future__ import annotations

import pytest

from localep.gateway.state import Backend, GatewayState, Operation


@pytest.fixture
def backend() -> Backend:
    return Backend(
        deployment="blue",
        container="4f2a99",
        alias="localep-0a1b2c3d",
        slot="b",
        port=5001,
        scoring_path="/score",
        request_timeout_ms=2500,
        max_concurrent_requests=3,
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
    )
