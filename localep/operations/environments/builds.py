"""Builds, with what their failures mean."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from localep.errors import BuildFailed
from localep.operations.failures.builds import explain
from localep.rules.causes import cause

if TYPE_CHECKING:
    from localep.engine.base import BuildRequest, Image
    from localep.operations.workplace import Workplace


# Where the cloud's own builds have been seen to end.
CLOUD_SECONDS = 5400
TIMEOUT = "image-build-timeout"


def run_build(place: Workplace, request: BuildRequest, remedy: str | None = None) -> Image:
    """Build an image; ``remedy`` is for a failure whose cause the log does not tell.

    Raises BuildFailed, with the cause read off the log. A build that takes longer than the cloud
    lets one take is told of.
    """
    begun = time.monotonic()
    try:
        image = place.engine.build_image(request, place.reporter)
    except BuildFailed as error:
        error.remedy = remedy or error.remedy
        explain(error)
        raise
    seconds = time.monotonic() - begun
    if seconds > CLOUD_SECONDS:
        place.reporter.warn(
            f"The build took {seconds / 60:.0f} minutes, and the cloud ends one after "
            f"{CLOUD_SECONDS // 60} ({TIMEOUT}). {cause(TIMEOUT).remedy}"
        )
    return image
