"""What HAProxy of a gateway tells of its servers, one an instance."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from support.engine import Localep

from localep.gateway import runtime


@dataclass(frozen=True)
class Server:
    """A server that takes requests, or did: its state, failed probes, and how often it went out."""

    name: str
    status: str
    probes_failed: int
    went_out: int


def servers_of(localep: Localep) -> list[Server]:
    """Every server, those that stand for no instance included."""
    gateway = localep.container("gateway")
    command = runtime.shell_command(runtime.SHOW_STATISTICS)
    status, table = localep.engine.execute(gateway, command)
    assert status == 0, table
    rows = csv.DictReader(table.lstrip("# ").splitlines())
    return [
        Server(row["svname"], row["status"], int(row["chkfail"]), int(row["chkdown"]))
        for row in rows
    ]


def server_of_one(localep: Localep) -> Server:
    """The one server of a deployment with one instance."""
    (server,) = [found for found in servers_of(localep) if found.status.startswith(("UP", "DOWN"))]
    return server


def server_of(localep: Localep, number: int) -> Server:
    """The server of an instance of a deployment that was never updated."""
    (server,) = [found for found in servers_of(localep) if found.name == f"a{number}"]
    return server
