"""Names and labels of everything that localep makes in the engine."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from localep.errors import UsageError

NAMESPACE_VARIABLE = "LOCALEP_NAMESPACE"

NAMESPACE = "localep.namespace"
ROLE = "localep.role"
ENDPOINT = "localep.endpoint"
DEPLOYMENT = "localep.deployment"
REVISION = "localep.revision"
INSTANCE = "localep.instance"
FINGERPRINT = "localep.fingerprint"
SPEC = "localep.spec"
ADDRESS = "localep.address"
COMMAND = "localep.command"
OWNER = "localep.owner"
GPUS = "localep.gpus"

GATEWAY_ROLE = "gateway"
DEPLOYMENT_ROLE = "deployment"
CARRIER_ROLE = "carrier"
TRIAL_ROLE = "trial"


@dataclass(frozen=True)
class Names:
    """Names inside one namespace, so that several users of an engine do not meet.

    The variable LOCALEP_NAMESPACE chooses it: small letters, digits and dashes.
    """

    namespace: str = "default"

    @property
    def network(self) -> str:
        """The network that all endpoints share."""
        return self._prefix

    @property
    def internal_network(self) -> str:
        """The network of the deployments that may not reach out; their gateways join it, too."""
        # An underscore, which no namespace holds.
        return f"{self._prefix}_internal"

    def gateway(self, endpoint: str) -> str:
        """The container that answers for an endpoint."""
        return f"{self._prefix}-{endpoint}-gateway"

    def deployment(self, endpoint: str, deployment: str, revision: str, instance: int = 1) -> str:
        """The container of one instance of one revision of a deployment."""
        number = f"-{instance}" if instance > 1 else ""
        return f"{self._prefix}-{endpoint}-{deployment}-{revision}{number}"

    def model_volume(self, endpoint: str, revision: str) -> str:
        """The volume with the copy of a revision's model."""
        return f"{self._prefix}-{endpoint}-model-{revision}"

    def labels(self, **more: str) -> dict[str, str]:
        """The namespace's label, and others by their short names: ``endpoint="hello"``."""
        return {NAMESPACE: self.namespace} | {f"localep.{key}": text for key, text in more.items()}

    @property
    def _prefix(self) -> str:
        # A dot, which no endpoint's name holds: `team` and `team-hello` shall not meet.
        return "localep" if self.namespace == "default" else f"localep.{self.namespace}"


def names_of_user() -> Names:
    """The names in the namespace that the environment chooses."""
    namespace = os.environ.get(NAMESPACE_VARIABLE) or "default"
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", namespace):
        raise UsageError(
            f"{NAMESPACE_VARIABLE}={namespace} is not a namespace.",
            remedy="Use small letters, digits and dashes.",
        )
    return Names(namespace)


def network_alias(revision: str, instance: int = 1) -> str:
    """The name of an instance's container on the network; instances are counted from 1.

    Short, as a DNS label has 63 characters at most, which two long names exceed.
    """
    return f"localep-{revision}" + (f"-{instance}" if instance > 1 else "")
