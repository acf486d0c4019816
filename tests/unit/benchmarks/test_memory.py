"""A container's memory as the two generations of control groups tell it."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.many_endpoints import working_set


@pytest.mark.parametrize(
    "details", [{"total_inactive_file": 300, "inactive_file": 7}, {"inactive_file": 300}]
)
def test_files_that_were_read_once_do_not_count(details: dict[str, int]) -> None:
    stats: dict[str, Any] = {"memory_stats": {"usage": 1000, "stats": details}}

    assert working_set(stats) == 700
