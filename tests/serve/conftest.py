"""What the tests of `localep serve` share: real servers, no Docker."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.serving import Serve


@pytest.fixture(scope="session")
def environment(serve_cache: Path, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The environment of the sample `hello`, made before any test looks at what is told."""
    serve = Serve(tmp_path_factory.mktemp("serve"), serve_cache)
    with serve("-f", str(samples / "hello" / "deployment.yml")) as serving:
        # The cache may hold environments of other tests, too.
        loaded = re.search(r"Loaded logging config from (.*)/lib/", serving.log)
    assert loaded is not None
    return Path(loaded.group(1))


@pytest.fixture
def hello(tmp_path: Path, samples: Path, environment: Path) -> Path:
    """A copy of the sample `hello`."""
    return shutil.copytree(samples / "hello", tmp_path / "hello")


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files, which must be empty after the test."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    assert list(folder.iterdir()) == []
