"""How models and environments may be called, and what they name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from localep.registry.assets import Asset, Content, Kind, is_name, is_version, order


@pytest.mark.parametrize("name", ["a", "1", "my-model_1.0", "AzureML-sklearn-1.5", "a" * 255])
def test_a_name_as_the_cloud_takes_it(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name", ["", "-a", "_a", ".a", "a.", "..", "a b", "a/b", "a:1", "é", "a\n", "a" * 256]
)
def test_a_name_that_the_cloud_refuses(name: str) -> None:
    assert not is_name(name)


@pytest.mark.parametrize("version", ["1", "0", "01", "2024.01.02", "v1-rc_2", "1" * 100])
def test_a_version(version: str) -> None:
    assert is_version(version)


@pytest.mark.parametrize("version", ["", "latest", "..", "-1", "1/2", "1:2", "1 ", "1" * 101])
def test_what_is_no_version(version: str) -> None:
    assert not is_version(version)


def test_numbers_come_first_and_by_their_value() -> None:
    versions = ["b", "10", "9", "1.5", "a", "09", "2"]

    assert sorted(versions, key=order) == ["2", "09", "9", "10", "1.5", "a", "b"]


@pytest.mark.parametrize(
    ("document", "missing"),
    [
        ({"conda_file": "{there}"}, []),
        ({"conda_file": "{gone}"}, ["{gone}"]),
        ({"build": {"path": "{gone}", "dockerfile_path": "Dockerfile"}}, ["{gone}"]),
        ({"path": "{there}", "docker": {"build": {"dockerfile": "{gone}"}}}, ["{gone}"]),
        ({"conda_file": {"dependencies": []}, "image": "/not/a/path"}, []),
        ({"build": "no mapping", "path": 1, "docker": {"build": None}}, []),
        ({"build": {"path": "https://example.org/repository"}}, []),
    ],
)
def test_an_environment_knows_what_is_gone(
    tmp_path: Path, document: dict[str, Any], missing: list[str]
) -> None:
    there, gone = tmp_path / "there", tmp_path / "gone"
    there.touch()

    def placed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: placed(item) for key, item in value.items()}
        known = {"{there}": str(there), "{gone}": str(gone)}
        return known.get(value, value) if isinstance(value, str) else value

    content = Content(tmp_path / "env.yml", document=placed(document))
    asset = Asset(Kind.ENVIRONMENT, "e", "1", content, "", tmp_path / "1.json")

    assert asset.missing == tuple(Path(placed(text)) for text in missing)


def test_a_model_knows_whether_it_is_gone(tmp_path: Path) -> None:
    here = Asset(Kind.MODEL, "m", "1", Content(tmp_path), "", tmp_path / "1.json")
    away = Asset(Kind.MODEL, "m", "1", Content(tmp_path / "x"), "", tmp_path / "1.json")

    assert (here.missing, away.missing) == ((), (tmp_path / "x",))


def test_what_cannot_be_looked_at_counts_as_gone(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300)  # no file can be called so
    asset = Asset(Kind.MODEL, "m", "1", Content(path), "", tmp_path / "1.json")

    assert asset.missing == (path,)
