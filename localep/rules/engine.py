"""Runs the rules of the cloud over what documents hold.

A rule is a function with the id of a cause; what it yields becomes a finding with that id as its
code. It looks at the specs, the files that they name, and never runs any of the user's code.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Generic, TypeVar

from localep.rules.causes import cause
from localep.spec.findings import Findings, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from localep.rules.subject import DeploymentSubject, EndpointSubject
    from localep.spec.documents import Document, KeyPath
    from localep.spec.findings import Finding
    from localep.spec.loader import Reading
    from localep.spec.model import DeploymentSpec, Origin

# Every module with rules, in the order in which a deployment meets what they speak of.
MODULES = ("definition", "upload", "build", "start", "load", "requests", "advice")

_Subject = TypeVar("_Subject")


@dataclass(frozen=True)
class Told:
    """What a rule found: the path from the spec's own mapping, and the sentence about it.

    ``remedy`` is the cause's where it is None; ``document`` is another one than the spec's,
    such as the conda file, and ``path`` starts at its top then.
    """

    path: KeyPath
    message: str
    remedy: str | None = None
    severity: Severity = Severity.WARNING
    document: Document | None = None


@dataclass(frozen=True)
class Rule(Generic[_Subject]):
    """A check for one cause."""

    cause: str
    check: Callable[[_Subject], Iterable[Told]]


endpoint_rules: list[Rule[EndpointSubject]] = []
deployment_rules: list[Rule[DeploymentSubject]] = []

_EndpointCheck = TypeVar("_EndpointCheck", bound="Callable[[EndpointSubject], Iterable[Told]]")
_DeploymentCheck = TypeVar(
    "_DeploymentCheck", bound="Callable[[DeploymentSubject], Iterable[Told]]"
)


def endpoint_rule(name: str) -> Callable[[_EndpointCheck], _EndpointCheck]:
    """Register a check of endpoints for the cause with this id."""

    def register(check: _EndpointCheck) -> _EndpointCheck:
        endpoint_rules.append(Rule(name, check))
        return check

    return register


def deployment_rule(name: str) -> Callable[[_DeploymentCheck], _DeploymentCheck]:
    """Register a check of deployments for the cause with this id."""

    def register(check: _DeploymentCheck) -> _DeploymentCheck:
        deployment_rules.append(Rule(name, check))
        return check

    return register


def check(reading: Reading, only: DeploymentSpec | None = None) -> list[Finding]:
    """Everything that the rules find in what was read, document by document.

    Of several deployments ``only`` one may count.
    """
    from localep.rules.subject import subjects_of

    for module in MODULES:
        import_module(f"localep.rules.{module}")
    findings = Findings()
    endpoints, deployments = subjects_of(reading)
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


def _note(findings: Findings, origin: Origin, name: str, told: Iterable[Told]) -> None:
    for item in told:
        document = item.document or origin.document
        path = item.path if item.document is not None else (*origin.path, *item.path)
        remedy = item.remedy or cause(name).remedy
        findings.add(item.severity, document, path, name, item.message, remedy)
