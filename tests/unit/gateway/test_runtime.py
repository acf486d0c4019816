"""What is said to HAProxy's runtime socket, and how its answers are read.

The answers are those of HAProxy 2.6.12.
"""

from __future__ import annotations

from dataclasses import replace

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
    "deployment,a,0,0,0,0,1,0,0,0,,0,,0,0,0,0,MAINT,1,1,0,0,0,4,4,,1,4,1,,0,,2,0,,0,,,,0,0,0,0,0,"
    "0,0,,,0,0,0,,,,,-1,,,0,0,0,0,,,,,,,,,,,,192.168.240.3:5001,,http,,,,,,,,0,0,0,,,0,,0,0,0,0,0,"
    "0,0,0,0,1,,,,-,0,0,0,,,,,,,,,,,,,,,,,,,,,,\n"
    "deployment,b,0,0,2,2,3,2,0,0,,0,,0,0,0,0,UP,1,1,0,0,0,4,0,,1,4,2,,2,,2,1,,2,L4OK,,0,0,0,0,0,"
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
    "4 deployment 1 a - 0 108 1 1 1 8 2 0 14 0 0 0 localep-11223344 5001 - 0 0 - - 0\n"
    "4 deployment 2 b 192.168.240.2 2 0 1 1 6 6 3 1 6 0 0 0 localep-0a1b2c3d 5001 - 0 0 - - 0\n"
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


def test_a_new_container_is_made_known_to_the_probe_and_to_the_free_server() -> None:
    assert runtime.prepare("a", "localep-11223344", "192.168.240.4", 8002) == [
        "set server probe/target addr 192.168.240.4 port 8002",
        "set server probe/target state ready",
        "set server deployment/a state drain",
        "set server deployment/a fqdn localep-11223344",
    ]


def test_a_switch_opens_the_new_server_before_the_old_one_drains(state: GatewayState) -> None:
    assert runtime.switch(state) == [
        "set server deployment/b state ready",
        "set server deployment/b health up",
        "set map /etc/haproxy/limits.map share 90",
        "set map /etc/haproxy/limits.map in_flight 6",
        "set map /etc/haproxy/limits.map timeout_ms 2500",
        "set map /etc/haproxy/names.map deployment blue",
        "set maxconn server deployment/b 3",
        "set server deployment/a state drain",
    ]


def test_without_a_backend_neither_server_takes_requests(state: GatewayState) -> None:
    assert runtime.switch(replace(state, backend=None)) == [
        "set map /etc/haproxy/limits.map share 0",
        "set map /etc/haproxy/limits.map in_flight 0",
        "set map /etc/haproxy/limits.map timeout_ms 0",
        "set map /etc/haproxy/names.map deployment .",
        "set server deployment/a state drain",
        "set server deployment/b state drain",
    ]


def test_settings_touch_the_maps_and_the_live_server_alone(state: GatewayState) -> None:
    assert runtime.apply_settings(state) == [
        "set map /etc/haproxy/limits.map share 90",
        "set map /etc/haproxy/limits.map in_flight 6",
        "set map /etc/haproxy/limits.map timeout_ms 2500",
        "set map /etc/haproxy/names.map deployment blue",
        "set maxconn server deployment/b 3",
    ]


def test_settings_without_a_deployment_close_the_endpoint(state: GatewayState) -> None:
    assert runtime.apply_settings(replace(state, backend=None)) == [
        "set map /etc/haproxy/limits.map share 0",
        "set map /etc/haproxy/limits.map in_flight 0",
        "set map /etc/haproxy/limits.map timeout_ms 0",
        "set map /etc/haproxy/names.map deployment .",
    ]


def test_a_released_server_gets_a_name_that_the_engine_knows() -> None:
    assert runtime.release("a") == [
        "set server deployment/a state drain",
        "set server deployment/a fqdn localep-gateway",
    ]


@pytest.mark.parametrize(("slot", "count"), [("a", 0), ("b", 2), ("c", None)])
def test_requests_in_flight_are_read_from_the_statistics(slot: str, count: int | None) -> None:
    assert runtime.requests_in_flight(STATISTICS, slot) == count


def test_requests_in_flight_are_found_behind_the_answers_to_other_commands() -> None:
    assert runtime.requests_in_flight(f"\n\nFound.\n{STATISTICS}", "b") == 2
    assert runtime.requests_in_flight("", "b") is None


@pytest.mark.parametrize(
    ("slot", "address", "port"),
    [
        ("b", "192.168.240.2", 5001),
        ("b", "192.168.240.20", None),
        ("a", "192.168.240.2", None),
        ("a", "192.168.240.4", None),
    ],
)
def test_a_server_has_a_port_once_its_name_is_resolved(
    slot: str, address: str, port: int | None
) -> None:
    assert runtime.port_of(SERVERS, slot, address) == port


def test_a_server_is_given_another_port_with_the_address_that_it_has() -> None:
    assert runtime.set_port("b", "192.168.240.2", 8000) == [
        "set server deployment/b addr 192.168.240.2 port 8000"
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
