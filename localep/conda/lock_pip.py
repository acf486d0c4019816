"""pip's list, locked: uv finds the versions, one file of each is chosen for the platform."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from localep.conda.lock_file import LockedPip
from localep.conda.lock_source import public
from localep.environment import index_settings
from localep.environment.addresses import is_reachable, without_credentials
from localep.environment.local import find_uv, uv_variables
from localep.environment.processes import run_lines
from localep.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from localep.environment.index_settings import IndexSettings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# uv's name of a platform. glibc 2.28 is what conda-lock takes for a target's, too.
UV_PLATFORMS = {
    "linux-64": "x86_64-manylinux_2_28",
    "linux-aarch64": "aarch64-manylinux_2_28",
    "osx-64": "x86_64-apple-darwin",
    "osx-arm64": "aarch64-apple-darwin",
    "win-64": "x86_64-pc-windows-msvc",
}
_GLIBC_MINOR = 28
_MACOS = (13, 0)
_MANYLINUX = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_LAST_LINES = 30


@dataclass(frozen=True)
class PipRequest:
    """What shall be locked.

    ``python`` is the version of the target ("3.11", "3.10.13"), ``platform`` conda's name of
    it. ``private_options`` are lines of pip's list that hold credentials. ``supplied`` are the
    packages that conda installs, by pip's name and version: they are held at that version and
    are no part of the result, unless pip's list itself asks for another one.
    """

    requirements: tuple[str, ...]
    python: str
    platform: str
    private_options: tuple[str, ...] = ()
    supplied: tuple[tuple[str, str], ...] = ()


def lock_pip(
    request: PipRequest, environ: Mapping[str, str], on_line: Callable[[str], None]
) -> tuple[LockedPip, ...]:
    """The files to install, by name. Raises EnvironmentFailure.

    Indexes are those of the user's pip and uv that a build can reach, too.
    """
    held = _held(request)
    with tempfile.TemporaryDirectory(prefix="localep-lock-") as name:
        scratch = Path(name)
        requirements, constraints = scratch / "requirements.txt", scratch / "constraints.txt"
        requirements.write_text("".join(f"{line}\n" for line in request.requirements), "utf-8")
        stubs = [_write_stub(scratch, *package) for package in held.items()]
        constraints.write_text("".join(f"{line}\n" for line in stubs), "utf-8")
        result = scratch / "pylock.toml"
        command = [find_uv(), "pip", "compile", str(requirements), "--quiet"]
        command += ["--constraints", str(constraints), "--format", "pylock.toml"]
        command += ["--output-file", str(result), "--generate-hashes"]
        command += ["--python-version", request.python]
        command += ["--python-platform", UV_PLATFORMS[request.platform]]
        status, lines = run_lines(command, on_line, _variables(request, environ))
        if status != 0:
            raise EnvironmentFailure(
                f"pip's list cannot be locked for {request.platform}.",
                cause="uv found no versions that fit together.",
                details=[without_credentials(line) for line in lines[-_LAST_LINES:]],
                remedy="Correct the list under `pip:` in the conda file as the lines above say.",
            )
        found = tomllib.loads(result.read_text("utf-8")).get("packages", [])
    tags = {tag: rank for rank, tag in enumerate(_tags(request))}
    locked = (_locked(entry, tags) for entry in found if entry["name"] not in held)
    return tuple(sorted(locked, key=lambda package: package.name))


def _held(request: PipRequest) -> dict[str, str]:
    """What conda supplies and pip keeps: all but what pip's list wants in another version."""
    held = {canonicalize_name(name): version for name, version in request.supplied}
    for line in request.requirements:
        try:
            asked = Requirement(line.partition(" --hash")[0])
        except InvalidRequirement:
            continue
        version = held.get(canonicalize_name(asked.name))
        if version is not None and (asked.url or not asked.specifier.contains(version, True)):
            del held[canonicalize_name(asked.name)]
    return {str(name): version for name, version in held.items()}


def _write_stub(folder: Path, name: str, version: str) -> str:
    """A wheel of this name and version that asks for nothing, and the line that names it.

    The very version need not be on any index, and what it needs is conda's matter.
    """
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return f"{name} @ {path.as_uri()}"


def _variables(request: PipRequest, environ: Mapping[str, str]) -> dict[str, str]:
    settings = index_settings.collect(environ, Path.home()).with_options(request.private_options)
    return uv_variables(_reachable(settings), environ)


def _reachable(settings: IndexSettings) -> IndexSettings:
    """The settings without the folders and loopback addresses of this machine."""
    default = settings.default
    return replace(
        settings,
        default=default if default and is_reachable(default) else None,
        extra=tuple(filter(is_reachable, settings.extra)),
        find_links=tuple(filter(is_reachable, settings.find_links)),
    )


def _locked(entry: Mapping[str, Any], tags: Mapping[Tag, int]) -> LockedPip:
    name, version = str(entry["name"]), str(entry.get("version", "0"))
    checkout = entry.get("vcs")
    if checkout is not None:
        below = checkout.get("subdirectory")
        address = f"git+{checkout['url']}@{checkout['commit-id']}"
        return LockedPip(
            name, version, public(f"{address}#subdirectory={below}" if below else address), ""
        )
    file = entry.get("archive") or _best(entry.get("wheels", []), tags) or entry.get("sdist") or {}
    url, sha256 = file.get("url"), file.get("hashes", {}).get("sha256")
    if not url or not sha256:
        raise EnvironmentFailure(
            f"{name} {version} cannot be locked.",
            cause="It is at no address that a build can reach, or nothing tells its hash.",
            remedy="Take it from a package index.",
        )
    return LockedPip(name, version, public(url), sha256)


def _best(wheels: Sequence[Mapping[str, Any]], tags: Mapping[Tag, int]) -> Mapping[str, Any] | None:
    """The wheel that fits a target most closely, as installers choose it."""
    ranks = {}
    for number, wheel in enumerate(wheels):
        try:
            _, _, build, offered = parse_wheel_filename(_file_name(wheel))
        except InvalidWheelFilename:
            continue
        fitting = [tags[tag] for tag in offered if tag in tags]
        if fitting:
            ranks[number] = (min(fitting), tuple(-part for part in build[:1] if part), number)
    return wheels[min(ranks, key=lambda number: ranks[number])] if ranks else None


def _file_name(wheel: Mapping[str, Any]) -> str:
    from urllib.parse import unquote, urlsplit

    return str(
        wheel.get("name") or unquote(urlsplit(str(wheel.get("url", ""))).path).split("/")[-1]
    )


def _tags(request: PipRequest) -> Iterable[Tag]:
    version = [int(part) for part in request.python.split(".")[:2]]
    platforms = _platform_tags(request.platform)
    yield from cpython_tags(version, platforms=platforms)
    interpreter = f"cp{version[0]}{version[1]}"
    yield from compatible_tags(version, interpreter=interpreter, platforms=platforms)


def _platform_tags(platform: str) -> list[str]:
    system, _, machine = platform.partition("-")
    if system == "win":
        return ["win_amd64"]
    arch = {"64": "x86_64"}.get(machine, machine)
    if system == "osx":
        return list(mac_platforms(_MACOS, arch))
    lowest = 5 if arch == "x86_64" else 17
    found = []
    for minor in range(_GLIBC_MINOR, lowest - 1, -1):
        found.append(f"manylinux_2_{minor}_{arch}")
        if minor in _MANYLINUX:
            found.append(f"{_MANYLINUX[minor]}_{arch}")
    return [*found, f"linux_{arch}"]
