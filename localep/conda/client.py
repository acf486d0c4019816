"""rattler's client, as the user's settings want it."""

from __future__ import annotations

import base64
import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from localep.environment.build_settings import find_ca_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rattler import Client

    from localep.conda.channels import Channels
    from localep.conda.settings import CondaSettings

_AUTHORITIES = "SSL_CERT_FILE"
# Of one request, a package of several gigabytes included.
_TIMEOUT_SECONDS = 3600


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where lists of packages, and packages that a build cannot fetch, are kept."""
    cache = environ.get("XDG_CACHE_HOME")
    return Path(cache or Path("~/.cache").expanduser()) / "localep" / "conda"


def authorities_file(settings: CondaSettings, environ: Mapping[str, str]) -> Path | None:
    """The file with the authorities that vouch for channels: conda's own, else this machine's."""
    if isinstance(settings.ssl_verify, str) and Path(settings.ssl_verify).is_file():
        return Path(settings.ssl_verify)
    return find_ca_bundle(environ, None)


@contextmanager
def open_client(channels: Channels, settings: CondaSettings) -> Iterator[Client]:
    """A client for these channels; rattler reads proxies and authorities from variables."""
    variables = dict(_proxies(settings))
    authorities = authorities_file(settings, os.environ)
    if authorities is not None:
        variables[_AUTHORITIES] = str(authorities)
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield _client(channels, verified=settings.ssl_verify is not False)
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _client(channels: Channels, *, verified: bool) -> Client:
    from rattler import Client, Config
    from rattler.networking import AddHeadersMiddleware, MirrorMiddleware, RetryMiddleware

    mirrors = channels.mirrors
    attempts = max([1, *(len(addresses) for addresses in mirrors.values())])
    if not verified:
        lines = [f"{json.dumps(name)} = {json.dumps(found)}" for name, found in mirrors.items()]
        config = "\n".join(["tls-no-verify = true", "[mirrors]", *lines])
        return Client.from_config(Config.from_toml(config), attempts, timeout=_TIMEOUT_SECONDS)
    logins = {
        host: f"Basic {base64.b64encode(login.encode()).decode()}"
        for host, login in channels.logins.items()
    }
    return Client(
        [
            RetryMiddleware(attempts),
            MirrorMiddleware(mirrors),
            AddHeadersMiddleware(
                lambda host, _: {"Authorization": logins[host]} if host in logins else None
            ),
        ],
        timeout=_TIMEOUT_SECONDS,
    )


def _proxies(settings: CondaSettings) -> Iterator[tuple[str, str]]:
    for scheme, address in settings.proxies.items():
        for name in (f"{scheme}_proxy", f"{scheme.upper()}_PROXY"):
            if "://" not in scheme and not os.environ.get(name):
                yield name, address
