"""What the tests of builds share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.buildx import BUILDERS, client_with_buildx
from support.engine import Localep

from localep.engine.client import DockerEngine


@pytest.fixture(scope="session")
def buildx_client(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return client_with_buildx(tmp_path_factory.mktemp("buildx"))


@pytest.fixture(params=BUILDERS)
def building(
    discarded: list[str],
    localep: Localep,
    buildx_client: dict[str, str],
    request: pytest.FixtureRequest,
) -> Localep:
    """The command line with one of the builders."""
    localep.environ |= {"LOCALEP_BUILDER": request.param, **buildx_client}
    return localep


@pytest.fixture
def discarded(engine: DockerEngine) -> Iterator[list[str]]:
    """Images that no other test could use; they are removed after this one."""
    images: list[str] = []
    yield images
    for image in images:
        engine.api.remove_image(image, force=True)
