"""Which way leads to the packages of a conda file, and what stands in for it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from localep.conda.documents import Installation
from localep.conda.lock import Lock
from localep.conda.packages import CondaPackage
from localep.engine.base import BuildRequest, Image
from localep.environment.solver import Solver
from localep.errors import BuildFailed, ChannelUnreachable, EnvironmentFailure
from localep.operations.environments.conda_ways import conda_platform, glibc_of_release, lock_of
from localep.operations.environments.options import EnvironmentOptions
from localep.operations.environments.plans import EnvironmentImage, ensure_environment, plan_unbuilt
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle
from localep.spec.model import EnvironmentSpec

if TYPE_CHECKING:
    from unit.operations.conftest import FakeEngine

SERVER = "azureml-inference-server-http"
TAKEN = "Taken from PyPI in the place of conda's channels: tabulate==0.9.*."
SILENT = ChannelUnreachable(
    "The conda channel https://conda.example/main does not answer.",
    cause="It is gone.",
    remedy="Check the network.",
)


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("localep.conda.settings._SYSTEM_FOLDERS", ())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CONDA_CHANNEL_ALIAS", "https://conda.example")
    indexes = [name for name in os.environ if name.startswith(("PIP_", "UV_"))]
    for name in ("CONDARC", "CONDA_PREFIX", "CONDA_ROOT", "XDG_CONFIG_HOME", *indexes):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def fake(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """The engine, with no environment that was built before."""
    engine = cast("FakeEngine", place.engine)
    found = engine.find_image
    monkeypatch.setattr(
        engine,
        "find_image",
        lambda name: engine.images.get(name) if name.startswith("localep/env") else found(name),
    )
    return engine


@pytest.fixture
def channels(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Channels that have everything; holds the names of those that were asked."""
    asked: list[tuple[str, ...]] = []

    def install(listed: str, names: tuple[str, ...], on_step: Callable[[str], None]) -> Any:
        asked.append(names)
        data = json.loads(listed)
        return Installation(json.dumps({"packages": data["specs"]}), "how", False, {})

    monkeypatch.setattr("localep.conda.documents.installation", install)
    return asked


@pytest.fixture
def no_channel(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No channel answers; holds a word for each time that one was asked."""
    asked: list[str] = []

    def fail(*_: object) -> None:
        asked.append("asked")
        raise SILENT

    monkeypatch.setattr("localep.conda.documents.installation", fail)
    return asked


def environment(*packages: str, pip: tuple[str, ...] = (), image: str | None = None) -> Any:
    listed = [*packages, {"pip": list(pip)}]
    return EnvironmentSpec(image, conda={"channels": ["main"], "dependencies": listed})


def asked_of(request: BuildRequest) -> Any:
    assert isinstance(request.context, dict)
    return json.loads(request.context["conda.json"])


def ensure(place: Workplace, spec: EnvironmentSpec, **options: Any) -> EnvironmentImage:
    return ensure_environment(place, spec, EnvironmentOptions(**options))


@pytest.mark.parametrize(
    ("packages", "options", "way"),
    [
        (["python=3.11", "pip"], {}, "image"),
        (["pip"], {}, "image"),
        (["python=3.10"], {}, "channels"),
        (["python=3.11", "tabulate"], {}, "channels"),
        (["python=3.10"], {"python": "3.11"}, "image"),
        (["python=3.11"], {"python": "3.12"}, "channels"),
        (["python=3.11"], {"solver": Solver.CONDA}, "channels"),
        (["python=3.11"], {"solver": Solver.PYPI}, "image"),
        (["python=3.11", "tabulate"], {"solver": Solver.PYPI}, "image"),
    ],
)
def test_the_way_is_the_quick_one_where_that_is_enough(
    packages: list[str], options: dict[str, Any], way: str
) -> None:
    plan = plan_unbuilt(None, environment(*packages), EnvironmentOptions(**options))

    assert ("channels" if plan.conda else "image") == way


def test_what_channels_are_asked_for_is_the_plan() -> None:
    spec = environment("python=3.9", "other::tabulate=0.9", pip=("flask",))
    options = EnvironmentOptions(python="3.10", has_gpus=True)

    plan = plan_unbuilt(None, spec, options)

    assert json.loads(plan.conda or "") == {
        "platform": "linux-64",
        "specs": ["python=3.10", "https://conda.example/other::tabulate=0.9"],
        "channels": ["https://conda.example/main", "https://conda.example/other"],
        "virtual_packages": [
            ["__unix", "0", "0"],
            ["__linux", "5.15", "0"],
            ["__glibc", "2.36", "0"],
            ["__archspec", "1", "x86_64"],
            ["__cuda", "12.4", "0"],
        ],
    }
    assert (plan.requirements, plan.private_channels) == (("flask", SERVER), ("main",))
    assert plan.warnings == ("The conda file asks for python=3.9; Python 3.10 is used instead.",)


@pytest.mark.parametrize(("size", "has_gpus"), [("Standard_NC6s_v3", True), (None, False)])
def test_the_deployment_says_whether_there_are_gpus(
    load: Callable[..., Bundle], size: str | None, has_gpus: bool
) -> None:
    bundle = load("deployment.yml", *([f"instance_type={size}"] if size else []))
    assert bundle.deployment is not None

    options = EnvironmentOptions().of(bundle.deployment)

    assert options.has_gpus is has_gpus
    assert options.document is not None
    assert options.document.name == "deployment.yml"


def test_what_is_there_is_neither_solved_nor_built_again(
    place: Workplace, fake: FakeEngine, channels: list[tuple[str, ...]], told: list[str]
) -> None:
    spec = environment("python=3.10", "tabulate=0.9")

    first = ensure(place, spec)
    second = ensure(place, spec)

    assert (first.built, second.built, len(fake.builds)) == (True, False, 1)
    assert first.reference == second.reference
    assert channels == [("main",)]
    assert asked_of(fake.builds[0]) == {"packages": ["python=3.10", "tabulate=0.9"]}
    assert fake.builds[0].secrets["localep-conda"] == "how"
    assert told == ["step: Building the environment"]


def test_pypi_stands_in_where_no_channel_answers_with_one_warning(
    place: Workplace, fake: FakeEngine, no_channel: list[str], told: list[str]
) -> None:
    spec = environment("python=3.11", "tabulate=0.9")

    first = ensure(place, spec)

    context = fake.builds[0].context
    assert isinstance(context, dict)
    assert context["requirements.txt"] == f"tabulate==0.9.*\n{SERVER}\n"
    assert "conda.json" not in context
    assert [line for line in told if not line.startswith("step")] == [
        f"note: {SILENT.message} {SILENT.cause}",
        f"warning: {TAKEN}",
    ]
    assert len(no_channel) == 1
    told.clear()
    assert ensure(place, spec) == EnvironmentImage(first.reference, first.identity, built=False)
    assert (told, len(no_channel)) == ([f"warning: {TAKEN}"], 1)  # nobody was asked again
    ensure(place, spec, pull=True)
    assert len(no_channel) == 2
    assert ensure(place, spec, solver=Solver.PYPI).reference == first.reference
    assert len(fake.builds) == 1


def test_who_insists_on_channels_gets_nothing_of_pypi(
    place: Workplace, fake: FakeEngine, no_channel: list[str]
) -> None:
    spec = environment("python=3.11", "tabulate=0.9")
    ensure(place, spec)

    with pytest.raises(ChannelUnreachable) as caught:
        ensure(place, spec, solver=Solver.CONDA)

    assert caught.value is SILENT


@pytest.mark.parametrize(
    ("packages", "cause", "remedy"),
    [
        (
            ["python=3.11", "nvidia-apex", "gxx_linux-64=8"],
            "The conda file asks for packages that PyPI has no twin of. "
            "They are nvidia-apex, gxx_linux-64=8.",
            "Or name what replaces them in the list under `pip:`.",
        ),
        (
            ["python=3.9"],
            "The conda file asks for python=3.9. {base} has Python 3.11.",
            "Or use --python 3.11 to run with that one all the same, or change the conda file "
            "to python=3.11.",
        ),
    ],
)
def test_where_neither_leads_there_both_are_told(
    place: Workplace,
    no_channel: list[str],
    fake: FakeEngine,
    packages: list[str],
    cause: str,
    remedy: str,
) -> None:
    with pytest.raises(ChannelUnreachable) as caught:
        ensure(place, environment(*packages))

    base = plan_unbuilt(None, None, EnvironmentOptions()).base.reference
    assert caught.value.message == SILENT.message
    assert caught.value.cause == (
        f"It is gone. PyPI cannot stand in for it: {cause.format(base=base)}"
    )
    assert caught.value.remedy == f"Check the network. {remedy}"
    assert fake.builds == []


def fails_while(fake: FakeEngine, blamed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let builds fail as uv does while a line is in pip's list."""
    build = fake.build_image

    def run(request: BuildRequest, *rest: Any) -> Image:
        assert isinstance(request.context, dict)
        if blamed in request.context["requirements.txt"]:
            log = ("No solution found:", f"Because {blamed} depends on nothing that is there ...")
            raise BuildFailed("No.", cause="A step ended.", log=log)
        return build(request, *rest)

    monkeypatch.setattr(fake, "build_image", run)


def test_what_the_old_server_brought_is_taken_out_where_it_stops_the_build(
    place: Workplace, fake: FakeEngine, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_while(fake, "azureml-defaults==1.55.0", monkeypatch)
    spec = environment("python=3.11", pip=("azureml-defaults==1.55.0", "joblib"))
    warning = (
        "warning: Taken out of pip's list, as they cannot be installed any more: "
        f"azureml-defaults==1.55.0. {SERVER} is installed instead."
    )

    first = ensure(place, spec)

    (request,) = fake.builds
    assert isinstance(request.context, dict)
    assert request.context["requirements.txt"] == f"joblib\n{SERVER}\n"
    assert warning in told
    told.clear()
    assert ensure(place, spec) == EnvironmentImage(first.reference, first.identity, built=False)
    assert told == [warning]


def test_another_failure_is_told_as_it_is(
    place: Workplace, fake: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_while(fake, "joblib", monkeypatch)

    with pytest.raises(BuildFailed):
        ensure(place, environment("python=3.11", pip=("azureml-defaults==1.55.0", "joblib")))


class TestOnAnImageOfTheUsersOwn:
    @pytest.fixture
    def image(self, fake: FakeEngine) -> str:
        fake.images["team/app:1"] = Image("sha256:0a", {}, 1000)
        return "team/app:1"

    def test_its_python_is_used_where_that_is_enough(
        self, place: Workplace, fake: FakeEngine, image: str, channels: list[tuple[str, ...]]
    ) -> None:
        fake.programs["sha256:0a"] = ["python3.10"]

        ensure(place, environment("python=3.10", image=image))

        assert channels == []

    def test_channels_bring_the_python_that_it_lacks(
        self, place: Workplace, fake: FakeEngine, image: str, channels: list[tuple[str, ...]]
    ) -> None:
        release = 'NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="20.04"\n'
        fake.files["sha256:0a"] = {"/usr/lib/os-release": release.encode()}

        plan = plan_unbuilt(place.engine, environment(image=image), EnvironmentOptions())
        ensure(place, environment(image=image))

        assert ["__glibc", "2.31", "0"] in json.loads(plan.conda or "")["virtual_packages"]
        assert plan.base.reference == image
        assert channels == [("main",)]

    def test_the_base_stands_in_where_no_channel_answers_either(
        self, place: Workplace, image: str, no_channel: list[str], told: list[str]
    ) -> None:
        base = plan_unbuilt(None, None, EnvironmentOptions()).base.reference

        ensure(place, environment("python=3.11", image=image))

        assert [line for line in told if line.startswith("warning")] == [
            f"warning: The image {image} has no Python 3.11 of its own. {base} stands in for it."
        ]

    def test_conda_packages_do_not_run_on_another_c_library(
        self, place: Workplace, fake: FakeEngine, image: str, channels: list[tuple[str, ...]]
    ) -> None:
        fake.files["sha256:0a"] = {"/etc/os-release": b"ID=alpine\nVERSION_ID=3.20.1\n"}

        plan = plan_unbuilt(place.engine, environment(image=image), EnvironmentOptions())

        assert plan.stands_in_for == image
        assert plan.warnings[0].startswith(
            f"The image {image} has no glibc, which conda packages need. "
        )


@pytest.mark.parametrize(
    ("told", "glibc"),
    [
        ({"ID": "ubuntu", "VERSION_ID": "18.04"}, "2.27"),
        ({"ID": "debian", "VERSION_ID": "12"}, "2.36"),
        ({"ID": "rhel", "VERSION_ID": "8.10"}, "2.28"),
        ({"ID": "debian"}, "2.27"),
        ({}, "2.27"),
        ({"ID": "alpine", "VERSION_ID": "3.20.1"}, None),
    ],
)
def test_the_c_library_is_known_by_the_release(told: dict[str, str], glibc: str | None) -> None:
    assert glibc_of_release(told) == glibc


@pytest.mark.parametrize(
    ("platform", "name"),
    [
        ("linux/amd64", "linux-64"),
        ("linux/arm64", "linux-aarch64"),
        ("linux/arm64/v8", "linux-aarch64"),
        ("linux/s390x", ""),
    ],
)
def test_conda_has_names_of_its_own_for_platforms(platform: str, name: str) -> None:
    assert conda_platform(platform) == name


def test_channels_have_nothing_for_other_platforms() -> None:
    options = EnvironmentOptions(platform="linux/s390x")

    with pytest.raises(EnvironmentFailure) as caught:
        plan_unbuilt(None, environment("python=3.10"), options)

    assert caught.value.message == "There are no conda packages for this platform."
    assert caught.value.remedy == "Use --platform linux/amd64, or --solver pypi."


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lock:
    """A lock for Python 3.11 that lies beside the conda file."""
    package = CondaPackage("tabulate", "0.9", "py_0", "noarch", "forge", "https://c.example/t", "")
    lock = Lock(tmp_path / "conda-lock.yml", "linux-64", "3.11", (package,), (), "digest")
    monkeypatch.setattr(
        "localep.operations.environments.conda_ways.find_lock", lambda *_, **__: lock
    )
    return lock


@pytest.mark.parametrize("options", [{}, {"python": "3.11"}, {"solver": Solver.CONDA}])
def test_a_lock_is_used_where_the_command_line_asks_for_nothing_else(
    locked: Lock, options: dict[str, Any], tmp_path: Path
) -> None:
    spec = EnvironmentSpec(conda_file=tmp_path / "conda.yml")

    assert lock_of(spec, EnvironmentOptions(**options), "linux-64") is locked


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"python": "3.12"}, "It holds Python 3.11, and --python 3.12 asks for another one."),
        (
            {"solver": Solver.PYPI},
            "It holds conda packages, and --solver pypi asks for none of them.",
        ),
    ],
)
def test_a_lock_and_a_command_line_that_contradict_each_other_are_refused(
    locked: Lock, options: dict[str, Any], cause: str, tmp_path: Path
) -> None:
    spec = EnvironmentSpec(conda_file=tmp_path / "conda.yml")

    with pytest.raises(EnvironmentFailure) as caught:
        lock_of(spec, EnvironmentOptions(**options), "linux-64")

    assert caught.value.message == f"{locked.path} does not go with the command line."
    assert caught.value.cause == cause
    assert caught.value.remedy == ("Leave out the option, or write the lock anew or remove it.")
