"""What changes in the life of an endpoint, kept as one JSON file in its gateway's container."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from typing import Any

STATE_FOLDER = "/var/lib/localep"
STATE_FILE = f"{STATE_FOLDER}/state.json"


@dataclass(frozen=True)
class Backend:
    """The deployment that takes the requests.

    ``alias`` is its container's name on the network and ``slot`` the gateway's server that
    stands for it; ``limit`` is the number of requests above which 429 is answered.
    """

    deployment: str
    container: str
    alias: str
    slot: str
    port: int
    scoring_path: str
    request_timeout_ms: int
    max_concurrent_requests: int

    @property
    def limit(self) -> int:
        """How many requests may be in flight, those that wait for a worker included."""
        return 2 * self.max_concurrent_requests


@dataclass(frozen=True)
class Operation:
    """The last command that changed the endpoint, and how it went.

    ``state`` is the cloud's word: Creating, Updating, Succeeded, Failed; ``error`` says in one
    line why it failed; ``deployment`` is empty where the endpoint itself was changed.
    """

    name: str
    state: str
    deployment: str = ""
    error: str | None = None


@dataclass(frozen=True)
class GatewayState:
    """Keys, traffic, the deployment, the documents that it came from, and the last operation.

    ``probe_token`` opens the way to a container that takes no requests yet; ``documents`` are
    ``{"source": path, "data": mapping}`` with every override applied.
    """

    auth_mode: str
    primary_key: str
    secondary_key: str
    probe_token: str
    operation: Operation
    backend: Backend | None = None
    traffic: dict[str, int] = field(default_factory=dict)
    documents: list[dict[str, Any]] = field(default_factory=list)

    @property
    def share(self) -> int:
        """The share of the requests that the deployment takes, in percent."""
        if self.backend is None:
            return 0
        return self.traffic.get(self.backend.deployment, 0) if self.traffic else 100

    def to_json(self) -> str:
        """The state as text for the gateway's container."""
        return json.dumps(asdict(self), default=str, indent=1)

    def after(self, operation: Operation) -> GatewayState:
        """The same state with another last operation."""
        return replace(self, operation=operation)


def new_state(auth_mode: str, operation: Operation) -> GatewayState:
    """The state of a new endpoint, with keys of its own."""
    return GatewayState(
        auth_mode=auth_mode,
        primary_key=secrets.token_urlsafe(32),
        secondary_key=secrets.token_urlsafe(32),
        probe_token=secrets.token_urlsafe(32),
        operation=operation,
    )


def state_from_json(text: str | bytes) -> GatewayState:
    """Read what to_json wrote."""
    data = json.loads(text)
    backend = Backend(**data.pop("backend")) if data.get("backend") else None
    data.pop("backend", None)
    return GatewayState(
        operation=Operation(**data.pop("operation")),
        backend=backend,
        **data,
    )
