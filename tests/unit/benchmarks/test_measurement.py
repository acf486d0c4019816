"""The table of the benchmarks, and what is said of a bound."""

from __future__ import annotations

from benchmarks.measurement import (
    MEGABYTES,
    MILLISECONDS,
    PERCENT,
    Measurement,
    broken,
    differences,
    table,
)

ROWS = [
    Measurement("floor", (0.02, 0.01, 0.03)),
    Measurement("create", (1.0, 1.6, 1.2), bound=1.5, floor=0.02),
    Measurement("update", (1.3, 1.1, 1.25), bound=1.2),
    Measurement("memory", (71.4, 70.2), unit=MEGABYTES),
]


def test_the_table_is_aligned_and_says_what_is_kept() -> None:
    assert table(ROWS) == [
        "what     median      min      max    floor    bound",
        "floor   0.020 s  0.010 s  0.030 s",
        "create  1.200 s  1.000 s  1.600 s  0.020 s  1.500 s  kept",
        "update  1.250 s  1.100 s  1.300 s           1.200 s  BROKEN",
        "memory    71 MB    70 MB    71 MB",
    ]


def test_each_unit_has_digits_of_its_own() -> None:
    rows = [
        Measurement("share", (0.25, -0.5, 0.125), bound=0.3, unit=MILLISECONDS),
        Measurement("lost", (4.96,), bound=5.0, unit=PERCENT),
    ]

    assert table(rows)[1:] == [
        "share  0.125 ms  -0.500 ms  0.250 ms         0.300 ms  kept",
        "lost      5.0 %      5.0 %     5.0 %            5.0 %  kept",
    ]


def test_the_median_decides_and_may_be_as_long_as_the_bound() -> None:
    assert Measurement("list", (0.1, 0.3, 9.0), bound=0.3).is_kept is True
    assert Measurement("list", (0.1, 0.301, 0.4), bound=0.3).is_kept is False
    assert Measurement("delete", (9.0,)).is_kept is None


def test_the_broken_bounds_are_named() -> None:
    assert broken(ROWS) == ["update"]


def test_what_something_adds_is_told_run_by_run() -> None:
    added = differences("1 GB", longer=(1.5, 2.5, 1.75), plain=(1.0, 2.75, 1.5), bound=0.25)

    assert added == Measurement("1 GB", (0.5, -0.25, 0.25), bound=0.25)
    assert added.is_kept is True


def test_a_row_as_plain_values() -> None:
    assert ROWS[1].to_dict() == {
        "name": "create",
        "unit": "s",
        "median": 1.2,
        "min": 1.0,
        "max": 1.6,
        "samples": [1.0, 1.6, 1.2],
        "floor": 0.02,
        "bound": 1.5,
        "kept": True,
    }
