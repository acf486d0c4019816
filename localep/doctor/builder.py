"""What builds images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.doctor.finding import Finding, Severity

if TYPE_CHECKING:
    from localep.doctor.facts import Facts

_NAMES = {"buildx": "docker buildx", "buildkit": "BuildKit, by the docker client"}


def check_builder(facts: Facts) -> Finding | None:
    """BuildKit keeps packages between builds and secrets out of layers; the other does neither."""
    if facts.builder is None:
        return None
    if facts.builder in _NAMES:
        return Finding("builder", Severity.OK, f"Images are built by {_NAMES[facts.builder]}.")
    return Finding(
        "builder",
        Severity.WARNING,
        "Images are built by the engine's classic builder, which fetches every package anew and "
        "may be given no credentials.",
        "Install docker-buildx.",
    )
