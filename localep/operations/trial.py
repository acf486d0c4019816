"""A container that runs one command and is gone: the way to find out what containers can do."""

from __future__ import annotations

import io
import secrets
import tarfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localep.engine.base import ContainerRequest
from localep.operations.container_log import read_log
from localep.operations.names import TRIAL_ROLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from localep.engine.gpu_request import GpuRequest
    from localep.operations.workplace import Workplace

# The engine's own network, which builds are in, too.
BUILDS_NETWORK = "bridge"
_PAUSE = 0.05


@dataclass(frozen=True)
class Trial:
    """How a command ended, None where it did not in time, and what it wrote."""

    status: int | None
    output: str


def try_out(
    place: Workplace,
    image: str,
    command: Sequence[str],
    *,
    files: Mapping[str, str] | None = None,
    gpus: GpuRequest | None = None,
    timeout: float = 20.0,
) -> Trial:
    """Run a command in a container with some files. Raises EngineError; nothing of it stays."""
    request = ContainerRequest(
        name=f"{place.names.network}-trial-{secrets.token_hex(4)}",
        image=image,
        command=command,
        labels=place.labels(role=TRIAL_ROLE),
        network=BUILDS_NETWORK,
        gpus=gpus,
    )
    container = place.engine.create_container(request)
    try:
        place.engine.copy_in(container, "/", _archive(files or {}))
        place.engine.start_container(container)
        status = _wait(place, container, timeout)
        return Trial(status, read_log(place.engine, container))
    finally:
        place.engine.remove_container(container)


def _wait(place: Workplace, container: str, timeout: float) -> int | None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        found = place.engine.inspect_container(container)
        if found is None or found.status in {"exited", "dead"}:
            return found.exit_code if found is not None else None
        time.sleep(_PAUSE)
    return None


def _archive(files: Mapping[str, str]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, text in files.items():
            content = text.encode()
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o600
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()
