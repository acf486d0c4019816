from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

from localep.engine.builders.context import archive


def members(content: bytes) -> dict[str, tuple[bytes | None, int]]:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        files = [(member, tar.extractfile(member)) for member in tar.getmembers()]
        return {
            member.name: (file.read() if file is not None else None, member.mode)
            for member, file in files
        }


def test_texts_files_and_folders_are_in_the_archive(tmp_path: Path) -> None:
    (tmp_path / "a.conda").write_bytes(b"\0package")

    content = archive(
        {"Dockerfile": "FROM é\n"}, {"packages/noarch/a.conda": tmp_path / "a.conda"}, ["secrets"]
    )

    assert members(content) == {
        "secrets": (None, 0o755),
        "Dockerfile": ("FROM é\n".encode(), 0o644),
        "packages/noarch/a.conda": (b"\0package", 0o644),
    }


def test_the_date_of_a_file_makes_it_no_other_archive(tmp_path: Path) -> None:
    file = tmp_path / "a.conda"
    file.write_bytes(b"package")
    first = archive({}, {"a.conda": file})

    os.utime(file, (1, 1))

    assert archive({}, {"a.conda": file}) == first
