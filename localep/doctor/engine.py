"""Whether an engine answers that localep knows how to talk to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localep.doctor.facts import Refusal
from localep.doctor.finding import Finding, Severity

if TYPE_CHECKING:
    from localep.doctor.facts import Facts

OLDEST = (20, 10)


def check_engine(facts: Facts) -> Finding:
    """An engine has to answer; one before 20.10 was never tried."""
    engine = facts.engine
    if isinstance(engine, Refusal):
        return Finding("engine", Severity.ERROR, engine.cause, engine.remedy)
    where = "on this machine" if engine.is_local else f"on {engine.host}"
    message = f"Docker {engine.version} (API {engine.api}) answers {where}."
    numbers = tuple(int(number) for number in re.findall(r"\d+", engine.version)[:2])
    if numbers < OLDEST:
        return Finding("engine", Severity.WARNING, message, "Update Docker to 20.10 or newer.")
    return Finding("engine", Severity.OK, message)
