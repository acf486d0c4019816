"""conda-lock's file, version 1 of its format, as it is read.

It is read here and not by conda-lock, which takes half a second to import: a lock is read by
every command that starts a deployment.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localep.conda.lock_source import bare
from localep.conda.packages import CondaPackage
from localep.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FORMAT_VERSION = 1
# Entries of localep's own under `custom_metadata`, which conda-lock keeps and does not read.
PYTHON_KEY = "localep_python"
RECORD_KEY = "localep_conda_file"
# What to do with a lock that cannot be used.
WRITE_ANEW = "Write it anew with `localep lock`, or remove it."


@dataclass(frozen=True)
class LockedPip:
    """One file of pip's list: a wheel, or a source archive where there is no wheel.

    ``url`` is without credentials. ``sha256`` is empty where the lock has another hash
    (``md5``) or none, as for a checkout (``git+https://...@commit``).
    """

    name: str
    version: str
    url: str
    sha256: str
    md5: str | None = None

    @property
    def requirement(self) -> str:
        """The line for pip and uv: ``name @ url --hash=sha256:...``."""
        line = f"{self.name} @ {self.url}"
        if self.sha256:
            return f"{line} --hash=sha256:{self.sha256}"
        return f"{line} --hash=md5:{self.md5}" if self.md5 else line


@dataclass(frozen=True)
class Record:
    """What localep keeps in a lock of the conda file, and the content hashes that go with it."""

    conda_file: Mapping[str, list[str]]
    content_hash: Mapping[str, str]

    def to_text(self) -> str:
        """The record as it stands in a lock."""
        return json.dumps(vars(self), sort_keys=True)


@dataclass(frozen=True)
class LockFile:
    """A lock of one or more platforms.

    ``content_hash`` is what the lock was made from, by platform, as conda-lock computes it;
    ``sources`` are the files that it was made from, beginning at its folder. ``python`` and
    ``record`` are there where localep wrote it.
    """

    path: Path
    platforms: tuple[str, ...]
    content_hash: Mapping[str, str]
    channels: tuple[str, ...]
    sources: tuple[str, ...]
    conda: Mapping[str, tuple[CondaPackage, ...]]
    pip: Mapping[str, tuple[LockedPip, ...]]
    digest: str
    python: str | None = None
    record: Record | None = None

    def all(self, platform: str) -> tuple[CondaPackage | LockedPip, ...]:
        """The packages of a platform, conda's first."""
        return (*self.conda[platform], *self.pip[platform])


def read_lock_file(path: Path) -> LockFile:
    """Read a lock. Raises SpecError where it is none."""
    import yaml

    try:
        content = path.read_bytes()
        data = yaml.load(content, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except OSError as error:
        raise SpecError(
            f"{path} cannot be read.",
            cause=f"{error.strerror}.",
            remedy="Check its permissions.",
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _mangled(path, f"It is no YAML: {' '.join(str(error).split())}.") from error
    return _Reader(path).file(data, hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class _Reader:
    """One file on its way; raises SpecError with what is wrong in it."""

    path: Path

    def file(self, data: Any, digest: str) -> LockFile:  # noqa: ANN401
        data = self.mapping(data, "It")
        if data.get("version") != FORMAT_VERSION:
            version = data.get("version")
            told = "names no version" if version is None else f"has version {version}"
            cause = f"It {told} of the format; version {FORMAT_VERSION} is what can be read."
            raise _mangled(self.path, cause)
        metadata = self.mapping(data.get("metadata"), "`metadata`")
        custom = self.mapping(metadata.get("custom_metadata") or {}, "`custom_metadata`")
        entries = [
            self.entry(entry, f"Package {number}")
            for number, entry in enumerate(self.list(data.get("package"), "`package`"), 1)
        ]
        platforms = [str(name) for name in self.list(metadata.get("platforms"), "`platforms`")]
        python = custom.get(PYTHON_KEY)
        return LockFile(
            path=self.path,
            platforms=tuple(platforms),
            content_hash=self.mapping(metadata.get("content_hash"), "`content_hash`"),
            channels=tuple(
                str(self.mapping(channel, "A channel").get("url"))
                for channel in self.list(metadata.get("channels"), "`channels`")
            ),
            sources=tuple(
                str(name) for name in self.list(metadata.get("sources") or [], "`sources`")
            ),
            conda={name: self.conda(entries, name) for name in platforms},
            pip={name: self.pip(entries, name) for name in platforms},
            digest=digest,
            python=str(python) if python is not None else None,
            record=_record(custom.get(RECORD_KEY)),
        )

    def entry(self, value: Any, what: str) -> Mapping[str, Any]:  # noqa: ANN401
        entry = self.mapping(value, what)
        for key in ("name", "version", "manager", "platform", "url"):
            if not isinstance(entry.get(key), str):
                raise _mangled(self.path, f"{what} ({entry.get('name')}) has no `{key}`.")
        if entry["manager"] not in {"conda", "pip"}:
            raise _mangled(self.path, f"{what} is of the manager {entry['manager']}.")
        hashes = self.mapping(entry.get("hash"), f"`hash` of {what.lower()}")
        self.mapping(entry.get("dependencies") or {}, f"`dependencies` of {what.lower()}")
        if entry["manager"] == "conda" and not (hashes.get("sha256") or hashes.get("md5")):
            raise _mangled(self.path, f"{what} ({entry['name']}) has no hash.")
        return entry

    def conda(
        self, entries: Sequence[Mapping[str, Any]], platform: str
    ) -> tuple[CondaPackage, ...]:
        """The conda packages of a platform, each after what it needs."""
        chosen = {entry["name"]: entry for entry in _installed(entries, "conda", platform)}
        return tuple(_conda_package(chosen[name]) for name in _in_order(chosen))

    def pip(self, entries: Sequence[Mapping[str, Any]], platform: str) -> tuple[LockedPip, ...]:
        """The files of pip's list of a platform, by name."""
        found = (_pip_package(entry) for entry in _installed(entries, "pip", platform))
        return tuple(sorted(dict.fromkeys(found), key=lambda package: package.name))

    def mapping(self, value: Any, what: str) -> dict[str, Any]:  # noqa: ANN401
        if not isinstance(value, dict):
            raise _mangled(self.path, f"{what} is no mapping.")
        return value

    def list(self, value: Any, what: str) -> Sequence[Any]:  # noqa: ANN401
        if not isinstance(value, list):
            raise _mangled(self.path, f"{what} is no list.")
        return value


def _installed(
    entries: Sequence[Mapping[str, Any]], manager: str, platform: str
) -> list[Mapping[str, Any]]:
    """What is always installed: a package may be there once more for a category of its own."""
    return [
        entry
        for entry in entries
        if entry["manager"] == manager
        and entry["platform"] == platform
        and entry.get("category", "main") == "main"
    ]


def _conda_package(entry: Mapping[str, Any]) -> CondaPackage:
    url = bare(entry["url"])
    address, _, file = url.partition("#")[0].rpartition("/")
    channel, _, subdir = address.rpartition("/")
    stem = file.removesuffix(".conda").removesuffix(".tar.bz2")
    needs = entry.get("dependencies") or {}
    return CondaPackage(
        name=entry["name"],
        version=entry["version"],
        build=entry.get("build") or stem.rpartition("-")[2],
        subdir=subdir,
        channel=channel,
        url=url,
        sha256=entry["hash"].get("sha256") or "",
        md5=entry["hash"].get("md5"),
        depends=tuple(f"{name} {spec}".strip() for name, spec in needs.items()),
    )


def _pip_package(entry: Mapping[str, Any]) -> LockedPip:
    url, hashes = bare(entry["url"]), entry["hash"]
    # conda-lock takes a checkout's commit for its hash.
    sha256 = "" if url.startswith("git+") else hashes.get("sha256") or ""
    md5 = None if sha256 or url.startswith("git+") else hashes.get("md5")
    return LockedPip(entry["name"], entry["version"], url, sha256, md5)


def _in_order(entries: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The names, each after those it needs; packages may need each other, as python and pip do."""
    order: dict[str, None] = {}
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name in seen or name not in entries:
            return
        seen.add(name)
        for needed in sorted(entries[name].get("dependencies") or ()):
            visit(needed)
        order[name] = None

    for name in sorted(entries):
        visit(name)
    return list(order)


def _record(text: Any) -> Record | None:  # noqa: ANN401
    """The record of a lock; None where there is none, or somebody has changed it."""
    try:
        found = Record(**json.loads(text))
    except (TypeError, ValueError):
        return None
    is_whole = isinstance(found.conda_file, dict) and isinstance(found.content_hash, dict)
    return found if is_whole else None


def _mangled(path: Path, cause: str) -> SpecError:
    return SpecError(f"{path} is no lock that can be read.", cause=cause, remedy=WRITE_ANEW)
