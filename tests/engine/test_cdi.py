"""GPUs as CDI devices, on real engines that know CDI: one that does not list them, one that does.

The devices have nodes and change a container's variables; no driver is behind them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.engine import Localep, Silent, copy_sample
from support.gpus import refusal_in, variables_of, warnings_in
from support.newer_engine import install_engine, launcher
from support.second_engine import UNREACHABLE, SecondEngine, second_engine
from support.waiting import wait_for

from localep.engine.address import EngineAddress
from localep.engine.client import DockerEngine
from localep.engine.gpu_request import GpuRequest
from localep.errors import GpuRefused
from localep.operations.names import Names
from localep.operations.trial import try_out
from localep.operations.workplace import Workplace

TYPE, ONE_GPU = "Standard_NC24s_v3", "Standard_NC6s_v3"
UUID = "GPU-11111111-2222-3333-4444-555555555555"
TAKEN_OUT = "GPU-99999999-2222-3333-4444-555555555555"
LISTED = ", ".join(
    [
        *(f"amd.com/gpu={name}" for name in ("0", "all")),
        *(f"nvidia.com/gpu={name}" for name in ("0", "1", "2:0", UUID, TAKEN_OUT, "all")),
    ]
)
NAME_OTHERS = (
    "Name GPUs that are there; `nvidia-smi -L` lists them on the engine's machine, "
    "`nvidia-ctk cdi list` those that CDI knows."
)
ASK_FOR_LESS = "Ask for some of these, or leave out --gpus to have what is there."
STALE = 'failed to stat CDI host device "/dev/no-such-gpu": no such file or directory.'
WRITE_ANEW = (
    "Write the CDI file anew on the engine's machine: `sudo nvidia-ctk cdi generate "
    "--output=/etc/cdi/nvidia.yaml`, for AMD's GPUs with `amd-ctk`."
)
USER, RENDER = 1234, 987


@dataclass(frozen=True)
class Suite:
    """A suite of Debian, and what its engine makes localep say.

    ``fewer`` is of the GPUs that are there where a type has more, and ``parts`` of what a type
    with one has where there are only parts of one; ``route`` is why CDI is the way.
    """

    name: str
    fewer: str
    route: str
    parts: tuple[set[str], list[str]]
    too_many: tuple[str, str]
    unknown: tuple[str, str]
    unknown_name: tuple[str, str]


SUITES = (
    Suite(
        "trixie",
        fewer="fewer are here, and the container has all of them",
        route="the engine has CDI, and was asked",
        parts=(
            {"NVIDIA_0_0", "NVIDIA_0_1"},
            [f"{ONE_GPU} has 1 GPU: none here is named 0, and the container has all of them."],
        ),
        too_many=("unresolvable CDI devices nvidia.com/gpu=2, nvidia.com/gpu=3.", NAME_OTHERS),
        unknown=("unresolvable CDI devices nvidia.com/gpu=7.", NAME_OTHERS),
        unknown_name=("unresolvable CDI devices amd.com/gpu=7.", NAME_OTHERS),
    ),
    Suite(
        "forky",
        fewer="3 are here, and the container has no more",
        route=f"the engine lists {LISTED}",
        parts=({"NVIDIA_0_0"}, []),
        too_many=(
            "Only 3 are here: nvidia.com/gpu=0, nvidia.com/gpu=1, nvidia.com/gpu=2:0.",
            ASK_FOR_LESS,
        ),
        unknown=(f"There is no GPU 7: CDI has {LISTED}.", ASK_FOR_LESS),
        unknown_name=(f"There is no GPU amd.com/gpu=7: CDI has {LISTED}.", ASK_FOR_LESS),
    ),
)


def device(name: str, variables: list[str], *nodes: dict[str, Any]) -> dict[str, Any]:
    """A device as CDI's files describe it."""
    edits = {"env": [f"{variable}=here" for variable in variables], "deviceNodes": nodes}
    return {"name": name, "containerEdits": edits}


def write_devices(folder: Path) -> None:
    """The CDI files of a machine with two of NVIDIA's GPUs, a part of a third, and one of AMD's.

    One more of NVIDIA's has been taken out since.
    """
    node = {"path": "/dev/nvidia0", "hostPath": "/dev/zero"}
    gone = {"path": "/dev/nvidia3", "hostPath": "/dev/no-such-gpu"}
    # AMD's tool writes down whom a node belongs to on the machine.
    owned = {"fileMode": 0o660, "uid": 0, "gid": RENDER}
    kfd = {"path": "/dev/kfd", "hostPath": "/dev/zero", **owned}
    vendors = {
        "nvidia": [
            device("0", ["NVIDIA_0"], node),
            device("1", ["NVIDIA_1"]),
            device("2:0", ["NVIDIA_2_0"]),
            device(UUID, ["NVIDIA_0"], node),
            device("all", ["NVIDIA_0", "NVIDIA_1", "NVIDIA_2_0"], node),
            device(TAKEN_OUT, ["NVIDIA_3"], gone),
        ],
        "amd": [device(name, ["AMD_0"], kfd) for name in ("0", "all")],
    }
    for vendor, devices in vendors.items():
        write_file(folder, vendor, devices)


def write_file(folder: Path, vendor: str, devices: list[dict[str, Any]]) -> None:
    content = {"cdiVersion": "0.6.0", "kind": f"{vendor}.com/gpu", "devices": devices}
    (folder / f"{vendor}.json").write_text(json.dumps(content))


@pytest.fixture(scope="module")
def computer(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecondEngine]:
    """A machine with CDI devices, switched off; its engines are started one after the other."""
    folder = tmp_path_factory.mktemp("cdi")
    code = copy_sample(samples / "hello", folder) / "code"
    os.chown(code, USER, USER)  # the container's user
    devices = folder / "devices"
    devices.mkdir()
    with second_engine(folder) as computer:
        computer.configuration = {
            "features": {"cdi": True},
            "cdi-spec-dirs": [str(devices)],
        }
        yield computer


@pytest.fixture(scope="module", params=SUITES, ids=lambda suite: suite.name)
def suite(request: pytest.FixtureRequest) -> Suite:
    """The suite whose engine the machine has."""
    assert isinstance(request.param, Suite)
    return request.param


@pytest.fixture(scope="module")
def running(
    computer: SecondEngine, suite: Suite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SecondEngine]:
    """The machine with the engine of the suite."""
    folder = tmp_path_factory.mktemp(suite.name)
    write_devices(computer.folder.parent / "devices")
    computer.launcher = launcher(install_engine(suite.name, folder), computer.folder.parent)
    try:
        computer.start()
        yield computer
    finally:
        computer.power_off()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def there(
    running: SecondEngine, suite: Suite, engine: DockerEngine, base_image: str
) -> Iterator[Localep]:
    """A command line on that engine, and an endpoint of a type with more GPUs than are there."""
    folder, names = running.folder.parent, Names("test-cdi")
    image = Localep(engine, names, folder).json("build", "-f", "hello/deployment.yml")["image"]
    with running.inside(), closing(running.connect().api) as api:
        newer = DockerEngine(api, EngineAddress(running.host))
        if newer.find_image(image) is None:  # the engine before has left it
            running.load(base_image, "localep/base:latest", image)
        localep = Localep(newer, names, folder, {"DOCKER_HOST": running.host})
        created = localep.run("create", "-f", "hello/deployment.yml", f"--set=instance_type={TYPE}")
        told = [f"{TYPE} has 4 GPUs: {suite.fewer}."]
        assert (created.status, warnings_in(created)) == (0, told)
        yield localep
        localep("delete", "--yes")
        assert localep.left_behind() == []


def given(localep: Localep) -> set[str]:
    """The GPUs that the deployment's container has."""
    return {name for name, value in variables_of(localep).items() if value == "here"}


def can_open(localep: Localep, node: str) -> bool:
    """Whether the container's user may read and write a device."""
    script = f'exec 3<>{node} && [ "$(id -u)" = {USER} ]'
    status, _ = localep.engine.execute(localep.container(), ["sh", "-c", script])
    return status == 0


def test_a_gpu_type_has_what_is_there(there: Localep) -> None:
    assert given(there) == {"NVIDIA_0", "NVIDIA_1", "NVIDIA_2_0"}
    assert can_open(there, "/dev/nvidia0")
    assert there.invoke({"name": "you"}) == {"greeting": "Hello, you!"}


@pytest.mark.parametrize(
    ("asked", "devices", "gpus"),
    [
        ("2", "nvidia.com/gpu=0, nvidia.com/gpu=1", {"NVIDIA_0", "NVIDIA_1"}),
        ("2:0", "nvidia.com/gpu=2:0", {"NVIDIA_2_0"}),
        (f"{UUID},amd.com/gpu=0", f"nvidia.com/gpu={UUID}, amd.com/gpu=0", {"AMD_0", "NVIDIA_0"}),
    ],
    ids=["a number", "a part of one", "a UUID, and another maker's"],
)
def test_the_container_has_what_was_asked_for(
    there: Localep, asked: str, devices: str, gpus: set[str]
) -> None:
    updated = there.run("update", "--gpus", asked)

    assert (updated.status, warnings_in(updated)) == (0, [])
    assert given(there) == gpus
    (deployment,) = there.json("show")["deployments"]
    assert deployment["gpus"] == devices
    assert can_open(there, "/dev/nvidia0") == ("NVIDIA_0" in gpus)
    assert can_open(there, "/dev/kfd") == ("AMD_0" in gpus)


def test_what_is_not_there_is_refused_and_changes_nothing(there: Localep, suite: Suite) -> None:
    before = there.container()

    for asked, (cause, remedy) in {
        "4": suite.too_many,
        "device=7": suite.unknown,
        "amd.com/gpu=7": suite.unknown_name,
        TAKEN_OUT: (STALE, WRITE_ANEW),
    }.items():
        assert refusal_in(there.run("update", "--gpus", asked)) == [
            f"Error: --gpus {asked} cannot be met.",
            f"Cause: {cause}",
            f"Remedy: {remedy}",
        ]
        assert there.container() == before

    kept = there.left_behind()
    other = there.run("create", "-n", "other", "-f", "hello/deployment.yml", "--gpus", "device=7")
    assert refusal_in(other)[0] == "Error: --gpus device=7 cannot be met."
    assert there.left_behind() == kept
    assert there.invoke({"name": "you"}) == {"greeting": "Hello, you!"}


def test_by_itself_a_deployment_does_without_a_gpu_that_was_taken_out(there: Localep) -> None:
    visible = f"--set=environment_variables.NVIDIA_VISIBLE_DEVICES={TAKEN_OUT}"

    updated = there.run("update", "--gpus=auto", visible)

    assert (updated.status, warnings_in(updated)) == (
        0,
        [
            f"{TYPE} has 4 GPUs, and the engine gives none: the deployment runs on the CPU. "
            f"{STALE} {WRITE_ANEW}"
        ],
    )
    assert given(there) == set()
    assert there.invoke({"name": "you"}) == {"greeting": "Hello, you!"}


def test_the_doctor_tells_the_way_and_why(there: Localep, suite: Suite) -> None:
    kept = there.left_behind()
    there.environ["UV_DEFAULT_INDEX"] = UNREACHABLE

    told = there.json("doctor")

    del there.environ["UV_DEFAULT_INDEX"]
    assert told["findings"][-1] == {
        "check": "GPUs",
        "severity": "ok",
        "message": f"They are given by CDI: {suite.route}.",
        "remedy": None,
        "fix": None,
    }
    assert there.left_behind() == kept


def test_a_part_of_a_gpu_is_one(there: Localep, base_image: str, suite: Suite) -> None:
    given_parts, told = suite.parts
    variables = {"0:0": ["NVIDIA_0_0"], "0:1": ["NVIDIA_0_1"], "all": ["NVIDIA_0_0", "NVIDIA_0_1"]}
    parts = [device(name, names) for name, names in variables.items()]
    write_file(there.folder / "devices", "nvidia", parts)
    wait_for(lambda: knows(there, base_image, "nvidia.com/gpu=0:1"))

    type_with_one = ("-f", "hello/deployment.yml", f"--set=instance_type={ONE_GPU}")
    updated = there.run("update", "--gpus=auto", *type_with_one)

    assert (updated.status, warnings_in(updated)) == (0, told)
    assert given(there) == given_parts
    write_devices(there.folder / "devices")
    wait_for(lambda: knows(there, base_image, "nvidia.com/gpu=0"))


def knows(localep: Localep, image: str, name: str) -> bool:
    """Whether the engine has read of a device."""
    place = Workplace(localep.engine, Silent(), localep.names)
    try:
        try_out(place, image, ("true",), gpus=GpuRequest(is_cdi=True, ids=(name,)))
    except GpuRefused:
        return False
    return True
