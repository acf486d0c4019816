"""Limits from `create` through updates: what reaches the container, and what is told when."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from localep.engine.base import Limits, Machine
from localep.operations.create import CreateOptions, create
from localep.operations.limits import LimitOptions
from localep.operations.sizes import GIB, MIB
from localep.operations.update import UpdateOptions, update
from localep.operations.views import DeploymentView
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle, Selection

if TYPE_CHECKING:
    from unit.operations.conftest import FakeEngine

Load = Callable[..., Bundle]
NOTHING = LimitOptions()
SMALL = Machine(2, 16 * GIB)
NOTE = (
    "note: Standard_DS3_v2 has 4 CPUs; the engine's machine has 2, and the container gets no more."
)


def limits_of(engine: FakeEngine) -> list[Limits]:
    """The limits of the deployment's containers that are there, in their order."""
    found = engine.list_containers({"localep.role": "deployment"})
    return [engine.requests[container.identity].limits for container in found]


def notes(told: list[str]) -> list[str]:
    """What was told beside the steps, and is told no more."""
    found = [line for line in told if not line.startswith("status: ")]
    told.clear()
    return found


def begin(
    place: Workplace, load: Load, limits: LimitOptions = NOTHING, instances: int = 1
) -> DeploymentView:
    options = CreateOptions(port=8085, limits=limits, instances=instances)
    return create(place, load("endpoint.yml", "deployment.yml"), options).endpoint.deployments[0]


def go_on(
    new_place: Callable[[str], Workplace], limits: LimitOptions = NOTHING, *overrides: str
) -> str:
    options = UpdateOptions(limits=limits, selection=Selection(overrides=overrides))
    return update(new_place("update"), options).changed


def test_each_instance_has_what_the_type_has(
    place: Workplace, load: Load, engine: FakeEngine, told: list[str]
) -> None:
    view = begin(place, load, instances=2)

    assert limits_of(engine) == [Limits(4, 14 * GIB)] * 2
    assert view.limits == {"cpus": 4, "memory_bytes": 14 * GIB, "shm_bytes": None}
    assert notes(told) == []


def test_the_gateway_has_no_limits(place: Workplace, load: Load, engine: FakeEngine) -> None:
    begin(place, load)

    (gateway,) = engine.list_containers({"localep.role": "gateway"})
    assert engine.requests[gateway.identity].limits == Limits()


def test_a_smaller_machine_is_told_of_once(
    place: Workplace,
    load: Load,
    engine: FakeEngine,
    new_place: Callable[[str], Workplace],
    told: list[str],
) -> None:
    engine.machine_found = SMALL
    begin(place, load)

    assert limits_of(engine) == [Limits(2, 14 * GIB)]
    assert notes(told) == [NOTE]
    assert go_on(new_place) == "nothing"
    assert go_on(new_place, NOTHING, "environment_variables.A=1") == "deployment"
    assert NOTE not in notes(told)
    assert go_on(new_place, LimitOptions(cpus=3)) == "deployment"
    assert notes(told) == [
        "note: The limits are 3 CPUs; the engine's machine has 2, and the container gets no more."
    ]


def test_an_update_keeps_the_limits_until_it_speaks_of_them(
    place: Workplace, load: Load, engine: FakeEngine, new_place: Callable[[str], Workplace]
) -> None:
    begin(place, load, LimitOptions(memory=GIB, shm=64 * MIB))

    assert limits_of(engine) == [Limits(4, GIB, 64 * MIB)]
    assert go_on(new_place) == "nothing"
    assert go_on(new_place, LimitOptions(memory=GIB)) == "nothing"
    assert go_on(new_place, LimitOptions(cpus=0.5)) == "deployment"
    assert limits_of(engine) == [Limits(0.5, GIB, 64 * MIB)]
    assert go_on(new_place, LimitOptions(of_type=False)) == "deployment"
    assert limits_of(engine) == [Limits()]
    assert go_on(new_place, LimitOptions(of_type=True)) == "deployment"
    assert limits_of(engine) == [Limits(4, 14 * GIB)]


def test_another_instance_type_has_other_limits(
    place: Workplace, load: Load, engine: FakeEngine, new_place: Callable[[str], Workplace]
) -> None:
    begin(place, load, LimitOptions(cpus=1))

    assert go_on(new_place, NOTHING, "instance_type=Standard_F2s_v2") == "deployment"
    assert limits_of(engine) == [Limits(1, 4 * GIB)]


@pytest.mark.parametrize("override", ["instance_type=Standard_DS3v2", "instance_type=large"])
def test_a_type_that_nobody_knows_limits_nothing(
    place: Workplace, load: Load, engine: FakeEngine, override: str
) -> None:
    bundle = load("endpoint.yml", "deployment.yml", override)

    create(place, bundle, CreateOptions(port=8085))

    assert limits_of(engine) == [Limits()]
    assert [finding.code for finding in bundle.warnings] == ["instance-type-unknown"]
