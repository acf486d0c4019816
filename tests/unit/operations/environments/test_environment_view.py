"""What `show` tells programs of the environment that a deployment runs in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from localep.engine.base import Image
from localep.operations.create import CreateOptions, create
from localep.operations.environments.base_image import base_reference
from localep.operations.environments.view import (
    BaseView,
    EnvironmentView,
    LockView,
    Package,
)
from localep.operations.show import list_endpoints, show
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle

if TYPE_CHECKING:
    from unit.operations.conftest import FakeEngine

Load = Callable[..., Bundle]
PACKAGES = [
    {"name": "numpy", "version": "2.1", "source": "conda"},
    {"name": "waitress", "version": "3.0", "source": "pypi"},
]


@pytest.fixture
def image(place: Workplace, load: Load) -> str:
    """The name of the image of an endpoint's environment."""
    result = create(place, load("endpoint.yml", "deployment.yml"), CreateOptions())
    return result.endpoint.deployments[0].image


def environment_of(place: Workplace) -> EnvironmentView | None:
    (deployment,) = show(place, "hello", with_environment=True).deployments
    return deployment.environment


def container_of(engine: FakeEngine) -> str:
    (found,) = (name for name in engine.containers if "hello-blue" in name)
    return found


def test_an_environment_is_told_with_image_base_lock_and_packages(
    place: Workplace, engine: FakeEngine, image: str
) -> None:
    labels = {"localep.lock": "ab12"}
    engine.images[image] = Image(f"sha256:{image}", labels, 1, layers=("one", "two", "three"))
    base = base_reference()
    engine.images[base] = Image(
        "sha256:base", {}, 1, digests=("b@sha256:1",), layers=("one", "two")
    )
    engine.files[container_of(engine)]["/opt/localep/packages.json"] = json.dumps(PACKAGES).encode()

    environment = environment_of(place)

    assert environment == EnvironmentView(
        image=image,
        id=f"sha256:{image}",
        base=BaseView(base, "sha256:base", "b@sha256:1"),
        lock=LockView(None, "ab12"),
        packages=[Package(**entry) for entry in PACKAGES],
    )
    (shown,) = show(place, "hello", with_environment=True).to_dict()["deployments"]
    assert shown["environment"] == {
        "image": image,
        "id": f"sha256:{image}",
        "base": {"image": base, "id": "sha256:base", "repo_digest": "b@sha256:1"},
        "lock": {"path": None, "digest": "ab12"},
        "packages": PACKAGES,
    }


@pytest.mark.parametrize("layers", [("one", "other"), ("one", "two", "three", "four"), ()])
def test_an_image_that_does_not_lie_below_is_no_base(
    place: Workplace, engine: FakeEngine, image: str, layers: tuple[str, ...]
) -> None:
    engine.images[image] = Image(f"sha256:{image}", {}, 1, layers=("one", "two", "three"))
    engine.images[base_reference()] = Image("sha256:base", {}, 1, layers=layers)

    environment = environment_of(place)

    assert environment == EnvironmentView(image, f"sha256:{image}", None, None, None)


def test_what_nobody_asked_for_is_not_looked_up(place: Workplace, image: str) -> None:
    views = [show(place, "hello"), *list_endpoints(place)]

    assert [view.deployments[0].environment for view in views] == [None, None]
    assert ["environment" in view.to_dict()["deployments"][0] for view in views] == [False, False]


def test_an_endpoint_without_a_deployment_has_no_environment(place: Workplace, load: Load) -> None:
    create(place, load("endpoint.yml"), CreateOptions())

    assert show(place, "hello", with_environment=True) == show(place, "hello")


def test_an_image_that_is_gone_is_told_by_its_id(
    place: Workplace, engine: FakeEngine, image: str
) -> None:
    container = container_of(engine)
    engine.containers[container] = replace(engine.containers[container], image="sha256:gone")

    assert environment_of(place) == EnvironmentView(image, "sha256:gone", None, None, None)
