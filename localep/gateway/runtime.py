"""Commands for HAProxy's runtime socket, and what its answers mean.

Source: HAProxy 2.6 management guide, "Unix Socket commands".
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from localep.gateway.config import IDLE_HOST, LIMITS_MAP, NAMES_MAP, SOCKET, deployment_name, limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localep.gateway.state import Backend, GatewayState

SLOTS = ("a", "b")

_REFUSED = re.compile(
    r"^(unknown|invalid|no such|require|permission|can't|could not|unable)"
    r"|not found|only supported|^usage:|^'.*' expects |^maxconn ",
    re.IGNORECASE,
)


def other_slot(backend: Backend | None) -> str:
    """The server that is free beside the one that ``backend`` holds."""
    return SLOTS[1] if backend is not None and backend.slot == SLOTS[0] else SLOTS[0]


def shell_command(commands: Sequence[str]) -> list[str]:
    """A command for the gateway's container that sends all of these in one go."""
    script = f'printf "%s\\n" "$1" | socat -t 5 - UNIX-CONNECT:{SOCKET}'
    return ["sh", "-c", script, "sh", "; ".join(commands)]


def refusal(answer: str) -> str | None:
    """The line of an answer that says that HAProxy refused a command, None where it took all."""
    for line in answer.splitlines():
        if _REFUSED.search(line):
            return line
    return None


def prepare(slot: str, alias: str, address: str, probe_port: int) -> list[str]:
    """Point the probe's way, and a server that takes no requests yet, at a new container.

    HAProxy takes a moment to find the address of the name, see ``port_of``; only then it takes
    another port.
    """
    server = f"deployment/{slot}"
    return [
        f"set server probe/target addr {address} port {probe_port}",
        "set server probe/target state ready",
        f"set server {server} state drain",
        f"set server {server} fqdn {alias}",
    ]


SHOW_SERVERS = ["show servers state deployment"]


def port_of(servers: str, slot: str, address: str) -> int | None:
    """The port of a server that has this address, out of the answer to SHOW_SERVERS.

    None where it has another one, or none yet.
    """
    rows = [line.lstrip("# ").split() for line in servers.splitlines() if " " in line]
    header, *values = rows
    for row in (dict(zip(header, row, strict=True)) for row in values):
        if row["srv_name"] == slot and row["srv_addr"] == address:
            return int(row["srv_port"])
    return None


def set_port(slot: str, address: str, port: int) -> list[str]:
    """Have a server that knows its address ask another port of it."""
    return [f"set server deployment/{slot} addr {address} port {port}"]


def switch(state: GatewayState) -> list[str]:
    """Hand the requests to the backend of ``state``, if it has one, and let the other drain.

    The order matters: the new server takes requests before the old one stops to.
    """
    backend = state.backend
    if backend is None:
        return [*apply_settings(state), *(f"set server deployment/{s} state drain" for s in SLOTS)]
    new = f"deployment/{backend.slot}"
    return [
        f"set server {new} state ready",
        f"set server {new} health up",
        *apply_settings(state),
        f"set server deployment/{other_slot(backend)} state drain",
    ]


def apply_settings(state: GatewayState) -> list[str]:
    """Let the gateway follow the limits and names of ``state``."""
    commands = [f"set map {LIMITS_MAP} {name} {value}" for name, value in limits(state).items()]
    commands.append(f"set map {NAMES_MAP} deployment {deployment_name(state)}")
    if state.backend is not None:
        server = f"deployment/{state.backend.slot}"
        commands.append(f"set maxconn server {server} {state.backend.max_concurrent_requests}")
    return commands


def release(slot: str) -> list[str]:
    """Take a server out whose container is about to go.

    It is given a name that the engine itself can answer for: HAProxy goes on asking, and what
    the engine does not know it asks of the network outside.
    """
    server = f"deployment/{slot}"
    return [f"set server {server} state drain", f"set server {server} fqdn {IDLE_HOST}"]


def take_back(before: GatewayState, slot: str) -> list[str]:
    """Undo a switch to the server ``slot`` that failed halfway."""
    return [*switch(before), *release(slot)]


SHOW_STATISTICS = ["show stat deployment 4 -1"]


def requests_in_flight(statistics: str, slot: str) -> int | None:
    """How many requests a server is working on, out of an answer to SHOW_STATISTICS.

    None where the answer does not tell.
    """
    _, _, table = statistics.partition("# pxname")
    for row in csv.DictReader(f"pxname{table}".splitlines()):
        if row.get("svname") == slot:
            return int(row["scur"] or 0)
    return None
