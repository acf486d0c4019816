"""The base image, and builds as this machine's network wants them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from localep.engine.base import BuildRequest
from localep.environment.build_settings import user_build_settings
from localep.environment.debian import SUITE, root_file_system
from localep.environment.dockerfile import (
    CA_SECRET,
    SETTINGS_SECRET,
    base_context,
    without_mounts,
)
from localep.environment.plan import BaseImage
from localep.errors import EnvironmentFailure, PullFailed
from localep.operations.environments.builds import run_build

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from localep.engine.base import Image
    from localep.operations.workplace import Workplace

BASE_REPOSITORY = "localep/base"
BASE_PYTHON = "3.11"
DEBIAN_OFFICIAL = f"debian:{SUITE}-slim"
DEBIAN_OWN = f"localep/debian:{SUITE}"


def base_reference(platform: str = "") -> str:
    """The name of the base image that this version of localep wants, for the engine's platform.

    That of another ``platform`` has it in its name.
    """
    context = base_context(DEBIAN_OFFICIAL)
    suffix = f"-{platform.replace('/', '-')}" if platform else ""
    return f"{BASE_REPOSITORY}:{_digest(context)[:12]}{suffix}"


def ensure_base(place: Workplace, platform: str = "") -> BaseImage:
    """The base image, built where it is not there."""
    reference = base_reference(platform)
    image = place.engine.find_image(reference)
    if image is None:
        image = build_base(place, platform=platform)
    return BaseImage(reference, image.identity, BASE_PYTHON)


def build_base(
    place: Workplace,
    *,
    pull: bool = False,
    no_cache: bool = False,
    mirror: str | None = None,
    platform: str = "",
) -> Image:
    """Build the base image on Debian's, and name it.

    ``pull`` asks a registry for Debian's image even where one is there; ``mirror`` is a mirror
    of Debian's packages; ``platform`` is another one than the engine's.
    """
    if platform:
        debian = _debian_of(place, platform)
    else:
        debian = _ensure_debian(place, pull=pull, mirror=mirror)
    reference = base_reference(platform)
    place.reporter.step(f"Building {reference}")
    context = base_context(debian)
    image = build(place, reference, context, (), no_cache=no_cache, platform=platform)
    if not platform:
        place.engine.tag_image(image.identity, f"{BASE_REPOSITORY}:latest")
    return image


def build(
    place: Workplace,
    reference: str,
    context: Mapping[str, str],
    private_options: tuple[str, ...],
    *,
    no_cache: bool,
    platform: str = "",
    secrets: Mapping[str, str] | None = None,
    secrets_are_private: bool = False,
    files: Mapping[str, Path] | None = None,
) -> Image:
    """Build an image with the network settings of this machine.

    ``secrets`` are further ones, see BuildRequest for them and for ``files``.
    """
    settings = user_build_settings(private_options)
    for note in settings.notes:
        place.reporter.note(note)
    secrets = {SETTINGS_SECRET: settings.script, **(secrets or {})}
    if settings.ca_bundle is not None:
        secrets[CA_SECRET] = settings.ca_bundle
    request = BuildRequest(
        reference=reference,
        context=context,
        plain_dockerfile=without_mounts(context["Dockerfile"]),
        secrets=secrets,
        secrets_are_private=settings.has_credentials or secrets_are_private,
        no_cache=no_cache,
        platform=platform,
        files=files or {},
    )
    return run_build(place, request)


def _debian_of(place: Workplace, platform: str) -> str:
    """The name of an image with Debian for another platform; no file system of it is made here."""
    reference = f"{DEBIAN_OWN}-{platform.replace('/', '-')}"
    if place.engine.find_image(reference) is None:
        here = place.engine.find_image(DEBIAN_OFFICIAL)
        place.reporter.step(f"Pulling {DEBIAN_OFFICIAL} for {platform}")
        try:
            pulled = place.engine.pull_image(DEBIAN_OFFICIAL, place.reporter, platform)
        except PullFailed as error:
            raise EnvironmentFailure(
                f"There is no base image for {platform}.",
                cause=error.said,
                remedy="Leave out --platform, or load Debian's image for it into the engine as "
                f"{reference}.",
            ) from error
        place.engine.tag_image(pulled.identity, reference)
        if here is not None:  # the name was taken from the image of the engine's own platform
            place.engine.tag_image(here.identity, DEBIAN_OFFICIAL)
    return reference


def _ensure_debian(place: Workplace, *, pull: bool, mirror: str | None) -> str:
    """The name of an image with Debian in it: pulled, or made here where no registry answers."""
    there = [name for name in (DEBIAN_OFFICIAL, DEBIAN_OWN) if place.engine.find_image(name)]
    if there and not pull:
        return there[0]
    place.reporter.step(f"Pulling {DEBIAN_OFFICIAL}")
    try:
        place.engine.pull_image(DEBIAN_OFFICIAL, place.reporter)
    except PullFailed as error:
        place.reporter.note(error.said)
        if there:
            return there[0]
    else:
        return DEBIAN_OFFICIAL
    place.reporter.step("Making Debian's root file system with debootstrap")
    with root_file_system(place.reporter.status, mirror) as archive:
        place.engine.import_image(archive, DEBIAN_OWN, {"localep.role": "debian"})
    return DEBIAN_OWN


def _digest(context: Mapping[str, str]) -> str:
    return hashlib.sha256("\0".join(context.values()).encode()).hexdigest()
