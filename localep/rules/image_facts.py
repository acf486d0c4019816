"""What engines and registries know of an image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

CLOUD_PLATFORM = "linux/amd64"


class Answer(Enum):
    """What a registry says of an image; SILENT where it was not asked or does not answer."""

    HAS = "has"
    MISSING = "missing"
    LOGIN = "login"
    SILENT = "silent"


@dataclass(frozen=True)
class ImageFacts:
    """What is known of an image by its name.

    ``size`` are its unpacked bytes where this machine's engine has it, else None.
    """

    platforms: tuple[str, ...] = ()
    size: int | None = None
    registry: Answer = Answer.SILENT


# Tells what is known of an image by its name, None where nothing is worth asking.
LookUp = Callable[[str], ImageFacts | None]
