"""What a deployment's container may take of the machine: its instance type's share, or another."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from localep.engine.base import Limits
from localep.operations.endpoints import recorded_spec
from localep.operations.sizes import GIB, cpus_text, in_gib
from localep.spec.instance_types import find_instance_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from localep.engine.base import Container, Engine, Machine
    from localep.operations.workplace import Workplace
    from localep.spec.instance_types import InstanceType
    from localep.spec.model import DeploymentSpec

Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class LimitOptions:
    """What the command line says of limits, None where it says nothing.

    ``of_type`` is whether the instance type limits the container at all; the others are CPUs and
    bytes that hold whatever the type says, see Limits.
    """

    of_type: bool | None = None
    cpus: float | None = None
    memory: int | None = None
    shm: int | None = None

    def after(self, former: LimitOptions) -> LimitOptions:
        """With what was said before; a word about the type begins anew."""
        if self.of_type is not None:
            return self
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return replace(former, **given)


@dataclass(frozen=True)
class LimitPlan:
    """The limits of a container, what was asked for, and what is to be told of the difference."""

    limits: Limits = field(default_factory=Limits)
    asked: LimitOptions = field(default_factory=LimitOptions)
    note: str | None = None

    @property
    def record(self) -> dict[str, Any]:
        """The plan as plain values, for the container's label."""
        return asdict(self)


def limit(
    place: Workplace, spec: DeploymentSpec, asked: LimitOptions, former: Container | None = None
) -> LimitPlan:
    """The limits of a deployment's containers; what they lack of the instance type is told once.

    ``former`` is a container of before: what was asked of it, and told, still holds.
    """
    before = LimitPlan() if former is None else recorded_limits(recorded_spec(former))
    plan = plan_limits(place.engine, spec.instance_type, asked.after(before.asked))
    if plan.note is not None and plan.note != before.note:
        place.reporter.note(plan.note)
    return plan


def plan_limits(engine: Engine, instance_type: str | None, asked: LimitOptions) -> LimitPlan:
    """The limits of a container; the engine is asked only where there shall be some.

    An instance type that is not known limits nothing. What the engine's machine does not have is
    cut down to what it has.
    """
    size = find_instance_type(instance_type or "") if asked.of_type is not False else None
    wanted = _wanted(size, asked)
    if wanted.cpus is None and wanted.memory is None:
        return LimitPlan(wanted, asked)
    machine = engine.machine()
    limits = Limits(
        cpus=_least(wanted.cpus, float(machine.processors), possible=machine.limits_cpus),
        memory=_least(wanted.memory, machine.memory, possible=machine.limits_memory),
        shm=wanted.shm,
    )
    return LimitPlan(limits, asked, _note(size, wanted, machine))


def recorded_limits(record: Mapping[str, Any]) -> LimitPlan:
    """The plan that a container's label holds; an empty one where it was made without."""
    found = record.get("limits")
    if not isinstance(found, dict):
        return LimitPlan()
    return LimitPlan(Limits(**found["limits"]), LimitOptions(**found["asked"]), found["note"])


def _wanted(size: InstanceType | None, asked: LimitOptions) -> Limits:
    own = _of_type(size)
    return Limits(
        cpus=own.cpus if asked.cpus is None else asked.cpus,
        memory=own.memory if asked.memory is None else asked.memory,
        shm=asked.shm,
    )


def _of_type(size: InstanceType | None) -> Limits:
    return Limits() if size is None else Limits(float(size.vcpus), round(size.memory_gib * GIB))


def _least(wanted: Number | None, there: Number, *, possible: bool) -> Number | None:
    return min(wanted, there) if wanted is not None and possible else None


def _note(size: InstanceType | None, wanted: Limits, machine: Machine) -> str | None:
    """What the container does not get, in one line."""
    lacks = list(_lacks(wanted, machine))
    if lacks:
        missing, there = (" and ".join(parts) for parts in zip(*lacks, strict=True))
        is_of_type = lacks == list(_lacks(_of_type(size), machine))
        whose = f"{size.name} has" if size is not None and is_of_type else "The limits are"
        return (
            f"{whose} {missing}; the engine's machine has {there}, and the container gets no more."
        )
    unlimited = list(_unlimited(wanted, machine))
    if unlimited:
        return f"This engine cannot limit {' or '.join(unlimited)} of a container."
    return None


def _lacks(wanted: Limits, machine: Machine) -> Iterator[tuple[str, str]]:
    """Of what there is less than wanted: what was wanted, and what there is."""
    if wanted.cpus is not None and wanted.cpus > machine.processors:
        yield cpus_text(wanted.cpus), f"{machine.processors}"
    if wanted.memory is not None and wanted.memory > machine.memory:
        yield f"{in_gib(wanted.memory)} of memory", in_gib(machine.memory)


def _unlimited(wanted: Limits, machine: Machine) -> Iterator[str]:
    if wanted.cpus is not None and not machine.limits_cpus:
        yield "the CPUs"
    if wanted.memory is not None and not machine.limits_memory:
        yield "the memory"
