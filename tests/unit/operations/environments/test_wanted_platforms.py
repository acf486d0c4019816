"""The platform that is asked for, and images of others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from localep.engine.base import BuildFolder, Image
from localep.errors import EnvironmentFailure, PullFailed, UsageError
from localep.operations.environments.base_image import base_reference, ensure_base
from localep.operations.environments.options import EnvironmentOptions
from localep.operations.environments.plans import ensure_environment
from localep.operations.environments.platforms import wanted_platform
from localep.operations.workplace import Workplace
from localep.spec.model import BuildSpec, EnvironmentSpec, InferenceConfig, Route

if TYPE_CHECKING:
    from pathlib import Path

    from unit.operations.conftest import FakeEngine

ROUTE = Route(8501, "/")
CUSTOM = EnvironmentSpec("team/server:1", inference_config=InferenceConfig(ROUTE, ROUTE, ROUTE))
ARM = EnvironmentOptions(platform="linux/arm64")
FOREIGN = (
    "warning: team/server:1 is for linux/arm64, and this engine runs linux/amd64: it starts only "
    "where the engine can emulate the other processor (image-architecture; the cloud says `exec "
    "format error`)."
)


@pytest.fixture
def fake(place: Workplace) -> FakeEngine:
    return cast("FakeEngine", place.engine)


@pytest.mark.parametrize(
    ("option", "environ", "wanted"),
    [
        (None, {}, ""),
        ("linux/arm64", {}, "linux/arm64"),
        ("linux/arm64/v8", {}, "linux/arm64"),
        ("linux/arm/v7", {}, "linux/arm/v7"),
        ("arm64", {}, "linux/arm64"),
        ("Linux/x86_64", {}, "linux/amd64"),
        (None, {"DOCKER_DEFAULT_PLATFORM": "linux/aarch64"}, "linux/arm64"),
        ("amd64", {"DOCKER_DEFAULT_PLATFORM": "linux/arm64"}, "linux/amd64"),
        (None, {"DOCKER_DEFAULT_PLATFORM": ""}, ""),
    ],
)
def test_the_platform_is_that_of_the_command_line_or_of_docker_s_variable(
    option: str | None, environ: dict[str, str], wanted: str
) -> None:
    assert wanted_platform(option, environ) == wanted


@pytest.mark.parametrize("text", ["linux/", "/arm64", "a/b/c/d", "linux arm64"])
def test_what_is_no_platform_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        wanted_platform(text, {})
    assert (caught.value.message, caught.value.remedy) == (
        f"--platform {text} is no platform.",
        "Write the system and the processor, such as linux/amd64.",
    )
    with pytest.raises(UsageError, match=r"^DOCKER_DEFAULT_PLATFORM .* is no platform\.$"):
        wanted_platform(None, {"DOCKER_DEFAULT_PLATFORM": text})


def test_an_image_of_another_platform_is_named_before_it_is_run(
    place: Workplace, fake: FakeEngine, told: list[str]
) -> None:
    fake.images["team/server:1"] = Image("sha256:5e", {}, 1000, "linux/arm64")

    image = ensure_environment(place, CUSTOM, EnvironmentOptions())

    assert told == [FOREIGN]
    assert image.platform == ""


def test_the_image_is_pulled_for_the_platform_that_is_asked_for(
    place: Workplace, fake: FakeEngine, told: list[str]
) -> None:
    fake.images["team/server:1"] = Image("sha256:a", {}, 1000, "linux/amd64")
    fake.registry["team/server:1"] = Image("sha256:b", {}, 1000, "linux/arm64")

    image = ensure_environment(place, CUSTOM, ARM)

    assert (image.identity, image.platform) == ("sha256:b", "linux/arm64")
    assert told == ["step: Pulling team/server:1", FOREIGN]
    told.clear()
    assert ensure_environment(place, CUSTOM, ARM) == image  # it is here now
    assert told == [FOREIGN]


def test_the_engine_s_own_platform_changes_nothing(place: Workplace, fake: FakeEngine) -> None:
    fake.images["team/server:1"] = Image("sha256:a", {}, 1000, "linux/amd64")
    plain = EnvironmentOptions()

    assert ensure_environment(
        place, CUSTOM, replace(plain, platform="linux/amd64")
    ) == ensure_environment(place, CUSTOM, plain)


def test_a_dockerfile_is_built_for_the_platform(
    place: Workplace, fake: FakeEngine, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM a\n")
    spec = replace(CUSTOM, image=None, build=BuildSpec(tmp_path))

    first = ensure_environment(place, spec, EnvironmentOptions())
    second = ensure_environment(place, spec, ARM)

    assert [request.platform for request in fake.builds] == ["", "linux/arm64"]
    assert first.reference != second.reference


def test_the_base_of_another_platform_has_a_name_of_its_own(
    place: Workplace, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "find_image", fake.images.get)
    fake.images["debian:bookworm-slim"] = Image("sha256:mine", {}, 1, "linux/amd64")
    fake.registry["debian:bookworm-slim"] = Image("sha256:arm", {}, 1, "linux/arm64")

    base = ensure_base(place, "linux/arm64")

    assert base.reference == f"{base_reference()}-linux-arm64"
    (request,) = fake.builds
    assert (request.reference, request.platform) == (base.reference, "linux/arm64")
    assert not isinstance(request.context, BuildFolder)
    assert "DEBIAN_IMAGE=localep/debian:bookworm-linux-arm64\n" in request.context["Dockerfile"]
    # The name that the pull took is that of the engine's own again.
    assert fake.images["debian:bookworm-slim"].identity == "sha256:mine"
    assert fake.images["localep/debian:bookworm-linux-arm64"].identity == "sha256:arm"
    assert "localep/base:latest" not in fake.images


def test_without_a_registry_there_is_no_base_for_another_platform(
    place: Workplace, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "find_image", fake.images.get)
    fake.registry["debian:bookworm-slim"] = PullFailed("No Debian.", cause="No registry.")

    with pytest.raises(EnvironmentFailure) as caught:
        ensure_base(place, "linux/arm64")

    assert (caught.value.message, caught.value.cause, caught.value.remedy) == (
        "There is no base image for linux/arm64.",
        "No Debian. No registry.",
        "Leave out --platform, or load Debian's image for it into the engine as "
        "localep/debian:bookworm-linux-arm64.",
    )
