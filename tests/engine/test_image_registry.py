"""Images from registries: with a login, without one, for other processors, and not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.engine import Localep, Silent, copy_sample
from support.image_registry import (
    PASSWORD,
    USER,
    build_small_image,
    docker_config,
    docker_config_with_helper,
    image_registry,
    push,
)

from localep.engine.base import RegistryImage
from localep.engine.client import DockerEngine, connect_engine
from localep.errors import PullFailed, PullReason

DEPLOYMENT = "custom-container/deployment.yml"
NO_SUCH_IMAGE = "The registry has no such image, or hides it from those who are not logged in."


@pytest.fixture(scope="module")
def arm_image(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image for 64-bit ARM that is in a registry and not here."""
    with image_registry(tmp_path_factory.mktemp("registry")) as address:
        reference = f"{address}/team/small:1"
        build_small_image(engine, tmp_path_factory.mktemp("image"), reference, "linux/arm64")
        push(engine, reference)
        yield reference


@pytest.fixture(scope="module")
def private_image(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image in a registry that wants a login."""
    with image_registry(tmp_path_factory.mktemp("private"), wants_login=True) as address:
        reference = f"{address}/team/secret:1"
        build_small_image(engine, tmp_path_factory.mktemp("image"), reference)
        push(engine, reference, {"username": USER, "password": PASSWORD})
        yield reference


@pytest.fixture
def removed(engine: DockerEngine) -> Iterator[list[str]]:
    """Images that a test has pulled."""
    references: list[str] = []
    yield references
    for reference in references:
        engine.api.remove_image(reference, force=True)


def with_login(monkeypatch: pytest.MonkeyPatch, folder: Path, address: str) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(docker_config(folder / "docker", address)))


def with_helper(monkeypatch: pytest.MonkeyPatch, folder: Path, address: str) -> None:
    config, programs = docker_config_with_helper(folder / "docker", address)
    monkeypatch.setenv("DOCKER_CONFIG", str(config))
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize("prepare", [with_login, with_helper])
def test_an_image_is_pulled_with_the_login_of_the_docker_client(
    private_image: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    removed: list[str],
    prepare: Callable[[pytest.MonkeyPatch, Path, str], None],
) -> None:
    prepare(monkeypatch, tmp_path, private_image.partition("/")[0])
    engine = connect_engine()

    assert engine.ask_registry(private_image) == RegistryImage(("linux/amd64",))
    image = engine.pull_image(private_image, Silent())

    removed.append(private_image)
    assert image.platform == "linux/amd64"


@pytest.mark.parametrize("password", [None, "wrong"])
def test_without_the_right_login_the_registry_is_said_to_ask_for_one(
    private_image: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, password: str | None
) -> None:
    address = private_image.partition("/")[0]
    config = docker_config(tmp_path / "docker", address, password or "")
    if password is None:
        (config / "config.json").write_text("{}")
    monkeypatch.setenv("DOCKER_CONFIG", str(config))
    engine = connect_engine()

    for ask in (engine.ask_registry, lambda name: engine.pull_image(name, Silent())):
        with pytest.raises(PullFailed) as caught:
            ask(private_image)
        assert caught.value.reason == "login"
        assert caught.value.cause == "The registry asks for a login."


@pytest.mark.parametrize(
    ("name", "reason", "cause"),
    [
        ("team/small:2", "missing", NO_SUCH_IMAGE),
        ("team/nothing:1", "missing", NO_SUCH_IMAGE),
        (None, "other", "Its registry did not answer."),
    ],
    ids=["no such tag", "no such repository", "no registry"],
)
def test_what_no_registry_gives_is_told_apart(
    engine: DockerEngine, arm_image: str, name: str | None, reason: PullReason, cause: str
) -> None:
    # Port 9 is that of a service which throws away what it gets; nobody runs it.
    reference = f"{arm_image.partition('/')[0]}/{name}" if name else "127.0.0.1:9/team/small:1"

    for ask in (engine.ask_registry, lambda name: engine.pull_image(name, Silent())):
        with pytest.raises(PullFailed) as caught:
            ask(reference)
        assert (caught.value.reason, caught.value.cause) == (reason, cause)


def test_an_image_is_not_pulled_for_a_platform_that_it_is_not_there_for(
    engine: DockerEngine, arm_image: str, removed: list[str]
) -> None:
    assert engine.ask_registry(arm_image) == RegistryImage(("linux/arm64",))

    with pytest.raises(PullFailed) as caught:
        engine.pull_image(arm_image, Silent(), "linux/amd64")

    # Some engines fetch it all the same.
    removed += [arm_image] if engine.find_image(arm_image) is not None else []
    assert caught.value.reason == "platform"
    assert caught.value.cause == "It is there for another platform only."


def test_an_image_for_another_processor_is_named_before_it_is_run(
    localep: Localep, samples: Path, arm_image: str, removed: list[str]
) -> None:
    sample = copy_sample(samples / "custom-container", localep.folder)
    file = sample / "deployment.yml"
    build = file.read_text()[file.read_text().index("  build:") :].splitlines()
    count = next(n for n, line in enumerate(build[1:], 1) if not line.startswith("    "))
    file.write_text(file.read_text().replace("\n".join(build[:count]), f"  image: {arm_image}", 1))

    answer = localep.run(
        *("create", "-f", "custom-container/endpoint.yml", "-f", DEPLOYMENT),
        *("--platform", "linux/arm64"),
    )

    removed.append(arm_image)
    assert (answer.status, answer.stdout) == (6, "")
    warned = f"Warning: {arm_image} is for linux/arm64, and this engine runs linux/amd64: "
    assert answer.stderr.index(f"Pulling {arm_image}\n") < answer.stderr.index(warned)
    assert f"{arm_image} is for linux/arm64, and the cloud runs linux/amd64. " in answer.stderr
    assert answer.stderr[answer.stderr.index("Error: ") :].startswith(
        "Error: The deployment did not get ready.\n"
        "Cause: Its image is for another processor than this engine's (image-architecture; the "
        "cloud says `exec format error`). Its container ended with exit code 1.\n"
    )
    assert localep.left_behind() == []


@pytest.mark.parametrize(
    ("tag", "code", "message"),
    [
        ("1", "image-architecture", "{image} is for linux/arm64, and the cloud runs linux/amd64."),
        ("2", "base-image-not-found", "its registry has no image {image}."),
    ],
)
def test_validate_asks_for_the_images_where_it_shall(
    localep: Localep, hello: Path, arm_image: str, tag: str, code: str, message: str
) -> None:
    image = f"{arm_image.rpartition(':')[0]}:{tag}"
    own = ("validate", "-f", str(hello / "deployment.yml"), f"--set=environment.image={image}")

    offline = localep.json(*own)["findings"]
    asked = localep.json(*own, "--images")["findings"]

    assert [item for item in offline if item["code"] == code] == []
    (finding,) = [item for item in asked if item["code"] == code]
    assert (finding["severity"], finding["path"], finding["message"]) == (
        "warning",
        "environment.image",
        message.format(image=image),
    )
