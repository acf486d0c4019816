"""conda's settings of the user, from the files and variables that conda reads itself."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from localep.conda.client_defaults import ALIAS, DEFAULTS
from localep.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BUILT_IN = tuple(f"{DEFAULTS}/{name}" for name in ("main", "r"))

_SYSTEM_FOLDERS = (Path("/etc/conda"), Path("/var/lib/conda"))
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_NO = {"false", "no", "off", "0", "n"}
_YES = {"true", "yes", "on", "1", "y"}


@dataclass(frozen=True)
class CondaSettings:
    """What the user has told conda.

    ``channels`` are those of who names none; ``channel_alias`` stands in front of a channel's
    bare name, unless ``custom_channels`` has another place for it; ``multichannels`` are
    several channels under one name, "defaults" among them; ``mirrors`` are the addresses to ask
    in the place of a channel. ``ssl_verify`` is False, or the path of a file with authorities,
    or True; ``proxies`` are by scheme.
    """

    channels: tuple[str, ...] = ("defaults",)
    channel_alias: str = ALIAS
    custom_channels: Mapping[str, str] = field(default_factory=lambda: _BUILT_IN_CUSTOM)
    multichannels: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {"defaults": _BUILT_IN}
    )
    mirrors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ssl_verify: bool | str = True
    proxies: Mapping[str, str] = field(default_factory=dict)


_BUILT_IN_CUSTOM: Mapping[str, str] = {
    name: DEFAULTS.removesuffix("/pkgs") for name in ("pkgs/main", "pkgs/r", "pkgs/msys2")
}


def read_settings(environ: Mapping[str, str], home: Path) -> CondaSettings:
    """Gather the settings of a user. Raises EnvironmentFailure where a file is no mapping."""
    files = [_read(path) for path in settings_files(environ, home)]
    data = [expanded(content, environ) for content in (*files, _of_variables(environ))]

    def last(key: str, otherwise: object) -> object:
        return next((found[key] for found in reversed(data) if found.get(key)), otherwise)

    def merged(key: str) -> dict[str, Any]:
        return {
            str(name): value
            for found in data
            if isinstance(found.get(key), dict)
            for name, value in found[key].items()
        }

    channels = [
        name
        for found in reversed(data)
        for name in _texts(found.get("channels", found.get("channel")))
    ]
    defaults = _texts(last("default_channels", _BUILT_IN))
    groups = {name: _texts(value) for name, value in merged("custom_multichannels").items()}
    custom = {name: str(value) for name, value in merged("custom_channels").items()}
    mirrors = {name: _texts(value) for name, value in merged("mirrored_channels").items()}
    proxies = {name: str(value) for name, value in merged("proxy_servers").items() if value}
    return CondaSettings(
        channels=tuple(dict.fromkeys(channels)) or ("defaults",),
        channel_alias=str(last("channel_alias", ALIAS)),
        custom_channels={**_BUILT_IN_CUSTOM, **custom},
        multichannels={"defaults": defaults, **groups},
        mirrors=mirrors,
        ssl_verify=_verification(data, home),
        proxies=proxies,
    )


def user_settings() -> CondaSettings:
    """The settings of the user who runs this process."""
    return read_settings(os.environ, Path.home())


def settings_files(environ: Mapping[str, str], home: Path) -> list[Path]:
    """The files that are there of those that conda reads, the strongest last."""
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    folders = [*_SYSTEM_FOLDERS, config / "conda", home / ".conda"]
    if environ.get("CONDA_ROOT"):
        folders.insert(len(_SYSTEM_FOLDERS), Path(environ["CONDA_ROOT"]))
    files: list[Path] = []
    for folder in folders:
        files += [folder / "condarc", folder / ".condarc"]
        files += sorted((folder / "condarc.d").glob("*.y*ml"))
    files.append(home / ".condarc")
    if environ.get("CONDA_PREFIX"):
        files.append(Path(environ["CONDA_PREFIX"], ".condarc"))
    if environ.get("CONDARC"):
        files.append(_in_home(environ["CONDARC"], home))
    return [path for path in dict.fromkeys(files) if path.is_file()]


_Value = TypeVar("_Value")


def expanded(value: _Value, environ: Mapping[str, str]) -> _Value:
    """A value with ``$NAME`` and ``${NAME}`` filled in wherever such a variable is set."""
    filled: Any = value
    if isinstance(value, str):
        filled = _VARIABLE.sub(
            lambda match: environ.get(match.group(1) or match.group(2), match.group()), value
        )
    elif isinstance(value, dict):
        filled = {key: expanded(item, environ) for key, item in value.items()}
    elif isinstance(value, list):
        filled = [expanded(item, environ) for item in value]
    return cast("_Value", filled)


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError) as error:
        raise _unreadable(path, " ".join(str(error).split())) from error
    if not isinstance(data, dict):
        raise _unreadable(path, "It holds something else than keys and values.")
    return data


def _of_variables(environ: Mapping[str, str]) -> dict[str, Any]:
    """What variables say: CONDA_CHANNELS and its kin."""
    found: dict[str, Any] = {}
    for name in ("channels", "default_channels"):
        if value := environ.get(f"CONDA_{name.upper()}"):
            found[name] = [part.strip() for part in re.split(r"[,&]", value) if part.strip()]
    for name in ("channel_alias", "ssl_verify"):
        if value := environ.get(f"CONDA_{name.upper()}"):
            found[name] = value
    return found


def _verification(data: list[dict[str, Any]], home: Path) -> bool | str:
    for found in reversed(data):
        value = found.get("ssl_verify")
        if value is None or value == "":
            continue
        text = str(value).lower()
        if text in _NO:
            return False
        if text not in _YES and text != "truststore":
            return str(_in_home(str(value), home))
        return True
    return True


def _in_home(path: str, home: Path) -> Path:
    return home / path[2:] if path.startswith("~/") else Path(path)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_each_text(value))


def _each_text(value: object) -> Iterator[str]:
    if isinstance(value, (list, tuple)):
        yield from (str(item) for item in value if item)
    elif value:
        yield str(value)


def _unreadable(path: Path, cause: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"conda's settings in {path} cannot be read.",
        cause=cause,
        remedy="Correct the file; it is YAML with keys such as `channels` and `channel_alias`.",
    )
