"""Which builder this machine has."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from localep.engine.builders.buildkit import BuildKit
from localep.engine.builders.classic import Classic
from localep.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker

    from localep.engine.address import EngineAddress
    from localep.engine.base import BuildRequest, Progress

BUILDER_VARIABLE = "LOCALEP_BUILDER"
_KINDS = ("buildx", "buildkit", "classic")


class Builder(Protocol):
    """Builds one image."""

    @property
    def kind(self) -> str:
        """Its name in LOCALEP_BUILDER."""

    def build(self, request: BuildRequest, progress: Progress) -> None:
        """Build and name the image. Raises BuildFailed."""


def choose_builder(api: docker.APIClient, address: EngineAddress) -> Builder:
    """The best builder there is, or the kind that the variable LOCALEP_BUILDER names.

    ``buildx`` is the client's plugin, ``buildkit`` a docker client before 23 with BuildKit
    switched on, ``classic`` the engine's own builder, which needs no client.
    """
    wanted = os.environ.get(BUILDER_VARIABLE)
    if wanted and wanted not in _KINDS:
        raise UsageError(
            f"{BUILDER_VARIABLE}={wanted} is not a builder.",
            remedy=f"Use one of {', '.join(_KINDS)}, or unset it.",
        )
    clients = list(_docker_clients())
    if wanted in {None, "", "buildx"}:
        for client in clients:
            version = _buildx_version(client)
            if version is not None:
                return BuildKit.by_buildx(client, address.context, version)
    if wanted in {None, "", "buildkit"}:
        for client in clients:
            if _has_own_buildkit(client):
                return BuildKit.by_client(client, address.context)
    if wanted in {"buildx", "buildkit"}:
        raise UsageError(
            f"{BUILDER_VARIABLE}={wanted}, but no docker client here has it.",
            remedy="Install docker-buildx, or unset the variable.",
        )
    return Classic(api)


def _docker_clients() -> Iterator[str]:
    """Every docker client on the PATH: the first need not be the one that can build."""
    seen: set[Path] = set()
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = Path(folder, "docker")
        if os.access(path, os.X_OK) and path.resolve() not in seen:
            seen.add(path.resolve())
            yield str(path)


def _buildx_version(client: str) -> tuple[int, int] | None:
    match = re.search(r"buildx v?(\d+)\.(\d+)", _output_of([client, "buildx", "version"]))
    return (int(match.group(1)), int(match.group(2))) if match else None


def _has_own_buildkit(client: str) -> bool:
    """Whether `docker build` of this client speaks BuildKit without a plugin: 18.09 to 22."""
    match = re.match(r"Docker version (\d+)\.", _output_of([client, "--version"]))
    return match is not None and 18 < int(match.group(1)) < 23


def _output_of(command: list[str]) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout if result.returncode == 0 else ""
