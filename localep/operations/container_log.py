"""A container's output as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localep.engine.base import Engine

# As many lines are looked through for why requests failed.
RECENT_LINES = 2000


def read_log(engine: Engine, container: str, lines: int | None = None) -> str:
    """What a container has written so far: its last ``lines`` lines, or all."""
    return b"".join(engine.logs(container, lines=lines)).decode("utf-8", errors="replace")
