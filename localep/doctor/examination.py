"""All checks, in the order in which one hinders the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.doctor.base_image import check_base_image
from localep.doctor.builder import check_builder
from localep.doctor.certificates import check_certificates
from localep.doctor.disk import check_disk
from localep.doctor.engine import check_engine
from localep.doctor.gpus import check_gpus
from localep.doctor.index import check_index

if TYPE_CHECKING:
    from collections.abc import Callable

    from localep.doctor.facts import Facts
    from localep.doctor.finding import Finding

CHECKS: tuple[Callable[[Facts], Finding | None], ...] = (
    check_engine,
    check_builder,
    check_base_image,
    check_disk,
    check_certificates,
    check_index,
    check_gpus,
)


def examine(facts: Facts) -> list[Finding]:
    """What every check finds that has something to go by."""
    found = (check(facts) for check in CHECKS)
    return [finding for finding in found if finding is not None]
