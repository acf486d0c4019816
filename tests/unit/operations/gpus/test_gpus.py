"""GPUs of a deployment's containers: what is asked of the engine, and what becomes of a refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from localep.engine.base import ContainerRequest, Image
from localep.engine.gpu_request import GpuRequest, GpuSupport
from localep.errors import GpuReason, GpuRefused
from localep.exit_codes import ExitCode
from localep.operations.create import CreateOptions, create
from localep.operations.show import show
from localep.operations.update import UpdateOptions, update
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle

if TYPE_CHECKING:
    from unit.operations.conftest import FakeEngine

Load = Callable[..., Bundle]
ONE, FOUR, ALL = (GpuRequest(count=count) for count in (1, 4, -1))
NO_CUDA = (
    "note: {} has GPUs, and the image is none of CUDA's: what uses them has to bring CUDA along, "
    "as torch from PyPI does."
)
OFFERS_NONE = "warning: {}, and this engine offers none: the deployment runs on the CPU."
CUDA_IMAGE = {"CUDA_VERSION": "12.4.1", "NVIDIA_VISIBLE_DEVICES": "all"}


@pytest.fixture(autouse=True)
def no_toolkit(monkeypatch: pytest.MonkeyPatch) -> None:
    """NVIDIA's toolkit is not installed here."""
    monkeypatch.setattr("localep.operations.gpus.choice.shutil.which", lambda _: None)


@pytest.fixture
def bundle(load: Load) -> Callable[[str], Bundle]:
    """The endpoint's documents with an instance type, on an unlimited machine."""

    def make(instance_type: str, *overrides: str) -> Bundle:
        return load("endpoint.yml", "deployment.yml", f"instance_type={instance_type}", *overrides)

    return make


def refused(reason: GpuReason = "unsupported", cause: str = "No driver.") -> GpuRefused:
    return GpuRefused("It could not.", cause=cause, remedy="Do something.", reason=reason)


def deployments(engine: FakeEngine) -> list[ContainerRequest]:
    """What the deployment's containers that are there were asked for with."""
    return [
        request
        for identity, request in engine.requests.items()
        if identity in engine.containers and request.labels["localep.role"] == "deployment"
    ]


def gpus_of(engine: FakeEngine) -> list[GpuRequest | None]:
    return [request.gpus for request in deployments(engine)]


def heard(told: list[str]) -> list[str]:
    """What was told, but for progress and the limits of the machine."""
    kinds = ("warning: ", "note: ")
    return [line for line in told if line.startswith(kinds) and "engine's machine" not in line]


def run(place: Workplace, bundle: Bundle, asked: str = "auto", instances: int = 1) -> None:
    create(place, bundle, CreateOptions(port=8085, gpus=asked, instances=instances))


def test_a_gpu_type_has_its_gpus(
    place: Workplace, engine: FakeEngine, bundle: Callable[..., Bundle], told: list[str]
) -> None:
    run(place, bundle("Standard_NC24s_v3"), instances=2)

    assert gpus_of(engine) == [FOUR, FOUR]
    assert heard(told) == [NO_CUDA.format("Standard_NC24s_v3")]
    (deployment,) = show(place, "hello").to_dict()["deployments"]
    assert deployment["gpus"] == "4"


def test_another_type_has_none_and_the_engine_is_not_asked(
    place: Workplace,
    engine: FakeEngine,
    bundle: Callable[..., Bundle],
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "gpus", None)

    run(place, bundle("Standard_DS3_v2"))

    assert (gpus_of(engine), heard(told)) == ([None], [])
    (deployment,) = show(place, "hello").to_dict()["deployments"]
    assert "gpus" not in deployment


def test_without_gpus_a_gpu_type_runs_on_the_cpu_with_one_warning(
    place: Workplace, engine: FakeEngine, bundle: Callable[..., Bundle], told: list[str]
) -> None:
    engine.gpu_refusals = {FOUR: refused(), ALL: refused()}

    run(place, bundle("Standard_NC24s_v3"), instances=2)

    assert gpus_of(engine) == [None, None]
    assert len(engine.containers) == 3
    assert heard(told) == [
        NO_CUDA.format("Standard_NC24s_v3"),
        OFFERS_NONE.format("Standard_NC24s_v3 has 4 GPUs"),
    ]
    assert sum(call.startswith("start localep-hello-blue") for call in engine.calls) == 3


def test_fewer_gpus_than_the_type_has_are_taken_with_a_warning(
    place: Workplace, engine: FakeEngine, bundle: Callable[..., Bundle], told: list[str]
) -> None:
    engine.gpu_refusals = {FOUR: refused("no-such-gpu")}

    run(place, bundle("Standard_NC24s_v3"))

    assert gpus_of(engine) == [ALL]
    assert heard(told)[1:] == [
        "warning: Standard_NC24s_v3 has 4 GPUs: fewer are here, and the container has all of them."
    ]


def test_a_driver_that_does_not_work_is_told_where_the_cpu_serves(
    place: Workplace, engine: FakeEngine, bundle: Callable[..., Bundle], told: list[str]
) -> None:
    engine.gpu_refusals = {ONE: refused("old-driver", "The driver is too old.")}

    run(place, bundle("Standard_NC6s_v3"))

    assert gpus_of(engine) == [None]
    assert heard(told)[1:] == [
        "warning: Standard_NC6s_v3 has 1 GPU, and the engine gives none: the deployment runs on "
        "the CPU. The driver is too old. Do something."
    ]


def test_gpus_asked_for_by_hand_are_had_or_the_command_fails_and_leaves_nothing(
    place: Workplace, engine: FakeEngine, bundle: Callable[..., Bundle]
) -> None:
    engine.gpu_refusals = {GpuRequest(ids=("7",)): refused("no-such-gpu", "There is no 7.")}

    with pytest.raises(GpuRefused) as caught:
        run(place, bundle("Standard_DS3_v2"), "device=7", instances=2)

    error = caught.value
    assert (error.message, error.cause) == ("--gpus device=7 cannot be met.", "There is no 7.")
    assert (error.remedy, error.exit_code) == ("Do something.", ExitCode.GPU)
    assert engine.containers == {}
    run(place, bundle("Standard_DS3_v2"), "all")
    assert gpus_of(engine) == [ALL]


def test_too_few_cdi_devices_are_no_start_at_all(
    place: Workplace, engine: FakeEngine, bundle: Callable[..., Bundle]
) -> None:
    engine.gpu_support = GpuSupport(has_cdi=True, lists_devices=True, devices=("nvidia.com/gpu=0",))

    with pytest.raises(GpuRefused) as caught:
        run(place, bundle("Standard_NC24s_v3"), "2")

    assert caught.value.cause == "Only one is here: nvidia.com/gpu=0."
    assert "start localep-hello-blue-r1" not in engine.calls


def test_the_refusal_that_tells_most_is_told(
    place: Workplace, engine: FakeEngine, bundle: Callable[..., Bundle]
) -> None:
    """An engine that lists no CDI devices is asked for them, then by the capability."""
    engine.gpu_support = GpuSupport(has_cdi=True)
    nvidia, amd = (
        GpuRequest(is_cdi=True, ids=(f"{kind}=0", f"{kind}=1"))
        for kind in ("nvidia.com/gpu", "amd.com/gpu")
    )

    def cause_of(*missing: str) -> str | None:
        engine.gpu_refusals = {
            nvidia: refused("no-such-gpu", f"unresolvable {', '.join(missing)}."),
            amd: refused("no-such-gpu", "unresolvable amd.com/gpu=0, amd.com/gpu=1."),
            GpuRequest(count=2): refused(),
        }
        with pytest.raises(GpuRefused) as caught:
            run(place, bundle("Standard_DS3_v2"), "2")
        return caught.value.cause

    assert cause_of("nvidia.com/gpu=1") == "unresolvable nvidia.com/gpu=1."
    assert cause_of("nvidia.com/gpu=0", "nvidia.com/gpu=1") == "No driver."
    engine.gpu_refusals[amd] = refused("stale-cdi", "no /dev/kfd.")
    with pytest.raises(GpuRefused, match="cannot be met") as caught:
        run(place, bundle("Standard_DS3_v2"), "2")
    assert caught.value.cause == "no /dev/kfd."


@pytest.mark.parametrize(
    ("support", "is_local", "toolkit", "remedy"),
    [
        (GpuSupport(), True, None, "Do something."),
        (
            GpuSupport(),
            True,
            "/usr/bin/nvidia-ctk",
            "The NVIDIA Container Toolkit is installed, and Docker does not know of it: run `sudo "
            "nvidia-ctk runtime configure --runtime=docker`, and restart Docker.",
        ),
        (
            GpuSupport(runtimes=("nvidia",)),
            True,
            "/usr/bin/nvidia-ctk",
            "The runtime nvidia is registered, but Docker did not find its tools as it started: "
            "install the container toolkit whole, and restart Docker.",
        ),
        (
            GpuSupport(),
            False,
            "/usr/bin/nvidia-ctk",
            "The engine runs on far.example: install the NVIDIA Container Toolkit there, if that "
            "machine has GPUs, or use an engine that has some.",
        ),
        (
            GpuSupport(system="Docker Desktop"),
            True,
            None,
            "Docker Desktop runs the engine in a virtual machine without GPUs: use an engine of "
            "Linux, or on Windows the one of WSL 2 with NVIDIA's driver for Windows.",
        ),
    ],
    ids=["nothing", "the toolkit", "the runtime", "a remote engine", "a virtual machine"],
)
def test_what_makes_an_engine_hand_out_gpus_depends_on_where_it_is(
    place: Workplace,
    engine: FakeEngine,
    bundle: Callable[..., Bundle],
    monkeypatch: pytest.MonkeyPatch,
    support: GpuSupport,
    is_local: bool,
    toolkit: str | None,
    remedy: str,
) -> None:
    engine.gpu_support, engine.is_local = support, is_local
    engine.gpu_refusals = {ALL: refused()}
    monkeypatch.setattr("localep.operations.gpus.choice.shutil.which", lambda _: toolkit)

    with pytest.raises(GpuRefused) as caught:
        run(place, bundle("Standard_DS3_v2"), "all")

    assert caught.value.remedy == remedy


def test_an_update_keeps_what_was_asked_for(
    place: Workplace,
    new_place: Callable[[str], Workplace],
    engine: FakeEngine,
    project: Path,
    bundle: Callable[..., Bundle],
) -> None:
    def change(gpus: str | None = None) -> str:
        return update(new_place("another"), UpdateOptions(gpus=gpus)).changed

    run(place, bundle("Standard_DS3_v2"), "2")

    assert change() == "nothing"
    (project / "code" / "score.py").write_text("def init(): pass\ndef run(data): return 1\n")
    assert (change(), gpus_of(engine)) == ("deployment", [GpuRequest(count=2)])
    assert (change("auto"), gpus_of(engine)) == ("deployment", [None])
    assert change() == "nothing"
    assert (change("0,1"), gpus_of(engine)) == ("deployment", [GpuRequest(ids=("0", "1"))])


def test_a_refused_update_leaves_the_deployment_as_it_is(
    place: Workplace,
    new_place: Callable[[str], Workplace],
    engine: FakeEngine,
    bundle: Callable[..., Bundle],
) -> None:
    run(place, bundle("Standard_DS3_v2"))
    before = set(engine.containers)
    engine.gpu_refusals = {ALL: refused()}

    with pytest.raises(GpuRefused):
        update(new_place("another"), UpdateOptions(gpus="all"))

    assert set(engine.containers) == before
    last = show(place, "hello").last_operation
    assert last == {
        "name": "update",
        "state": "Failed",
        "error": "--gpus all cannot be met. No driver.",
    }
    assert update(new_place("third"), UpdateOptions()).changed == "settings"


def test_cdi_devices_that_come_make_another_container(
    place: Workplace,
    new_place: Callable[[str], Workplace],
    engine: FakeEngine,
    bundle: Callable[..., Bundle],
) -> None:
    engine.gpu_refusals = {ONE: refused()}
    run(place, bundle("Standard_NC6s_v3"))
    assert update(new_place("second"), UpdateOptions()).changed == "nothing"

    engine.gpu_support = GpuSupport(has_cdi=True, lists_devices=True, devices=("nvidia.com/gpu=0",))

    assert update(new_place("third"), UpdateOptions()).changed == "deployment"
    assert gpus_of(engine) == [GpuRequest(is_cdi=True, ids=("nvidia.com/gpu=0",))]


@pytest.fixture
def with_cuda(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every image is made for CUDA."""
    find = engine.find_image

    def find_image(reference: str) -> Image | None:
        found = find(reference)
        return replace(found, variables=CUDA_IMAGE) if found is not None else None

    monkeypatch.setattr(engine, "find_image", find_image)


@pytest.mark.usefixtures("with_cuda")
def test_an_image_for_cuda_on_the_cpu_is_named(
    place: Workplace, engine: FakeEngine, bundle: Callable[..., Bundle], told: list[str]
) -> None:
    engine.gpu_refusals = {ONE: refused()}

    run(place, bundle("Standard_NC6s_v3"))

    assert heard(told) == [
        OFFERS_NONE.format("Standard_NC6s_v3 has 1 GPU") + " Its image is made for CUDA 12.4.1."
    ]
    # NVIDIA's runtime as the engine's default would hand out all GPUs to such an image.
    (request,) = deployments(engine)
    assert request.environment["NVIDIA_VISIBLE_DEVICES"] == "void"


@pytest.mark.usefixtures("with_cuda")
def test_an_image_for_cuda_on_a_type_without_gpus_is_named(
    place: Workplace, engine: FakeEngine, bundle: Callable[..., Bundle], told: list[str]
) -> None:
    run(place, bundle("Standard_DS3_v2"))

    note = "note: The image is one for CUDA 12.4.1, and Standard_DS3_v2 has no GPU."
    assert heard(told) == [note]
    (request,) = deployments(engine)
    assert request.environment["NVIDIA_VISIBLE_DEVICES"] == "void"


@pytest.mark.usefixtures("with_cuda")
def test_a_container_with_gpus_is_left_to_the_engine(
    place: Workplace, engine: FakeEngine, bundle: Callable[..., Bundle], told: list[str]
) -> None:
    run(place, bundle("Standard_NC6s_v3"))

    (request,) = deployments(engine)
    assert (request.gpus, "NVIDIA_VISIBLE_DEVICES" in request.environment) == (ONE, False)
    assert heard(told) == []


def test_the_users_own_word_on_devices_is_passed_on(
    place: Workplace, engine: FakeEngine, bundle: Callable[..., Bundle]
) -> None:
    own = "environment_variables.NVIDIA_VISIBLE_DEVICES=MIG-1"

    run(place, bundle("Standard_NC24s_v3", own))

    (request,) = deployments(engine)
    assert request.gpus == GpuRequest(ids=("MIG-1",))
    assert request.environment["NVIDIA_VISIBLE_DEVICES"] == "MIG-1"


def test_none_by_hand_outdoes_the_users_own_word(
    place: Workplace, engine: FakeEngine, bundle: Callable[..., Bundle]
) -> None:
    own = "environment_variables.NVIDIA_VISIBLE_DEVICES=all"

    run(place, bundle("Standard_DS3_v2", own), "none")

    (request,) = deployments(engine)
    assert (request.gpus, request.environment["NVIDIA_VISIBLE_DEVICES"]) == (None, "void")


def test_an_image_that_is_named_for_cuda_and_stood_in_for_is_no_mismatch(
    place: Workplace, bundle: Callable[..., Bundle], told: list[str]
) -> None:
    image = "environment.image=example.com/azureml/openmpi4.1.0-cuda11.8-cudnn8-ubuntu22.04"

    run(place, bundle("Standard_NC6s_v3", image))

    assert not any("none of CUDA's" in line for line in told)
