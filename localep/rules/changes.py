"""What the cloud has to say of an update: several kinds of change at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.rules.causes import cause
from localep.rules.subject import mapping_of
from localep.spec.findings import Findings, Severity
from localep.spec.generations import Generation, generation_of

if TYPE_CHECKING:
    from localep.spec.findings import Finding
    from localep.spec.loader import Bundle, Reading
    from localep.spec.model import DeploymentSpec, EndpointSpec

SEVERAL_CHANGES = "several-changes"

_TRAFFIC, _SCALE = "the traffic", "the scale settings"


def several_changes(before: Reading, now: Bundle) -> Finding | None:
    """Of an update that changes more than one kind of thing, by its documents.

    The cloud of 2021 refused such an update; today's scales first, which is worth a word.
    """
    new = now.deployment
    old = next((item for item in before.deployments if new and item.name == new.name), None)
    if new is None or old is None or new.origin is None:
        return None
    is_old = generation_of(new.origin.document.data) is not Generation.TODAY
    kinds = [*(_traffic(before, now.endpoint, new) if is_old else []), *_kinds(old, new)]
    if len(kinds) < 2 or not (is_old or _SCALE in kinds):
        return None
    listed = f"{', '.join(kinds[:-1])} and {kinds[-1]} change at once"
    findings = Findings()
    place = (new.origin.document, new.origin.path, SEVERAL_CHANGES)
    if is_old:
        message = f"{listed}; the cloud of 2021 takes one kind of change an update."
        findings.warning(*place, message, cause(SEVERAL_CHANGES).remedy)
    else:
        message = f"{listed}; the cloud scales first, and does the rest when that is done."
        findings.add(Severity.INFO, *place, message, "In production, scale by itself.")
    return findings.items[0]


def _traffic(before: Reading, now: EndpointSpec | None, new: DeploymentSpec) -> list[str]:
    """The traffic where it is of the same document as the deployment: later it never is."""
    old = next((item for item in before.endpoints if now and item.name == now.name), None)
    if now is None or old is None or now.origin is None or new.origin is None:
        return []
    is_one = now.origin.document.source == new.origin.document.source
    return [_TRAFFIC] if is_one and now.traffic != old.traffic else []


def _kinds(old: DeploymentSpec, new: DeploymentSpec) -> list[str]:
    """What the cloud's documentation counts as a kind of change of a deployment."""
    pairs = {
        _SCALE: (_scale(old), _scale(new)),
        "the code": (old.code, new.code),
        "the model": (old.all_models, new.all_models),
        "the environment": (old.environment, new.environment),
    }
    return [kind for kind, (one, other) in pairs.items() if one != other]


def _scale(spec: DeploymentSpec) -> tuple[object, ...]:
    settings = mapping_of(spec.origin, "scale_settings") if spec.origin is not None else {}
    names = ("min_instances", "max_instances", "target_utilization_percentage")
    return (spec.instance_count, *(settings.get(name) for name in names))
