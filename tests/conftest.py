"""What every kind of test shares."""

from __future__ import annotations

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


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def samples(root: Path) -> Path:
    """The folder of the samples."""
    return root / "samples"
