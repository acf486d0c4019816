"""A rule of the cloud: a function with the id of a cause; what it yields becomes a finding.

A rule looks at the specs and the files that they name, and never runs any of the user's code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from localep.rules.told import Told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from localep.rules.subject import DeploymentSubject, EndpointSubject

__all__ = ["Rule", "Told", "deployment_rule", "deployment_rules", "endpoint_rule", "endpoint_rules"]

_Subject = TypeVar("_Subject")


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
