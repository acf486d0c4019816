"""Builds by the engine's own, classic builder: no client, no secrets, no cache mounts."""

from __future__ import annotations

import io
import re
import tarfile
from typing import TYPE_CHECKING

from localep.engine.builders.log import BuildLog
from localep.errors import EnvironmentFailure

if TYPE_CHECKING:
    import docker

    from localep.engine.base import BuildRequest, Progress

_NOISE = re.compile(r" --->|Removing intermediate container|Successfully (built|tagged)")
_STEP = re.compile(r"Step (\d+)/\d+ : .*")


class Classic:
    """The builder of the engine itself, over its API."""

    def __init__(self, api: docker.APIClient) -> None:
        self.api = api

    def build(self, request: BuildRequest, progress: Progress) -> None:
        """Build and name the image. Raises BuildFailed.

        What other builders mount as secrets is copied into the image here, so it is refused
        where it holds credentials.
        """
        if request.secrets_are_private:
            raise EnvironmentFailure(
                "The package settings hold credentials, which this builder would leave in the "
                "image.",
                cause="Only the engine's classic builder was found.",
                remedy="Install BuildKit for the docker client: the package docker-buildx or "
                "docker-buildx-plugin.",
            )
        log = BuildLog(progress)
        events = self.api.build(
            fileobj=io.BytesIO(_context(request)),
            custom_context=True,
            tag=request.reference,
            nocache=request.no_cache,
            rm=True,
            forcerm=True,
            decode=True,
        )
        step = ""
        for event in events:
            if "error" in event:
                log.fail(step, event["error"].strip())
            text = event.get("stream", "")
            if _STEP.fullmatch(text.rstrip()):
                step = text.rstrip()
                log.begin(step, step)
            elif not _NOISE.match(text):
                log.output(step, text)
        if log.error is not None:
            raise log.failure(request.reference, "The engine gave no reason.")


def _context(request: BuildRequest) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        folder = tarfile.TarInfo("secrets")
        folder.type = tarfile.DIRTYPE
        folder.mode = 0o755
        archive.addfile(folder)
        files = {**request.context, "Dockerfile": request.plain_dockerfile}
        files |= {f"secrets/{name}": text for name, text in request.secrets.items()}
        for name, text in files.items():
            content = text.encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()
