"""GPUs: refused, and given by an engine with stand-ins for the tools that hand them out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.engine import Localep, copy_sample
from support.gpus import refusal_in, variables_of, warnings_in
from support.second_engine import SecondEngine

from localep.engine.address import EngineAddress
from localep.engine.client import DockerEngine
from localep.operations.names import Names

TYPE = "--set=instance_type=Standard_NC24s_v3"
UUID = "GPU-11111111-2222-3333-4444-555555555555"
MIG = "MIG-66666666-7777-8888-9999-000000000000"


@pytest.fixture(scope="module")
def there(
    machine: SecondEngine, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Localep]:
    """A command line on the engine with the stand-ins, and an endpoint of a type with 4 GPUs."""
    folder = tmp_path_factory.mktemp("gpus")
    copy_sample(samples / "hello", folder)
    with machine.inside(), closing(machine.connect().api) as api:
        engine = DockerEngine(api, EngineAddress(machine.host))
        localep = Localep(engine, Names("test-gpus"), folder, {"DOCKER_HOST": machine.host})
        created = localep.run("create", "-f", "hello/deployment.yml", TYPE)
        assert (created.status, warnings_in(created)) == (
            0,
            ["Standard_NC24s_v3 has 4 GPUs: fewer are here, and the container has all of them."],
        )
        yield localep
        localep("delete", "--yes")
        assert localep.left_behind() == []


def visible(localep: Localep) -> str | None:
    """What the deployment's process sees of GPUs."""
    return variables_of(localep).get("NVIDIA_VISIBLE_DEVICES")


def test_the_container_sees_the_gpus_that_it_was_given(there: Localep) -> None:
    assert visible(there) == "all"
    for asked, seen in {"2": "0,1", "device=1": "1", f"{UUID},{MIG}": f"{UUID},{MIG}"}.items():
        assert there.run("update", "--gpus", asked).status == 0
        assert visible(there) == seen
    (deployment,) = there.json("show")["deployments"]
    assert deployment["gpus"] == f"{UUID}, {MIG}"
    assert there.run("update", "--gpus", "none").status == 0
    assert visible(there) is None


@pytest.mark.parametrize(
    ("arguments", "asked", "cause", "remedy"),
    [
        (
            [],
            "3",
            "nvidia-container-cli: device error: 2: unknown device.",
            "Name GPUs that are there; `nvidia-smi -L` lists them on the engine's machine, "
            "`nvidia-ctk cdi list` those that CDI knows.",
        ),
        (
            ["--set=environment_variables.STAND_IN_FAULT=old driver"],
            "all",
            "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, please "
            "update your driver to a newer version, or use an earlier cuda container.",
            "Update NVIDIA's driver on the engine's machine, or take an image with an older CUDA.",
        ),
        (
            ["--set=environment_variables.STAND_IN_FAULT=no driver"],
            "1",
            "nvidia-container-cli: initialization error: nvml error: driver not loaded.",
            "See with `nvidia-smi` that NVIDIA's driver runs on the engine's machine; after an "
            "update of it, start the machine anew.",
        ),
    ],
    ids=["too many", "old driver", "no driver"],
)
def test_a_refused_update_leaves_no_container_and_the_endpoint_at_work(
    there: Localep, arguments: list[str], asked: str, cause: str, remedy: str
) -> None:
    before = there.container()

    answer = there.run("update", "--gpus", asked, *arguments)

    assert refusal_in(answer) == [
        f"Error: --gpus {asked} cannot be met.",
        f"Cause: {cause}",
        f"Remedy: {remedy}",
    ]
    assert there.container() == before
    assert there.invoke({"name": "you"}) == {"greeting": "Hello, you!"}


def test_a_refused_create_keeps_nothing(localep: Localep, hello: Path) -> None:
    asked = "device=no-such-gpu"

    answer = localep.run("create", "-f", "hello/deployment.yml", "--gpus", asked)

    assert refusal_in(answer)[0] == f"Error: --gpus {asked} cannot be met."
    assert localep.left_behind() == []
