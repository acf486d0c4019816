"""Environments that grow from one another: which one lies nearest to what is wanted.

Installing packages and compiling them is most of a build's time. Where an environment on the same
base differs by few lines of pip's list, uv brings it to exactly the packages that the new list
asks for; versions that are there stay, as far as the list admits them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from localep.environment.plan import EnvironmentPlan

ROOT_LABEL = "localep.root"
_LINES_LABEL = "localep.lines"
_GROWTH_LABEL = "localep.growth"
# Every step adds layers, and what it takes out stays in those below.
_MOST_STEPS = 8


@dataclass(frozen=True)
class Parent:
    """An environment to grow from: its image, and in how many steps that has grown itself."""

    reference: str
    growth: int


def nearest(
    plan: EnvironmentPlan, images: Iterable[tuple[str, Mapping[str, str]]]
) -> Parent | None:
    """The image that shares most lines with a plan, and has least besides; None for none.

    ``images`` are the names and labels of the environments with the plan's root.
    """
    wanted = set(plan.lines)
    found = []
    for reference, labels in images:
        growth = labels.get(_GROWTH_LABEL, "")
        lines = set(labels.get(_LINES_LABEL, "").split())
        if growth.isdecimal() and int(growth) < _MOST_STEPS and lines & wanted:
            distance = len(wanted - lines), len(lines - wanted), int(growth), reference
            found.append((distance, Parent(reference, int(growth))))
    return min(found, key=lambda item: item[0])[1] if found else None
