"""Programs whose output is shown while they run."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def run_lines(
    command: Sequence[str],
    on_line: Callable[[str], None],
    environ: Mapping[str, str] | None = None,
) -> tuple[int, list[str]]:
    """Run a program and hand on each line that it writes; its exit status and all the lines.

    It ends with the block, should that be interrupted.
    """
    lines: list[str] = []
    with subprocess.Popen(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None  # noqa: S101 - asked for above
        try:
            for line in process.stdout:
                lines.append(line.rstrip())
                on_line(lines[-1])
        except BaseException:
            process.terminate()
            raise
    return process.returncode, lines
