"""The files of a gateway."""

from __future__ import annotations

import io
import re
import tarfile
from dataclasses import replace

import pytest

from localep.gateway.config import deployment_name, gateway_archive, gateway_files, limits
from localep.gateway.state import (
    Backend,
    GatewayState,
    Operation,
    state_from_json,
    state_from_link,
)

PATHS = [
    "/etc/haproxy/haproxy.cfg",
    "/etc/haproxy/keys.lst",
    "/etc/haproxy/probe.lst",
    "/etc/haproxy/limits.map",
    "/etc/haproxy/names.map",
    "/var/lib/localep/state.json",
]


def servers(state: GatewayState) -> list[str]:
    """The two servers that the backend `deployment` chooses from, as configured."""
    configuration = gateway_files(state)["/etc/haproxy/haproxy.cfg"]
    return re.findall(r"^ +(server [ab] .*)$", configuration, re.MULTILINE)


def test_a_gateway_has_these_files(state: GatewayState) -> None:
    assert list(gateway_files(state)) == PATHS


def test_the_small_files_say_what_the_state_says(state: GatewayState) -> None:
    files = gateway_files(state)

    assert files["/etc/haproxy/keys.lst"] == "Bearer first-key\nBearer second-key\n"
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
        ("first-key", ["/etc/haproxy/keys.lst", "/var/lib/localep/state.json"]),
        ("second-key", ["/etc/haproxy/keys.lst", "/var/lib/localep/state.json"]),
        ("probe-token", ["/etc/haproxy/probe.lst", "/var/lib/localep/state.json"]),
    ],
)
def test_secrets_stand_in_the_files_that_need_them_alone(
    state: GatewayState, secret: str, paths: list[str]
) -> None:
    assert [path for path, text in gateway_files(state).items() if secret in text] == paths


def test_the_deployment_takes_the_slot_that_it_holds(state: GatewayState) -> None:
    assert servers(state) == [
        "server a localep-gateway:5001 maxconn 1 disabled",
        "server b localep-0a1b2c3d:5001 maxconn 3",
    ]


def test_the_deployment_may_hold_the_other_slot(state: GatewayState, backend: Backend) -> None:
    assert servers(replace(state, backend=replace(backend, slot="a"))) == [
        "server a localep-0a1b2c3d:5001 maxconn 3",
        "server b localep-gateway:5001 maxconn 1 disabled",
    ]


def test_without_a_deployment_both_slots_are_idle(state: GatewayState) -> None:
    assert servers(replace(state, backend=None)) == [
        "server a localep-gateway:5001 maxconn 1 disabled",
        "server b localep-gateway:5001 maxconn 1 disabled",
    ]


def test_everything_else_in_the_configuration_is_the_same_for_every_endpoint(
    state: GatewayState,
) -> None:
    def rest(of: GatewayState) -> list[str]:
        lines = gateway_files(of)["/etc/haproxy/haproxy.cfg"].splitlines()
        return [line for line in lines if not line.startswith(("    server a", "    server b"))]

    assert rest(state) == rest(replace(state, backend=None, traffic={}))


@pytest.mark.parametrize("allows_options", [False, True])
@pytest.mark.parametrize("is_direct", [False, True])
def test_the_configuration_has_no_placeholder_left(
    state: GatewayState, allows_options: bool, is_direct: bool
) -> None:
    of = replace(state, allows_options=allows_options, is_direct=is_direct)
    configuration = gateway_files(of)["/etc/haproxy/haproxy.cfg"]

    assert re.findall(r"\{\{|\}\}|\{%|%\}|None|Undefined", configuration) == []
    assert re.findall(r"/etc/haproxy/[a-z.]+", configuration) == [
        "/etc/haproxy/probe.lst",
        *([] if is_direct else ["/etc/haproxy/probe.lst"]),
        "/etc/haproxy/keys.lst",
        "/etc/haproxy/limits.map",
        "/etc/haproxy/names.map",
        "/etc/haproxy/limits.map",
        "/etc/haproxy/limits.map",
    ]


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
    no_deployment = ("var(txn.name) -m str .", "nbsrv(deployment) eq 0")
    refusals = [
        line
        for line in rules
        if line.startswith("http-request return")
        and not any(part in line for part in no_deployment)
    ]
    changes = [
        line
        for line in rules
        if line.startswith(("http-response", "http-request set-header", "http-request set-timeout"))
    ]

    assert [line.split()[3] for line in refusals] == ["405", "401", "401", "404", "404", "429"]
    assert len(changes) == 5
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
        (replace(state, allows_options=True), 2),
        (replace(state, is_direct=True), 1),
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
