"""The plan of an environment image: everything that decides what is in it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from localep.environment.conda_file import CondaFile, admits_python
from localep.environment.pypi_twins import Twins, find_twins
from localep.environment.requirements import (
    INFERENCE_SERVER,
    brings_server,
    clean_lines,
    split_private,
    without_insoluble,
    without_server,
)
from localep.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ENVIRONMENT_REPOSITORY = "localep/env"
# The beginning of a remedy, where channels have not been asked yet.
FROM_CHANNELS = "Take them from conda's channels with --solver conda, or"


@dataclass(frozen=True)
class BaseImage:
    """The image that an environment starts from.

    ``reference`` is what FROM names, ``identity`` the engine's id of it, ``python`` the minor
    version that it has ("3.11"), empty where none is needed. ``tools`` is the reference of
    localep's own base image where this one is another's, and uv must be brought along.
    """

    reference: str
    identity: str
    python: str
    tools: str | None = None


@dataclass(frozen=True)
class EnvironmentPlan:
    """What is built: the base, the interpreter, and pip's list with the server in it.

    ``private_options`` are lines of pip's list such as ``--index-url`` whose address holds
    credentials; they go to the build as a secret and never into the image. ``stands_in_for``
    is the image that the deployment names where the base has taken its place;
    ``keeps_packages`` tells that what the base has installed is part of the environment, and
    ``is_complete`` that nothing has to be built on it at all; ``has_own_server`` marks such an
    image that starts the inference server by itself.

    ``conda`` is what is installed from conda's channels, as the program localep-conda reads it,
    None where the Python is the image's own; ``private_channels`` are its channels with their
    credentials; ``sends_packages`` tells that conda packages go to the build with the context.
    ``is_locked`` tells that ``requirements`` name every package, one
    exact file each, and ``unlocked`` what is installed on top.
    """

    base: BaseImage
    requirements: tuple[str, ...]
    private_options: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    stands_in_for: str | None = None
    keeps_packages: bool = False
    is_complete: bool = False
    has_own_server: bool = False
    conda: str | None = None
    private_channels: tuple[str, ...] = ()
    sends_packages: bool = False
    is_locked: bool = False
    unlocked: tuple[str, ...] = ()

    @property
    def is_staged(self) -> bool:
        """Whether conda's packages are installed in a stage of their own, and copied from there.

        So no image of another needs the program for it, and no layer keeps what was sent.
        """
        return self.conda is not None and (self.base.tools is not None or self.sends_packages)

    @property
    def may_grow(self) -> bool:
        """Whether pip's list alone tells such an environment from others of the same root."""
        is_special = self.is_complete or self.is_locked or self.keeps_packages
        return self.conda is None and not is_special

    @property
    def root(self) -> str:
        """A name for what lies below pip's list: the base image and its Python."""
        return _short_digest(f"{self.base.identity} {self.base.python}")

    @property
    def lines(self) -> tuple[str, ...]:
        """A name for each line of pip's list, in their order."""
        return tuple(sorted({_short_digest(line) for line in self.requirements}))

    @property
    def requirements_text(self) -> str:
        """The requirements as a file for pip or uv."""
        return "".join(f"{line}\n" for line in self.requirements)


def _short_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def plan_environment(
    conda: CondaFile | None, base: BaseImage, *, python: str | None = None
) -> EnvironmentPlan:
    """What the image of an environment holds, with the Python of its base and PyPI's packages.

    ``conda`` is None where the deployment names an image alone. ``python`` is the version that
    the user wants instead of the conda file's. Conda packages are replaced by their twins on
    PyPI, with a warning. Raises EnvironmentFailure where the base has another Python, or where
    a package has no twin.
    """
    _check_wanted(base, python)
    if conda is None:
        return EnvironmentPlan(base, (INFERENCE_SERVER,), keeps_packages=base.tools is not None)
    warnings = _check_python(conda, base, python)
    twins = find_twins(conda.packages, conda.pip)
    _check_twins(twins)
    if conda.packages:
        warnings.append(_told(twins))
    return _with_pip(base, (*twins.requirements, *conda.pip), warnings, base.python)


def plan_from_channels(
    conda: CondaFile, base: BaseImage, listed: str, *, python: str | None = None
) -> EnvironmentPlan:
    """What the image of an environment holds whose Python and packages come from channels.

    ``listed`` is what is asked of them, as the program localep-conda reads it.
    """
    warnings = _override_warning(conda, python) if python is not None else []
    plan = _with_pip(base, conda.pip, warnings, python or conda.python_minor)
    return replace(plan, conda=listed)


def plan_from_lock(
    conda: CondaFile,
    base: BaseImage,
    listed: str | None,
    requirements: Iterable[str],
    *,
    brings_server: bool,
) -> EnvironmentPlan:
    """What the image of an environment holds that a lock names file by file.

    ``listed`` are its conda packages, as the program localep-conda reads them, None for none.
    """
    _, private = split_private(clean_lines(conda.pip))
    return EnvironmentPlan(
        base,
        tuple(requirements),
        private,
        conda=listed,
        is_locked=True,
        unlocked=() if brings_server else (INFERENCE_SERVER,),
    )


def without_old_server(plan: EnvironmentPlan) -> EnvironmentPlan | None:
    """The plan without what the old inference server brought, None where nothing of it is there."""
    kept, taken = without_server(plan.requirements)
    if not taken or plan.is_locked:
        return None
    warning = _taken_out(taken, "they cannot be installed any more")
    return replace(plan, requirements=(*kept, INFERENCE_SERVER), warnings=(*plan.warnings, warning))


def _with_pip(
    base: BaseImage, pip: Iterable[str], warnings: list[str], python: str | None
) -> EnvironmentPlan:
    """The plan of pip's list for a Python (None: not known yet), the server included."""
    requirements, private = split_private(clean_lines(pip))
    requirements, taken = without_insoluble(requirements, python)
    if taken:
        warnings.append(_taken_out(taken, "no index has all that they need any more"))
    if not brings_server(requirements):
        requirements = (*requirements, INFERENCE_SERVER)
    return EnvironmentPlan(base, requirements, private, tuple(warnings))


def _taken_out(lines: Iterable[str], why: str) -> str:
    return (
        f"Taken out of pip's list, as {why}: {', '.join(lines)}. "
        f"{INFERENCE_SERVER} is installed instead."
    )


def _told(twins: Twins) -> str:
    told = []
    if twins.told:
        listed = ", ".join(twins.told)
        told.append(f"Taken from PyPI in the place of conda's channels: {listed}.")
    if twins.left_out:
        listed = ", ".join(twins.left_out)
        told.append(f"Left out, as wheels and Python bring what they need of it: {listed}.")
    return " ".join(told) or "Conda's packages are in pip's list, too: they come from PyPI."


def complete_environment(reference: str, identity: str) -> EnvironmentPlan:
    """The plan of an image that has all it needs, the inference server included."""
    return EnvironmentPlan(BaseImage(reference, identity, python=""), (), is_complete=True)


def image_reference(plan: EnvironmentPlan, context: Mapping[str, str]) -> str:
    """The name of a plan's image: the same plan and build context give the same name."""
    identity = json.dumps([plan.base.identity, sorted(context.items())])
    return f"{ENVIRONMENT_REPOSITORY}:{hashlib.sha256(identity.encode()).hexdigest()[:16]}"


def _check_wanted(base: BaseImage, python: str | None) -> None:
    if python is not None and python != base.python:
        raise EnvironmentFailure(
            f"Python {python} is not to be had.",
            cause=f"{base.reference} has Python {base.python}.",
            remedy=f"Use --python {base.python}.",
        )


def _check_python(conda: CondaFile, base: BaseImage, python: str | None) -> list[str]:
    if admits_python(conda.python, base.python):
        return []
    if python is None:
        raise EnvironmentFailure(
            f"The conda file asks for python{conda.python}.",
            cause=f"{base.reference} has Python {base.python}.",
            remedy=f"Use --python {base.python} to run with that one all the same, "
            f"or change the conda file to python={base.python}.",
        )
    return _override_warning(conda, python)


def _override_warning(conda: CondaFile, python: str) -> list[str]:
    if admits_python(conda.python, python):
        return []
    return [f"The conda file asks for python{conda.python}; Python {python} is used instead."]


def _check_twins(twins: Twins) -> None:
    if twins.missing:
        raise EnvironmentFailure(
            "The conda file asks for packages that PyPI has no twin of.",
            cause=f"They are {', '.join(twins.missing)}.",
            remedy=f"{FROM_CHANNELS} name what replaces them in the list under `pip:`.",
        )
