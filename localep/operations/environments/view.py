"""What a deployment's environment is made of: its image, base, lock and packages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localep.environment.dockerfile import PACKAGES_FILE
from localep.operations.endpoints import recorded_spec
from localep.operations.environments.base_image import base_reference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localep.engine.base import Container, Engine, Image

# The sha256 of the lock file that an environment's image was built from.
LOCK_LABEL = "localep.lock"


@dataclass(frozen=True)
class BaseView:
    """The image that an environment was built on.

    ``repo_digest`` is its name in the registry that it was pulled from.
    """

    image: str
    id: str
    repo_digest: str | None


@dataclass(frozen=True)
class LockView:
    """The lock that an environment was built from; ``path`` where it lay then."""

    path: str | None
    digest: str


@dataclass(frozen=True)
class Package:
    """A package; ``source`` is pypi or conda."""

    name: str
    version: str
    source: str


@dataclass(frozen=True)
class EnvironmentView:
    """An environment; ``packages`` is None where localep did not build its image.

    ``id`` is that of the image that the deployment runs in, whatever ``image`` names by now;
    ``base`` is None where that is not to be had any more.
    """

    image: str
    id: str
    base: BaseView | None
    lock: LockView | None
    packages: list[Package] | None


def view_environment(engine: Engine, container: Container) -> EnvironmentView:
    """What is shown of the environment that a deployment's container runs in."""
    recorded = recorded_spec(container)
    image = engine.find_image(container.image)
    digest = image.labels.get(LOCK_LABEL) if image is not None else None
    return EnvironmentView(
        image=recorded["image"],
        id=container.image,
        base=_base(engine, image, (recorded["requested_image"], base_reference())),
        lock=LockView(recorded.get("lock"), digest) if digest is not None else None,
        packages=_packages(engine, container),
    )


def _base(engine: Engine, image: Image | None, candidates: Sequence[str | None]) -> BaseView | None:
    """The first image of these names whose layers are the lowest of an image."""
    for name in candidates if image is not None else ():
        found = engine.find_image(name) if name is not None else None
        if found is not None and image is not None and _begins_with(image, found):
            return BaseView(str(name), found.identity, next(iter(found.digests), None))
    return None


def _begins_with(image: Image, base: Image) -> bool:
    return bool(base.layers) and image.layers[: len(base.layers)] == base.layers


def _packages(engine: Engine, container: Container) -> list[Package] | None:
    content = engine.copy_out(container.identity, PACKAGES_FILE)
    return None if content is None else [Package(**entry) for entry in json.loads(content)]
