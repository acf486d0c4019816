"""What changes in the life of an endpoint, kept as one JSON file in its gateway's container."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

STATE_FOLDER = "/var/lib/localep"
STATE_FILE = f"{STATE_FOLDER}/state.json"
# A link to nowhere whose target holds the public part: the engine tells the target of a link
# forty times faster than the content of a file.
PUBLIC_LINK = f"{STATE_FOLDER}/public"

# What a file system takes for one name of a path, and for a whole path, with some room.
_NAME_LENGTH = 200
_PATH_LENGTH = 3500


@dataclass(frozen=True)
class Readiness:
    """The readiness probe of the steady state: a route, seconds, and counts in a row."""

    port: int = 5001
    path: str = "/"
    period: int = 10
    timeout: int = 2
    success_threshold: int = 1
    failure_threshold: int = 30


@dataclass(frozen=True)
class Backend:
    """The deployment that takes the requests.

    ``revision`` marks its containers, ``aliases`` are their names on the network, and ``slot``
    is the gateway's group of servers that stands for them. ``start_seconds`` is how long the
    slowest of them took to get ready; it makes no deployment another.
    """

    deployment: str
    revision: str
    aliases: tuple[str, ...]
    slot: str
    port: int
    scoring_path: str
    request_timeout_ms: int
    max_concurrent_requests: int
    max_queue_wait_ms: int
    readiness: Readiness
    start_seconds: float | None = field(default=None, compare=False)

    @property
    def limit(self) -> int:
        """How many requests may be in flight, those that wait for a worker included."""
        return 2 * self.max_concurrent_requests * len(self.aliases)


@dataclass(frozen=True)
class Operation:
    """The last command that changed the endpoint, and how it went.

    ``state`` is the cloud's word: Creating (of the endpoint itself), Updating, Deleting,
    Succeeded, Failed; ``error`` says in one line why it failed; ``deployment`` is empty where
    the endpoint itself was changed.
    """

    name: str
    state: str
    deployment: str = ""
    error: str | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether the command has not said yet how it ended."""
        return self.state in {"Creating", "Updating", "Deleting"}


@dataclass(frozen=True, kw_only=True)
class PublicState:
    """What anybody may see: traffic, the deployment, and the last operation.

    ``allows_options`` lets OPTIONS reach the container; ``is_direct`` lets everything, and
    gives the container's own answers; without ``requires_key`` anybody may ask. A request of
    more than ``payload_limit`` bytes is refused, None takes any.
    """

    auth_mode: str
    operation: Operation
    allows_options: bool = False
    is_direct: bool = False
    requires_key: bool = True
    payload_limit: int | None = None
    backend: Backend | None = None
    traffic: dict[str, int] = field(default_factory=dict)

    @property
    def share(self) -> int:
        """The share of the requests that the deployment takes, in percent."""
        if self.backend is None:
            return 0
        return self.traffic.get(self.backend.deployment, 0) if self.traffic else 100

    @property
    def was_never_finished(self) -> bool:
        """Whether the endpoint's own creation is under way, or was cut off."""
        return self.operation.state == "Creating"


@dataclass(frozen=True, kw_only=True)
class GatewayState(PublicState):
    """The whole state: the keys, and the documents that the deployment came from, too.

    ``probe_token`` opens the way to a container that takes no requests yet; ``documents`` are
    ``{"source": path, "data": mapping}`` with every override applied; ``told`` marks the
    warnings of the last command that read them, so that the next one tells the news alone.
    """

    primary_key: str
    secondary_key: str
    probe_token: str
    tokens: dict[str, int] = field(default_factory=dict)
    places: int = 1
    documents: list[dict[str, Any]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """The state as text for the gateway's container."""
        return json.dumps(asdict(self), default=str, indent=1)

    def public_link(self) -> str | None:
        """The public part as the target of PUBLIC_LINK, None where it is too long for one."""
        names = {item.name for item in fields(PublicState)}
        values = {name: value for name, value in asdict(self).items() if name in names}
        text = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
        pieces = range(0, len(text), _NAME_LENGTH)
        target = "".join(f"/{text[start : start + _NAME_LENGTH]}" for start in pieces)
        return target if len(target) <= _PATH_LENGTH else None

    def after(self, operation: Operation) -> GatewayState:
        """The same state with another last operation."""
        return replace(self, operation=operation)


def new_key() -> str:
    """A secret of 256 bits that needs no quoting anywhere."""
    return secrets.token_urlsafe(32)


def new_state(
    auth_mode: str,
    operation: Operation,
    *,
    allows_options: bool = False,
    is_direct: bool = False,
    requires_key: bool = True,
    payload_limit: int | None = None,
) -> GatewayState:
    """The state of a new endpoint, with keys of its own."""
    return GatewayState(
        auth_mode=auth_mode,
        allows_options=allows_options,
        is_direct=is_direct,
        requires_key=requires_key,
        payload_limit=payload_limit,
        primary_key=new_key(),
        secondary_key=new_key(),
        probe_token=new_key(),
        operation=operation,
    )


def state_from_json(text: str | bytes) -> GatewayState:
    """Read what to_json wrote. Raises ValueError."""
    data = json.loads(text)
    return GatewayState(**{**data, **_parts(data)})


def state_from_link(target: str) -> PublicState:
    """Read what public_link wrote. Raises ValueError."""
    data = json.loads(base64.urlsafe_b64decode(target.replace("/", "")))
    return PublicState(**{**data, **_parts(data)})


def _parts(data: dict[str, Any]) -> dict[str, Any]:
    """The parts of a state that have a type of their own."""
    backend = data.get("backend")
    return {
        "operation": Operation(**data["operation"]),
        "backend": _backend(backend) if backend else None,
    }


def _backend(data: dict[str, Any]) -> Backend:
    try:
        aliases, readiness = tuple(data["aliases"]), Readiness(**data["readiness"])
        return Backend(**{**data, "aliases": aliases, "readiness": readiness})
    except (KeyError, TypeError) as error:
        raise ValueError("a deployment of another version of localep") from error
