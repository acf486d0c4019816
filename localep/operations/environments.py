"""The images that deployments run in: the base, and one environment a plan."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from localep.engine.base import BuildFolder, BuildRequest
from localep.environment.conda_file import CondaFile, admits_python, parse_conda_file
from localep.environment.dockerfile import build_context
from localep.environment.plan import (
    BaseImage,
    EnvironmentPlan,
    complete_environment,
    image_reference,
    plan_environment,
)
from localep.errors import BuildFailed, EnvironmentFailure, PullFailed
from localep.operations.base_image import BASE_PYTHON, base_reference, build, ensure_base
from localep.operations.snapshot import files_below, reading
from localep.spec.documents import CONDA_FILE, read_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from localep.engine.base import Engine, Image
    from localep.operations.workplace import Workplace
    from localep.spec.model import BuildSpec, EnvironmentSpec

BUILD_REPOSITORY = "localep/build"
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
    if spec is not None and spec.build is not None:
        reference, built = _ensure_built(place, spec.build, options)
        options = replace(options, pull=False)  # what was built here is in no registry
        there = ensure_environment(place, replace(spec, image=reference, build=None), options)
        return replace(there, built=built or there.built)
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
        insists = options.pull or options.strict_image or _is_custom(spec)
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
    fetch: Callable[[str, CondaFile | None], Image],
) -> EnvironmentPlan:
    conda = conda_of(spec)
    if spec is None or spec.image is None:
        _refuse_no_image(spec)
        return plan_environment(conda, own, python=options.python)
    try:
        image = fetch(spec.image, conda)
        if _is_custom(spec) and conda is None:
            return complete_environment(spec.image, image.identity)
        if image.identity == own.identity:
            return plan_environment(conda, own, python=options.python)
        if conda is None and engine and engine.find_program(image.identity, [SERVER_PROGRAM]):
            return complete_environment(spec.image, image.identity)
        python = _python_of(engine, spec.image, image, conda, options)
    except _StandIn as reason:
        remedy = _why_irreplaceable(spec, options)
        if remedy is not None:
            message = f"The image {spec.image} cannot be used."
            raise EnvironmentFailure(message, cause=reason.cause, remedy=remedy) from reason
        plan = plan_environment(conda, own, python=options.python)
        warning = f"{reason.cause} {own.reference} stands in for it."
        warnings = (warning, *plan.warnings)
        return replace(plan, warnings=warnings, stands_in_for=spec.image)
    base = BaseImage(spec.image, image.identity, python, own.reference)
    return plan_environment(conda, base, python=options.python)


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


def _ensure_built(
    place: Workplace, spec: BuildSpec, options: EnvironmentOptions
) -> tuple[str, bool]:
    """The name of the image that a Dockerfile of the user's makes, and whether it was built now.

    The name changes with the Dockerfile, and with the files of its folder by size, date and mode.
    """
    reference = f"{BUILD_REPOSITORY}:{_folder_digest(spec)}"
    must_build = options.no_cache or options.pull or place.engine.find_image(reference) is None
    if must_build:
        place.reporter.step(f"Building {spec.path / spec.dockerfile}")
        folder = BuildFolder(spec.path, spec.dockerfile)
        request = BuildRequest(reference, folder, no_cache=options.no_cache)
        try:
            place.engine.build_image(request, place.reporter)
        except BuildFailed as error:
            error.remedy = "The step's last lines say what went wrong; correct the Dockerfile."
            raise
    return reference, must_build


def _folder_digest(spec: BuildSpec) -> str:
    digest = hashlib.sha256(spec.dockerfile.encode())
    with reading(spec.path, "Check its permissions."):
        # The Dockerfile may lie outside the folder.
        digest.update((spec.path / spec.dockerfile).read_bytes())
        for path, name in files_below(spec.path):
            status = path.stat()
            told = [name, f"{status.st_mode:o}"]
            if path.is_file():  # what comes and goes in a folder is seen there, or is no matter
                told += [str(status.st_size), str(status.st_mtime_ns)]
            digest.update(os.fsencode("\0".join([*told, ""])))
    return digest.hexdigest()[:16]


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
