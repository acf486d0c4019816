"""How long a start took beside what the cloud allows."""

from __future__ import annotations

import pytest

from localep.operations.start_time import StartView, start_warning, view_start
from localep.rules.causes import cause
from localep.spec.model import DeploymentSpec, ProbeSettings

SPEC = DeploymentSpec(
    "blue",
    "hello",
    liveness_probe=ProbeSettings(initial_delay=5, period=4, timeout=3, failure_threshold=2),
)
RECORD = {
    "liveness_probe": {"initial_delay": 5, "period": 4, "timeout": 3, "failure_threshold": 2},
    "readiness_probe": {},
}


def test_the_probe_that_allows_the_least_decides() -> None:
    assert view_start(RECORD, 1.23456) == StartView(1.235, 12, "liveness_probe")
    usual = {"liveness_probe": {}, "readiness_probe": {"failure_threshold": 3}}
    assert view_start(usual, 0.5) == StartView(0.5, 32, "readiness_probe")
    assert view_start({"liveness_probe": {}, "readiness_probe": {}}, 1) == StartView(
        1, 302, "liveness_probe"
    )


def test_of_an_endpoint_of_an_older_version_nothing_is_known() -> None:
    assert view_start(RECORD, None) is None


@pytest.mark.parametrize(("seconds", "is_so"), [(1.2, False), (1.21, True), (40, True)])
def test_more_than_a_tenth_is_worth_telling(seconds: float, is_so: bool) -> None:
    assert StartView(seconds, 12, "liveness_probe").is_worth_telling is is_so


def test_what_the_cloud_would_have_ended_is_warned_of() -> None:
    assert start_warning(SPEC, 12.0) is None
    assert start_warning(SPEC, 12.34) == (
        "The deployment took 12.3 s to get ready; in the cloud its liveness_probe would have given "
        f"up after 12 s (init-too-slow). {cause('init-too-slow').remedy}"
    )
