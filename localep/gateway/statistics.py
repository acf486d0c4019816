"""What HAProxy counts: requests under way, and how its servers are.

Source: HAProxy 2.6 management guide, "show info" and "Statistics and monitoring", 9.1.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

# Settings and counters of the process, then the rows of the deployment's backend and servers.
SHOW_ALL = ["show info", "show stat deployment 7 -1"]


@dataclass(frozen=True)
class Server:
    """A server of the gateway; ``since`` is how many seconds its state has held.

    ``state`` is HAProxy's word, such as UP, DOWN, DRAIN, MAINT; ``check`` says what the last
    readiness probe met, ``failed_checks`` is how many of them failed while it was up.
    """

    name: str
    state: str
    since: int
    at_work: int
    queued: int
    check: str
    failed_checks: int = 0


@dataclass(frozen=True)
class Statistics:
    """The counters of the process that runs now; a change of settings begins a new one.

    ``started`` is in seconds since 1970, ``requests`` counts from then on, ``lost_lines`` those
    of the access log that could not be written; ``in_flight`` are the requests under way, and
    ``queued`` those of them that wait for a worker. ``most_a_second`` is the largest number of
    requests that came within a second of its clock.
    """

    started: int
    requests: int
    lost_lines: int
    in_flight: int
    queued: int
    servers: tuple[Server, ...]
    most_a_second: int = 0


def read_statistics(answer: str) -> Statistics | None:
    """The answer to SHOW_ALL, None where it is not whole."""
    information, mark, table = answer.partition("# pxname")
    values = dict(re.findall(r"^(\w+): (\d+)$", information, re.MULTILINE))
    rows = {row["svname"]: row for row in csv.DictReader(f"pxname{table}".splitlines())}
    total = rows.pop("BACKEND", None)
    if not mark or total is None or "Start_time_sec" not in values:
        return None
    servers = tuple(_server(row) for row in rows.values())
    return Statistics(
        started=int(values["Start_time_sec"]),
        requests=_number(total, "req_tot"),
        lost_lines=int(values.get("DroppedLogs", 0)),
        in_flight=_number(total, "scur"),
        queued=_number(total, "qcur") + sum(server.queued for server in servers),
        servers=servers,
        most_a_second=_number(total, "rate_max"),
    )


def _server(row: dict[str, str]) -> Server:
    return Server(
        name=row["svname"],
        state=row["status"],
        since=_number(row, "lastchg"),
        at_work=_number(row, "scur"),
        queued=_number(row, "qcur"),
        check=row["check_desc"] or row["last_chk"],
        failed_checks=_number(row, "chkfail"),
    )


def _number(row: dict[str, str], name: str) -> int:
    return int(row.get(name) or 0)
