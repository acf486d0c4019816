"""Images of a Docker engine."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import docker
import docker.errors
import docker.utils

from localep.engine.base import BuildRequest, Image, Progress, RegistryImage
from localep.engine.builders import choose_builder
from localep.engine.errors import engine_errors, pull_failed
from localep.engine.platforms import platform_of
from localep.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from localep.engine.address import EngineAddress

# What an engine before 25 calls an image whose name another has taken.
_UNNAMED = "<none>:<none>"


class ImageCalls:
    """What localep does with images; see engine.base.Engine for the meaning of each."""

    api: docker.APIClient
    address: EngineAddress

    def find_image(self, reference: str) -> Image | None:
        """The image of this name or id, None where the engine has none."""
        with engine_errors("look for an image"):
            try:
                entry = self.api.inspect_image(reference)  # type: ignore[no-untyped-call]
            except docker.errors.ImageNotFound:
                return None
        config = entry.get("Config") or {}
        platform = platform_of(entry.get("Os"), entry.get("Architecture"), entry.get("Variant"))
        return Image(
            entry["Id"],
            config.get("Labels") or {},
            entry["Size"],
            platform,
            digests=tuple(entry.get("RepoDigests") or ()),
            layers=tuple((entry.get("RootFS") or {}).get("Layers") or ()),
            user=config.get("User") or "",
            variables=dict(text.partition("=")[::2] for text in config.get("Env") or ()),
        )

    def labelled_images(self, labels: Mapping[str, str]) -> list[tuple[str, Mapping[str, str]]]:
        """The named images with all of these labels: a name and the labels of each."""
        wanted: Any = {"label": [f"{name}={value}" for name, value in labels.items()]}
        with engine_errors("list images"):
            entries = self.api.images(filters=wanted)
        named = ((entry.get("RepoTags") or [], entry.get("Labels") or {}) for entry in entries)
        return [(tags[0], labels) for tags, labels in named if tags and tags[0] != _UNNAMED]

    def platform(self) -> str:
        """What the engine runs by itself, as ``linux/amd64``."""
        return self._own_platform

    @cached_property
    def _own_platform(self) -> str:
        with engine_errors("tell its version"):
            told = self.api.version()
        return platform_of(told.get("Os"), told.get("Arch"))

    def pull_image(self, reference: str, progress: Progress, platform: str = "") -> Image:
        """Fetch an image from its registry, for a platform or the engine's. Raises PullFailed."""
        repository, tag = docker.utils.parse_repository_tag(reference)
        with engine_errors(f"pull {reference}"):
            try:
                events = self.api.pull(
                    repository,
                    tag or "latest",
                    stream=True,
                    decode=True,
                    platform=platform or None,
                )
                for event in events:
                    if "error" in event:
                        raise pull_failed(reference, event["error"])
                    if event.get("status"):
                        progress.status(f"{event.get('id', '')} {event['status']}".strip())
            except docker.errors.APIError as error:
                raise pull_failed(reference, str(error.explanation or error)) from error
        image = self._image_there(reference)
        if platform and image.platform not in {"", platform}:
            # Engine 20.10 takes an image that is there for one platform, whatever it was asked.
            message = f"does not match the specified platform: {image.platform}, not {platform}"
            raise pull_failed(reference, message)
        return image

    def ask_registry(self, reference: str) -> RegistryImage:
        """What the registry has of an image; nothing of it is fetched. Raises PullFailed."""
        with engine_errors(f"ask for {reference}"):
            try:
                told = self.api.inspect_distribution(reference)  # type: ignore[no-untyped-call]
            except docker.errors.APIError as error:
                raise pull_failed(reference, str(error.explanation or error)) from error
        platforms = (
            platform_of(entry.get("os"), entry.get("architecture"), entry.get("variant"))
            for entry in told.get("Platforms") or ()
        )
        return RegistryImage(tuple(dict.fromkeys(filter(None, platforms))))

    def import_image(self, archive: Path, reference: str, labels: Mapping[str, str]) -> Image:
        """Make an image of a root file system in a tar file."""
        repository, tag = docker.utils.parse_repository_tag(reference)
        changes = ['CMD ["bash"]', *(f'LABEL {name}="{value}"' for name, value in labels.items())]
        with engine_errors(f"import {reference}"), archive.open("rb") as stream:
            self.api.import_image_from_data(stream, repository, tag or "latest", changes=changes)
        return self._image_there(reference)

    def build_image(self, request: BuildRequest, progress: Progress) -> Image:
        """Build an image. Raises BuildFailed."""
        with engine_errors(f"build {request.reference}"):
            choose_builder(self.api, self.address).build(request, progress)
        return self._image_there(request.reference)

    def tag_image(self, identity: str, reference: str) -> None:
        """Give an image a further name."""
        repository, tag = docker.utils.parse_repository_tag(reference)
        with engine_errors(f"name an image {reference}"):
            self.api.tag(identity, repository, tag or "latest")

    def _image_there(self, reference: str) -> Image:
        image = self.find_image(reference)
        if image is None:
            raise EngineError(
                f"The image {reference} is not there.",
                cause="The engine reported success, but has no such image.",
                remedy="Check that the docker client and localep talk to the same engine.",
            )
        return image
