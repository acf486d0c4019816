"""Builds by the engine's own, classic builder: no client, no secrets, no cache mounts."""

from __future__ import annotations

import io
import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import docker
import docker.errors

from localep.engine.base import BuildFolder
from localep.engine.builders.context import archive
from localep.engine.builders.log import BuildLog
from localep.engine.errors import is_bad_request
from localep.errors import EnvironmentFailure
from localep.interrupts import held_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import requests

    from localep.engine.base import BuildRequest, Progress

_STEP = re.compile(r"Step \d+/\d+ : .*")
_CONTAINER = re.compile(r" ---> Running in ([0-9a-f]+)")
_IMAGE = re.compile(r" ---> ([0-9a-f]{12,})$")
_FOUND = " ---> Using cache"
_NOISE = re.compile(r" --->|Removing intermediate container|Successfully (built|tagged)")


class Classic:
    """The builder of the engine itself, over its API."""

    kind = "classic"

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
        made = _Made()
        try:
            with self._events(request) as events:
                for event in events:
                    _tell(log, made, event)
        except docker.errors.APIError as error:
            self._discard(made)
            if not is_bad_request(error):
                raise
            log.fail(None, str(error.explanation or error))  # the Dockerfile cannot be read
        except BaseException:
            self._discard(made)
            raise
        if log.error is not None:
            self._discard(made)
            raise log.failure(request.reference, "The engine gave no reason.")

    @contextmanager
    def _events(self, request: BuildRequest) -> Iterator[Iterable[dict[str, Any]]]:
        """What the engine tells of a build; it gives the build up where the block is left."""
        answers: list[requests.Response] = []
        # docker-py keeps the answer to itself, and so its connection open.
        keep: list[Any] = self.api.hooks["response"]
        keep.append(lambda answer, **_: answers.append(answer))
        try:
            yield self.api.build(
                **_context(request),
                tag=request.reference,
                nocache=request.no_cache,
                platform=request.platform or None,
                rm=True,
                forcerm=True,
                decode=True,
            )
        finally:
            keep.pop()
            for answer in answers:
                answer.close()

    def _discard(self, made: _Made) -> None:
        """Remove what a build leaves that was not brought to its end."""
        with held_back(), suppress(docker.errors.DockerException, OSError):
            if made.container is not None:
                with suppress(docker.errors.NotFound):
                    self.api.remove_container(made.container, force=True, v=True)
            # Without the layers that it shares with others.
            if made.image is not None and not self._has_name(made.image):
                self.api.remove_image(made.image)

    def _has_name(self, image: str) -> bool:
        found = self.api.inspect_image(image)  # type: ignore[no-untyped-call]
        return bool(found["RepoTags"])


@dataclass
class _Made:
    """The container of the step that runs, and the last layer that was made and not found."""

    step: str = ""
    container: str | None = None
    image: str | None = None
    was_found: bool = False


def _tell(log: BuildLog, made: _Made, event: dict[str, Any]) -> None:
    if "error" in event:
        log.fail(made.step, event["error"].strip())
    text = event.get("stream", "")
    if _STEP.fullmatch(text.rstrip()):
        made.step = text.rstrip()
        made.was_found = " : FROM " in text
        log.begin(made.step, made.step)
    elif match := _CONTAINER.match(text):
        made.container = match.group(1)
    elif match := _IMAGE.match(text):
        made.image = made.image if made.was_found else match.group(1)
    elif text.startswith(_FOUND):
        made.was_found = True
    elif not _NOISE.match(text):
        log.output(made.step, text)


def _context(request: BuildRequest) -> dict[str, Any]:
    """The context as docker-py takes it: an archive, or a folder and a Dockerfile in it."""
    if isinstance(request.context, BuildFolder):
        return {"path": str(request.context.path), "dockerfile": request.context.dockerfile}
    files = {**request.context, "Dockerfile": request.plain_dockerfile}
    files |= {f"secrets/{name}": text for name, text in request.secrets.items()}
    content = archive(files, request.files, folders=["secrets"])
    return {"fileobj": io.BytesIO(content), "custom_context": True}
