"""Whole processes on the clock."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class BenchmarkFailed(Exception):
    """Something that was to be timed did not do what it should."""


@dataclass(frozen=True)
class Run:
    """How many seconds some programs took, and what each wrote to its standard output."""

    seconds: float
    outputs: tuple[str, ...]

    @property
    def output(self) -> str:
        """What the one program wrote."""
        (output,) = self.outputs
        return output


def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], *, status: int = 0
) -> Run:
    """Run a program. Raises BenchmarkFailed where it ends with another status."""
    return run_together([command], folder, environment, status=status)


def run_together(
    commands: Sequence[Sequence[str]],
    folder: Path,
    environment: Mapping[str, str],
    *,
    status: int = 0,
) -> Run:
    """Run programs side by side, from the start of the first to the end of the last."""
    processes: list[subprocess.Popen[str]] = []
    begun = time.perf_counter()
    try:
        for command in commands:
            processes.append(
                subprocess.Popen(
                    command,
                    cwd=folder,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    start_new_session=True,  # Ctrl-C is passed on below, once
                )
            )
        outputs = [process.communicate() for process in processes]
        seconds = time.perf_counter() - begun
    except BaseException:
        for process in processes:
            process.terminate()
        for process in processes:
            process.communicate()
        raise
    for command, process, (_, errors) in zip(commands, processes, outputs, strict=True):
        if process.returncode != status:
            raise BenchmarkFailed(f"{' '.join(command)} ended with {process.returncode}:\n{errors}")
    return Run(seconds, tuple(output for output, _ in outputs))
