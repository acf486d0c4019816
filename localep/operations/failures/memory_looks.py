"""How much memory the instances had whenever `stats` looked, kept in the gateway's container."""

from __future__ import annotations

import io
import json
import tarfile
from contextlib import suppress
from typing import TYPE_CHECKING

from localep.gateway.state import STATE_FOLDER
from localep.operations.failures.traffic import MemoryLook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localep.engine.base import Engine

_NAME = "memory.json"
_MOST = 20


def look(
    engine: Engine, gateway: str, epoch: str, requests: int, memory: Mapping[int, int]
) -> dict[int, list[MemoryLook]]:
    """Write down what each instance has now; all that was written down of it, by its number.

    Looks of another ``epoch`` are forgotten: the requests are counted anew, or the containers
    are others.
    """
    known = _read(engine, gateway, epoch)
    looks = {
        number: [*known.get(number, []), MemoryLook(requests, size)][-_MOST:]
        for number, size in memory.items()
    }
    content = {"epoch": epoch, "looks": {number: _plain(found) for number, found in looks.items()}}
    engine.copy_in(gateway, STATE_FOLDER, _archive(json.dumps(content).encode()))
    return looks


def _read(engine: Engine, gateway: str, epoch: str) -> dict[int, list[MemoryLook]]:
    """What was written down; nothing where another `stats` is writing just now."""
    content = engine.copy_out(gateway, f"{STATE_FOLDER}/{_NAME}")
    with suppress(ValueError, KeyError, TypeError):
        found = json.loads(content or b"{}")
        if found["epoch"] == epoch:
            looks = found["looks"].items()
            return {int(number): [MemoryLook(*one) for one in each] for number, each in looks}
    return {}


def _plain(looks: list[MemoryLook]) -> list[tuple[int, int]]:
    return [(one.requests, one.memory) for one in looks]


def _archive(content: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo(_NAME)
        member.size, member.mode = len(content), 0o600
        archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()
