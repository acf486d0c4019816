"""Environment images: found, or built, by the first way that leads there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from localep.environment.dockerfile import CONDA_LIST, CONDA_SECRET, build_context
from localep.environment.growth import ROOT_LABEL, Parent, nearest
from localep.environment.plan import FROM_CHANNELS, image_reference, without_old_server
from localep.environment.requirements import is_of_server, package_name
from localep.environment.solver import Solver
from localep.errors import BuildFailed, ChannelUnreachable, EnvironmentFailure
from localep.operations.environments.base_image import build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from localep.engine.base import Image
    from localep.environment.plan import EnvironmentPlan
    from localep.operations.environments.options import EnvironmentOptions
    from localep.operations.workplace import Workplace


@dataclass(frozen=True)
class Obtained:
    """An environment's image, by the name of what is in it, and whether it was built now."""

    reference: str
    image: Image
    built: bool


def obtain(
    place: Workplace,
    plan: EnvironmentPlan,
    options: EnvironmentOptions,
    planned_with: Callable[[Solver], EnvironmentPlan],
) -> Obtained:
    """The image of a plan, built where it is not there.

    Where no channel answers, PyPI stands in for it (``planned_with`` gives that plan), unless
    the options insist on channels; where packages of the cloud's old server cannot be installed,
    they are left out. Either is found again under a further name, so nothing is tried twice.
    """
    wanted = reference_of(plan)
    _warn(place, plan.warnings)
    image = None if options.no_cache else place.engine.find_image(wanted)
    if image is not None:
        return Obtained(wanted, image, built=False)
    ways = _Ways(plan, options, planned_with)
    if not (options.no_cache or options.pull):
        for other in ways.others():
            reference = reference_of(other)
            image = place.engine.find_image(stand_in_mark(wanted, reference))
            if image is not None:
                _warn(place, other.warnings, plan.warnings)
                return Obtained(reference, image, built=False)
    used, image, built = _first_that_leads_there(place, ways, options)
    reference = reference_of(used)
    if used is not plan:
        place.engine.tag_image(image.identity, stand_in_mark(wanted, reference))
    return Obtained(reference, image, built)


@cache
def reference_of(plan: EnvironmentPlan) -> str:
    """The name of a plan's image; several steps of one command ask for it."""
    return image_reference(plan, build_context(plan))


def stand_in_mark(requested: str, reference: str) -> str:
    """A further name of an environment's image, which says whose place it took."""
    digest = hashlib.sha256(f"{requested} {reference}".encode()).hexdigest()
    return f"localep/stand-in:{digest[:16]}"


class _Ways:
    """A plan, and those that may take its place."""

    def __init__(
        self,
        plan: EnvironmentPlan,
        options: EnvironmentOptions,
        planned_with: Callable[[Solver], EnvironmentPlan],
    ) -> None:
        self.plan = plan
        self.no_twin: EnvironmentFailure | None = None
        self._may_use_pypi = (
            plan.conda is not None and not plan.is_locked and options.solver is Solver.AUTO
        )
        self._planned_with = planned_with
        self._pypi: EnvironmentPlan | None = None

    def from_pypi(self) -> EnvironmentPlan | None:
        """The plan with PyPI in the place of channels, None where there can be none."""
        if self._may_use_pypi and self._pypi is None and self.no_twin is None:
            try:
                self._pypi = self._planned_with(Solver.PYPI)
            except EnvironmentFailure as error:
                self.no_twin = error
        return self._pypi

    def others(self) -> list[EnvironmentPlan]:
        """All that may stand in for the plan."""
        pypi = self.from_pypi()
        found = [without_old_server(self.plan), pypi, without_old_server(pypi) if pypi else None]
        return [plan for plan in found if plan is not None]


def _first_that_leads_there(
    place: Workplace, ways: _Ways, options: EnvironmentOptions
) -> tuple[EnvironmentPlan, Image, bool]:
    try:
        return _without_what_fails(place, ways.plan, options)
    except ChannelUnreachable as error:
        pypi = ways.from_pypi()
        if pypi is None:
            raise _told_of_twins(error, ways.no_twin) from error
        place.reporter.note(error.said)
        _warn(place, pypi.warnings, ways.plan.warnings)
        image = None if options.no_cache else place.engine.find_image(reference_of(pypi))
        if image is not None:
            return pypi, image, False
        return _without_what_fails(place, pypi, options)


def _without_what_fails(
    place: Workplace, plan: EnvironmentPlan, options: EnvironmentOptions
) -> tuple[EnvironmentPlan, Image, bool]:
    """Build a plan; where packages of the old server stop it, without them."""
    try:
        return plan, _build(place, plan, options), True
    except BuildFailed as error:
        relieved = without_old_server(plan)
        if relieved is None or not _blames_server(error, plan):
            raise
    _warn(place, relieved.warnings, plan.warnings)
    return relieved, _build(place, relieved, options), True


def _build(place: Workplace, plan: EnvironmentPlan, options: EnvironmentOptions) -> Image:
    reference = reference_of(plan)
    context = build_context(plan, None if options.no_cache else _parent(place, plan))
    installed = None
    if plan.conda is not None:
        from localep.conda.documents import installation

        installed = installation(plan.conda, plan.private_channels, place.reporter.step)
        context[CONDA_LIST] = installed.listed
    place.reporter.step("Building the environment")
    return build(
        place,
        reference,
        context,
        plan.private_options,
        no_cache=options.no_cache,
        platform=options.platform,
        secrets={CONDA_SECRET: installed.access} if installed is not None else {},
        secrets_are_private=installed is not None and installed.has_credentials,
        files=installed.files if installed is not None else {},
    )


def _parent(place: Workplace, plan: EnvironmentPlan) -> Parent | None:
    # Logins stand in no file of a build, which bringing one environment to another needs.
    if plan.private_options or not plan.may_grow:
        return None
    return nearest(plan, place.engine.labelled_images({ROOT_LABEL: plan.root}))


def _blames_server(error: BuildFailed, plan: EnvironmentPlan) -> bool:
    """Whether a failed build speaks of a package that the cloud's old server brought."""
    names = [package_name(line) or "" for line in plan.requirements if is_of_server(line)]
    return any(name in line for line in error.log for name in names)


def _told_of_twins(error: ChannelUnreachable, no_twin: EnvironmentFailure | None) -> Exception:
    """Why neither a channel nor PyPI leads to the packages."""
    if no_twin is None:
        return error
    rest = (no_twin.remedy or "").removeprefix(FROM_CHANNELS).strip()
    return ChannelUnreachable(
        error.message,
        cause=f"{error.cause} PyPI cannot stand in for it: {no_twin.message} {no_twin.cause}",
        remedy=f"{error.remedy} Or {rest[:1].lower()}{rest[1:]}",
        details=error.details,
    )


def _warn(place: Workplace, warnings: Iterable[str], told: Iterable[str] = ()) -> None:
    known = set(told)
    for warning in warnings:
        if warning not in known:
            place.reporter.warn(warning)
