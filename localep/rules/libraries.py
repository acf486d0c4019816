"""Which package of Debian has a library of the system."""

from __future__ import annotations

from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("libraries.yml")


def debian_package(library: str) -> str | None:
    """The package that has a library such as ``libGL.so.1``; None where that is not known."""
    return _packages().get(library)


@cache
def _packages() -> dict[str, str]:
    import yaml

    packages: dict[str, str] = yaml.load(TABLE.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return packages
