"""What people are told of limits, and of the memory beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.operations.sizes import cpus_text, in_gib

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["cpus_text", "limits_text", "memory_text"]


def limits_text(limits: Mapping[str, float | None]) -> str:
    """The limits of a deployment's containers, as a view holds them."""
    cpus, memory, shm = (limits[name] for name in ("cpus", "memory_bytes", "shm_bytes"))
    parts = [
        cpus_text(cpus) if cpus is not None else "",
        f"{in_gib(memory)} of memory" if memory is not None else "",
        f"{in_gib(shm)} of shared memory" if shm is not None else "",
    ]
    return ", ".join(part for part in parts if part) or "none"


def memory_text(used: int, limit: int | None, peak: int | None, killed: int | None) -> str:
    """How much memory is in use, of how much, and what came of it; all but the last are bytes."""
    text = in_gib(used)
    if limit is not None:
        text += f" of {in_gib(limit)}"
    if peak is not None:
        text += f" ({in_gib(peak)} at most)"
    if killed:
        ended = "1 process was" if killed == 1 else f"{killed} processes were"
        text += f"; out of memory: {ended} ended"
    return text
