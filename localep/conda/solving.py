"""The solver at work, in a process of its own: see solve.py."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from localep.conda.channels import resolve_request
from localep.conda.client import cache_folder, open_client
from localep.conda.client_defaults import settled
from localep.conda.failures import channel_failed, not_solved, silent_channel, wrong_spec
from localep.conda.packages import CondaPackage
from localep.conda.settings import user_settings

if TYPE_CHECKING:
    from rattler import (
        Gateway,
        GenericVirtualPackage,
        MatchSpec,
        PackageRecord,
        RepoDataRecord,
        Subdir,
    )

    from localep.conda.channels import Channel, Channels
    from localep.conda.packages import SolveRequest
    from localep.conda.settings import CondaSettings
    from localep.errors import EnvironmentFailure

_CONNECT_SECONDS = 5.0
_PORTS = {"http": 80, "https": 443}


def solve_here(request: SolveRequest) -> tuple[CondaPackage, ...]:
    """The packages to install; see solve()."""
    from rattler.exceptions import GatewayError, InvalidMatchSpecError, SolverError

    settings = user_settings()
    channels, specs = resolve_request(request, settings, os.environ, Path.home())
    channels, specs = channels.settled(), [settled(spec) for spec in specs]
    _check_connections(channels, settings)
    with open_client(channels, settings) as client:
        from rattler import Gateway

        gateway = Gateway(cache_dir=cache_folder(os.environ) / "channels", client=client)
        try:
            records = asyncio.run(_solve(gateway, request, channels, specs))
        except InvalidMatchSpecError as error:
            raise wrong_spec(str(error)) from error
        except GatewayError as error:
            raise channel_failed(channels.without_secrets(str(error)), channels) from error
        except SolverError as error:
            text = channels.without_secrets(str(error))
            raise asyncio.run(_explained(gateway, request, channels, text)) from error
    return tuple(_package(record, channels) for record in records)


async def _solve(
    gateway: Gateway, request: SolveRequest, channels: Channels, specs: list[str]
) -> list[RepoDataRecord]:
    import rattler

    records = await rattler.solve(
        _rattler_channels(channels),
        [_match_spec(spec) for spec in specs],
        gateway=gateway,
        platforms=_platforms(request),
        virtual_packages=[_virtual(*item) for item in request.virtual_packages],
        channel_priority=rattler.ChannelPriority.Strict,
        channel_relations="disabled",
    )
    plain: list[PackageRecord] = list(records)
    order = {
        record.name.normalized: place
        for place, record in enumerate(rattler.PackageRecord.sort_topologically(plain))
    }
    return sorted(records, key=lambda record: order[record.name.normalized])


async def _explained(
    gateway: Gateway, request: SolveRequest, channels: Channels, text: str
) -> EnvironmentFailure:
    """Why there is no solution, with the versions that the channels have of what is missing."""
    names = [match.group(1) for match in re.finditer(r"No candidates were found for (\S+)", text)]
    versions: dict[str, list[str]] = {}
    if names:
        found = await gateway.query(
            _rattler_channels(channels), _platforms(request), names, recursive=False
        )
        records = [record for source in found for record in source]
        for record in sorted(records, key=lambda record: record.version):
            versions.setdefault(record.name.normalized, []).append(str(record.version))
    there = {name: tuple(dict.fromkeys(found)) for name, found in versions.items()}
    return not_solved(text, request, channels, there)


def _rattler_channels(channels: Channels) -> list[str]:
    return [f"{address}/" for address in channels.addresses]


def _platforms(request: SolveRequest) -> list[Subdir]:
    import rattler

    return [rattler.Subdir(request.platform), rattler.Subdir("noarch")]


def _match_spec(spec: str) -> MatchSpec:
    from rattler import MatchSpec

    return MatchSpec(spec, strict=False)


def _virtual(name: str, version: str) -> GenericVirtualPackage:
    """A virtual package; the version may have a build after ``=``."""
    from rattler import BuildString, GenericVirtualPackage, PackageName, Version

    number, _, build = version.partition("=")
    return GenericVirtualPackage(PackageName(name), Version(number), BuildString(build or "0"))


def _package(record: RepoDataRecord, channels: Channels) -> CondaPackage:
    url = channels.without_secrets(record.url)
    return CondaPackage(
        name=record.name.normalized,
        version=str(record.version),
        build=str(record.build),
        subdir=str(record.subdir),
        channel=url.rsplit("/", 2)[0],
        url=url,
        sha256=record.sha256.hex() if record.sha256 else "",
        md5=record.md5.hex() if record.md5 else None,
        size=record.size,
        depends=tuple(record.depends),
    )


def _check_connections(channels: Channels, settings: CondaSettings) -> None:
    """Raise ChannelUnreachable where no mirror of a channel takes a connection within seconds.

    rattler would wait for minutes. Behind a proxy, it is the proxy that tells.
    """
    if settings.proxies or any(name.lower().endswith("s_proxy") for name in os.environ):
        return
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(_connects, channels.channels)
        for channel, error in zip(channels.channels, answers, strict=True):
            if error is not None:
                raise silent_channel(channel.address, error)


def _connects(channel: Channel) -> str | None:
    """None where one of a channel's mirrors takes a connection, else why the last does not."""
    error = None
    for mirror in channel.mirrors:
        parts = urlsplit(mirror)
        if parts.scheme not in _PORTS or not parts.hostname:
            return None
        place = (parts.hostname, parts.port or _PORTS[parts.scheme])
        try:
            socket.create_connection(place, _CONNECT_SECONDS).close()
        except TimeoutError:
            error = f"{parts.hostname} does not answer."
        except socket.gaierror:
            error = f"The host {parts.hostname} is not known here."
        except OSError as refused:
            error = f"{parts.hostname}: {refused.strerror or refused}."
        else:
            return None
    return error
