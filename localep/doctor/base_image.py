"""Whether the base image is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.doctor.facts import Refusal
from localep.doctor.finding import Finding, Severity

if TYPE_CHECKING:
    from localep.doctor.facts import Facts

BUILD = "localep base build"


def check_base_image(facts: Facts) -> Finding | None:
    """The first create builds it, which takes minutes that may be spent before."""
    if isinstance(facts.engine, Refusal):
        return None
    if facts.has_base_image:
        return Finding("base image", Severity.OK, f"{facts.base_image} is there.")
    return Finding(
        "base image",
        Severity.NOTE,
        f"{facts.base_image} is not there; the first create builds it.",
        "Build it now, to have it at hand.",
        BUILD,
    )
