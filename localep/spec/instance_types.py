"""The instance types that managed online endpoints run on.

Source: the cloud's list of supported sizes, kept beside this file as a table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("instance_types.csv")

_PREFIX = "STANDARD_"
# STANDARD_NC24ADS_A100_V4: family letters, cores, features, then accelerator and version.
_SIZE = re.compile(r"([A-Z]+)(\d+)([A-Z]*)(\w*)")
_VERSION = re.compile(r"_V(?=\d+$)")


@dataclass(frozen=True)
class InstanceType:
    """A size of machine, by the name that the cloud gives it ("Standard_DS3_v2").

    ``gpus`` is below 1 where machines share one; ``accelerator`` names their maker.
    """

    name: str
    vcpus: int
    memory_gib: float
    gpus: float
    family: str
    accelerator: str | None


def find_instance_type(text: str) -> InstanceType | None:
    """The instance type of this name, in any casing, with or without ``Standard_``."""
    return _table().get(_normal(text))


def near_instance_types(text: str) -> list[str]:
    """The names that are most like this one, at most three: first those that it begins."""
    import difflib

    wanted = _normal(text)
    begun = re.compile(re.escape(wanted) + r"\D.*") if wanted else None
    longer = [size for size in _table() if begun is not None and begun.fullmatch(size)]
    alike = difflib.get_close_matches(wanted, _table(), n=3, cutoff=0.7)
    return [_table()[size].name for size in dict.fromkeys([*longer, *alike])][:3]


def all_instance_types() -> tuple[InstanceType, ...]:
    """Every instance type, by family."""
    return tuple(_table().values())


def larger_instance_types(memory_gib: float, like: InstanceType | None) -> list[InstanceType]:
    """The next three steps above a size of memory, with no fewer GPUs than another type has."""
    gpus = like.gpus if like is not None else 0
    steps: dict[float, InstanceType] = {}
    for size in sorted(_table().values(), key=lambda size: (size.memory_gib, size.vcpus)):
        has_gpus = size.gpus >= gpus if gpus else not size.gpus
        if size.memory_gib > memory_gib and has_gpus:
            steps.setdefault(size.memory_gib, size)
    return list(steps.values())[:3]


@cache
def _table() -> dict[str, InstanceType]:
    """The instance types by their names as _normal spells them."""
    import csv

    with TABLE.open(encoding="utf-8", newline="") as stream:
        return {_normal(row["size"]): _instance_type(row) for row in csv.DictReader(stream)}


def _normal(text: str) -> str:
    """The name without ``Standard_``, which all have, in upper case."""
    return re.sub(r"[\s-]+", "_", text.strip().upper()).removeprefix(_PREFIX)


def _instance_type(row: dict[str, str]) -> InstanceType:
    whole, _, parts = row["gpus"].partition("/")
    return InstanceType(
        name=_cased(_normal(row["size"])),
        vcpus=int(row["vcpus"]),
        memory_gib=float(row["memory_gib"]),
        gpus=int(whole) / int(parts or 1),
        family=row["family"],
        accelerator=row["accelerator"] or None,
    )


def _cased(size: str) -> str:
    """As the cloud's pages spell it: features and version in lower case, all else in upper."""
    match = _SIZE.fullmatch(size)
    assert match is not None, size  # noqa: S101 - the table is ours, a test reads it all
    family, cores, features, rest = match.groups()
    return f"Standard_{family}{cores}{features.lower()}{_VERSION.sub('_v', rest)}"
