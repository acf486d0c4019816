"""What a lock is made from: a conda file, or the mapping in a deployment's YAML in its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localep.environment.requirements import package_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME = re.compile(r"(?:\S+::)?([A-Za-z0-9_][A-Za-z0-9_.-]*)")
# A login before the host, and the token of an Anaconda server. Variables are no secret:
# conda-lock keeps `$TOKEN` as it stands.
_LOGIN = r"(?<=//)[^/?#\s]+@"
_VARIABLES = r"(?!\$\{?\w+\}?(:\$\{?\w+\}?)?@)"
_IN_PATH = r"(?P<before>://[^/\s]+(?:/[^/\s]+)*?)/t/{}[^/\s]+(?=/)"
_ANY_CREDENTIALS = (re.compile(_LOGIN), re.compile(_IN_PATH.format("")))
_CREDENTIALS = (re.compile(_VARIABLES + _LOGIN), re.compile(_IN_PATH.format(r"(?!\$)")))


@dataclass(frozen=True)
class CondaSource:
    """``file`` is the conda file; or the YAML whose ``conda_file:`` is the mapping itself.

    ``data`` is what the conda file says, wherever it stands.
    """

    file: Path
    data: Mapping[str, Any]
    is_inline: bool = False

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels without their credentials."""
        return tuple(public(str(channel)) for channel in self.data.get("channels") or ())

    @property
    def packages(self) -> tuple[str, ...]:
        """The conda packages, one line each, as they are written."""
        return tuple(
            public(entry.strip()) for entry in self._dependencies if isinstance(entry, str)
        )

    @property
    def pip(self) -> tuple[str, ...]:
        """pip's list, one line an entry, without credentials."""
        lists = [entry.get("pip") for entry in self._dependencies if isinstance(entry, dict)]
        lines = (str(line).strip() for entries in lists for line in entries or ())
        return tuple(public(line) for line in lines if line)

    @property
    def pip_options(self) -> tuple[str, ...]:
        """The lines of pip's list that are options, such as ``--extra-index-url``."""
        return tuple(line for line in self.pip if line.startswith("-"))

    @property
    def record(self) -> dict[str, list[str]]:
        """All that a lock of this depends on, to be kept in the lock."""
        return {
            "channels": list(self.channels),
            "packages": list(self.packages),
            "pip": list(self.pip),
        }

    @property
    def _dependencies(self) -> list[Any]:
        found = self.data.get("dependencies")
        return found if isinstance(found, list) else []


def public(text: str) -> str:
    """The text with the logins and tokens of every address in it taken out."""
    return _without(_CREDENTIALS, text)


def bare(address: str) -> str:
    """An address without any login or token, be it a variable."""
    return _without(_ANY_CREDENTIALS, address)


def _without(credentials: tuple[re.Pattern[str], re.Pattern[str]], text: str) -> str:
    login, token = credentials
    return token.sub(r"\g<before>", login.sub("", text))


def conda_name(line: str) -> str:
    """The name of the package that a line of a conda file asks for."""
    match = _NAME.match(line)
    return match.group(1).lower() if match else line


def pip_name(line: str) -> str:
    """The canonical name that a line of pip's list asks for, the line where it has none."""
    return package_name(line.partition(" --hash")[0]) or line


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """What is different between two records, one sentence a change."""
    found: list[str] = []
    for part, name in (("packages", conda_name), ("pip", pip_name)):
        old = {name(str(line)): str(line) for line in before.get(part) or ()}
        new = {name(str(line)): str(line) for line in after.get(part) or ()}
        for key in (*old, *(key for key in new if key not in old)):
            found += _change(old.get(key), new.get(key))
    if list(before.get("channels") or ()) != list(after.get("channels") or ()):
        told = [", ".join(record.get("channels") or ()) or "none" for record in (before, after)]
        found.append(f"channels: {told[0]} is now {told[1]}")
    return tuple(found)


def _change(old: str | None, new: str | None) -> list[str]:
    if old == new:
        return []
    if old is None:
        return [f"{new} was added"]
    return [f"{old} was removed"] if new is None else [f"{old} is now {new}"]
