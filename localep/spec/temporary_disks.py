"""The temporary disks of instance types, in GiB.

Source: the tables "Local storage" of the cloud's pages on sizes of virtual machines
(MicrosoftDocs/azure-compute-docs, articles/virtual-machines/sizes), series Dasv4, Dav4, DSv2,
Fsv2, NC_A100_v4, NCasT4_v3 and NVadsA10_v5; what other series have is not in the table.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("temporary_disks.csv")


def temporary_disk(size: str) -> int | None:
    """The GiB of an instance type by its name as InstanceType has it; None where not known."""
    return _table().get(size)


@cache
def _table() -> dict[str, int]:
    import csv

    with TABLE.open(encoding="utf-8", newline="") as stream:
        return {row["size"]: int(row["gib"]) for row in csv.DictReader(stream)}
