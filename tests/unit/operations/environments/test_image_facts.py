"""What is asked of the engine and of registries about images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from localep.engine.base import Image
from localep.errors import PullFailed, PullReason
from localep.operations.environments.image_facts import look_up_in, told_when_pulled
from localep.operations.workplace import Workplace
from localep.rules.image_facts import Answer, ImageFacts
from localep.spec.loader import Bundle
from localep.spec.model import DeploymentSpec

if TYPE_CHECKING:
    from pathlib import Path

    from unit.operations.conftest import FakeEngine

NAME = "team/server:1"
ARM = Image("sha256:a", {}, 1000, "linux/arm64")
AMD = Image("sha256:b", {}, 2000, "linux/amd64")


@pytest.fixture
def fake(place: Workplace) -> FakeEngine:
    return cast("FakeEngine", place.engine)


def test_what_the_registry_has_counts_before_what_is_here(fake: FakeEngine) -> None:
    fake.images[NAME] = ARM
    fake.registry[NAME] = AMD

    assert look_up_in(fake)(NAME) == ImageFacts(("linux/amd64",), 1000, Answer.HAS)


@pytest.mark.parametrize(
    ("reason", "answer"),
    [
        ("missing", Answer.MISSING),
        ("login", Answer.LOGIN),
        ("other", Answer.SILENT),
    ],
)
def test_what_a_registry_answers_is_told_apart(
    fake: FakeEngine, reason: PullReason, answer: Answer
) -> None:
    fake.registry[NAME] = PullFailed("No.", reason=reason)

    assert look_up_in(fake)(NAME) == ImageFacts(registry=answer)
    fake.images[NAME] = ARM
    assert look_up_in(fake)(NAME) == ImageFacts(("linux/arm64",), 1000, answer)


def test_a_registry_may_be_left_alone(fake: FakeEngine) -> None:
    look_up = look_up_in(fake, asks_registries=False)
    fake.registry[NAME] = PullFailed("No.", reason="missing")
    assert look_up("other:1") == ImageFacts()
    fake.images[NAME] = AMD
    assert look_up(NAME) == ImageFacts(("linux/amd64",), 2000)


def test_a_registry_is_asked_whether_it_has_the_clouds_platform_too(fake: FakeEngine) -> None:
    fake.images[NAME] = ARM
    fake.registry[NAME] = AMD

    look_up = look_up_in(fake, asks_registries=False)

    assert look_up(NAME) == ImageFacts(("linux/amd64",), 1000, Answer.HAS)


def test_an_image_is_looked_up_once(fake: FakeEngine) -> None:
    look_up = look_up_in(fake)
    fake.images[NAME] = AMD
    first = look_up(NAME)
    del fake.images[NAME]

    assert look_up(NAME) is first


def test_nobody_is_asked_for_an_image_of_localep_s_own(fake: FakeEngine) -> None:
    assert look_up_in(fake)("localep/base:latest") is None


@pytest.fixture
def spec(project: Path, load: Callable[..., Bundle]) -> DeploymentSpec:
    with (project / "deployment.yml").open("a") as file:
        file.write(f"environment: {{image: {NAME!r}}}\n")
    deployment = load("deployment.yml").deployment
    assert deployment is not None
    return deployment


def test_the_fault_of_an_image_is_told_when_it_is_pulled(
    place: Workplace, fake: FakeEngine, spec: DeploymentSpec, told: list[str]
) -> None:
    assert spec.origin is not None
    where = spec.origin.document.locate(("environment", "image"))
    for _ in range(2):
        with told_when_pulled(place, spec):
            fake.images[NAME] = ARM

    assert told == [
        f"warning: {where}: environment.image: {NAME} is for linux/arm64, "
        "and the cloud runs linux/amd64. Build with `--platform linux/amd64`."
    ]


def test_of_an_image_without_fault_or_of_none_nothing_is_told(
    place: Workplace, fake: FakeEngine, spec: DeploymentSpec, told: list[str]
) -> None:
    with told_when_pulled(place, spec):
        fake.images[NAME] = AMD
    with told_when_pulled(place, replace(spec, environment=None)):
        pass

    assert told == []
