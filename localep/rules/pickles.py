"""What a pickle wants, told from its bytes: nothing of it is ever loaded."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = frozenset({".bin", ".joblib", ".model", ".p", ".pickle", ".pkl", ".pt", ".pth", ".sav"})
# A pickle names the classes of its objects in front of their content.
MAX_BYTES = 8 * 1024 * 1024

# A class by its module and its name: as opcodes of protocols 0 to 3, and of those from 4 on.
_OLD = re.compile(rb"[ci]__main__\n([A-Za-z_]\w*)\n")
_NEW = re.compile(rb"\x8c\x08__main__\x94?\x8c.([A-Za-z_][\w.]*)\x94?\x93", re.DOTALL)
# scikit-learn writes its version into every estimator: the key, its place in the memo, and the
# length of the text that follows, as opcodes of protocols 4 and up, and of 2 and 3.
_SKLEARN = re.compile(rb"_sklearn_version(?:\x94|q.|r....)?(?:\x8c(.)|X(.)\0\0\0)", re.DOTALL)
_COMPRESSED = (b"\x1f\x8b", b"\x78")


def classes_of_main(file: Path) -> tuple[str, ...]:
    """The classes of ``__main__`` that a pickle wants; none of a file that is no pickle."""
    data = _content(file)
    names = {
        match.group(1).decode() for pattern in (_OLD, _NEW) for match in pattern.finditer(data)
    }
    return tuple(sorted(names))


def sklearn_version(file: Path) -> str | None:
    """The version of scikit-learn that saved a pickle; None where it does not tell."""
    data = _content(file)
    match = _SKLEARN.search(data)
    if match is None:
        return None
    length = (match.group(1) or match.group(2))[0]
    return data[match.end() : match.end() + length].decode("ascii", errors="replace")


def _content(file: Path) -> bytes:
    """The beginning of a pickle, unpacked; nothing of a file that is none or cannot be read."""
    if file.suffix.lower() not in SUFFIXES:
        return b""
    try:
        with file.open("rb") as stream:
            return _unpacked(stream.read(MAX_BYTES))
    except OSError:
        return b""


def _unpacked(data: bytes) -> bytes:
    """The bytes as they were before joblib or gzip compressed them, as far as they go."""
    if not data.startswith(_COMPRESSED):
        return data
    try:
        return zlib.decompressobj(wbits=47).decompress(data, MAX_BYTES)
    except zlib.error:
        return data
