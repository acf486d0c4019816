"""A build's files as a tar archive, the form in which every builder takes them."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def archive(
    texts: Mapping[str, str], files: Mapping[str, Path], folders: Iterable[str] = ()
) -> bytes:
    """Texts and files by name, and folders that are there even where no file lies in them."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name in folders:
            folder = tarfile.TarInfo(name)
            folder.type = tarfile.DIRTYPE
            folder.mode = 0o755
            tar.addfile(folder)
        for name, text in texts.items():
            content = text.encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for name, path in files.items():
            # Neither owner nor date, as a builder would take a file with another one for another.
            member = tarfile.TarInfo(name)
            member.size = path.stat().st_size
            with path.open("rb") as stream_in:
                tar.addfile(member, stream_in)
    return stream.getvalue()
