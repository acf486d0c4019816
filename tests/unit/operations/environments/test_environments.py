"""The image of an environment that has a Dockerfile, or a server, of its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from localep.engine.base import BuildFolder, BuildRequest, Image
from localep.errors import BuildFailed, EnvironmentFailure, SpecError
from localep.exit_codes import ExitCode
from localep.operations.environments.options import EnvironmentOptions
from localep.operations.environments.plans import EnvironmentImage, ensure_environment, plan_unbuilt
from localep.operations.render import build, render
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle
from localep.spec.model import BuildSpec, EnvironmentSpec, InferenceConfig, Route

if TYPE_CHECKING:
    from unit.operations.conftest import FakeEngine

Ensure = Callable[..., EnvironmentImage]
ROUTE = Route(8501, "/")
ROUTES = InferenceConfig(ROUTE, ROUTE, ROUTE)
CUSTOM = EnvironmentSpec("team/server:1", inference_config=ROUTES)
DEFAULTS = EnvironmentOptions()


@pytest.fixture
def fake(place: Workplace) -> FakeEngine:
    return cast("FakeEngine", place.engine)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a Dockerfile of the user's own."""
    folder = tmp_path / "image"
    (folder / "src").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM debian\nCOPY . /app\n")
    (folder / "src" / "run.sh").write_text("exec\n")
    return folder


@pytest.fixture
def spec(folder: Path) -> EnvironmentSpec:
    return EnvironmentSpec(build=BuildSpec(folder), inference_config=ROUTES)


@pytest.fixture
def ensure(place: Workplace, spec: EnvironmentSpec) -> Ensure:
    """Sees to the image of the folder, with changes of the options."""

    def run(**changes: Any) -> EnvironmentImage:
        return ensure_environment(place, spec, replace(DEFAULTS, **changes))

    return run


def refusal(
    place: Workplace, spec: EnvironmentSpec, options: EnvironmentOptions = DEFAULTS
) -> tuple[str, str | None, str | None]:
    with pytest.raises(EnvironmentFailure) as caught:
        ensure_environment(place, spec, options)
    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    return caught.value.message, caught.value.cause, caught.value.remedy


def test_an_image_is_built_from_the_users_folder_once(
    ensure: Ensure, fake: FakeEngine, folder: Path, told: list[str]
) -> None:
    image = ensure()

    assert image.reference.startswith("localep/build:")
    assert image == EnvironmentImage(image.reference, f"sha256:{image.reference}", built=True)
    assert fake.builds == [BuildRequest(image.reference, BuildFolder(folder, "Dockerfile"))]
    assert told == [f"step: Building {folder}/Dockerfile"]
    assert ensure() == replace(image, built=False)
    assert len(fake.builds) == 1


@pytest.mark.parametrize(("option", "no_cache"), [("no_cache", True), ("pull", False)])
def test_an_image_is_built_again_where_the_user_insists(
    ensure: Ensure, fake: FakeEngine, option: str, no_cache: bool
) -> None:
    first = ensure()

    assert ensure(**{option: True}) == first
    assert [request.no_cache for request in fake.builds] == [False, no_cache]


def _edit(folder: Path) -> None:
    (folder / "src" / "run.sh").write_text("exec python\n")


def _touch(folder: Path) -> None:
    os.utime(folder / "src" / "run.sh", (1, 1))


def _make_executable(folder: Path) -> None:
    (folder / "src" / "run.sh").chmod(0o755)


def _rename(folder: Path) -> None:
    (folder / "src" / "run.sh").rename(folder / "src" / "go.sh")


def _add(folder: Path) -> None:
    (folder / ".dockerignore").touch()


def _remove(folder: Path) -> None:
    (folder / "src" / "run.sh").unlink()


@pytest.mark.parametrize("change", [_edit, _touch, _make_executable, _rename, _add, _remove])
def test_another_file_makes_it_another_image(
    ensure: Ensure, folder: Path, change: Callable[[Path], None]
) -> None:
    first = ensure()

    change(folder)

    second = ensure()
    assert second.built
    assert second.reference != first.reference


def test_byte_code_that_comes_and_goes_makes_it_no_other_image(
    ensure: Ensure, fake: FakeEngine, folder: Path
) -> None:
    ensure()

    (folder / "src" / "__pycache__").mkdir()
    (folder / "src" / "__pycache__" / "run.pyc").touch()

    assert not ensure().built
    assert len(fake.builds) == 1


def test_another_dockerfile_of_the_folder_makes_another_image(
    place: Workplace, ensure: Ensure, folder: Path, spec: EnvironmentSpec
) -> None:
    (folder / "Dockerfile.gpu").write_text("FROM debian\nCOPY . /app\n")
    first = ensure()

    other = replace(spec, build=BuildSpec(folder, "Dockerfile.gpu"))

    assert ensure_environment(place, other, DEFAULTS).reference != first.reference


def test_a_dockerfile_outside_the_folder_counts(place: Workplace, folder: Path) -> None:
    outside = folder.parent / "Dockerfile.outside"
    spec = EnvironmentSpec(build=BuildSpec(folder, f"../{outside.name}"), inference_config=ROUTES)
    outside.write_text("FROM debian\n")
    first = ensure_environment(place, spec, DEFAULTS)

    outside.write_text("FROM python\n")

    assert ensure_environment(place, spec, DEFAULTS).reference != first.reference


def test_a_dockerfile_that_cannot_be_read_is_named(
    ensure: Ensure, folder: Path, fake: FakeEngine
) -> None:
    (folder / "Dockerfile").unlink()

    with pytest.raises(SpecError, match=rf"^{folder}/Dockerfile cannot be read\.$"):
        ensure()

    assert fake.builds == []


def test_a_failed_build_sends_the_user_to_the_dockerfile(
    ensure: Ensure, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise BuildFailed("No.", cause="A step ended.", remedy="Correct the conda file.")

    monkeypatch.setattr(fake, "build_image", fail)

    with pytest.raises(BuildFailed) as caught:
        ensure()

    assert (caught.value.message, caught.value.cause, caught.value.remedy) == (
        "No.",
        "A step ended.",
        "The step's last lines say what went wrong; correct the Dockerfile.",
    )


def test_an_own_image_without_routes_gets_the_inference_server(
    place: Workplace, spec: EnvironmentSpec, fake: FakeEngine
) -> None:
    plain = replace(spec, inference_config=None)
    message, cause, remedy = refusal(place, plain)
    reference = fake.builds[0].reference
    assert (message, cause, remedy) == (
        f"The image {reference} cannot be used.",
        f"The image {reference} has no Python of its own.",
        "Have its Dockerfile install Python, or say with `inference_config` how it answers.",
    )

    fake.programs[f"sha256:{reference}"] = ["python3.12"]
    image = ensure_environment(place, plain, DEFAULTS)

    assert image.reference.startswith("localep/env:")
    assert not image.built


def test_an_own_image_with_the_inference_server_is_used_as_it_is(
    place: Workplace, spec: EnvironmentSpec, fake: FakeEngine
) -> None:
    reference = ensure_environment(place, spec, DEFAULTS).reference
    fake.programs[f"sha256:{reference}"] = ["azmlinfsrv"]

    plain = ensure_environment(place, replace(spec, inference_config=None), DEFAULTS)

    assert plain == EnvironmentImage(reference, f"sha256:{reference}", built=False)


def test_an_image_of_the_clouds_kind_is_run_as_it_is(place: Workplace, fake: FakeEngine) -> None:
    plain = replace(CUSTOM, inference_config=None)
    fake.images["team/server:1"] = Image("sha256:5e", {}, 1000)
    fake.paths["sha256:5e"] = ["/var/runit"]
    fake.programs["sha256:5e"] = ["azmlinfsrv", "python3.11"]

    image = ensure_environment(place, plain, DEFAULTS)

    assert image == EnvironmentImage("team/server:1", "sha256:5e", built=False, has_own_server=True)
    # With packages on top, localep starts the server.
    packages: dict[str, Any] = {"dependencies": ["python=3.11"]}
    built = ensure_environment(place, replace(plain, conda=packages), DEFAULTS)
    assert (built.reference.partition(":")[0], built.has_own_server) == ("localep/env", False)
    # Routes of the deployment's own say how it answers.
    assert not ensure_environment(place, CUSTOM, DEFAULTS).has_own_server


@pytest.mark.parametrize("sends_folder", [True, False])
def test_a_dockerfile_that_stands_in_the_yaml_is_built(
    place: Workplace,
    fake: FakeEngine,
    folder: Path,
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
    sends_folder: bool,
) -> None:
    sent: list[tuple[Path, str, list[str]]] = []

    def keep(request: BuildRequest, _: object) -> Image:
        context = request.context
        assert isinstance(context, BuildFolder)
        names = sorted(path.name for path in context.path.iterdir())
        sent.append((context.path, (context.path / context.dockerfile).read_text(), names))
        fake.images[request.reference] = image = Image("sha256:b", {}, 1)
        return image

    monkeypatch.setattr(fake, "build_image", keep)
    build_spec = BuildSpec(folder, text="FROM a\n", sends_folder=sends_folder)
    spec = replace(CUSTOM, image=None, build=build_spec)

    first = ensure_environment(place, spec, DEFAULTS)

    ((context, text, names),) = sent
    assert text == "FROM a\n"
    assert (context == folder) == sends_folder
    assert names == (["Dockerfile", "src"] if sends_folder else ["Dockerfile"])
    assert context.exists() == sends_folder
    assert told == ["step: Building the Dockerfile of the environment"]
    assert ensure_environment(place, spec, DEFAULTS) == replace(first, built=False)
    other = replace(build_spec, text="FROM b\n")
    assert ensure_environment(place, replace(spec, build=other), DEFAULTS).built


def test_the_image_of_a_custom_container_is_used_as_it_is(
    place: Workplace, fake: FakeEngine, told: list[str]
) -> None:
    fake.images["team/server:1"] = Image("sha256:5e", {}, 1000)

    image = ensure_environment(place, CUSTOM, DEFAULTS)

    assert image == EnvironmentImage("team/server:1", "sha256:5e", built=False)
    assert (fake.builds, told) == ([], [])


def test_nothing_stands_in_for_the_image_of_a_custom_container(place: Workplace) -> None:
    assert refusal(place, CUSTOM) == (
        "The image team/server:1 cannot be used.",
        "The image team/server:1 could not be pulled. No registry.",
        "Build it or load it into the engine, or log in to its registry.",
    )


def test_the_registry_is_asked_again_for_an_image_that_was_replaced_before(
    place: Workplace, told: list[str]
) -> None:
    plain = replace(CUSTOM, inference_config=None)
    for _ in range(2):  # the second time, nobody asks the registry
        ensure_environment(place, plain, DEFAULTS)
    assert told.count("step: Pulling team/server:1") == 1

    refusal(place, CUSTOM)

    assert told.count("step: Pulling team/server:1") == 2


def test_a_custom_container_without_an_image_is_refused(place: Workplace) -> None:
    assert refusal(place, replace(CUSTOM, image=None)) == (
        "The custom container has no image.",
        "`inference_config` says that the image brings its own server, but there is neither "
        "`image:` nor `build:`.",
        "Name the image under `environment:`, or remove `inference_config`.",
    )


def test_without_an_engine_the_image_of_a_custom_container_is_not_here() -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        plan_unbuilt(None, CUSTOM, DEFAULTS)

    assert caught.value.cause == "The image team/server:1 is not here."


@pytest.fixture
def bundle(folder: Path, project: Path, load: Callable[..., Bundle]) -> Bundle:
    """A deployment with code whose environment is built from the folder."""
    with (project / "deployment.yml").open("a") as file:
        file.write("environment: {build: {path: ../image}}\n")
    return load("deployment.yml")


def test_the_users_dockerfile_is_rendered_as_it_is(bundle: Bundle, folder: Path) -> None:
    result = render(None, bundle, DEFAULTS)

    assert result.context == {"Dockerfile": (folder / "Dockerfile").read_text()}
    assert result.warnings == ()


def test_the_users_image_can_be_built_alone(
    place: Workplace, bundle: Bundle, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "find_program", lambda *_: "azmlinfsrv")

    image = build(place, bundle, DEFAULTS)

    assert image.built
    assert [request.reference for request in fake.builds] == [image.reference]


def test_a_big_folder_beside_the_conda_file_is_not_sent(
    place: Workplace, project: Path, load: Callable[..., Bundle], fake: FakeEngine
) -> None:
    (project / "conda.yml").write_text(
        "dependencies: [python=3.11, {pip: [azureml-inference-server-http]}]\n"
    )
    with (project / "data.bin").open("wb") as stream:
        os.truncate(stream.fileno(), 200 * 1024**2)
    with (project / "deployment.yml").open("a") as file:
        file.write("environment: {image: 'localep/base:latest', conda_file: conda.yml}\n")

    build(place, load("deployment.yml"), EnvironmentOptions(no_cache=True))

    (request,) = fake.builds
    assert not isinstance(request.context, BuildFolder)
    assert sum(len(text.encode()) for text in request.context.values()) < 100_000
    assert dict(request.files) == {}
