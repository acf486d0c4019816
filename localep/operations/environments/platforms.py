"""What images shall run on, and what this engine runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localep.engine.platforms import platform_of
from localep.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localep.engine.base import Image
    from localep.operations.workplace import Workplace

# Of the docker client's own; a command line comes first.
PLATFORM_VARIABLE = "DOCKER_DEFAULT_PLATFORM"
_PLATFORM = re.compile(r"(?:(?P<system>\w+)/)?(?P<architecture>[\w-]+)(?:/(?P<variant>\w+))?")


def wanted_platform(option: str | None, environ: Mapping[str, str]) -> str:
    """The platform that the command line or the environment asks for, empty where neither does.

    Raises UsageError where it is none.
    """
    text = option or environ.get(PLATFORM_VARIABLE, "")
    if not text:
        return ""
    match = _PLATFORM.fullmatch(text.strip())
    if match is None or (match["system"] is None and match["variant"] is not None):
        source = "--platform" if option else PLATFORM_VARIABLE
        raise UsageError(
            f"{source} {text} is no platform.",
            remedy="Write the system and the processor, such as linux/amd64.",
        )
    return platform_of(match["system"] or "linux", match["architecture"], match["variant"])


def fits(image: Image, platform: str) -> bool:
    """Whether an image is for a platform; one that does not tell, and none asked for, fit."""
    return not platform or image.platform in {"", platform}


def tell_foreign_platform(place: Workplace, reference: str, image: Image) -> None:
    """Say before it is run that an image is of another platform than the engine's."""
    own = place.engine.platform()
    if image.platform and image.platform != own:
        place.reporter.warn(
            f"{reference} is for {image.platform}, and this engine runs {own}: it starts only "
            "where the engine can emulate the other processor (image-architecture; the cloud says "
            "`exec format error`)."
        )
