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
from localep.errors import PullFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localep.engine.base import Image
    from localep.operations.workplace import Workplace

BASE_REPOSITORY = "localep/base"
BASE_PYTHON = "3.11"
DEBIAN_OFFICIAL = f"debian:{SUITE}-slim"
DEBIAN_OWN = f"localep/debian:{SUITE}"


def base_reference() -> str:
    """The name of the base image that this version of localep wants."""
    context = base_context(DEBIAN_OFFICIAL)
    return f"{BASE_REPOSITORY}:{_digest(context)[:12]}"


def ensure_base(place: Workplace) -> BaseImage:
    """The base image, built where it is not there."""
    reference = base_reference()
    image = place.engine.find_image(reference)
    if image is None:
        image = build_base(place)
    return BaseImage(reference, image.identity, BASE_PYTHON)


def build_base(
    place: Workplace, *, pull: bool = False, no_cache: bool = False, mirror: str | None = None
) -> Image:
    """Build the base image on Debian's, and name it.

    ``pull`` asks a registry for Debian's image even where one is there; ``mirror`` is a mirror
    of Debian's packages.
    """
    debian = _ensure_debian(place, pull=pull, mirror=mirror)
    reference = base_reference()
    place.reporter.step(f"Building {reference}")
    image = build(place, reference, base_context(debian), (), no_cache=no_cache)
    place.engine.tag_image(image.identity, f"{BASE_REPOSITORY}:latest")
    return image


def build(
    place: Workplace,
    reference: str,
    context: Mapping[str, str],
    private_options: tuple[str, ...],
    *,
    no_cache: bool,
) -> Image:
    """Build an image with the network settings of this machine."""
    settings = user_build_settings(private_options)
    for note in settings.notes:
        place.reporter.note(note)
    secrets = {SETTINGS_SECRET: settings.script}
    if settings.ca_bundle is not None:
        secrets[CA_SECRET] = settings.ca_bundle
    request = BuildRequest(
        reference=reference,
        context=context,
        plain_dockerfile=without_mounts(context["Dockerfile"]),
        secrets=secrets,
        secrets_are_private=settings.has_credentials,
        no_cache=no_cache,
    )
    return place.engine.build_image(request, place.reporter)


def _ensure_debian(place: Workplace, *, pull: bool, mirror: str | None) -> str:
    """The name of an image with Debian in it: pulled, or made here where no registry answers."""
    there = [name for name in (DEBIAN_OFFICIAL, DEBIAN_OWN) if place.engine.find_image(name)]
    if there and not pull:
        return there[0]
    place.reporter.step(f"Pulling {DEBIAN_OFFICIAL}")
    try:
        place.engine.pull_image(DEBIAN_OFFICIAL, place.reporter)
    except PullFailed as error:
        place.reporter.note(f"{error.message} {error.cause}")
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
