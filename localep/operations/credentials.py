"""`get-credentials`, `list-keys`, `regenerate-keys`: what opens an endpoint."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from localep.errors import UsageError
from localep.gateway.state import Operation, new_key
from localep.interrupts import held_back
from localep.operations.endpoints import find_endpoint, no_such_endpoint
from localep.operations.gateways import Gateway
from localep.operations.recovery import at_work_on

if TYPE_CHECKING:
    from localep.gateway.state import GatewayState
    from localep.operations.endpoints import Endpoint
    from localep.operations.workplace import Workplace

# The shortest that Microsoft Entra ID gives an access token by default; for aml_token the cloud's
# pages give no figure. A client should ask for a new token a quarter of the time before.
TOKEN_SECONDS = 3600
REFRESH_SECONDS = TOKEN_SECONDS // 4
# How long to wait for another command, which may be issuing the very token.
_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True)
class Keys:
    """The two keys of an endpoint; either opens it."""

    primary: str
    secondary: str


@dataclass(frozen=True)
class Token:
    """A token that opens an endpoint until ``expiry``, in seconds since 1970."""

    value: str
    expiry: int

    @property
    def refresh_after(self) -> int:
        """From when on another one is issued."""
        return self.expiry - REFRESH_SECONDS


class KeyKind(str, Enum):
    """Which of the two keys."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


@dataclass(frozen=True)
class Regenerated:
    """Whose key is a new one now; the key itself is get-credentials' to tell."""

    endpoint: str
    kind: KeyKind


def get_credentials(place: Workplace, name: str | None) -> Keys | Token:
    """The keys of an endpoint, or a token where its auth_mode wants one."""
    endpoint = find_endpoint(place, name)
    if endpoint.state.auth_mode == "key":
        return _keys(endpoint.state)
    return _fresh_token(endpoint.state) or _issue_token(place, endpoint.name)


def list_keys(place: Workplace, name: str | None) -> Keys:
    """The keys of an endpoint. Raises UsageError where it wants tokens."""
    endpoint = find_endpoint(place, name)
    _check_uses_keys(endpoint)
    return _keys(endpoint.state)


def regenerate_keys(place: Workplace, name: str | None, kind: KeyKind) -> Regenerated:
    """Give an endpoint another key in the place of one of its two.

    The former one opens it no longer; the other one goes on. Raises UsageError where the
    endpoint wants tokens.
    """
    found = find_endpoint(place, name)
    with at_work_on(place, found.name) as endpoint:
        if endpoint is None:
            raise no_such_endpoint(place, found.name)
        _check_uses_keys(endpoint)
        state = endpoint.state
        key = new_key()
        if kind is KeyKind.PRIMARY:
            changed = replace(state, primary_key=key)
        else:
            changed = replace(state, secondary_key=key)
        gateway = Gateway(place.engine, endpoint.gateway.identity, endpoint.address)
        with held_back():
            # Said before it is done: should this be cut off, `show` tells, and the next one heals.
            gateway.save(changed.after(Operation("regenerate-keys", "Updating")))
            gateway.load_keys(changed)
            gateway.save(changed)
    return Regenerated(found.name, kind)


def authorization(place: Workplace, endpoint: Endpoint[GatewayState]) -> str | None:
    """The header that opens an endpoint, None where it asks for none."""
    state = endpoint.state
    if state.is_direct or not state.requires_key:
        return None
    if state.auth_mode == "key":
        return f"Bearer {state.primary_key}"
    token = _fresh_token(state) or _issue_token(place, endpoint.name)
    return f"Bearer {token.value}"


def _keys(state: GatewayState) -> Keys:
    return Keys(state.primary_key, state.secondary_key)


def _check_uses_keys(endpoint: Endpoint[GatewayState]) -> None:
    if endpoint.state.auth_mode != "key":
        raise UsageError(
            f"Endpoint {endpoint.name} does not use keys for authentication.",
            cause=f"Its auth_mode is {endpoint.state.auth_mode}.",
            remedy=f"Ask for a token: localep get-credentials -n {endpoint.name}",
        )


def _fresh_token(state: GatewayState) -> Token | None:
    tokens = [Token(value, expiry) for value, expiry in state.tokens.items()]
    newest = max(tokens, key=lambda token: token.expiry, default=None)
    return newest if newest is not None and time.time() < newest.refresh_after else None


def _issue_token(place: Workplace, name: str) -> Token:
    with at_work_on(place, name, _PATIENCE_SECONDS) as endpoint:
        if endpoint is None:
            raise no_such_endpoint(place, name)
        state = endpoint.state
        fresh = _fresh_token(state)  # another command may have issued one meanwhile
        if fresh is not None:
            return fresh
        now = int(time.time())
        token = Token(new_key(), now + TOKEN_SECONDS)
        kept = {value: expiry for value, expiry in state.tokens.items() if expiry > now}
        changed = replace(state, tokens={**kept, token.value: token.expiry})
        gateway = Gateway(place.engine, endpoint.gateway.identity, endpoint.address)
        with held_back():
            gateway.save(changed)
            gateway.load_keys(changed)
    return token
