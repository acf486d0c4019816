from __future__ import annotations

import os
from typing import TYPE_CHECKING

import docker
import pytest

from localep.engine.address import EngineAddress
from localep.engine.builders import choose_builder
from localep.engine.builders.buildkit import BuildKit
from localep.engine.builders.classic import Classic
from localep.errors import UsageError
from localep.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    InstallClient = Callable[[str, str], str]

pytestmark = pytest.mark.usefixtures("no_settings_of_docker")

WITHOUT_BUILDX = """
case "$*" in
    --version) echo "Docker version {}, build e6534b4" ;;
    *) echo "docker: unknown command: docker $1" >&2; exit 1 ;;
esac
"""
WITH_BUILDX = """
case "$*" in
    --version) echo "Docker version 26.0.0, build 2ae903e" ;;
    "buildx version") echo "github.com/docker/buildx {} 788433953af10f2a698f5c07611dddce2e08c7a0" ;;
    *) exit 1 ;;
esac
"""
PODMAN = """
echo "Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg." >&2
case "$*" in
    --version) echo "podman version 4.9.3" ;;
    "buildx version") echo "buildah 1.33.7" ;;
    *) exit 1 ;;
esac
"""


@pytest.fixture
def api() -> Iterator[docker.APIClient]:
    # With a version of the API it asks no engine.
    client = docker.APIClient(base_url="unix:///nowhere.sock", version="1.41")
    yield client
    client.close()


def buildx(client: str, *options: str, raw_json: bool, context: tuple[str, ...] = ()) -> BuildKit:
    return BuildKit((client, *context, "buildx", "build", "--load", *options), raw_json)


def test_buildx_is_used_with_the_engine_s_own_builder(
    api: docker.APIClient, install_client: InstallClient
) -> None:
    client = install_client("bin", WITH_BUILDX.format("v0.13.1"))

    assert choose_builder(api, EngineAddress()) == buildx(
        client, "--builder", "default", "--provenance=false", raw_json=True
    )


@pytest.mark.parametrize("version", ["v0.13.0", "v0.20.1", "v1.0.0", "0.13.1+ds1"])
def test_a_newer_buildx_writes_json(
    api: docker.APIClient, install_client: InstallClient, version: str
) -> None:
    client = install_client("bin", WITH_BUILDX.format(version))

    assert choose_builder(api, EngineAddress()) == buildx(
        client, "--builder", "default", "--provenance=false", raw_json=True
    )


@pytest.mark.parametrize("version", ["v0.12.0", "v0.10.5", "0.12.1-desktop.4"])
def test_buildx_before_0_13_writes_plain_text(
    api: docker.APIClient, install_client: InstallClient, version: str
) -> None:
    client = install_client("bin", WITH_BUILDX.format(version))

    assert choose_builder(api, EngineAddress()) == buildx(
        client, "--builder", "default", "--provenance=false", raw_json=False
    )


def test_buildx_before_0_10_knows_no_provenance(
    api: docker.APIClient, install_client: InstallClient
) -> None:
    client = install_client("bin", WITH_BUILDX.format("v0.9.1"))

    assert choose_builder(api, EngineAddress()) == buildx(
        client, "--builder", "default", raw_json=False
    )


def test_buildx_builds_in_the_context_of_the_engine(
    api: docker.APIClient, install_client: InstallClient
) -> None:
    client = install_client("bin", WITH_BUILDX.format("v0.13.1"))
    address = EngineAddress("ssh://me@build.example.com", context="remote")

    assert choose_builder(api, address) == buildx(
        client,
        "--builder",
        "remote",
        "--provenance=false",
        raw_json=True,
        context=("--context", "remote"),
    )


@pytest.mark.parametrize("version", ["20.10.24", "22.06.0-beta.0", "19.03.15"])
def test_a_client_before_23_builds_with_buildkit_by_itself(
    api: docker.APIClient, install_client: InstallClient, version: str
) -> None:
    client = install_client("bin", WITHOUT_BUILDX.format(version))

    assert choose_builder(api, EngineAddress()) == BuildKit((client, "build"), raw_json=False)


def test_a_client_before_23_builds_in_the_context_of_the_engine(
    api: docker.APIClient, install_client: InstallClient
) -> None:
    client = install_client("bin", WITHOUT_BUILDX.format("20.10.24"))

    assert choose_builder(api, EngineAddress(context="remote")) == BuildKit(
        (client, "--context", "remote", "build"), raw_json=False
    )


@pytest.mark.parametrize("version", ["28.2.2", "23.0.0", "17.05.0-ce", "18.06.3-ce"])
def test_other_clients_without_buildx_leave_the_engine_s_classic_builder(
    api: docker.APIClient, install_client: InstallClient, version: str
) -> None:
    install_client("bin", WITHOUT_BUILDX.format(version))

    builder = choose_builder(api, EngineAddress())

    assert isinstance(builder, Classic)
    assert builder.api is api


def test_a_client_that_can_build_is_found_behind_one_that_cannot(
    api: docker.APIClient, install_client: InstallClient
) -> None:
    install_client("first", WITHOUT_BUILDX.format("28.2.2"))
    second = install_client("second", WITHOUT_BUILDX.format("20.10.24"))

    assert choose_builder(api, EngineAddress()) == BuildKit((second, "build"), raw_json=False)


def test_buildx_behind_is_better_than_an_old_client_before_it(
    api: docker.APIClient, install_client: InstallClient
) -> None:
    install_client("first", WITHOUT_BUILDX.format("20.10.24"))
    second = install_client("second", WITH_BUILDX.format("v0.13.1"))

    assert choose_builder(api, EngineAddress()) == buildx(
        second, "--builder", "default", "--provenance=false", raw_json=True
    )


def test_podman_s_shim_is_ignored(api: docker.APIClient, install_client: InstallClient) -> None:
    install_client("podman", PODMAN)
    assert isinstance(choose_builder(api, EngineAddress()), Classic)

    client = install_client("docker", WITH_BUILDX.format("v0.13.1"))
    assert choose_builder(api, EngineAddress()) == buildx(
        client, "--builder", "default", "--provenance=false", raw_json=True
    )


def test_programs_that_fail_or_cannot_run_are_ignored(
    api: docker.APIClient,
    install_client: InstallClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install_client("failing", 'echo "github.com/docker/buildx v0.13.1"; exit 1')
    broken = install_client("broken", "")
    (tmp_path / "broken/docker").write_bytes(b"\x7fELF is no program")
    (tmp_path / "folder/docker").mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path / "folder"), prepend=os.pathsep)

    assert os.access(broken, os.X_OK)
    assert isinstance(choose_builder(api, EngineAddress()), Classic)


def test_a_client_that_lies_twice_on_the_path_is_asked_once(
    api: docker.APIClient,
    install_client: InstallClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install_client("bin", f'echo "$*" >>"{tmp_path}/asked"; exit 1')
    (tmp_path / "link").symlink_to(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "link"), prepend=os.pathsep)

    assert isinstance(choose_builder(api, EngineAddress()), Classic)
    asked = (tmp_path / "asked").read_text(encoding="utf-8")
    assert asked.splitlines() == ["buildx version", "--version"]


def test_without_any_client_the_engine_builds_itself(
    api: docker.APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert isinstance(choose_builder(api, EngineAddress()), Classic)


def test_a_builder_can_be_forced(
    api: docker.APIClient, install_client: InstallClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = install_client("new", WITH_BUILDX.format("v0.13.1"))
    old = install_client("old", WITHOUT_BUILDX.format("20.10.24"))

    monkeypatch.setenv("LOCALEP_BUILDER", "classic")
    assert isinstance(choose_builder(api, EngineAddress()), Classic)
    monkeypatch.setenv("LOCALEP_BUILDER", "buildkit")
    assert choose_builder(api, EngineAddress()) == BuildKit((old, "build"), raw_json=False)
    for value in ("buildx", ""):
        monkeypatch.setenv("LOCALEP_BUILDER", value)
        assert choose_builder(api, EngineAddress()) == buildx(
            new, "--builder", "default", "--provenance=false", raw_json=True
        )


@pytest.mark.parametrize("wanted", ["buildx", "buildkit"])
def test_a_forced_builder_that_is_not_there_is_refused(
    api: docker.APIClient,
    install_client: InstallClient,
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
) -> None:
    install_client("bin", WITHOUT_BUILDX.format("28.2.2"))
    monkeypatch.setenv("LOCALEP_BUILDER", wanted)

    with pytest.raises(UsageError) as caught:
        choose_builder(api, EngineAddress())

    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.message == f"LOCALEP_BUILDER={wanted}, but no docker client here has it."
    assert caught.value.remedy == "Install docker-buildx, or unset the variable."


@pytest.mark.parametrize("wanted", ["buildah", "Buildx", " classic"])
def test_an_unknown_builder_is_refused(
    api: docker.APIClient, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    monkeypatch.setenv("LOCALEP_BUILDER", wanted)

    with pytest.raises(UsageError) as caught:
        choose_builder(api, EngineAddress())

    assert caught.value.message == f"LOCALEP_BUILDER={wanted} is not a builder."
    assert caught.value.remedy == "Use one of buildx, buildkit, classic, or unset it."
