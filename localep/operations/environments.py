"""The images that deployments run in: the base, and one environment a plan."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from localep.environment.conda_file import CondaFile, admits_python, parse_conda_file
from localep.environment.dockerfile import build_context
from localep.environment.plan import (
    BaseImage,
    EnvironmentPlan,
    complete_environment,
    image_reference,
    plan_environment,
)
from localep.errors import EnvironmentFailure, PullFailed
from localep.operations.base_image import BASE_PYTHON, base_reference, build, ensure_base
from localep.spec.documents import CONDA_FILE, read_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from localep.engine.base import Engine, Image
    from localep.operations.workplace import Workplace
    from localep.spec.model import EnvironmentSpec

SERVER_PROGRAM = "azmlinfsrv"
# What is looked for in an image of the user's own, the base's first.
PYTHONS = (BASE_PYTHON, "3.12", "3.13", "3.14", "3.10", "3.9")


@dataclass(frozen=True)
class EnvironmentOptions:
    """What the command line says of environments."""

    python: str | None = None
    strict_image: bool = False
    pull: bool = False
    no_cache: bool = False


@dataclass(frozen=True)
class EnvironmentImage:
    """An environment that is there: the image's name and id, and whether it was built now."""

    reference: str
    identity: str
    built: bool


def ensure_environment(
    place: Workplace, spec: EnvironmentSpec | None, options: EnvironmentOptions
) -> EnvironmentImage:
    """The image of an environment, built where it is not there."""
    plan = plan_image(place, spec, options)
    for warning in plan.warnings:
        place.reporter.warn(warning)
    if plan.is_complete:
        return EnvironmentImage(plan.base.reference, plan.base.identity, built=False)
    context = build_context(plan)
    reference = image_reference(plan, context)
    image = None if options.no_cache else place.engine.find_image(reference)
    built = image is None
    if image is None:
        place.reporter.step("Building the environment")
        image = build(place, reference, context, plan.private_options, no_cache=options.no_cache)
    if plan.stands_in_for is not None:
        place.engine.tag_image(image.identity, _stand_in_mark(plan.stands_in_for, reference))
    return EnvironmentImage(reference, image.identity, built)


def plan_image(
    place: Workplace, spec: EnvironmentSpec | None, options: EnvironmentOptions
) -> EnvironmentPlan:
    """Settle what an environment is built from.

    The image that the deployment names is used where it is here or can be pulled; localep's own
    stands in for it otherwise, with a warning. A registry is asked only where the same
    environment was not built without this image before, or where ``options`` insist.
    """
    own = ensure_base(place)

    def fetch(requested: str, conda: CondaFile | None) -> Image:
        image = None if options.pull else place.engine.find_image(requested)
        if image is not None:
            return image
        insists = options.pull or options.strict_image
        if not insists and _stood_in_before(place, requested, conda, own, options):
            raise _StandIn(f"The image {requested} is not here.")
        place.reporter.step(f"Pulling {requested}")
        try:
            return place.engine.pull_image(requested, place.reporter)
        except PullFailed as error:
            raise _StandIn(f"{error.message} {error.cause}") from error

    return _plan(place.engine, spec, own, options, fetch)


def plan_unbuilt(
    engine: Engine | None, spec: EnvironmentSpec | None, options: EnvironmentOptions
) -> EnvironmentPlan:
    """Like plan_image, but nothing is pulled or built; ``engine`` is None where none runs."""
    there = engine.find_image(base_reference()) if engine is not None else None
    own = BaseImage(base_reference(), there.identity if there else "", BASE_PYTHON)

    def fetch(requested: str, _: CondaFile | None) -> Image:
        image = engine.find_image(requested) if engine is not None else None
        if image is None:
            raise _StandIn(f"The image {requested} is not here.")
        return image

    return _plan(engine, spec, own, options, fetch)


class _StandIn(Exception):
    """The image that a deployment names cannot be used, and why."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


def _plan(
    engine: Engine | None,
    spec: EnvironmentSpec | None,
    own: BaseImage,
    options: EnvironmentOptions,
    fetch: Callable[[str, CondaFile | None], Image],
) -> EnvironmentPlan:
    if spec is not None and spec.build_path is not None:
        raise EnvironmentFailure(
            "The environment is built from a Dockerfile of its own.",
            cause="`environment.build` is not among what localep can run.",
            remedy="Build that image and name it under `image:`.",
        )
    conda = _conda_of(spec)
    if spec is None or spec.image is None:
        return plan_environment(conda, own, python=options.python)
    try:
        image = fetch(spec.image, conda)
        if image.identity == own.identity:
            return plan_environment(conda, own, python=options.python)
        if conda is None and engine and engine.find_program(image.identity, [SERVER_PROGRAM]):
            return complete_environment(spec.image, image.identity)
        python = _python_of(engine, spec.image, image, conda, options)
    except _StandIn as reason:
        if options.strict_image:
            raise EnvironmentFailure(
                f"The image {spec.image} cannot be used.",
                cause=reason.cause,
                remedy="Leave out --strict-image to run on localep's own base image instead.",
            ) from reason
        plan = plan_environment(conda, own, python=options.python)
        warning = f"{reason.cause} {own.reference} stands in for it."
        warnings = (warning, *plan.warnings)
        return replace(plan, warnings=warnings, stands_in_for=spec.image)
    base = BaseImage(spec.image, image.identity, python, own.reference)
    return plan_environment(conda, base, python=options.python)


def _python_of(
    engine: Engine | None,
    requested: str,
    image: Image,
    conda: CondaFile | None,
    options: EnvironmentOptions,
) -> str:
    """The minor version of a Python in an image that fits the conda file. Raises _StandIn."""
    constraint = options.python or (conda.python if conda else "")
    admitted = [minor for minor in PYTHONS if admits_python(constraint, minor)]
    names = [f"python{minor}" for minor in admitted]
    program = engine.find_program(image.identity, names) if engine is not None else None
    if program is None:
        wanted = f"Python {constraint.lstrip('=')}" if constraint else "Python"
        raise _StandIn(f"The image {requested} has no {wanted} of its own.")
    return program.removeprefix("python")


def _stood_in_before(
    place: Workplace,
    requested: str,
    conda: CondaFile | None,
    own: BaseImage,
    options: EnvironmentOptions,
) -> bool:
    """Whether this environment was built before because ``requested`` could not be had."""
    try:
        plan = plan_environment(conda, own, python=options.python)
    except EnvironmentFailure:
        return False
    mark = _stand_in_mark(requested, image_reference(plan, build_context(plan)))
    return place.engine.find_image(mark) is not None


def _stand_in_mark(requested: str, reference: str) -> str:
    """A further name of an environment's image, which says whose place it took."""
    digest = hashlib.sha256(f"{requested} {reference}".encode()).hexdigest()
    return f"localep/stand-in:{digest[:16]}"


def _conda_of(spec: EnvironmentSpec | None) -> CondaFile | None:
    if spec is None:
        return None
    if spec.conda is not None:
        return parse_conda_file(spec.conda, "conda_file")
    if spec.conda_file is not None:
        document = read_document(spec.conda_file, CONDA_FILE)
        return parse_conda_file(document.data, str(spec.conda_file))
    return None
