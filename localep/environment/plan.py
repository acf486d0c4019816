"""The plan of an environment image: everything that decides what is in it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localep.environment.conda_file import CondaFile, admits_python
from localep.environment.requirements import (
    INFERENCE_SERVER,
    brings_server,
    clean_lines,
    split_private,
)
from localep.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENT_REPOSITORY = "localep/env"


@dataclass(frozen=True)
class BaseImage:
    """The image that an environment starts from.

    ``reference`` is what FROM names, ``identity`` the engine's id of it, ``python`` the minor
    version that it has ("3.11"). ``tools`` is the reference of localep's own base image where
    this one is another's, and uv must be brought along.
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
    ``is_complete`` that nothing has to be built on it at all.
    """

    base: BaseImage
    requirements: tuple[str, ...]
    private_options: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    stands_in_for: str | None = None
    keeps_packages: bool = False
    is_complete: bool = False

    @property
    def requirements_text(self) -> str:
        """The requirements as a file for pip or uv."""
        return "".join(f"{line}\n" for line in self.requirements)


def plan_environment(
    conda: CondaFile | None, base: BaseImage, *, python: str | None = None
) -> EnvironmentPlan:
    """Decide what the image of an environment holds.

    ``conda`` is None where the deployment names an image alone. ``python`` is the version that
    the user wants instead of the conda file's. Raises EnvironmentFailure where the base has
    another Python, or where the file asks for conda packages.
    """
    _check_wanted(base, python)
    if conda is None:
        return EnvironmentPlan(base, (INFERENCE_SERVER,), keeps_packages=base.tools is not None)
    warnings = _check_python(conda, base, python)
    _check_packages(conda)
    requirements, private = split_private(clean_lines(conda.pip))
    if not brings_server(requirements):
        requirements = (*requirements, INFERENCE_SERVER)
    return EnvironmentPlan(base, requirements, private, tuple(warnings))


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
    return [f"The conda file asks for python{conda.python}; Python {python} is used instead."]


def _check_packages(conda: CondaFile) -> None:
    if conda.packages:
        raise EnvironmentFailure(
            "The conda file asks for conda packages.",
            cause=f"They are {', '.join(conda.packages)}; pip's list is all that is installed.",
            remedy="Move them to the list under `pip:`, with == for =.",
        )
