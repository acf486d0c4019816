"""What every kind of test shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NEED_THE_ENGINE = ("engine", "scenarios")

pytest_plugins = ["support.fixtures"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of the folders that need a Docker engine."""
    for item in items:
        if item.path.relative_to(ROOT / "tests").parts[0] in NEED_THE_ENGINE:
            item.add_marker(pytest.mark.engine)


@pytest.fixture(scope="session", autouse=True)
def _registry_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test sees the models and environments that the user has registered."""
    os.environ["XDG_DATA_HOME"] = str(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def samples(root: Path) -> Path:
    """The folder of the samples."""
    return root / "samples"
