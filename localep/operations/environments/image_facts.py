"""What this machine's engine and the registries know of images."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from localep.errors import PullFailed
from localep.rules.image_facts import CLOUD_PLATFORM, Answer, ImageFacts, LookUp
from localep.spec.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.engine.base import Engine
    from localep.errors import PullReason
    from localep.operations.workplace import Workplace
    from localep.spec.model import DeploymentSpec

_ANSWERS: dict[PullReason, Answer] = {"missing": Answer.MISSING, "login": Answer.LOGIN}
# Names of localep's own, which no registry has.
_OWN = "localep/"


def look_up_in(engine: Engine, *, asks_registries: bool = True) -> LookUp:
    """A way to look images up in an engine, and in their registries.

    Without ``asks_registries`` those alone are asked for whose platform here is not the cloud's:
    a registry may have the cloud's as well. What it has counts before what is here.
    """

    @cache
    def look_up(reference: str) -> ImageFacts | None:
        if reference.startswith(_OWN):
            return None
        here = engine.find_image(reference)
        platforms = (here.platform,) if here is not None and here.platform else ()
        size = here.size if here is not None else None
        if not asks_registries and platforms in {(), (CLOUD_PLATFORM,)}:
            return ImageFacts(platforms, size)
        try:
            there = engine.ask_registry(reference)
        except PullFailed as error:
            return ImageFacts(platforms, size, _ANSWERS.get(error.reason, Answer.SILENT))
        return ImageFacts(there.platforms or platforms, size, Answer.HAS)

    return look_up


@contextmanager
def told_when_pulled(place: Workplace, spec: DeploymentSpec) -> Iterator[None]:
    """Tell what is wrong with the deployment's image for the cloud where the block fetches it."""
    image = spec.environment.image if spec.environment is not None else None
    before = place.engine.find_image(image) if image is not None else None
    yield
    after = place.engine.find_image(image) if image is not None else None
    if after is None or (before is not None and before.identity == after.identity):
        return
    from localep.rules.engine import check_images

    for finding in check_images(spec, look_up_in(place.engine, asks_registries=False)):
        if finding.severity is Severity.WARNING:
            place.reporter.warn(str(finding))
