"""Whether there is room for images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.doctor.finding import Finding, Severity

if TYPE_CHECKING:
    from localep.doctor.facts import Facts

_GIB = 1024**3
# An environment with scikit-learn takes about 1 GiB while it is built, one with torch 12.
_NEEDED = 2 * _GIB
_ENOUGH = 15 * _GIB


def check_disk(facts: Facts) -> Finding | None:
    """The fullest of the disks counts."""
    if not facts.disks:
        return None
    disk = min(facts.disks, key=lambda disk: disk.free)
    message = f"{disk.free / _GIB:.1f} GiB are free in {disk.path}."
    if disk.free >= _ENOUGH:
        return Finding("disk", Severity.OK, message)
    remedy = "Free disk space; `docker system df` tells what images, containers and builds take."
    severity = Severity.WARNING if disk.free >= _NEEDED else Severity.ERROR
    return Finding("disk", severity, message, remedy)
