from __future__ import annotations

import csv

from localep.spec.instance_types import all_instance_types
from localep.spec.temporary_disks import TABLE, temporary_disk


def test_the_disk_of_a_size_is_known() -> None:
    assert temporary_disk("Standard_DS3_v2") == 28
    assert temporary_disk("Standard_L8s_v3") is None


def test_the_table_knows_sizes_of_the_cloud_only() -> None:
    with TABLE.open(encoding="utf-8", newline="") as stream:
        sizes = [row["size"] for row in csv.DictReader(stream)]

    assert len(set(sizes)) == len(sizes)
    assert set(sizes) <= {size.name for size in all_instance_types()}
