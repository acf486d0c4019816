"""Packages that no build can fetch: of folders, and of servers on this machine's loopback."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from localep.conda.channels import resolve
from localep.conda.client import cache_folder, open_client
from localep.conda.failures import channel_failed
from localep.conda.settings import user_settings
from localep.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rattler import Client

    from localep.conda.channels import Channels
    from localep.conda.packages import CondaPackage


def fetch_here(packages: Iterable[CondaPackage], names: Iterable[str]) -> dict[str, Path]:
    """The files of packages by their names in a build's context; see fetch()."""
    settings = user_settings()
    channels = resolve(names, settings, os.environ, Path.home()).settled()
    found: dict[str, Path] = {}
    missing: list[tuple[CondaPackage, Path]] = []
    for package in packages:
        path = _own_file(channels.asked_at(package.url))
        if path is None:
            path = cache_folder(os.environ) / "packages" / package.sha256 / _name(package)
            if not path.is_file():
                missing.append((package, path))
        found[f"packages/{package.subdir}/{_name(package)}"] = path
    if missing:
        with open_client(channels, settings) as client:
            asyncio.run(_download(client, missing, channels))
    for name, path in found.items():
        if not path.is_file():
            raise EnvironmentFailure(
                f"The conda package {Path(name).name} is not there.",
                cause=f"There is no file {path}.",
                remedy="Make the channel's list of packages anew, or restore the file.",
            )
    return found


async def _download(
    client: Client, missing: Iterable[tuple[CondaPackage, Path]], channels: Channels
) -> None:
    from rattler.package_streaming import download_to_path

    for package, path in missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            await download_to_path(client, package.url, partial)
            _check(package, partial)
            partial.replace(path)
        except EnvironmentFailure:
            raise
        except Exception as error:  # rattler's own have no common root
            raise channel_failed(channels.without_secrets(str(error)), channels) from error
        finally:
            partial.unlink(missing_ok=True)


def _check(package: CondaPackage, path: Path) -> None:
    content = path.read_bytes()
    if package.sha256 and hashlib.sha256(content).hexdigest() != package.sha256:
        raise EnvironmentFailure(
            f"The conda package {_name(package)} is not what its channel or lock says.",
            cause=f"Its sha256 is {hashlib.sha256(content).hexdigest()}, not {package.sha256}.",
            remedy="Write the lock anew, or tell whoever keeps the channel.",
        )


def _own_file(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _name(package: CondaPackage) -> str:
    return package.url.rsplit("/", 1)[-1]
