from __future__ import annotations

import gc
import hashlib
import json
from typing import TYPE_CHECKING

import docker.errors
import pytest
from docker.tls import TLSConfig

from localep.engine.address import EngineAddress, find_address
from localep.engine.client import connect_engine
from localep.errors import EngineError
from localep.exit_codes import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("no_settings_of_docker")

REMOTE = "tcp://build.example.com:2376"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "docker-config"


def configure(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(text, encoding="utf-8")


def add_context(folder: Path, name: str, host: str) -> str:
    # As `docker context create` lays it down.
    identity = hashlib.sha256(name.encode()).hexdigest()
    meta = folder / "contexts/meta" / identity
    meta.mkdir(parents=True)
    endpoint = {"Host": host, "SkipTLSVerify": False}
    data = {"Name": name, "Metadata": {"Description": "x"}, "Endpoints": {"docker": endpoint}}
    (meta / "meta.json").write_text(json.dumps(data), encoding="utf-8")
    return identity


def test_where_nothing_is_set_the_engine_is_the_default() -> None:
    assert find_address() == EngineAddress()


@pytest.mark.parametrize(
    ("url", "is_local", "host"),
    [
        ("unix:///run/user/1000/docker.sock", True, "127.0.0.1"),
        ("tcp://build.example.com:2375", False, "build.example.com"),
        ("tcp://192.0.2.7:2375", False, "192.0.2.7"),
        ("tcp://[2001:db8::7]:2375", False, "2001:db8::7"),
        ("https://build.example.com:2376", False, "build.example.com"),
        ("ssh://me@build.example.com", False, "build.example.com"),
        ("ssh://me@build.example.com:2222", False, "build.example.com"),
    ],
)
def test_docker_host_names_the_engine(
    monkeypatch: pytest.MonkeyPatch, url: str, is_local: bool, host: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", url)

    address = find_address()

    assert address == EngineAddress(url)
    assert (address.is_local, address.host) == (is_local, host)


def test_docker_host_may_ask_for_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).write_text("PEM", encoding="utf-8")
    monkeypatch.setenv("DOCKER_HOST", REMOTE)
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))

    address = find_address()

    assert (address.url, address.context) == (REMOTE, None)
    assert isinstance(address.tls, TLSConfig)
    assert address.tls.verify is True
    assert address.tls.ca_cert == str(tmp_path / "ca.pem")
    assert address.tls.cert == (str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"))


@pytest.mark.parametrize(
    ("host", "is_local", "reached"),
    [
        ("unix:///home/me/.docker/desktop/docker.sock", True, "127.0.0.1"),
        (REMOTE, False, "build.example.com"),
        ("ssh://me@build.example.com", False, "build.example.com"),
    ],
)
def test_the_docker_client_s_current_context_is_used(
    config: Path, host: str, is_local: bool, reached: str
) -> None:
    add_context(config, "remote", host)
    configure(config, '{"auths": {}, "currentContext": "remote"}')

    address = find_address()

    assert address == EngineAddress(host, None, "remote")
    assert (address.is_local, address.host) == (is_local, reached)


def test_a_context_is_found_in_the_user_s_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_CONFIG")
    add_context(tmp_path / ".docker", "remote", REMOTE)
    configure(tmp_path / ".docker", '{"currentContext": "remote"}')

    assert find_address() == EngineAddress(REMOTE, None, "remote")


def test_docker_config_hides_the_contexts_in_the_user_s_home(tmp_path: Path, config: Path) -> None:
    add_context(tmp_path / ".docker", "remote", "tcp://wrong.example.com:2375")
    configure(tmp_path / ".docker", '{"currentContext": "wrong"}')
    add_context(config, "remote", REMOTE)
    configure(config, '{"currentContext": "remote"}')

    assert find_address() == EngineAddress(REMOTE, None, "remote")


def test_a_variable_names_another_context(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_context(config, "one", "tcp://one.example.com:2375")
    add_context(config, "two", "tcp://two.example.com:2375")
    configure(config, '{"currentContext": "one"}')
    monkeypatch.setenv("DOCKER_CONTEXT", "two")

    assert find_address() == EngineAddress("tcp://two.example.com:2375", None, "two")


@pytest.mark.parametrize("name", ["DOCKER_CONFIG", "HOME"])
def test_a_context_is_found_where_the_docker_client_has_no_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # `docker context create` writes no config.json.
    if name == "HOME":
        monkeypatch.delenv("DOCKER_CONFIG")
        add_context(tmp_path / ".docker", "remote", REMOTE)
    else:
        add_context(tmp_path / "docker-config", "remote", REMOTE)
    monkeypatch.setenv("DOCKER_CONTEXT", "remote")

    assert find_address() == EngineAddress(REMOTE, None, "remote")


def test_the_certificates_of_a_context_are_used(config: Path) -> None:
    identity = add_context(config, "remote", REMOTE)
    certificates = config / "contexts/tls" / identity / "docker"
    certificates.mkdir(parents=True)
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (certificates / name).write_text("PEM", encoding="utf-8")
    configure(config, '{"currentContext": "remote"}')

    address = find_address()

    assert (address.url, address.context) == (REMOTE, "remote")
    assert isinstance(address.tls, TLSConfig)
    assert address.tls.verify is True
    assert address.tls.ca_cert == str(certificates / "ca.pem")
    assert address.tls.cert == (str(certificates / "cert.pem"), str(certificates / "key.pem"))


def test_docker_host_wins_over_contexts(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_context(config, "remote", REMOTE)
    configure(config, '{"currentContext": "remote"}')
    monkeypatch.setenv("DOCKER_CONTEXT", "remote")
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/other.sock")

    assert find_address() == EngineAddress("unix:///run/other.sock")


def test_the_default_context_can_be_asked_for(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_context(config, "remote", REMOTE)
    configure(config, '{"currentContext": "remote"}')
    monkeypatch.setenv("DOCKER_CONTEXT", "default")

    assert find_address() == EngineAddress()


@pytest.mark.parametrize(
    "text",
    ["", "not JSON", "[]", "{}", '{"currentContext": null}', '{"currentContext": "default"}'],
)
def test_a_configuration_that_names_no_context_leaves_the_default(config: Path, text: str) -> None:
    configure(config, text)

    assert find_address() == EngineAddress()


@pytest.mark.parametrize("by_variable", [True, False])
def test_an_unknown_context_is_an_error(
    config: Path, monkeypatch: pytest.MonkeyPatch, by_variable: bool
) -> None:
    add_context(config, "remote", REMOTE)
    configure(config, '{"currentContext": "missing"}')
    if by_variable:
        configure(config, "{}")
        monkeypatch.setenv("DOCKER_CONTEXT", "missing")

    with pytest.raises(EngineError) as caught:
        find_address()

    assert caught.value.exit_code is ExitCode.ENGINE
    assert caught.value.message == "There is no docker context missing."
    assert caught.value.cause == ("DOCKER_CONTEXT or the docker client's configuration names it.")
    assert caught.value.remedy == "List them with `docker context ls`."


def test_a_context_that_cannot_be_read_is_an_error(config: Path) -> None:
    identity = add_context(config, "remote", REMOTE)
    (config / "contexts/meta" / identity / "meta.json").write_text("{", encoding="utf-8")
    configure(config, '{"currentContext": "remote"}')

    with pytest.raises(EngineError):
        connect_engine()


# docker-py leaves the socket open where nobody listens at it.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_an_engine_that_is_not_there_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/missing.sock")

    with pytest.raises(EngineError) as caught:
        connect_engine()

    assert caught.value.message == "No Docker engine answers."
    assert caught.value.cause == "None listens here."
    assert isinstance(caught.value.__cause__, docker.errors.DockerException)
    del caught
    gc.collect()
