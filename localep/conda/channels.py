"""Channels: from the names of a conda file to addresses, without and with credentials."""

from __future__ import annotations

import json
import netrc
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from localep.conda.client_defaults import settled
from localep.conda.settings import expanded
from localep.environment.addresses import is_reachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from localep.conda.packages import SolveRequest
    from localep.conda.settings import CondaSettings

_TOKEN = re.compile(r"/t/[^/]+(?=/|$)")
_SUBDIR = re.compile(r"/(noarch|(?:linux|osx|win|emscripten|wasi)-\w+)$")
_NAMED_CHANNEL = re.compile(r"(.+)::([^:]+)")
_IGNORED = {"nodefaults", ""}


@dataclass(frozen=True)
class Channel:
    """A channel: its address without credentials, and where it is really asked, best first."""

    address: str
    mirrors: tuple[str, ...]


@dataclass(frozen=True)
class Channels:
    """The channels of an environment, the strongest first, and the logins of their hosts."""

    channels: tuple[Channel, ...]
    logins: Mapping[str, str] = field(default_factory=dict)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses without credentials."""
        return tuple(channel.address for channel in self.channels)

    @property
    def mirrors(self) -> dict[str, list[str]]:
        """Where else than at their own address channels are asked."""
        return {
            channel.address: list(channel.mirrors)
            for channel in self.channels
            if channel.mirrors != (channel.address,)
        }

    @property
    def has_credentials(self) -> bool:
        """Whether a login or a token is needed."""
        tokens = (_TOKEN.search(mirror) for channel in self.channels for mirror in channel.mirrors)
        return bool(self.logins) or any(tokens)

    @property
    def folders(self) -> tuple[str, ...]:
        """Addresses of which each lies in a channel."""
        return tuple(f"{channel.address}/noarch" for channel in self.channels)

    def asked_at(self, address: str) -> str:
        """Where a file of a channel is really asked for."""
        for channel in self.channels:
            if address.startswith(f"{channel.address}/"):
                return channel.mirrors[0] + address.removeprefix(channel.address)
        return address

    def reached_by_build(self, address: str) -> bool:
        """Whether a build reaches what lies below this address."""
        for channel in self.channels:
            if address.startswith(f"{channel.address}/"):
                return all(is_reachable(mirror) for mirror in channel.mirrors)
        return is_reachable(address)

    def settled(self) -> Channels:
        """The same channels where the clients' own addresses are known, see client_defaults."""
        return Channels(
            tuple(
                Channel(settled(channel.address), tuple(map(settled, channel.mirrors)))
                for channel in self.channels
            ),
            self.logins,
        )

    def without_secrets(self, text: str) -> str:
        """A text in which these channels stand without their credentials."""
        for channel in self.channels:
            for mirror in channel.mirrors:
                text = text.replace(mirror, channel.address)
        return _TOKEN.sub("", text)


def resolve(
    names: Iterable[str], settings: CondaSettings, environ: Mapping[str, str], home: Path
) -> Channels:
    """The channels that names stand for; those of the settings where there is none."""
    given = [str(name) for name in names if str(name) not in _IGNORED] or settings.channels
    logins: dict[str, str] = {}
    found: dict[str, tuple[str, ...]] = {}
    for name in given:
        for address in _addresses(expanded(name, environ).strip(), settings):
            mirrors = settings.mirrors.get(name) or settings.mirrors.get(_public(address)) or ()
            asked = tuple(_take_login(mirror, logins) for mirror in (mirrors or (address,)))
            found.setdefault(_public(address), asked)
    _add_netrc(logins, found.values(), environ, home)
    return Channels(tuple(Channel(*item) for item in found.items()), logins)


def resolve_request(
    request: SolveRequest, settings: CondaSettings, environ: Mapping[str, str], home: Path
) -> tuple[Channels, list[str]]:
    """The channels of a request by address, and its specs with addresses for channels' names.

    A channel that a spec alone names (``name::package``) comes last.
    """
    own = resolve(request.channels, settings, environ, home)
    found = {channel.address: channel for channel in own.channels}
    logins = dict(own.logins)
    specs = []
    for spec in request.specs:
        match = _NAMED_CHANNEL.fullmatch(spec)
        if match is None:
            specs.append(spec)
            continue
        named = resolve([match.group(1)], settings, environ, home)
        logins |= named.logins
        for channel in named.channels:
            found.setdefault(channel.address, channel)
        specs.append(f"{named.addresses[0]}::{match.group(2)}")
    return Channels(tuple(found.values()), logins), specs


def access_document(
    channels: Channels, settings: CondaSettings, authorities: str | None = None
) -> str:
    """How a build reaches the channels, as the program that installs packages reads it."""
    document: dict[str, object] = {"mirrors": channels.mirrors, "logins": dict(channels.logins)}
    if authorities is not None:
        document["authorities"] = authorities
    if settings.ssl_verify is False:
        document["verify"] = False
    return json.dumps(document)


def _addresses(name: str, settings: CondaSettings) -> Iterator[str]:
    """The addresses, credentials included, of a channel or of several under one name."""
    if name in settings.multichannels:
        for member in settings.multichannels[name]:
            if member != name:
                yield from _addresses(member, settings)
    elif "://" in name:
        yield _clean(name)
    elif name.startswith(("/", "./", "../", "~")) or name in {".", ".."}:
        yield _clean(Path(name).expanduser().absolute().resolve().as_uri())
    else:
        name = _clean(name)
        parts = name.split("/")
        places = ("/".join(parts[:length]) for length in range(len(parts), 0, -1))
        custom = next((place for place in places if place in settings.custom_channels), None)
        base = settings.channel_alias if custom is None else settings.custom_channels[custom]
        if "://" not in base:
            base = Path(base).as_uri() if base.startswith("/") else f"https://{base}"
        yield f"{base.rstrip('/')}/{name}"


def _clean(address: str) -> str:
    """The address without the folder of a platform at its end."""
    return _SUBDIR.sub("", address.strip().rstrip("/"))


def _public(address: str) -> str:
    return _TOKEN.sub("", _without_login(address))


def _without_login(address: str) -> str:
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _take_login(address: str, logins: dict[str, str]) -> str:
    """The address without its login, which is kept by its host."""
    parts = urlsplit(address)
    login, _, _ = parts.netloc.rpartition("@")
    if login and parts.hostname:
        logins[parts.hostname] = unquote(login)
    return _clean(_without_login(address))


def _add_netrc(
    logins: dict[str, str],
    mirrors: Iterable[tuple[str, ...]],
    environ: Mapping[str, str],
    home: Path,
) -> None:
    try:
        known = netrc.netrc(environ.get("NETRC") or home / ".netrc")
    except (OSError, netrc.NetrcParseError):
        return
    for address in (address for asked in mirrors for address in asked):
        host = urlsplit(address).hostname or ""
        login = known.hosts.get(host)
        if login is not None and host not in logins and not _TOKEN.search(address):
            logins[host] = f"{login[0]}:{login[2]}"
