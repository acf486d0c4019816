"""Builds and what becomes of their failures, without an engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import pytest

from localep.engine.base import BuildRequest, Image
from localep.errors import BuildFailed
from localep.operations.environments.builds import CLOUD_SECONDS, run_build
from localep.operations.workplace import Workplace

if TYPE_CHECKING:
    from unit.operations.conftest import FakeEngine

REQUEST = BuildRequest("localep/env:1", {"Dockerfile": "FROM a\n"}, "FROM a\n")
Fail = Callable[[BuildFailed], None]


@pytest.fixture
def fail(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Fail:
    """Has the next build fail."""

    def prepare(error: BuildFailed) -> None:
        def build(*_: object) -> Image:
            raise error

        monkeypatch.setattr(cast("FakeEngine", place.engine), "build_image", build)

    return prepare


def test_the_log_of_a_failed_build_gives_cause_and_remedy(place: Workplace, fail: Fail) -> None:
    log = ("/bin/sh: 1: conda: not found", "exit code: 127")
    fail(BuildFailed("No.", cause="A step ended.", remedy="Look.", details=log[:1], log=log))

    with pytest.raises(BuildFailed, match=r"^No\.$") as caught:
        run_build(place, REQUEST, "Correct the Dockerfile.")

    assert caught.value.code == "conda-absent"
    assert caught.value.remedy == "Choose a base image with conda, or write a Dockerfile."


@pytest.mark.parametrize(
    ("given", "remedy"), [(None, "Look."), ("Correct the Dockerfile.", "Correct the Dockerfile.")]
)
def test_a_failure_that_nobody_knows_has_the_remedy_of_its_kind(
    place: Workplace, fail: Fail, given: str | None, remedy: str
) -> None:
    fail(BuildFailed("No.", cause="A step ended.", remedy="Look.", log=("exit code: 1",)))

    with pytest.raises(BuildFailed) as caught:
        run_build(place, REQUEST, given)

    assert (caught.value.code, caught.value.remedy) == (None, remedy)


@pytest.mark.parametrize(
    ("seconds", "warnings"),
    [
        (CLOUD_SECONDS, []),
        (
            CLOUD_SECONDS + 60,
            [
                "warning: The build took 91 minutes, and the cloud ends one after 90 "
                "(image-build-timeout). Push an image that is ready, and name it in the "
                "environment."
            ],
        ),
    ],
)
def test_a_build_that_is_too_long_for_the_cloud_is_told_of(
    place: Workplace,
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    warnings: list[str],
) -> None:
    clock = iter([100.0, 100.0 + seconds])
    monkeypatch.setattr(
        "localep.operations.environments.builds.time.monotonic", lambda: next(clock)
    )

    run_build(place, REQUEST)

    assert told == warnings
