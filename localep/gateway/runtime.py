"""Commands for HAProxy's runtime socket, and what its answers mean.

Source: HAProxy 2.6 management guide, "Unix Socket commands".
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localep.gateway.config import (
    GROUPS,
    IDLE_HOST,
    KEYS_MAP,
    LIMITS_MAP,
    NAMES_MAP,
    PROBE_MAP,
    SOCKET,
    deployment_name,
    group,
    limits,
    readiness_path,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localep.gateway.state import Backend, GatewayState

_REFUSED = re.compile(
    r"^(unknown|invalid|no such|require|permission|can't|could not|unable|version number)"
    r"|not found|only supported|^usage:|^'.*' expects |^maxconn ",
    re.IGNORECASE,
)


def other_slot(backend: Backend | None) -> str:
    """The group of servers that is free beside the one that ``backend`` holds."""
    return GROUPS[1] if backend is not None and backend.slot == GROUPS[0] else GROUPS[0]


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


# Gives HAProxy the keys of their file, all at once; no key stands in a command line, as the shell
# reads and writes them itself.
LOAD_KEYS = [
    "sh",
    "-c",
    f"""
    ask() {{ socat -t 5 - UNIX-CONNECT:{SOCKET}; }}
    answer=$(echo 'prepare map {KEYS_MAP}' | ask) || exit
    version=${{answer##*: }}
    {{
        while read -r key expiry; do
            printf 'add map @%s {KEYS_MAP} %s %s; ' "$version" "$key" "$expiry"
        done <{KEYS_MAP}
        printf 'commit map @%s {KEYS_MAP}\\n' "$version"
    }} | ask
    """,
]

# Has HAProxy's master load its configuration anew; the requests under way end as they would.
RELOAD = ["sh", "-c", "kill -USR2 1"]
SHOW_SETTINGS = ["show info"]


def loaded_settings(information: str) -> str | None:
    """The digest of the settings that HAProxy runs with, out of an answer to SHOW_SETTINGS."""
    found = re.search(r"^node: (\S+)$", information, re.MULTILINE)
    return found.group(1) if found else None


@dataclass(frozen=True)
class Target:
    """A container that a server shall stand for: its name on the network, and its address."""

    alias: str
    address: str


def probe(address: str, port: int) -> list[str]:
    """Point the probe's way at a container."""
    return [
        f"set server probe/target addr {address} port {port}",
        "set server probe/target state ready",
    ]


def prepare(slot: str, targets: Sequence[Target], probe_port: int) -> list[str]:
    """Give a free group's servers, which take no requests yet, the names of new containers.

    HAProxy takes a moment to find the addresses, see ``ports_of``; only then it takes other
    ports.
    """
    commands = []
    for name, target in zip(group(slot, len(targets)), targets, strict=True):
        server = f"deployment/{name}"
        commands += [
            f"set server {server} state drain",
            f"set server {server} check-port {probe_port}",
            f"set server {server} fqdn {target.alias}",
        ]
    return commands


SHOW_SERVERS = ["show servers state deployment"]


def ports_of(servers: str, slot: str, targets: Sequence[Target]) -> list[int] | None:
    """The ports of a group's servers, out of the answer to SHOW_SERVERS.

    None where one of them has not its container's address yet.
    """
    rows = [line.lstrip("# ").split() for line in servers.splitlines() if " " in line]
    header, *values = rows
    tables = (dict(zip(header, row, strict=True)) for row in values)
    known = {row["srv_name"]: row for row in tables}
    found = [known.get(name) for name in group(slot, len(targets))]
    ports = [
        int(row["srv_port"])
        for row, target in zip(found, targets, strict=True)
        if row is not None and row["srv_addr"] == target.address
    ]
    return ports if len(ports) == len(targets) else None


def set_ports(slot: str, targets: Sequence[Target], port: int) -> list[str]:
    """Have a group's servers, which know their addresses, ask another port of them."""
    return [
        f"set server deployment/{name} addr {target.address} port {port}"
        for name, target in zip(group(slot, len(targets)), targets, strict=True)
    ]


def switch(state: GatewayState, *, drains: bool = True) -> list[str]:
    """Hand the requests to the backend of ``state``, if it has one, and let the others drain.

    The order matters: the new servers take requests before the old ones stop to. Without
    ``drains`` the others are left as they are: no container stands behind them.
    """
    live = _live_servers(state)
    opened = [
        command
        for server in live
        for command in (f"set server {server} state ready", f"set server {server} health up")
    ]
    if not drains:
        return [*opened, *apply_settings(state)]
    slots = [other_slot(state.backend)] if state.backend else GROUPS
    others = [f"deployment/{name}" for slot in slots for name in group(slot, state.places)]
    return [
        *opened,
        *apply_settings(state),
        *(f"set server {server} state drain" for server in others),
    ]


def apply_settings(state: GatewayState) -> list[str]:
    """Let the gateway follow the limits and names of ``state``."""
    commands = [f"set map {LIMITS_MAP} {name} {value}" for name, value in limits(state).items()]
    commands.append(f"set map {NAMES_MAP} deployment {deployment_name(state)}")
    commands.append(f"set map {PROBE_MAP} path {readiness_path(state)}")
    if state.backend is not None:
        most = state.backend.max_concurrent_requests
        commands += [f"set maxconn server {server} {most}" for server in _live_servers(state)]
    return commands


def release(slot: str, places: int) -> list[str]:
    """Take a group's servers out whose containers are about to go.

    They are given a name that the engine itself can answer for: HAProxy goes on asking, and what
    the engine does not know it asks of the network outside.
    """
    servers = [f"deployment/{name}" for name in group(slot, places)]
    return [
        command
        for server in servers
        for command in (
            f"set server {server} state maint",
            f"set server {server} fqdn {IDLE_HOST}",
        )
    ]


def _live_servers(state: GatewayState) -> list[str]:
    backend = state.backend
    if backend is None:
        return []
    return [f"deployment/{name}" for name in group(backend.slot, len(backend.aliases))]


def take_back(before: GatewayState, slot: str) -> list[str]:
    """Undo a switch to the group ``slot`` that failed halfway."""
    return [*switch(before), *release(slot, before.places)]


SHOW_STATISTICS = ["show stat deployment 4 -1"]


def requests_in_flight(statistics: str, slot: str) -> int | None:
    """How many requests a group is working on, out of an answer to SHOW_STATISTICS.

    None where the answer does not tell.
    """
    rows = _rows(statistics)
    counts = [
        int(row["scur"] or 0)
        for row in rows
        if re.fullmatch(rf"{slot}\d+", row.get("svname") or "")
    ]
    return sum(counts) if counts else None


def ready_servers(statistics: str) -> list[str]:
    """The servers that take requests, out of an answer to SHOW_STATISTICS."""
    return [row["svname"] for row in _rows(statistics) if row.get("status", "").startswith("UP")]


def stay_ready(servers: Sequence[str]) -> list[str]:
    """Have a process of HAProxy that has just begun take servers for ready that are.

    It would take them out at the first probe that fails, as it knows of none that went well.
    """
    return [f"set server deployment/{server} health up" for server in servers]


def _rows(statistics: str) -> list[dict[str, str]]:
    _, _, table = statistics.partition("# pxname")
    return list(csv.DictReader(f"pxname{table}".splitlines()))
