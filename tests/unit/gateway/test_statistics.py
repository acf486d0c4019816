"""HAProxy's counters, as they stand in its answers."""

from __future__ import annotations

import pytest

from localep.gateway.statistics import Server, Statistics, read_statistics

# Cut down from an answer of HAProxy 2.6.
INFORMATION = """\
Name: HAProxy
Version: 2.6.12-1+deb12u3
Uptime: 0d 0h00m49s
CumReq: 117253
DroppedLogs: 1342
node: 0123456789abcdef
Start_time_sec: 1795285184
description:
"""
TABLE = """\
# pxname,svname,qcur,scur,stot,status,lastchg,lbtot,rate_max,req_tot,check_desc,last_chk,
deployment,a1,1,2,5,UP,50,5,8,4,Layer7 check passed,,
deployment,a2,0,0,0,DOWN 1/2,7,0,0,0,Layer4 connection problem,,
deployment,b1,0,0,0,MAINT,50,0,0,0,,,
deployment,BACKEND,3,6,117233,UP,50,5,2104,117233,,,
"""


def test_the_counters_are_read() -> None:
    assert read_statistics(f"{INFORMATION}\n{TABLE}\n") == Statistics(
        started=1795285184,
        requests=117233,
        lost_lines=1342,
        in_flight=6,
        queued=4,
        servers=(
            Server("a1", "UP", 50, 2, 1, "Layer7 check passed"),
            Server("a2", "DOWN 1/2", 7, 0, 0, "Layer4 connection problem"),
            Server("b1", "MAINT", 50, 0, 0, ""),
        ),
        most_a_second=2104,
    )


@pytest.mark.parametrize(
    "answer",
    ["", INFORMATION, TABLE, f"{INFORMATION}\n{TABLE.rpartition('deployment,BACKEND')[0]}"],
)
def test_an_answer_that_is_not_whole_tells_nothing(answer: str) -> None:
    assert read_statistics(answer) is None
