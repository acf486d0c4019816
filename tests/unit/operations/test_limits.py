"""The limits of a container: what its type has, what the command line says, what there is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import cast

import pytest

from localep.engine.base import Engine, Limits, Machine
from localep.operations.limits import LimitOptions, LimitPlan, plan_limits, recorded_limits
from localep.operations.sizes import GIB, MIB, cpus_text, in_gib

TYPE = "Standard_DS3_v2"  # 4 vCPUs, 14 GiB
LARGE = Machine(64, 512 * GIB)
NOTHING = LimitOptions()


@dataclass
class Asked:
    """An engine that tells of its machine."""

    machine_found: Machine = LARGE
    times: int = 0

    def machine(self) -> Machine:
        self.times += 1
        return self.machine_found


def plan(
    asked: LimitOptions = NOTHING, instance_type: str | None = TYPE, machine: Machine = LARGE
) -> LimitPlan:
    return plan_limits(cast(Engine, Asked(machine)), instance_type, asked)


@pytest.mark.parametrize("name", [TYPE, "STANDARD_DS3_V2", "ds3_v2"])
def test_the_instance_type_is_the_limit(name: str) -> None:
    assert plan(instance_type=name) == LimitPlan(Limits(4, 14 * GIB, None))


@pytest.mark.parametrize("name", [None, "", "Standard_DS3", "defaultinstancetype"])
def test_a_type_that_nobody_knows_limits_nothing(name: str | None) -> None:
    engine = Asked()

    assert plan_limits(cast(Engine, engine), name, NOTHING) == LimitPlan()
    assert engine.times == 0


@pytest.mark.parametrize(
    ("asked", "limits"),
    [
        (LimitOptions(of_type=False), Limits()),
        (LimitOptions(of_type=False, shm=MIB), Limits(shm=MIB)),
        (LimitOptions(of_type=False, memory=GIB), Limits(memory=GIB)),
        (LimitOptions(of_type=True), Limits(4, 14 * GIB)),
        (LimitOptions(cpus=0.5), Limits(0.5, 14 * GIB)),
        (LimitOptions(memory=20 * GIB), Limits(4, 20 * GIB)),
        (LimitOptions(cpus=8, memory=GIB, shm=MIB), Limits(8, GIB, MIB)),
    ],
)
def test_the_command_line_has_the_last_word(asked: LimitOptions, limits: Limits) -> None:
    assert plan(asked) == LimitPlan(limits, asked)


@pytest.mark.parametrize(
    ("machine", "limits", "note"),
    [
        (Machine(4, 14 * GIB), Limits(4, 14 * GIB), None),
        (
            Machine(2, 16 * GIB),
            Limits(2, 14 * GIB),
            "Standard_DS3_v2 has 4 CPUs; the engine's machine has 2, and the container gets no "
            "more.",
        ),
        (
            Machine(8, 8242 * MIB),
            Limits(4, 8242 * MIB),
            "Standard_DS3_v2 has 14 GiB of memory; the engine's machine has 8 GiB, and the "
            "container gets no more.",
        ),
        (
            Machine(1, 2 * GIB),
            Limits(1, 2 * GIB),
            "Standard_DS3_v2 has 4 CPUs and 14 GiB of memory; the engine's machine has 1 and "
            "2 GiB, and the container gets no more.",
        ),
        (
            Machine(2, 16 * GIB, limits_cpus=False),
            Limits(None, 14 * GIB),
            "Standard_DS3_v2 has 4 CPUs; the engine's machine has 2, and the container gets no "
            "more.",
        ),
        (
            Machine(8, 16 * GIB, limits_cpus=False, limits_memory=False),
            Limits(),
            "This engine cannot limit the CPUs or the memory of a container.",
        ),
    ],
)
def test_what_the_machine_lacks_is_told_in_one_line(
    machine: Machine, limits: Limits, note: str | None
) -> None:
    assert plan(machine=machine) == LimitPlan(limits, NOTHING, note)


def test_what_is_asked_for_by_hand_is_not_said_to_be_the_types() -> None:
    machine = Machine(2, 16 * GIB)

    assert plan(LimitOptions(cpus=3), machine=machine).note == (
        "The limits are 3 CPUs; the engine's machine has 2, and the container gets no more."
    )
    assert plan(LimitOptions(memory=GIB), machine=machine).note == (
        "Standard_DS3_v2 has 4 CPUs; the engine's machine has 2, and the container gets no more."
    )
    assert plan(LimitOptions(cpus=1, memory=GIB), machine=machine).note is None


@pytest.mark.parametrize(
    ("former", "now", "then"),
    [
        (NOTHING, NOTHING, NOTHING),
        (LimitOptions(memory=GIB), NOTHING, LimitOptions(memory=GIB)),
        (LimitOptions(memory=GIB), LimitOptions(cpus=2), LimitOptions(cpus=2, memory=GIB)),
        (LimitOptions(memory=GIB), LimitOptions(memory=MIB), LimitOptions(memory=MIB)),
        (LimitOptions(of_type=False), LimitOptions(cpus=2), LimitOptions(False, cpus=2)),
        (LimitOptions(memory=GIB), LimitOptions(of_type=False), LimitOptions(of_type=False)),
        (LimitOptions(False, memory=GIB), LimitOptions(True, cpus=1), LimitOptions(True, cpus=1)),
    ],
)
def test_an_update_keeps_what_it_does_not_speak_of(
    former: LimitOptions, now: LimitOptions, then: LimitOptions
) -> None:
    assert now.after(former) == then


@pytest.mark.parametrize("machine", [LARGE, Machine(2, GIB)])
def test_a_plan_is_read_again_from_its_record(machine: Machine) -> None:
    made = plan(LimitOptions(cpus=0.5, shm=MIB), machine=machine)

    assert recorded_limits(json.loads(json.dumps({"limits": made.record}))) == made


def test_a_container_of_before_has_no_limits() -> None:
    assert recorded_limits({"name": "blue"}) == LimitPlan()


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (14 * GIB, "14 GiB"),
        (3.5 * GIB, "3.5 GiB"),
        (25276510208, "23.5 GiB"),
        (512 * MIB, "512 MiB"),
        (1.25 * MIB, "1.2 MiB"),
        (0, "0 MiB"),
    ],
)
def test_bytes_are_told_as_instance_types_are(size: float, text: str) -> None:
    assert in_gib(size) == text


def test_cpus_are_counted() -> None:
    assert [cpus_text(number) for number in (0.5, 1, 2.0)] == ["0.5 CPUs", "1 CPU", "2 CPUs"]
