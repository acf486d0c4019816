"""Runs the rules of the cloud over what documents hold."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from localep.rules.causes import cause
from localep.rules.rule import deployment_rules, endpoint_rules
from localep.spec.findings import Findings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from localep.rules.image_facts import LookUp
    from localep.rules.told import Told
    from localep.spec.findings import Finding
    from localep.spec.loader import Reading
    from localep.spec.model import DeploymentSpec, Origin

# Every module with rules, in the order in which a deployment meets what they speak of.
MODULES = ("definition", "upload", "build", "images", "start", "load", "requests", "advice")


def check(
    reading: Reading, only: DeploymentSpec | None = None, look_up_image: LookUp | None = None
) -> list[Finding]:
    """Everything that the rules find in what was read, document by document.

    Of several deployments ``only`` one may count; images are looked up where there is a way to.
    """
    from localep.rules.subject import subjects_of

    for module in MODULES:
        import_module(f"localep.rules.{module}")
    findings = Findings()
    endpoints, deployments = subjects_of(reading, look_up_image)
    for endpoint in endpoints:
        for endpoint_check in endpoint_rules:
            _note(findings, endpoint.origin, endpoint_check.cause, endpoint_check.check(endpoint))
    for deployment in deployments:
        if only is not None and deployment.spec is not only:
            continue
        for deployment_check in deployment_rules:
            told = deployment_check.check(deployment)
            _note(findings, deployment.origin, deployment_check.cause, told)
    return findings.items


def check_images(spec: DeploymentSpec, look_up_image: LookUp) -> list[Finding]:
    """What the images of a deployment alone give to say."""
    from localep.rules import images
    from localep.rules.subject import DeploymentSubject

    findings = Findings()
    if spec.origin is None:
        return findings.items
    subject = DeploymentSubject(spec, spec.origin, None, look_up_image)
    for rule in deployment_rules:
        if rule.check.__module__ == images.__name__:
            _note(findings, spec.origin, rule.cause, rule.check(subject))
    return findings.items


def _note(findings: Findings, origin: Origin, name: str, told: Iterable[Told]) -> None:
    for item in told:
        document = item.document or origin.document
        path = item.path if item.document is not None else (*origin.path, *item.path)
        remedy = item.remedy or cause(name).remedy
        findings.add(item.severity, document, path, name, item.message, remedy)
