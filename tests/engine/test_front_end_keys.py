"""What opens an endpoint: keys, tokens, nothing at all; and that nobody sees them."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from support.engine import Localep, Silent, copy_sample, write_script
from support.fixtures import own_command_line

from localep.engine.client import DockerEngine
from localep.gateway.state import GatewayState
from localep.operations.endpoints import find_endpoint
from localep.operations.gateways import Gateway
from localep.operations.workplace import Workplace

SCRIPT = "def init(): pass\ndef run(raw_data): return 'fine'\n"


@pytest.fixture(scope="module")
def endpoint(
    engine: DockerEngine, base_image: str, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Localep]:
    """An endpoint that every test leaves with its key asked for."""
    with own_command_line(engine, tmp_path_factory.mktemp("keys")) as localep:
        hello = copy_sample(samples / "hello", localep.folder)
        write_script(hello, SCRIPT)
        localep("create", "-f", "hello/endpoint.yml", "-f", "hello/deployment.yml")
        yield localep


@pytest.fixture
def uri(endpoint: Localep) -> str:
    uri: str = endpoint.json("show")["scoring_uri"]
    return uri


@pytest.fixture
def with_tokens(endpoint: Localep) -> Iterator[Localep]:
    """The endpoint while its auth_mode is aml_token."""
    endpoint("update", "-f", "hello/endpoint.yml", "--set", "auth_mode=aml_token")
    yield endpoint
    endpoint("update", "-f", "hello/endpoint.yml")


def ask(uri: str, key: str, session: requests.Session | None = None) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    sender = session or requests
    answer = sender.post(uri, json={}, headers=headers, timeout=30)
    return answer.status_code, answer.text


FINE = (200, '"fine"')
DENIED = (401, "key_auth_access_denied")


def test_a_key_that_is_regenerated_is_void_at_once_and_the_other_goes_on(
    endpoint: Localep, uri: str
) -> None:
    before = endpoint.json("get-credentials")
    operation = endpoint.json("show", "--query", "last_operation")
    ended = threading.Event()
    counts: Counter[tuple[int, str]] = Counter()

    def go_on() -> None:
        with requests.Session() as session:
            while not ended.is_set():
                counts[ask(uri, before["secondaryKey"], session)] += 1

    with requests.Session() as session:
        assert ask(uri, before["primaryKey"], session) == FINE
        others = [threading.Thread(target=go_on) for _ in range(2)]
        for other in others:
            other.start()
        try:
            told = endpoint("regenerate-keys", "--key-kind", "primary", "-n", "hello")
            void = ask(uri, before["primaryKey"], session)  # on the connection of before
            endpoint("regenerate-keys", "--key-type", "Primary")
        finally:
            ended.set()
            for other in others:
                other.join()

    after = endpoint.json("get-credentials")
    assert told == "hello has another primary key; the former one is void.\n"
    assert void == DENIED
    assert set(counts) == {FINE}
    assert counts[FINE] > 20
    assert after["secondaryKey"] == before["secondaryKey"]
    assert ask(uri, after["primaryKey"]) == FINE
    assert endpoint.json("list-keys") == after
    assert endpoint.json("show", "--query", "last_operation") == operation

    endpoint("regenerate-keys", "--key-kind", "secondary")
    assert ask(uri, before["secondaryKey"]) == DENIED
    assert ask(uri, after["primaryKey"]) == FINE


def test_tokens_open_the_endpoint_where_its_auth_mode_says_so(
    with_tokens: Localep, uri: str
) -> None:
    begun = int(time.time())
    commands = [with_tokens.popen("get-credentials", "-o", "json") for _ in range(3)]
    first, *others = [json.loads(command.communicate()[0]) for command in commands]
    token = first["accessToken"]

    assert others == [first, first]  # still fresh
    assert list(first) == ["accessToken", "tokenType", "expiryTimeUtc", "refreshAfterTimeUtc"]
    assert first["tokenType"] == "Bearer"
    assert begun + 3600 <= first["expiryTimeUtc"] <= time.time() + 3600
    assert first["refreshAfterTimeUtc"] == first["expiryTimeUtc"] - 900
    assert ask(uri, token) == FINE
    assert with_tokens.invoke({}) == "fine"
    assert ask(uri, "") == (401, "key_auth_bad_header_forbidden")

    wants_tokens = with_tokens.run("list-keys")
    assert (wants_tokens.status, wants_tokens.stderr) == (
        2,
        "Error: Endpoint hello does not use keys for authentication.\n"
        "Cause: Its auth_mode is aml_token.\n"
        "Remedy: Ask for a token: localep get-credentials -n hello\n",
    )
    assert with_tokens.run("regenerate-keys").status == 2

    with_tokens("update", "-f", "hello/endpoint.yml", "--set", "auth_mode=aad_token")
    assert ask(uri, token) == DENIED
    assert with_tokens.invoke({}) == "fine"


def test_keys_and_tokens_open_nothing_where_the_auth_mode_is_another(
    endpoint: Localep, uri: str
) -> None:
    keys = endpoint.json("get-credentials")
    endpoint("update", "-f", "hello/endpoint.yml", "--set", "auth_mode=aml_token")
    token = endpoint.json("get-credentials")["accessToken"]

    assert [ask(uri, key) for key in keys.values()] == [DENIED, DENIED]

    endpoint("update", "-f", "hello/endpoint.yml")
    assert ask(uri, token) == DENIED
    assert endpoint.json("get-credentials") == keys
    assert ask(uri, keys["primaryKey"]) == FINE


def state_of(localep: Localep) -> tuple[Gateway, GatewayState]:
    place = Workplace(localep.engine, Silent(), localep.names)
    found = find_endpoint(place, "hello")
    return Gateway(localep.engine, found.gateway.identity, found.address), found.state


def test_an_expired_token_is_refused_and_forgotten(with_tokens: Localep, uri: str) -> None:
    gateway, state = state_of(with_tokens)
    now = int(time.time())
    aged = replace(state, tokens={"expired": now - 1, "to-refresh": now + 800})
    gateway.save(aged)
    gateway.load_keys(aged)

    assert ask(uri, "expired") == (401, "token_expired")
    assert ask(uri, "to-refresh") == FINE
    token = with_tokens.json("get-credentials")["accessToken"]
    assert token != "to-refresh"
    assert (ask(uri, token), ask(uri, "to-refresh")) == (FINE, FINE)
    assert list(state_of(with_tokens)[1].tokens) == ["to-refresh", token]
    assert ask(uri, "expired") == DENIED


def test_an_endpoint_may_ask_for_no_key(endpoint: Localep, uri: str) -> None:
    endpoint("update", "--no-auth")

    assert (ask(uri, ""), ask(uri, "anything")) == (FINE, FINE)
    assert endpoint.invoke({}) == "fine"
    assert endpoint.json("show", "--query", "front_end") == "no-auth"
    endpoint("regenerate-keys")
    key = endpoint.json("get-credentials")["primaryKey"]

    endpoint("update", "--auth")
    assert ask(uri, "") == (401, "key_auth_bad_header_forbidden")
    assert ask(uri, key) == FINE
    assert endpoint.json("show", "--query", "front_end") is None


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer \t",
        "Basic KEY",
        "KEY",
        "Bearer,KEY",
        "Bearer x, Bearer KEY",
        "Bearer KE",
        "Bearer KEYKEY",
        "Bearer 0",
        "Bearer -1",
        "Bearer .*",
        "Bearer %00KEY",
        "Bearer \xff\xfe",
        "Bearer 'KEY'",
        'Bearer "KEY"',
        "Bearer KEY;KEY",
        "Bearer " + "x" * 8000,
    ],
)
def test_a_header_with_odd_characters_opens_nothing(
    endpoint: Localep, uri: str, header: str
) -> None:
    _, state = state_of(endpoint)
    value = header.replace("KEY", state.primary_key).encode("latin-1")

    answer = requests.post(uri, json={}, headers={"Authorization": value}, timeout=30)

    assert answer.status_code == 401
    assert answer.text in {"key_auth_access_denied", "key_auth_bad_header_forbidden"}


@contextmanager
def all_command_lines() -> Iterator[set[bytes]]:
    """The arguments and variables of every process of this machine during the context."""
    seen: set[bytes] = set()
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        seen.add((process / name).read_bytes())
                    except OSError:
                        continue

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


def test_nobody_but_the_one_who_asks_sees_what_opens_an_endpoint(endpoint: Localep) -> None:
    begun = int(time.time())
    told = []
    secrets: set[str] = set()

    def run(*arguments: str) -> None:
        answer = endpoint.run(*arguments, stdin="{}")
        told.append(answer.stdout + answer.stderr)

    def ask_for(verb: str) -> None:
        found = endpoint.json(verb)
        secrets.update(found[name] for name in found if name.endswith(("Key", "Token")))

    with all_command_lines() as seen:
        ask_for("get-credentials")
        run("regenerate-keys")
        run("--debug", "regenerate-keys", "--key-kind", "secondary", "-o", "json")
        ask_for("list-keys")
        run("invoke", "-r", "-")
        run("--debug", "invoke", "-r", "-", "--deployment", "nope")
        run("update", "-f", "hello/endpoint.yml", "--set", "auth_mode=aml_token")
        ask_for("get-credentials")
        run("--debug", "invoke", "-r", "-", "--direct")
        run("--debug", "list-keys")
        run("update", "-f", "hello/endpoint.yml", "--set", "environment_variables.A=1")
        run("show", "-o", "json")
        run("list", "-o", "json")
        run("get-logs")
        run("export", "k8s")
        run("update", "-f", "hello/endpoint.yml")
    secrets.add(state_of(endpoint)[1].probe_token)

    assert len(secrets) == 6  # four keys, a token, and the token of the probe
    for role in ("gateway", "deployment"):
        told.append(json.dumps(endpoint.engine.api.inspect_container(endpoint.container(role))))
        told.append(b"".join(endpoint.engine.logs(endpoint.container(role))).decode())
    # Tells every command that was run in a container, however short.
    events = endpoint.engine.api.events(since=begun, until=int(time.time()) + 1, decode=True)
    told += [json.dumps(event) for event in events]
    assert any("exec_create: sh -c" in text for text in told)
    told += [text.decode(errors="replace") for text in seen]
    assert any("regenerate-keys" in text for text in told)
    assert [text for text in told if any(secret in text for secret in secrets)] == []


def test_the_files_with_the_keys_are_haproxys_alone(endpoint: Localep) -> None:
    script = "cd /etc/haproxy && stat -c '%a %U %n' *.map *.lst *.cfg /var/lib/localep/state.json"

    status, output = endpoint.engine.execute(endpoint.container("gateway"), ["sh", "-c", script])

    files = ["keys.map", "limits.map", "names.map", "probe.map", "probe.lst", "haproxy.cfg"]
    paths = [*files, "/var/lib/localep/state.json"]
    assert (status, output.splitlines()) == (0, [f"600 haproxy {path}" for path in paths])
