"""How containers get GPUs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.doctor.finding import Finding, Severity

if TYPE_CHECKING:
    from localep.doctor.facts import Facts


def check_gpus(facts: Facts) -> Finding | None:
    """The way, and why; an engine that offers GPUs and then gives none is a warning."""
    gpus = facts.gpus
    if gpus is None:
        return None
    if gpus.refusal is None:
        return Finding("GPUs", Severity.OK, f"They are given by {gpus.route}: {gpus.reason}.")
    if not gpus.is_offered:
        message = f"None: {gpus.reason}. Deployments of GPU types run on the CPU."
        return Finding("GPUs", Severity.NOTE, message, gpus.refusal.remedy)
    message = f"They are asked for by {gpus.route} ({gpus.reason}), and refused: "
    return Finding("GPUs", Severity.WARNING, message + gpus.refusal.cause, gpus.refusal.remedy)
