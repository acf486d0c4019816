"""Package indexes as pip and uv are told of them: variables first, then their files."""

from __future__ import annotations

import configparser
import netrc
import os
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_SHORT = {"-i": "--index-url", "-f": "--find-links"}


@dataclass(frozen=True)
class IndexSettings:
    """Where packages come from; addresses as they are written, credentials included."""

    default: str | None = None
    extra: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    trusted_hosts: tuple[str, ...] = ()
    certificate: str | None = None

    def with_options(self, lines: Iterable[str]) -> IndexSettings:
        """These settings and those of lines as pip's list may have them."""
        given: dict[str, list[str]] = {}
        for line in lines:
            name, _, address = re.sub(r"[\s=]+", " ", line, count=1).partition(" ")
            given.setdefault(_SHORT.get(name, name), []).append(address.strip())
        return replace(
            self,
            default=given.get("--index-url", [self.default])[-1],
            extra=(*self.extra, *given.get("--extra-index-url", ())),
            find_links=(*self.find_links, *given.get("--find-links", ())),
        )


def collect(environ: Mapping[str, str], home: Path) -> IndexSettings:
    """The settings of uv and pip together; where both name a default index, uv's is taken."""
    pip = _pip_settings(environ, home)
    uv = _uv_settings(environ, home)
    logins = _Logins(environ, home)

    def all_of(*names: str) -> tuple[str, ...]:
        found = [value for name in names for value in (*uv.get(name, ()), *pip.get(name, ()))]
        return tuple(dict.fromkeys(found))

    default = (*uv.get("default", ()), *pip.get("index-url", ()))
    return IndexSettings(
        default=logins.complete(default[0]) if default else None,
        extra=tuple(logins.complete(address) for address in all_of("index", "extra-index-url")),
        find_links=tuple(logins.complete(address) for address in all_of("find-links")),
        trusted_hosts=all_of("allow-insecure-host", "trusted-host"),
        certificate=_in_home(pip["cert"][0], home) if any(pip.get("cert", ())) else None,
    )


def _pip_settings(environ: Mapping[str, str], home: Path) -> dict[str, list[str]]:
    """pip's options by name; a variable overrides the files, as pip has it."""
    options: dict[str, list[str]] = {}
    for path in _pip_files(environ, home):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                for name, value in parser.items(section):
                    option = name.replace("_", "-")
                    options[option] = [value] if option == "cert" else value.split()
    for name in ("index-url", "extra-index-url", "find-links", "trusted-host", "cert"):
        variable = environ.get(f"PIP_{name.upper().replace('-', '_')}")
        if variable:
            options[name] = [variable] if name == "cert" else variable.split()
    return options


def _pip_files(environ: Mapping[str, str], home: Path) -> list[Path]:
    """pip's configuration files, the strongest last."""
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return []
    of_user = [home / ".pip" / "pip.conf", _config_home(environ, home) / "pip" / "pip.conf"]
    if named and Path(named).exists():
        of_user = []
    files = [Path("/etc/pip.conf"), *of_user, Path(sys.prefix) / "pip.conf"]
    return [*files, Path(named)] if named else files


def _uv_settings(environ: Mapping[str, str], home: Path) -> dict[str, list[str]]:
    """uv's options by name, with "default" for its default index."""
    options: dict[str, list[str]] = {}
    for path in _uv_files(environ, home):
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            continue
        options |= _uv_file_options(data | data.get("pip", {}), environ)
    for name, variables in {
        "default": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
        "index": ("UV_INDEX",),
        "extra-index-url": ("UV_EXTRA_INDEX_URL",),
        "allow-insecure-host": ("UV_INSECURE_HOST",),
    }.items():
        value = next((environ[name] for name in variables if environ.get(name)), None)
        if value:
            options[name] = [_named_index(part, environ) for part in value.split()]
    links = environ.get("UV_FIND_LINKS")
    if links:
        options["find-links"] = links.split(",")
    return options


def _uv_file_options(data: dict[str, Any], environ: Mapping[str, str]) -> dict[str, list[str]]:
    options: dict[str, list[str]] = {}
    for entry in data.get("index", []):
        if entry.get("explicit"):
            continue
        address = _named_index(f"{entry.get('name', '')}={entry.get('url', '')}", environ)
        options.setdefault("default" if entry.get("default") else "index", []).append(address)
    if data.get("index-url"):
        options.setdefault("default", [data["index-url"]])
    for name in ("extra-index-url", "find-links", "allow-insecure-host"):
        if data.get(name):
            options[name] = list(data[name])
    return options


def _uv_files(environ: Mapping[str, str], home: Path) -> list[Path]:
    named = environ.get("UV_CONFIG_FILE")
    if named:
        return [Path(named)]
    return [Path("/etc/uv/uv.toml"), _config_home(environ, home) / "uv" / "uv.toml"]


def _named_index(text: str, environ: Mapping[str, str]) -> str:
    """The address of ``name=address``, with the login that uv keeps in variables of that name."""
    name, separator, address = text.partition("=")
    if not separator or "/" in name:
        return text
    key = "UV_INDEX_" + re.sub("[^A-Z0-9]", "_", name.upper())
    return _with_login(address, environ.get(f"{key}_USERNAME"), environ.get(f"{key}_PASSWORD"))


def _with_login(address: str, user: str | None, password: str | None) -> str:
    parts = urlsplit(address)
    if "@" in parts.netloc or not (user or password):
        return address
    login = f"{quote(user or '', safe='')}:{quote(password or '', safe='')}"
    return parts._replace(netloc=f"{login}@{parts.netloc}").geturl()


def _in_home(path: str, home: Path) -> str:
    """The path with a leading ``~/`` taken for the home, as pip takes it."""
    return str(home / path[2:]) if path.startswith("~/") else path


def _config_home(environ: Mapping[str, str], home: Path) -> Path:
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config")


class _Logins:
    """The logins of a .netrc file, which pip and uv both read."""

    def __init__(self, environ: Mapping[str, str], home: Path) -> None:
        path = Path(environ.get("NETRC") or home / ".netrc")
        try:
            self.file: netrc.netrc | None = netrc.netrc(path)
        except (OSError, netrc.NetrcParseError):
            self.file = None

    def complete(self, address: str) -> str:
        login = None
        if self.file is not None:
            login = self.file.hosts.get(urlsplit(address).hostname or "")
        return _with_login(address, login[0], login[2]) if login else address
