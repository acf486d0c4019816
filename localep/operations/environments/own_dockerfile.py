"""Images that a user's own Dockerfile makes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from localep.engine.base import BuildFolder, BuildRequest
from localep.operations.environments.builds import run_build
from localep.operations.snapshot import files_below, reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.operations.workplace import Workplace
    from localep.spec.model import BuildSpec

BUILD_REPOSITORY = "localep/build"
_REMEDY = "The step's last lines say what went wrong; correct the Dockerfile."


def ensure_built(
    place: Workplace, spec: BuildSpec, *, must_build: bool, no_cache: bool, platform: str
) -> tuple[str, bool]:
    """The name of the image that a Dockerfile of the user's makes, and whether it was built now.

    The name changes with the Dockerfile, with the platform, and with the files of its folder by
    size, date and mode.
    """
    reference = f"{BUILD_REPOSITORY}:{_digest(spec, platform)}"
    must_build = must_build or place.engine.find_image(reference) is None
    if must_build:
        what = spec.file if spec.text is None else "the Dockerfile of the environment"
        place.reporter.step(f"Building {what}")
        with _folder_of(spec) as folder:
            request = BuildRequest(reference, folder, no_cache=no_cache, platform=platform)
            run_build(place, request, _REMEDY)
    return reference, must_build


@contextmanager
def _folder_of(spec: BuildSpec) -> Iterator[BuildFolder]:
    """What a build is sent, for as long as it goes on.

    A Dockerfile that stands in the YAML itself gets a file, and a folder of its own where the
    YAML names none.
    """
    if spec.text is None:
        yield BuildFolder(spec.path, spec.dockerfile)
        return
    with tempfile.TemporaryDirectory(prefix="localep-") as name:
        file = Path(name, "Dockerfile")
        file.write_text(spec.text, encoding="utf-8")
        # The Dockerfile may lie outside the folder: an absolute path stays what it is.
        yield BuildFolder(spec.path if spec.sends_folder else file.parent, str(file))


def _digest(spec: BuildSpec, platform: str) -> str:
    digest = hashlib.sha256(f"{spec.dockerfile} {platform}".encode())
    with reading(spec.path, "Check its permissions."):
        # The Dockerfile may lie outside the folder.
        digest.update(spec.file.read_bytes() if spec.text is None else spec.text.encode())
        for path, name in files_below(spec.path) if spec.sends_folder else ():
            status = path.stat()
            told = [name, f"{status.st_mode:o}"]
            if path.is_file():  # what comes and goes in a folder is seen there, or is no matter
                told += [str(status.st_size), str(status.st_mtime_ns)]
            digest.update(os.fsencode("\0".join([*told, ""])))
    return digest.hexdigest()[:16]
