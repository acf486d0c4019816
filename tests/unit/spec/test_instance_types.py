"""The instance types by their names, and what each of them has."""

from __future__ import annotations

import csv
import re

import pytest

from localep.spec.instance_types import (
    TABLE,
    InstanceType,
    all_instance_types,
    find_instance_type,
    larger_instance_types,
    near_instance_types,
)


def named(name: str) -> InstanceType:
    found = find_instance_type(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "text",
    [
        "Standard_DS3_v2",
        "STANDARD_DS3_V2",
        "standard_ds3_v2",
        "DS3_v2",
        "ds3_v2",
        " Standard_DS3_v2\n",
        "Standard DS3 v2",
        "Standard-DS3-v2",
    ],
)
def test_a_name_is_found_in_any_casing_with_and_without_its_prefix(text: str) -> None:
    assert find_instance_type(text) == InstanceType(
        name="Standard_DS3_v2",
        vcpus=4,
        memory_gib=14.0,
        gpus=0.0,
        family="standardDSv2Family",
        accelerator=None,
    )


def test_a_type_with_gpus_tells_how_many_and_whose() -> None:
    assert find_instance_type("Standard_NC64as_T4_v3") == InstanceType(
        name="Standard_NC64as_T4_v3",
        vcpus=64,
        memory_gib=440.0,
        gpus=4.0,
        family="standardNCASv3_T4Family",
        accelerator="nvidia",
    )


@pytest.mark.parametrize(
    ("name", "gpus"),
    [
        ("Standard_NV6ads_A10_v5", 1 / 6),
        ("Standard_NV12ads_A10_v5", 1 / 3),
        ("Standard_NV18ads_A10_v5", 0.5),
        ("Standard_NV36ads_A10_v5", 1.0),
    ],
)
def test_a_shared_gpu_is_a_part_of_one(name: str, gpus: float) -> None:
    assert named(name).gpus == gpus


def test_memory_may_have_a_fraction() -> None:
    assert named("Standard_DS1_v2").memory_gib == 3.5


@pytest.mark.parametrize(
    "name",
    [
        "Standard_D2as_v4",
        "Standard_DS5_v2",
        "Standard_E64s_v3",
        "Standard_F2s_v2",
        "Standard_FX48mds",
        "Standard_NC6s_v3",
        "Standard_NC24ads_A100_v4",
        "Standard_NC4as_T4_v3",
        "Standard_NC80adis_H100_v5",
        "Standard_ND96isr_H100_v5",
        "Standard_ND40rs_v2",
        "Standard_NV36adms_A10_v5",
    ],
)
def test_a_name_is_spelled_as_the_cloud_spells_it(name: str) -> None:
    assert named(name.upper()).name == name


@pytest.mark.parametrize(
    "text",
    ["", "Standard_", "Standard_DS3", "Standard_DS3_v3", "DS3_v2.", "<instance type>", "größe"],
)
def test_another_name_is_none(text: str) -> None:
    assert find_instance_type(text) is None


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("Standard_DS3v2", ["Standard_DS3_v2", "Standard_DS5_v2", "Standard_DS4_v2"]),
        ("standard_nc24rs_v3", ["Standard_NC24s_v3", "Standard_NC24s_v2", "Standard_NC12s_v3"]),
        ("Standard_A1_v2", ["Standard_DS1_v2"]),
        ("huge", []),
        ("", []),
        ("<instance type>", []),
    ],
)
def test_the_nearest_names_come_first(text: str, near: list[str]) -> None:
    assert near_instance_types(text) == near


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("Standard_DS3", ["Standard_DS3_v2"]),
        ("Standard_F4s", ["Standard_F4s_v2"]),
        ("Standard_NC6", ["Standard_NC6s_v2", "Standard_NC6s_v3"]),
        ("nc24s", ["Standard_NC24s_v2", "Standard_NC24s_v3"]),
    ],
)
def test_names_that_the_text_begins_come_before_all(text: str, near: list[str]) -> None:
    assert near_instance_types(text)[: len(near)] == near


@pytest.mark.parametrize(
    ("memory_gib", "like", "larger"),
    [
        (4, None, ["Standard_DS2_v2", "Standard_D2as_v4", "Standard_DS3_v2"]),
        (14, "Standard_DS3_v2", ["Standard_E2s_v3", "Standard_DS4_v2", "Standard_E4s_v3"]),
        (
            28,
            "Standard_NC4as_T4_v3",
            ["Standard_NC8as_T4_v3", "Standard_NC16as_T4_v3", "Standard_NC6s_v2"],
        ),
        (900, None, ["Standard_FX48mds"]),
        (5000, None, []),
    ],
)
def test_the_next_steps_above_a_size_of_memory(
    memory_gib: float, like: str | None, larger: list[str]
) -> None:
    found = larger_instance_types(memory_gib, named(like) if like else None)

    assert [size.name for size in found] == larger


def test_every_type_of_the_table_is_read() -> None:
    with TABLE.open(encoding="utf-8", newline="") as stream:
        sizes = [row["size"] for row in csv.DictReader(stream)]

    types = all_instance_types()

    assert [item.name.upper() for item in types] == sizes
    assert len(types) == 85
    for item in types:
        assert re.fullmatch(r"Standard_[A-Z]+\d+[a-z]*(_[A-Z]+\d+)?(_v\d)?", item.name)
        assert item.vcpus > 0
        assert item.memory_gib >= 3.5
        assert item.family.endswith("Family")
        assert (item.accelerator == "nvidia") == (item.gpus > 0)
        assert find_instance_type(item.name) is item
