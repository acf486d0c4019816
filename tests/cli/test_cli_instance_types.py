"""`localep instance-types`, and the options that limit a container."""

from __future__ import annotations

import json
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from localep.cli.limits_text import limits_text, memory_text

Localep = Callable[..., CompletedProcess[str]]
MIB, GIB = 1024**2, 1024**3


def test_all_types_are_listed_with_what_each_has(here: Localep) -> None:
    answer = here("instance-types")

    lines = answer.stdout.splitlines()
    assert (answer.returncode, answer.stderr, len(lines)) == (0, "", 86)
    assert lines[0].split("  ")[0] == "INSTANCE TYPE"
    rows = [line.split() for line in lines]
    assert rows[0] == ["INSTANCE", "TYPE", "VCPUS", "MEMORY", "(GIB)", "GPUS", "FAMILY"]
    assert ["Standard_DS3_v2", "4", "14", "standardDSv2Family"] in rows
    assert ["Standard_DS1_v2", "1", "3.5", "standardDSv2Family"] in rows
    assert ["Standard_NV6ads_A10_v5", "6", "55", "1/6", "standardNVADSA10v5Family"] in rows


def test_those_with_gpus_are_listed_alone(here: Localep) -> None:
    answer = here("instance-types", "--gpu", "-o", "json")

    found = json.loads(answer.stdout)
    assert (answer.returncode, answer.stderr, len(found)) == (0, "", 26)
    assert {row["accelerator"] for row in found} == {"nvidia"}
    assert all(row["gpus"] > 0 for row in found)
    assert found[3] == {
        "name": "Standard_NC4as_T4_v3",
        "vcpus": 4,
        "memory_gib": 28.0,
        "gpus": 1.0,
        "accelerator": "nvidia",
        "family": "standardNCASv3_T4Family",
    }


def test_a_query_chooses_among_them(here: Localep) -> None:
    answer = here("instance-types", "--query", "[?vcpus==`1`].[name,memory_gib]", "-o", "tsv")

    assert answer.stdout == "Standard_DS1_v2\t3.5\n"


@pytest.mark.parametrize(
    ("option", "value", "cause"),
    [
        ("--cpus", "0", "0 is not 0.01 or more."),
        ("--cpus", "-1", "-1 is not 0.01 or more."),
        ("--cpus", "nan", "nan is not 0.01 or more."),
        ("--cpus", "inf", "inf is not 0.01 or more."),
        ("--memory", "4X", "'4X' is no number of bytes, such as 1500000, 1.5M or 64K."),
        ("--memory", "4", "4 is less than the engine's bound of 6M."),
        ("--memory", "5.9MB", "5.9MB is less than the engine's bound of 6M."),
        ("--shm-size", "much", "'much' is no number of bytes, such as 1500000, 1.5M or 64K."),
        ("--shm-size", "0", "0 leaves no shared memory at all."),
    ],
)
@pytest.mark.parametrize("verb", ["create -f x.yml", "update"])
def test_a_limit_that_cannot_be_is_refused(
    here: Localep, verb: str, option: str, value: str, cause: str
) -> None:
    answer = here(*verb.split(), option, value)

    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.splitlines()[:2] == [
        f"Error: Invalid value for '{option}'.",
        f"Cause: {cause}",
    ]


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        ((None, None, None), "none"),
        ((4.0, 14 * GIB, None), "4 CPUs, 14 GiB of memory"),
        ((None, 512 * MIB, None), "512 MiB of memory"),
        ((1.0, None, GIB), "1 CPU, 1 GiB of shared memory"),
    ],
)
def test_limits_are_told(limits: tuple[float | None, ...], text: str) -> None:
    names = ("cpus", "memory_bytes", "shm_bytes")

    assert limits_text(dict(zip(names, limits, strict=True))) == text


@pytest.mark.parametrize(
    ("limit", "peak", "killed", "text"),
    [
        (None, None, None, "70 MiB"),
        (256 * MIB, None, 0, "70 MiB of 256 MiB"),
        (None, 80 * MIB, 0, "70 MiB (80 MiB at most)"),
        (
            GIB,
            GIB,
            1,
            "70 MiB of 1 GiB (1 GiB at most); out of memory: 1 process was ended",
        ),
        (GIB, None, 2, "70 MiB of 1 GiB; out of memory: 2 processes were ended"),
    ],
)
def test_memory_is_told_beside_its_limit(
    limit: int | None, peak: int | None, killed: int | None, text: str
) -> None:
    assert memory_text(70 * MIB, limit, peak, killed) == text
