"""What is said to HAProxy's runtime socket, and how its answers are read.

The answers are those of HAProxy 2.6.12.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from localep.gateway import runtime
from localep.gateway.state import Backend, GatewayState

# `show stat deployment 4 -1` with two requests under way in slot b.
STATISTICS = (
    "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,"
    "wredis,status,weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,"
    "lbtot,tracked,type,rate,rate_lim,rate_max,check_status,check_code,check_duration,hrsp_1xx,"
    "hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,hanafail,req_rate,req_rate_max,req_tot,"
    "cli_abrt,srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,lastsess,last_chk,last_agt,qtime,ctime,"
    "rtime,ttime,agent_status,agent_code,agent_duration,check_desc,agent_desc,check_rise,"
    "check_fall,check_health,agent_rise,agent_fall,agent_health,addr,cookie,mode,algo,conn_rate,"
    "conn_rate_max,conn_tot,intercepted,dcon,dses,wrew,connect,reuse,cache_lookups,cache_hits,"
    "srv_icur,src_ilim,qtime_max,ctime_max,rtime_max,ttime_max,eint,idle_conn_cur,safe_conn_cur,"
    "used_conn_cur,need_conn_est,uweight,agg_server_status,agg_server_check_status,"
    "agg_check_status,-,ssl_sess,ssl_reused_sess,ssl_failed_handshake,h2_headers_rcvd,"
    "h2_data_rcvd,h2_settings_rcvd,h2_rst_stream_rcvd,h2_goaway_rcvd,"
    "h2_detected_conn_protocol_errors,h2_detected_strm_protocol_errors,h2_rst_stream_resp,"
    "h2_goaway_resp,h2_open_connections,h2_backend_open_streams,h2_total_connections,"
    "h2_backend_total_streams,h1_open_connections,h1_open_streams,h1_total_connections,"
    "h1_total_streams,h1_bytes_in,h1_bytes_out,h1_spliced_bytes_in,h1_spliced_bytes_out,\n"
    "deployment,a1,0,0,0,0,1,0,0,0,,0,,0,0,0,0,MAINT,1,1,0,0,0,4,4,,1,4,1,,0,,2,0,,0,,,,0,0,0,0,0,"
    "0,0,,,0,0,0,,,,,-1,,,0,0,0,0,,,,,,,,,,,,192.168.240.3:5001,,http,,,,,,,,0,0,0,,,0,,0,0,0,0,0,"
    "0,0,0,0,1,,,,-,0,0,0,,,,,,,,,,,,,,,,,,,,,,\n"
    "deployment,b1,0,0,2,2,3,2,0,0,,0,,0,0,0,0,UP,1,1,0,0,0,4,0,,1,4,2,,2,,2,1,,2,L4OK,,0,0,0,0,0,"
    "0,0,0,,,0,0,0,,,,,1,,,0,0,0,0,,,,Layer4 check passed,,1,1,1,,,,192.168.240.2:5001,,http,,,,,"
    ",,,0,2,0,,,0,,0,0,0,0,0,0,0,2,3,1,,,,-,0,0,0,,,,,,,,,,,,,,,,,,,,,,\n"
    "\n"
)

# `show servers state deployment` a moment after slot a was given the name of a new container.
SERVERS = (
    "1\n"
    "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state "
    "srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl "
    "srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n"
    "4 deployment 1 a1 - 0 108 1 1 1 8 2 0 14 0 0 0 localep-11223344 5001 - 0 0 - - 0\n"
    "4 deployment 2 b1 192.168.240.2 2 0 1 1 6 6 3 1 6 0 0 0 localep-0a1b2c3d 5001 - 0 0 - - 0\n"
    "\n"
)


def test_the_first_deployment_takes_slot_a() -> None:
    assert runtime.other_slot(None) == "a"


@pytest.mark.parametrize(("held", "free"), [("a", "b"), ("b", "a")])
def test_the_slots_take_turns(backend: Backend, held: str, free: str) -> None:
    assert runtime.other_slot(replace(backend, slot=held)) == free


def test_all_commands_go_to_the_socket_in_one_line() -> None:
    assert runtime.shell_command(["show info", "set server deployment/a state ready"]) == [
        "sh",
        "-c",
        'printf "%s\\n" "$1" | socat -t 5 - UNIX-CONNECT:/run/haproxy/admin.sock',
        "sh",
        "show info; set server deployment/a state ready",
    ]


def test_the_keys_are_loaded_without_one_of_them_in_the_command(state: GatewayState) -> None:
    shell, option, script = runtime.LOAD_KEYS

    assert (shell, option) == ("sh", "-c")
    assert subprocess.run(["sh", "-n", "-c", script], check=True).returncode == 0
    assert "first-key" not in script


def test_the_keys_are_those_of_their_file(tmp_path: Path) -> None:
    """The script as it is, with a socat that keeps what it is sent."""
    keys = tmp_path / "keys.map"
    keys.write_text("first-key 0\ntoken 1795000000\n")
    sent = tmp_path / "sent"
    socat = tmp_path / "socat"
    socat.write_text(f"#!/bin/sh\necho 'New version created: 7'\ncat >>{sent}\n")
    socat.chmod(0o755)
    script = runtime.LOAD_KEYS[2].replace("/etc/haproxy/keys.map", str(keys))

    subprocess.run(
        ["sh", "-c", script],
        check=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        stdout=subprocess.PIPE,
    )

    assert sent.read_text() == (
        f"prepare map {keys}\n"
        f"add map @7 {keys} first-key 0; add map @7 {keys} token 1795000000; "
        f"commit map @7 {keys}\n"
    )


TWO = [
    runtime.Target("localep-11223344", "192.168.240.4"),
    runtime.Target("localep-11223344-2", "192.168.240.5"),
]


def test_new_containers_are_made_known_to_the_servers_of_the_free_group() -> None:
    assert runtime.prepare("a", TWO, 8002) == [
        "set server deployment/a1 state drain",
        "set server deployment/a1 check-port 8002",
        "set server deployment/a1 fqdn localep-11223344",
        "set server deployment/a2 state drain",
        "set server deployment/a2 check-port 8002",
        "set server deployment/a2 fqdn localep-11223344-2",
    ]


def test_the_probes_way_leads_to_one_container() -> None:
    assert runtime.probe("192.168.240.4", 8002) == [
        "set server probe/target addr 192.168.240.4 port 8002",
        "set server probe/target state ready",
    ]


@pytest.mark.parametrize(
    ("answer", "digest"),
    [("Name: HAProxy\nnode: 0a1b2c\ndescription:\n", "0a1b2c"), ("Name: HAProxy\n", None)],
)
def test_haproxy_tells_which_settings_it_runs_with(answer: str, digest: str | None) -> None:
    assert runtime.loaded_settings(answer) == digest


def test_a_switch_opens_the_new_servers_before_the_old_ones_drain(state: GatewayState) -> None:
    assert state.backend is not None
    backend = replace(state.backend, aliases=("one", "two"))

    assert runtime.switch(replace(state, backend=backend, places=3)) == [
        "set server deployment/b1 state ready",
        "set server deployment/b1 health up",
        "set server deployment/b2 state ready",
        "set server deployment/b2 health up",
        "set map /etc/haproxy/limits.map share 90",
        "set map /etc/haproxy/limits.map in_flight 12",
        "set map /etc/haproxy/limits.map timeout_ms 2500",
        "set map /etc/haproxy/names.map deployment blue",
        "set map /etc/haproxy/probe.map path /ready",
        "set maxconn server deployment/b1 3",
        "set maxconn server deployment/b2 3",
        "set server deployment/a1 state drain",
        "set server deployment/a2 state drain",
        "set server deployment/a3 state drain",
    ]


def test_a_switch_leaves_servers_alone_that_nothing_stands_behind(state: GatewayState) -> None:
    assert runtime.switch(state, drains=False) == [
        command for command in runtime.switch(state) if not command.endswith("drain")
    ]


STATES = """# pxname,svname,scur,status,
deployment,a1,0,UP,
deployment,a2,0,UP 1/3,
deployment,a3,1,DOWN 1/2,
deployment,b1,1,DRAIN,
deployment,b2,0,MAINT,
"""


def test_servers_that_are_ready_stay_so_in_a_new_process() -> None:
    assert runtime.ready_servers(STATES) == ["a1", "a2"]
    assert runtime.stay_ready(["a1", "a2"]) == [
        "set server deployment/a1 health up",
        "set server deployment/a2 health up",
    ]
    assert runtime.ready_servers("no table") == []


def test_without_a_backend_neither_server_takes_requests(state: GatewayState) -> None:
    assert runtime.switch(replace(state, backend=None)) == [
        "set map /etc/haproxy/limits.map share 0",
        "set map /etc/haproxy/limits.map in_flight 0",
        "set map /etc/haproxy/limits.map timeout_ms 0",
        "set map /etc/haproxy/names.map deployment .",
        "set map /etc/haproxy/probe.map path /",
        "set server deployment/a1 state drain",
        "set server deployment/b1 state drain",
    ]


def test_settings_touch_the_maps_and_the_live_server_alone(state: GatewayState) -> None:
    assert runtime.apply_settings(state) == [
        "set map /etc/haproxy/limits.map share 90",
        "set map /etc/haproxy/limits.map in_flight 6",
        "set map /etc/haproxy/limits.map timeout_ms 2500",
        "set map /etc/haproxy/names.map deployment blue",
        "set map /etc/haproxy/probe.map path /ready",
        "set maxconn server deployment/b1 3",
    ]


def test_settings_without_a_deployment_close_the_endpoint(state: GatewayState) -> None:
    assert runtime.apply_settings(replace(state, backend=None)) == [
        "set map /etc/haproxy/limits.map share 0",
        "set map /etc/haproxy/limits.map in_flight 0",
        "set map /etc/haproxy/limits.map timeout_ms 0",
        "set map /etc/haproxy/names.map deployment .",
        "set map /etc/haproxy/probe.map path /",
    ]


def test_released_servers_get_a_name_that_the_engine_knows() -> None:
    assert runtime.release("a", 2) == [
        "set server deployment/a1 state maint",
        "set server deployment/a1 fqdn localep-gateway",
        "set server deployment/a2 state maint",
        "set server deployment/a2 fqdn localep-gateway",
    ]


@pytest.mark.parametrize(("slot", "count"), [("a", 0), ("b", 2), ("c", None)])
def test_requests_in_flight_are_read_from_the_statistics(slot: str, count: int | None) -> None:
    assert runtime.requests_in_flight(STATISTICS, slot) == count


def test_requests_in_flight_are_found_behind_the_answers_to_other_commands() -> None:
    assert runtime.requests_in_flight(f"\n\nFound.\n{STATISTICS}", "b") == 2
    assert runtime.requests_in_flight("", "b") is None


@pytest.mark.parametrize(
    ("slot", "addresses", "ports"),
    [
        ("b", ["192.168.240.2"], [5001]),
        ("b", ["192.168.240.20"], None),
        ("b", ["192.168.240.2", "192.168.240.3"], None),
        ("a", ["192.168.240.2"], None),
        ("a", ["192.168.240.4"], None),
    ],
)
def test_servers_have_ports_once_every_name_is_resolved(
    slot: str, addresses: list[str], ports: list[int] | None
) -> None:
    targets = [runtime.Target("any", address) for address in addresses]

    assert runtime.ports_of(SERVERS, slot, targets) == ports


def test_servers_are_given_another_port_with_the_addresses_that_they_have() -> None:
    assert runtime.set_ports("b", TWO, 8000) == [
        "set server deployment/b1 addr 192.168.240.4 port 8000",
        "set server deployment/b2 addr 192.168.240.5 port 8000",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Unknown command, but maybe one of the following ones is a better match:",
        "Unknown command.",
        "Unknown map identifier. Please use #<id> or <file>.",
        "No such server.",
        "No such backend.",
        "No such proxy.",
        "Require 'backend/server'.",
        "Invalid addr 'port' by 'stats socket command'",
        "invalid fqdn '-' by 'stats socket command'",
        "entry not found.",
        "Permission denied",
        "maxconn string empty or preceded by garbage",
        "'set server <srv> state' expects 'ready', 'drain' and 'maint'.",
        "'set server <srv> health' expects 'up', 'stopping', or 'down'.",
        "'set map' expects three parameters: map identifier, key and value.",
        "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send "
        "| check-addr | check-port | fqdn | health | ssl | state | weight",
    ],
)
def test_a_refused_command_is_told_from_its_answer(line: str) -> None:
    assert runtime.refusal(f"\n{line}\n\n") == line


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "\n\n\n",
        "deployment/b changed its FQDN from localep-gateway to x by 'stats socket command'\n\n",
        "no need to change the FDQN by 'stats socket command'\n\n",
        "IP changed from '127.0.0.1' to '10.0.0.3', port changed from '9' to '5001' by "
        "'stats socket command'\n\n\n",
        "no need to change the addr, port changed from '5001' to '5002' by 'stats socket command'",
        STATISTICS,
        SERVERS,
    ],
)
def test_an_answer_to_accepted_commands_is_no_refusal(answer: str) -> None:
    assert runtime.refusal(answer) is None


def test_the_first_refusal_among_several_answers_is_told() -> None:
    answer = "\ndeployment/a changed its FQDN from x to y by 'stats socket command'\n\nNo such " + (
        "server.\n\nUnknown command.\n"
    )

    assert runtime.refusal(answer) == "No such server."
