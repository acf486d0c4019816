"""Timing whole processes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.processes import BenchmarkFailed, run, run_together


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_the_clock_runs_until_the_process_has_ended(tmp_path: Path) -> None:
    result = run(python("import time; time.sleep(0.2); print('done')"), tmp_path, os.environ)

    assert result.output == "done\n"
    assert result.seconds >= 0.2


def test_programs_run_side_by_side(tmp_path: Path) -> None:
    meet = """
import pathlib, sys, time
pathlib.Path(sys.argv[1]).touch()
while not pathlib.Path(sys.argv[2]).exists():
    time.sleep(0.01)
print(sys.argv[1])
"""

    result = run_together(
        [[*python(meet), "one", "two"], [*python(meet), "two", "one"]], tmp_path, os.environ
    )

    assert result.outputs == ("one\n", "two\n")


def test_a_program_may_have_to_end_with_another_status(tmp_path: Path) -> None:
    refused = python("import sys; print('no'); sys.exit(3)")

    assert run(refused, tmp_path, os.environ, status=3).output == "no\n"
    with pytest.raises(BenchmarkFailed, match=r" ended with 0:\n$"):
        run(python("pass"), tmp_path, os.environ, status=3)


def test_a_program_that_fails_is_told_with_what_it_wrote(tmp_path: Path) -> None:
    program = "import sys; sys.exit('no engine')"

    with pytest.raises(BenchmarkFailed) as raised:
        run(python(program), tmp_path, os.environ)

    assert str(raised.value) == f"{sys.executable} -c {program} ended with 1:\nno engine\n"
