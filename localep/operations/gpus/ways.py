"""Which GPUs a deployment shall have, and the ways to them that the engine offers.

What the engine says decides, never what this machine has: its CDI devices first, else a GPU
maker's runtime; where it names neither it is asked once, and what it refuses is the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from localep.engine.gpu_request import GPU_KINDS, GpuRequest, GpuSupport
from localep.spec.instance_types import find_instance_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from localep.spec.model import DeploymentSpec

AUTO = "auto"
ALL = -1
# NVIDIA's convention, which its images and their users know.
VISIBLE_DEVICES = "NVIDIA_VISIBLE_DEVICES"
_NONE = frozenset({"none", "void", ""})
# CDI's files name a GPU by its number, a MIG device by that and its own; and both by their UUIDs.
_NUMBER = re.compile(r"(\d+)(?::(\d+))?")
_ALL_THERE_ARE = "fewer are here, and the container has all of them"
# Parts of GPUs have names of their own, and an engine that lists none cannot be asked for some.
_UNNUMBERED = "none here is named 0, and the container has all of them"


@dataclass(frozen=True)
class Wish:
    """GPUs that a deployment shall have: some by their ids, or ``count`` of them (ALL for all)."""

    count: int = 0
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Way:
    """A way to GPUs; ``fewer`` tells what it gives where that is not quite what is wanted."""

    request: GpuRequest
    fewer: str | None = None


@dataclass(frozen=True)
class Ways:
    """The ways to GPUs, the best first; where there is none, ``missing`` says why."""

    found: tuple[Way, ...]
    missing: str | None = None


def gpus_of_type(spec: DeploymentSpec) -> int:
    """How many GPUs the instance type has; a part of one counts as one."""
    kind = find_instance_type(spec.instance_type or "")
    return ceil(kind.gpus) if kind is not None else 0


def wish_of(asked: str, spec: DeploymentSpec) -> Wish | None:
    """The GPUs that --gpus asks for; those of the instance type where it is `auto`.

    Which of them may be said by the YAML's variable NVIDIA_VISIBLE_DEVICES. None for none.
    """
    if asked != AUTO:
        return _parsed(asked)
    count = gpus_of_type(spec)
    visible = spec.environment_variables.get(VISIBLE_DEVICES)
    if count == 0 or visible is None:
        return Wish(count) if count else None
    return _ids(visible) if visible not in {*_NONE, "all"} else _parsed(visible)


def ways_to(wish: Wish, support: GpuSupport, *, is_by_hand: bool) -> Ways:
    """The ways to GPUs that the engine offers; by hand nothing less than what is wanted."""
    by_capability = _by_capability(wish, is_by_hand=is_by_hand)
    names_cdi = any("=" in name for name in wish.ids)
    if support.devices:
        listed = _listed(wish, support.devices, is_by_hand=is_by_hand)
        # CDI's files need not have every id that the runtime knows.
        may_be_known = bool(wish.ids and support.runtimes) and not names_cdi
        return Ways(by_capability) if listed.missing and may_be_known else listed
    if names_cdi:
        return _by_cdi(_full_names(wish, GPU_KINDS[0]))
    if support.runtimes or support.lists_devices or not support.has_cdi:
        return Ways(by_capability)
    unlisted = (way for kind in GPU_KINDS for way in _unlisted(wish, kind, is_by_hand=is_by_hand))
    return Ways((*unlisted, *by_capability))


def _parsed(text: str) -> Wish | None:
    if text in _NONE or text == "0":
        return None
    if text == "all":
        return Wish(ALL)
    return Wish(int(text)) if text.isdecimal() else _ids(text.removeprefix("device="))


def _ids(text: str) -> Wish:
    return Wish(ids=tuple(part.strip() for part in text.split(",") if part.strip()))


def _by_capability(wish: Wish, *, is_by_hand: bool) -> tuple[Way, ...]:
    if wish.ids:
        return (Way(GpuRequest(ids=wish.ids)),)
    wanted = Way(GpuRequest(count=wish.count))
    if is_by_hand or wish.count <= 1:
        return (wanted,)
    return (wanted, Way(GpuRequest(count=ALL), _ALL_THERE_ARE))


def _unlisted(wish: Wish, kind: str, *, is_by_hand: bool) -> Iterator[Way]:
    """The ways to GPUs by CDI devices that the engine may have and does not list."""
    yield Way(GpuRequest(is_cdi=True, ids=_full_names(wish, kind)))
    if wish.count >= 1 and not is_by_hand:
        fewer = _ALL_THERE_ARE if wish.count > 1 else _UNNUMBERED
        yield Way(GpuRequest(is_cdi=True, ids=(f"{kind}=all",)), fewer)


def _listed(wish: Wish, devices: Sequence[str], *, is_by_hand: bool) -> Ways:
    """The way to GPUs by those CDI devices that the engine lists."""
    if wish.ids:
        found = [_find(name, devices) for name in wish.ids]
        known = tuple(name for name in found if name is not None)
        if len(known) == len(found):
            return _by_cdi(known)
        unknown = [name for name, full in zip(wish.ids, found, strict=True) if full is None]
        return Ways((), f"There is no GPU {', '.join(unknown)}: CDI has {', '.join(devices)}.")
    kind = next(kind for kind in GPU_KINDS if any(name.startswith(kind) for name in devices))
    own = [name for name in devices if name.startswith(f"{kind}=")]
    if wish.count == ALL and f"{kind}=all" in own:
        return _by_cdi((f"{kind}=all",))
    each = _one_by_one(own)
    if wish.count <= len(each):
        return _by_cdi(tuple(each[: wish.count] if wish.count != ALL else each))
    there = "one is" if len(each) == 1 else f"{len(each)} are"
    if is_by_hand:
        return Ways((), f"Only {there} here: {', '.join(each)}.")
    return _by_cdi(tuple(each), fewer=f"{there} here, and the container has no more")


def _one_by_one(devices: Sequence[str]) -> list[str]:
    """Each GPU once, by its number where it has one."""
    names = {name: name.partition("=")[2] for name in devices}
    numbers = {full: found for full, name in names.items() if (found := _NUMBER.fullmatch(name))}
    if not numbers:
        return [full for full, name in names.items() if name != "all"]
    return sorted(numbers, key=lambda full: [int(part or 0) for part in numbers[full].groups()])


def _find(name: str, devices: Sequence[str]) -> str | None:
    candidates = (name, *(f"{kind}={name}" for kind in GPU_KINDS))
    return next((full for full in candidates if full in devices), None)


def _by_cdi(names: tuple[str, ...], fewer: str | None = None) -> Ways:
    return Ways((Way(GpuRequest(is_cdi=True, ids=names), fewer),))


def _full_names(wish: Wish, kind: str) -> tuple[str, ...]:
    """The names of GPUs that an engine may have which does not list them."""
    if wish.ids:
        return tuple(name if "=" in name else f"{kind}={name}" for name in wish.ids)
    if wish.count == ALL:
        return (f"{kind}=all",)
    return tuple(f"{kind}={number}" for number in range(wish.count))
