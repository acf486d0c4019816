"""The images that deployments run in: the base, and one environment a plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from localep.environment.conda_file import CondaFile, admits_python, parse_conda_file
from localep.environment.plan import (
    BaseImage,
    EnvironmentPlan,
    complete_environment,
)
from localep.errors import EnvironmentFailure, PullFailed
from localep.operations.environments.base_image import BASE_PYTHON, base_reference, ensure_base
from localep.operations.environments.conda_ways import (
    OWN_GLIBC,
    brings_python,
    conda_platform,
    glibc_of,
    lock_of,
    plan_of,
)
from localep.operations.environments.images import obtain, reference_of, stand_in_mark
from localep.operations.environments.own_dockerfile import BUILD_REPOSITORY, ensure_built
from localep.operations.environments.platforms import fits, tell_foreign_platform
from localep.spec.documents import CONDA_FILE, read_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from localep.conda.lock import Lock
    from localep.engine.base import Engine, Image
    from localep.environment.solver import Solver
    from localep.operations.environments.options import EnvironmentOptions
    from localep.operations.workplace import Workplace
    from localep.spec.model import EnvironmentSpec

SERVER_PROGRAM = "azmlinfsrv"
# Of the cloud's own inference images: runit starts from it what serves the scoring script.
SERVICES_FOLDER = "/var/runit"
# What is looked for in an image of the user's own, the base's first.
PYTHONS = (BASE_PYTHON, "3.12", "3.13", "3.14", "3.10", "3.9")


@dataclass(frozen=True)
class EnvironmentImage:
    """An environment that is there: the image's name and id, and whether it was built now.

    ``has_own_server`` marks an image that starts the inference server by itself; ``platform``
    is the image's where it is not the engine's.
    """

    reference: str
    identity: str
    built: bool
    has_own_server: bool = False
    platform: str = ""


def ensure_environment(
    place: Workplace, spec: EnvironmentSpec | None, options: EnvironmentOptions
) -> EnvironmentImage:
    """The image of an environment, built where it is not there."""
    if options.platform and options.platform == place.engine.platform():
        options = replace(options, platform="")
    if spec is not None and spec.build is not None:
        must_build = options.no_cache or options.pull
        reference, built = ensure_built(
            place,
            spec.build,
            must_build=must_build,
            no_cache=options.no_cache,
            platform=options.platform,
        )
        options = replace(options, pull=False)  # what was built here is in no registry
        there = ensure_environment(place, replace(spec, image=reference, build=None), options)
        return replace(there, built=built or there.built)
    planned_with = _planner(place, spec, options)
    plan = planned_with(options.solver)
    if plan.is_complete:
        for warning in plan.warnings:
            place.reporter.warn(warning)
        return EnvironmentImage(
            plan.base.reference,
            plan.base.identity,
            built=False,
            has_own_server=plan.has_own_server,
            platform=options.platform,
        )
    obtained = obtain(place, plan, options, planned_with)
    if plan.stands_in_for is not None:
        mark = stand_in_mark(plan.stands_in_for, reference_of(plan))
        place.engine.tag_image(obtained.image.identity, mark)
    return EnvironmentImage(
        obtained.reference,
        obtained.image.identity,
        obtained.built,
        platform=options.platform,
    )


def _planner(
    place: Workplace, spec: EnvironmentSpec | None, options: EnvironmentOptions
) -> Callable[[Solver], EnvironmentPlan]:
    """What settles what an environment is built from, by who finds its packages.

    The image that the deployment names is used where it is here or can be pulled; localep's own
    stands in for it otherwise, with a warning. A registry is asked only where the same
    environment was not built without this image before, or where ``options`` insist.
    """
    # A container that stays as its image is needs no base, least of all one for its platform.
    is_left_alone = _is_custom(spec) and conda_of(spec) is None
    own = ensure_base(place, "" if is_left_alone else options.platform)

    @cache
    def asked(requested: str, conda: CondaFile | None, lock: Lock | None) -> Image | str:
        """The image, or why it cannot be used; nobody is asked twice."""
        image = None if options.pull else place.engine.find_image(requested)
        if image is not None and fits(image, options.platform):
            tell_foreign_platform(place, requested, image)
            return image
        insists = options.pull or options.strict_image or _is_custom(spec)
        if not insists and _stood_in_before(place, requested, conda, lock, own, options):
            return f"The image {requested} is not here."
        place.reporter.step(f"Pulling {requested}")
        try:
            image = place.engine.pull_image(requested, place.reporter, options.platform)
            tell_foreign_platform(place, requested, image)
            return image
        except PullFailed as error:
            return error.said

    def fetch(requested: str, conda: CondaFile | None, lock: Lock | None) -> Image:
        found = asked(requested, conda, lock)
        if isinstance(found, str):
            raise _StandIn(found)
        return found

    return lambda solver: _plan(place.engine, spec, own, replace(options, solver=solver), fetch)


def plan_unbuilt(
    engine: Engine | None, spec: EnvironmentSpec | None, options: EnvironmentOptions
) -> EnvironmentPlan:
    """What an image is built from; nothing is pulled or built, ``engine`` may be None for none."""
    there = engine.find_image(base_reference()) if engine is not None else None
    own = BaseImage(base_reference(), there.identity if there else "", BASE_PYTHON)

    def fetch(requested: str, *_: object) -> Image:
        image = engine.find_image(requested) if engine is not None else None
        if image is None:
            raise _StandIn(f"The image {requested} is not here.")
        return image

    return _plan(engine, spec, own, options, fetch)


def _is_custom(spec: EnvironmentSpec | None) -> bool:
    return spec is not None and spec.inference_config is not None


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
    fetch: Callable[[str, CondaFile | None, Lock | None], Image],
) -> EnvironmentPlan:
    conda = conda_of(spec)
    platform = _conda_platform(engine, conda, options)
    lock = lock_of(spec, options, platform)
    own_target = (platform, OWN_GLIBC)
    if spec is None or spec.image is None:
        _refuse_no_image(spec)
        return plan_of(conda, lock, own, options, own_target)
    try:
        image = fetch(spec.image, conda, lock)
        complete = _complete(engine, spec, image, own) if conda is None else None
        if complete is not None:
            return complete
        if image.identity == own.identity:
            return plan_of(conda, lock, own, options, own_target)
        found = _find_python(engine, image, conda, lock, options)
        if brings_python(conda, lock, options, found):
            glibc = glibc_of(engine, image.identity)
            if glibc is None:
                raise _StandIn(f"The image {spec.image} has no glibc, which conda packages need.")
            base = BaseImage(spec.image, image.identity, found or "", own.reference)
            return plan_of(conda, lock, base, options, (platform, glibc))
        if found is None:
            raise _StandIn(_without_python(spec.image, conda, options))
    except _StandIn as reason:
        remedy = _why_irreplaceable(spec, options)
        if remedy is not None:
            message = f"The image {spec.image} cannot be used."
            raise EnvironmentFailure(message, cause=reason.cause, remedy=remedy) from reason
        plan = plan_of(conda, lock, own, options, own_target)
        warning = f"{reason.cause} {own.reference} stands in for it."
        warnings = (warning, *plan.warnings)
        return replace(plan, warnings=warnings, stands_in_for=spec.image)
    base = BaseImage(spec.image, image.identity, found, own.reference)
    return plan_of(conda, lock, base, options, own_target)


def _complete(
    engine: Engine | None, spec: EnvironmentSpec, image: Image, own: BaseImage
) -> EnvironmentPlan | None:
    """The plan of an image that needs no further package; None for one that does."""
    complete = complete_environment(spec.image or "", image.identity)
    if _is_custom(spec):
        return complete
    if engine is None or image.identity == own.identity:
        return None
    if engine.holds(image.identity, SERVICES_FOLDER):
        return replace(complete, has_own_server=True)
    return complete if engine.find_program(image.identity, [SERVER_PROGRAM]) else None


def _refuse_no_image(spec: EnvironmentSpec | None) -> None:
    if _is_custom(spec):
        raise EnvironmentFailure(
            "The custom container has no image.",
            cause="`inference_config` says that the image brings its own server, but there is "
            "neither `image:` nor `build:`.",
            remedy="Name the image under `environment:`, or remove `inference_config`.",
        )


def _why_irreplaceable(spec: EnvironmentSpec, options: EnvironmentOptions) -> str | None:
    """What to do about an image that nothing may stand in for, None where the base may."""
    if _is_custom(spec):
        return "Build it or load it into the engine, or log in to its registry."
    if (spec.image or "").startswith(f"{BUILD_REPOSITORY}:"):
        return "Have its Dockerfile install Python, or say with `inference_config` how it answers."
    if options.strict_image:
        return "Leave out --strict-image to run on localep's own base image instead."
    return None


def _find_python(
    engine: Engine | None,
    image: Image,
    conda: CondaFile | None,
    lock: Lock | None,
    options: EnvironmentOptions,
) -> str | None:
    """The minor version of a Python in an image that fits the conda file, None for none."""
    if brings_python(conda, lock, options, BASE_PYTHON):  # whatever the image has
        return None
    constraint = options.python or (conda.python if conda else "")
    if lock is not None and lock.python is not None:
        constraint = lock.python
    admitted = [minor for minor in PYTHONS if admits_python(constraint, minor)]
    names = [f"python{minor}" for minor in admitted]
    program = engine.find_program(image.identity, names) if engine is not None else None
    return program.removeprefix("python") if program is not None else None


def _without_python(requested: str, conda: CondaFile | None, options: EnvironmentOptions) -> str:
    constraint = options.python or (conda.python if conda else "")
    wanted = f"Python {constraint.lstrip('=')}" if constraint else "Python"
    return f"The image {requested} has no {wanted} of its own."


def _conda_platform(
    engine: Engine | None, conda: CondaFile | None, options: EnvironmentOptions
) -> str:
    if conda is None:
        return ""
    platform = options.platform or (engine.platform() if engine is not None else "linux/amd64")
    return conda_platform(platform)


def _stood_in_before(
    place: Workplace,
    requested: str,
    conda: CondaFile | None,
    lock: Lock | None,
    own: BaseImage,
    options: EnvironmentOptions,
) -> bool:
    """Whether this environment was built before because ``requested`` could not be had."""
    try:
        target = (_conda_platform(place.engine, conda, options), OWN_GLIBC)
        plan = plan_of(conda, lock, own, options, target)
    except EnvironmentFailure:
        return False
    return place.engine.find_image(stand_in_mark(requested, reference_of(plan))) is not None


def conda_of(spec: EnvironmentSpec | None) -> CondaFile | None:
    """The conda file of an environment, from a file or from the YAML itself. Raises SpecError."""
    if spec is None:
        return None
    if spec.conda is not None:
        return parse_conda_file(spec.conda, "conda_file")
    if spec.conda_file is not None:
        document = read_document(spec.conda_file, CONDA_FILE)
        return parse_conda_file(document.data, str(spec.conda_file))
    return None
