"""What is known of this machine and its engine; None stands for what could not be asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """Why something is not to be had, and what to do."""

    cause: str
    remedy: str | None = None


@dataclass(frozen=True)
class EngineFacts:
    """The engine: its version and API, and whether it sees this machine's files."""

    version: str
    api: str
    is_local: bool
    host: str


@dataclass(frozen=True)
class DiskFacts:
    """Bytes that are free where images and containers lie, and where temporary files do."""

    free: int
    path: str


@dataclass(frozen=True)
class IndexFacts:
    """Whether a build reaches its package index; ``failure`` is the last it says where not."""

    failure: str | None = None


@dataclass(frozen=True)
class GpuFacts:
    """How containers get GPUs: the way and why, and what the engine says to all of them."""

    route: str
    reason: str
    refusal: Refusal | None = None
    is_offered: bool = True


@dataclass(frozen=True)
class Facts:
    """All facts; without an engine, only those of this machine.

    ``builder`` is buildx, buildkit or classic; ``base_image`` is the name that localep looks for.
    """

    engine: EngineFacts | Refusal
    builder: str | None = None
    base_image: str = ""
    has_base_image: bool = False
    disks: tuple[DiskFacts, ...] = ()
    index: IndexFacts | None = None
    ca_bundle: str | None = None
    gpus: GpuFacts | None = None
