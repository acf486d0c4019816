"""What the bytes of a pickle tell of who saved it."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from localep.rules.pickles import sklearn_version

# The ends of pickles that scikit-learn 1.6.1 wrote.
OLD = b"bX\x10\x00\x00\x00_sklearn_versionqOX\x05\x00\x00\x001.6.1qPub."
NEW = b"\x8c\x10_sklearn_version\x94\x8c\x051.6.1\x94ub."


@pytest.mark.parametrize("name", ["reg.pkl", "reg.joblib", "reg.SAV"])
@pytest.mark.parametrize("content", [OLD, NEW, zlib.compress(NEW)])
def test_the_version_of_scikit_learn_is_read(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)

    assert sklearn_version(file) == "1.6.1"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("reg.pkl", b""),
        ("reg.pkl", b"\x80\x04K\x01."),
        ("reg.pkl", b"\x8c\x10_sklearn_version"),
        ("reg.json", NEW),
        ("reg.pkl", b"\x78\x9cnot compressed"),
    ],
)
def test_what_tells_no_version_has_none(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)

    assert sklearn_version(file) is None


def test_a_file_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert sklearn_version(tmp_path / "reg.pkl") is None
