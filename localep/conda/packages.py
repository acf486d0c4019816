"""What the solver is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class CondaPackage:
    """One file of a channel: a package in one version and build.

    ``channel`` and ``url`` are without credentials, so that they may stand in an image or a
    file; ``channel`` is the channel's address without its platform. ``depends`` are the match
    specs of what it needs; ``sha256`` is empty where the channel does not tell it.
    """

    name: str
    version: str
    build: str
    subdir: str
    channel: str
    url: str
    sha256: str
    md5: str | None = None
    size: int | None = None
    depends: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> CondaPackage:
        """What asdict() made a mapping of."""
        return cls(**{**entry, "depends": tuple(entry["depends"])})


@dataclass(frozen=True)
class SolveRequest:
    """What shall be installed together.

    ``specs`` are match specs ("python=3.10", "numpy>=1.20"); ``channels`` are addresses, the
    strongest first, with the credentials that they need; ``platform`` is conda's name of it
    ("linux-64"); ``virtual_packages`` are what the target brings, by name and version
    (("__glibc", "2.36"), ("__cuda", "12.4")).
    """

    specs: tuple[str, ...]
    channels: tuple[str, ...]
    platform: str = "linux-64"
    virtual_packages: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> SolveRequest:
        """What asdict() made a mapping of."""
        virtual = tuple((name, version) for name, version in entry["virtual_packages"])
        specs, channels = tuple(entry["specs"]), tuple(entry["channels"])
        return cls(specs, channels, entry["platform"], virtual)
