"""What the tests of environments share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localep.environment import build_settings, index_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Stands in for / where settings outside the user's home are read: what this machine has
    # there must not decide a test.
    root = tmp_path / "system"

    def moved(
        list_files: Callable[[Mapping[str, str], Path], list[Path]],
    ) -> Callable[[Mapping[str, str], Path], list[Path]]:
        def files(environ: Mapping[str, str], home: Path) -> list[Path]:
            return [
                path if path.is_relative_to(tmp_path) else root / path.relative_to("/")
                for path in list_files(environ, home)
            ]

        return files

    monkeypatch.setattr(index_settings, "_pip_files", moved(index_settings._pip_files))
    monkeypatch.setattr(index_settings, "_uv_files", moved(index_settings._uv_files))
    monkeypatch.setattr(build_settings, "_CA_OF_THE_SYSTEM", (str(root / "ca.pem"),))
    return root


@pytest.fixture
def write() -> Callable[[Path, str], Path]:
    def write_file(path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_file
