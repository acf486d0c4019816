"""The files of a gateway."""

from __future__ import annotations

import io
import re
import tarfile
from dataclasses import replace

import pytest

from localep.gateway.config import (
    deployment_name,
    gateway_archive,
    gateway_files,
    limits,
    settings_of,
)
from localep.gateway.state import (
    Backend,
    GatewayState,
    Operation,
    state_from_json,
    state_from_link,
)

PATHS = [
    "/etc/haproxy/haproxy.cfg",
    "/etc/haproxy/gateway.lua",
    "/etc/haproxy/keys.map",
    "/etc/haproxy/probe.lst",
    "/etc/haproxy/limits.map",
    "/etc/haproxy/names.map",
    "/etc/haproxy/probe.map",
    "/var/lib/localep/state.json",
]

IDLE_A = "server a1 localep-gateway:5001 check port 5001 maxconn 1 disabled"
IDLE_B = "server b1 localep-gateway:5001 check port 5001 maxconn 1 disabled"


def servers(state: GatewayState) -> list[str]:
    """The two servers that the backend `deployment` chooses from, as configured."""
    configuration = gateway_files(state)["/etc/haproxy/haproxy.cfg"]
    return re.findall(r"^ +(server [ab]\d .*)$", configuration, re.MULTILINE)


def test_a_gateway_has_these_files(state: GatewayState) -> None:
    assert list(gateway_files(state)) == PATHS


def test_the_small_files_say_what_the_state_says(state: GatewayState) -> None:
    files = gateway_files(state)

    assert files["/etc/haproxy/keys.map"] == "first-key 0\nsecond-key 0\n"
    assert files["/etc/haproxy/probe.lst"] == "probe-token\n"
    assert files["/etc/haproxy/limits.map"] == "share 90\nin_flight 6\ntimeout_ms 2500\n"
    assert files["/etc/haproxy/names.map"] == "deployment blue\n"
    assert state_from_json(files["/var/lib/localep/state.json"]) == state


def test_without_a_deployment_nothing_is_let_through(state: GatewayState) -> None:
    files = gateway_files(replace(state, backend=None))

    assert files["/etc/haproxy/limits.map"] == "share 0\nin_flight 0\ntimeout_ms 0\n"
    assert files["/etc/haproxy/names.map"] == "deployment .\n"


def test_limits_and_name_are_those_of_the_deployment(state: GatewayState) -> None:
    assert limits(state) == {"share": 90, "in_flight": 6, "timeout_ms": 2500}
    assert deployment_name(state) == "blue"


def test_limits_and_name_of_an_empty_endpoint(state: GatewayState) -> None:
    empty = replace(state, backend=None)

    assert limits(empty) == {"share": 0, "in_flight": 0, "timeout_ms": 0}
    assert deployment_name(empty) == "."


@pytest.mark.parametrize(
    ("secret", "paths"),
    [
        ("first-key", ["/etc/haproxy/keys.map", "/var/lib/localep/state.json"]),
        ("second-key", ["/etc/haproxy/keys.map", "/var/lib/localep/state.json"]),
        ("probe-token", ["/etc/haproxy/probe.lst", "/var/lib/localep/state.json"]),
    ],
)
def test_secrets_stand_in_the_files_that_need_them_alone(
    state: GatewayState, secret: str, paths: list[str]
) -> None:
    assert [path for path, text in gateway_files(state).items() if secret in text] == paths


def test_the_deployment_takes_the_slot_that_it_holds(state: GatewayState) -> None:
    assert servers(state) == [
        IDLE_A,
        "server b1 localep-0a1b2c3d:5001 check port 5002 maxconn 3",
    ]


def test_the_deployment_may_hold_the_other_slot(state: GatewayState, backend: Backend) -> None:
    assert servers(replace(state, backend=replace(backend, slot="a"))) == [
        "server a1 localep-0a1b2c3d:5001 check port 5002 maxconn 3",
        IDLE_B,
    ]


def test_without_a_deployment_both_slots_are_idle(state: GatewayState) -> None:
    assert servers(replace(state, backend=None)) == [
        IDLE_A,
        IDLE_B,
    ]


def test_what_haproxy_must_load_anew_has_a_name_of_its_own(
    state: GatewayState, backend: Backend
) -> None:
    plain = settings_of(state)
    others = [
        replace(state, allows_options=True),
        replace(state, is_direct=True),
        replace(state, requires_key=False),
        replace(state, payload_limit=1000),
        replace(state, places=2),
        replace(state, backend=replace(backend, max_queue_wait_ms=1)),
        replace(state, backend=replace(backend, readiness=replace(backend.readiness, period=9))),
    ]
    digests = {settings_of(other).digest for other in others}

    assert len(digests - {plain.digest}) == len(others)
    assert f"node {plain.digest}" in configured(state)


def test_what_is_set_over_the_socket_needs_no_loading_anew(
    state: GatewayState, backend: Backend
) -> None:
    other = replace(
        backend,
        revision="other",
        aliases=("other",),
        slot="a",
        port=9000,
        request_timeout_ms=1,
        max_concurrent_requests=9,
        readiness=replace(backend.readiness, port=9001, path="/other"),
    )
    changed = replace(state, backend=other, traffic={}, primary_key="other-key")

    assert settings_of(changed).digest == settings_of(state).digest


def test_the_numbers_of_the_deployment_stand_in_the_configuration(state: GatewayState) -> None:
    lines = configured(state)

    assert "timeout queue 700ms" in lines
    assert "timeout check 1s" in lines
    assert [line.split(" observe ")[0] for line in lines if line.startswith("default-server")] == [
        "default-server check inter 5s downinter 200ms fall 4 rise 2"
    ]


@pytest.mark.parametrize(("places", "retries"), [(1, 0), (2, 1)])
def test_another_instance_is_tried_where_there_may_be_one(
    state: GatewayState, places: int, retries: int
) -> None:
    assert f"retries {retries}" in configured(replace(state, places=places))


def test_the_settings_of_a_deployment_may_be_there_before_it(
    state: GatewayState, backend: Backend
) -> None:
    empty = replace(state, backend=None)
    files = gateway_files(empty, backend)

    assert settings_of(empty, backend) == settings_of(state)
    assert f"node {settings_of(state).digest}" in files["/etc/haproxy/haproxy.cfg"]
    assert files["/etc/haproxy/names.map"] == "deployment .\n"


def test_every_instance_has_a_server_and_the_other_group_as_many(
    state: GatewayState, backend: Backend
) -> None:
    of = replace(state, backend=replace(backend, aliases=("one", "two")), places=3)

    assert [server.split(" check")[0] for server in servers(of)] == [
        "server a1 localep-gateway:5001",
        "server a2 localep-gateway:5001",
        "server a3 localep-gateway:5001",
        "server b1 one:5001",
        "server b2 two:5001",
        "server b3 localep-gateway:5001",
    ]


@pytest.mark.parametrize("requires_key", [False, True])
@pytest.mark.parametrize("allows_options", [False, True])
@pytest.mark.parametrize("is_direct", [False, True])
def test_the_configuration_has_no_placeholder_left(
    state: GatewayState, allows_options: bool, is_direct: bool, requires_key: bool
) -> None:
    of = replace(
        state, allows_options=allows_options, is_direct=is_direct, requires_key=requires_key
    )
    configuration = gateway_files(of)["/etc/haproxy/haproxy.cfg"]

    assert re.findall(r"\{\{|\}\}|\{%|%\}|None|Undefined", configuration) == []
    assert set(re.findall(r"/etc/haproxy/[a-z.]+", configuration)) <= set(PATHS)
    assert ("keys.map" in configuration) == requires_key


def test_a_token_opens_the_endpoint_where_the_cloud_wants_tokens(state: GatewayState) -> None:
    of = replace(state, auth_mode="aml_token", tokens={"token": 1795000000})

    assert gateway_files(of)["/etc/haproxy/keys.map"] == "token 1795000000\n"


def configured(state: GatewayState) -> list[str]:
    """The lines of the configuration."""
    return [line.strip() for line in gateway_files(state)["/etc/haproxy/haproxy.cfg"].splitlines()]


ON_DEMAND = (
    "http-request set-var(txn.is_direct) bool(true) "
    "if { req.hdr(x-localep-direct) -m str -f /etc/haproxy/probe.lst }"
)
ALWAYS = "http-request set-var(txn.is_direct) bool(true)"


@pytest.mark.parametrize(("is_direct", "line"), [(False, ON_DEMAND), (True, ALWAYS)])
def test_the_rules_can_be_passed_with_a_token_or_by_everybody(
    state: GatewayState, is_direct: bool, line: str
) -> None:
    lines = configured(replace(state, is_direct=is_direct))

    assert [found for found in lines if "set-var(txn.is_direct)" in found] == [line]
    assert lines[lines.index(line) + 1] == "http-request del-header x-localep-direct"


def test_every_rule_of_the_front_end_knows_of_the_way_past_it(state: GatewayState) -> None:
    lines = configured(state)
    rules = lines[lines.index("backend deployment") :]
    # Without a deployment that runs, there is no answer of a container to be had.
    no_deployment = ("var(txn.name) -m str .", "model_not_ready if !is_up")
    refusals = [
        line
        for line in rules
        if line.startswith("http-request return")
        and not any(part in line for part in no_deployment)
    ]
    changes = [
        line
        for line in rules
        if line.startswith(("http-response set-", "http-request set-timeout"))
        and "set-var(txn.model_status)" not in line
    ]

    assert [line.split()[3] for line in refusals] == [
        *("405", "200", "401", "401", "401", "404", "404", "429")
    ]
    assert len(changes) == 6
    assert [line for line in refusals + changes if "is_direct" not in line] == []


@pytest.mark.parametrize(
    ("allows", "methods", "preflight"),
    [(False, "GET POST", "always_false"), (True, "GET POST OPTIONS", "method OPTIONS")],
)
def test_options_reach_the_deployment_where_they_were_asked_for(
    state: GatewayState, allows: bool, methods: str, preflight: str
) -> None:
    lines = configured(replace(state, allows_options=allows))

    assert f"acl knows_method method {methods}" in lines
    assert [line for line in lines if line.startswith("acl is_preflight")] == [
        f"acl is_preflight {preflight}"
    ]


def test_what_the_front_end_lets_through_changes_nothing_else(state: GatewayState) -> None:
    plain = configured(state)
    for other, changed in (
        (replace(state, allows_options=True), 3),
        (replace(state, is_direct=True), 2),
    ):
        assert len(set(plain) - set(configured(other))) == changed


def test_the_archive_puts_every_file_where_only_haproxy_reads_it(state: GatewayState) -> None:
    with tarfile.open(fileobj=io.BytesIO(gateway_archive(state))) as archive:
        *members, link = archive.getmembers()
        contents = [archive.extractfile(member) for member in members]
        texts = [content.read().decode() if content else "" for content in contents]

    assert [
        (f"/{member.name}", member.isfile(), member.mode, member.uid, member.gid)
        for member in members
    ] == [(path, True, 0o600, 990, 990) for path in PATHS]
    assert texts == list(gateway_files(state).values())
    assert (f"/{link.name}", link.issym()) == ("/var/lib/localep/public", True)
    assert state_from_link(link.linkname).backend == state.backend


def test_a_public_state_that_is_too_long_leaves_a_link_that_tells_nothing(
    state: GatewayState,
) -> None:
    long = state.after(Operation("update", "Failed", "blue", "x" * 4000))
    with tarfile.open(fileobj=io.BytesIO(gateway_archive(long))) as archive:
        *_, link = archive.getmembers()

    assert link.linkname == "/"
    with pytest.raises(ValueError, match="Expecting value"):
        state_from_link(link.linkname)


def test_a_payload_limit_is_a_rule_and_a_filter(state: GatewayState) -> None:
    plain = set(configured(state))
    lines = [line for line in configured(replace(state, payload_limit=1500)) if line not in plain]

    assert lines[0].startswith("node ")
    assert lines[1:] == [
        "filter lua.payload-limit 1500",
        'http-request return status 413 content-type text/plain string "The request is larger '
        'than 1500 bytes." if !is_direct { req.body_size gt 1500 }',
        'http-request set-var(txn.refusal) str("The request is malformed.")',
        "http-error status 400 content-type text/plain lf-string %[var(txn.refusal)]",
        "http-after-response set-status 413 if { status 400 } { var(txn.too_large) -m bool }",
    ]


def test_what_the_map_does_not_know_has_expired_long_ago(state: GatewayState) -> None:
    """A negative number would not do: HAProxy 2.6 gets its subtraction wrong."""
    (line,) = (line for line in configured(state) if "set-var(txn.expiry)" in line)

    assert line.endswith('map_str_int(/etc/haproxy/keys.map,1)"')
