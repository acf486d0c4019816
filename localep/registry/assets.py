"""What is registered, and how it may be called."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

NAME_RULE = (
    "Use letters, digits, dashes, underscores and periods, 255 at most; begin with a letter or "
    "digit, and do not end with a period."
)
VERSION_RULE = (
    "Use a number, or 1 to 100 letters, digits, dashes, underscores and periods that begin with a "
    "letter or digit; `latest` is a label."
)
LATEST = "latest"

# The rule by which the cloud's client checks the name of a model.
_NAME = re.compile(r"[a-zA-Z0-9][-_.a-zA-Z0-9]{0,254}(?<!\.)")
# The cloud's client has no rule for versions: this one keeps them fit to be names of files.
_VERSION = re.compile(r"[a-zA-Z0-9][-_.a-zA-Z0-9]{0,99}")


class Kind(str, Enum):
    """What can be registered; the value is the word for it."""

    MODEL = "model"
    ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Content:
    """What a name and a version stand for.

    A model is its ``path`` and ``type``: custom_model, mlflow_model or triton_model. An
    environment is its ``document``, in which every path is absolute; ``path`` is the file that
    it came from. Paths are absolute.
    """

    path: Path
    type: str | None = None
    document: dict[str, Any] | None = None

    def stands_for_the_same(self, other: Content) -> bool:
        """Whether two are the same; an environment may come from another file."""
        return self == replace(other, path=self.path) if self.document else self == other


@dataclass(frozen=True)
class Asset:
    """A registered model or environment.

    ``created_at`` is an ISO time in UTC, of one width, so that texts compare as times do;
    ``file`` is the registry's own.
    """

    kind: Kind
    name: str
    version: str
    content: Content
    created_at: str
    file: Path

    @property
    def reference(self) -> str:
        """How a document names it."""
        return f"azureml:{self.name}:{self.version}"

    @property
    def missing(self) -> tuple[Path, ...]:
        """What it names of this machine and is not there any more."""
        document = self.content.document
        named = [self.content.path] if document is None else paths_in(document)
        return tuple(path for path in named if not _is_there(path))


def is_name(text: str) -> bool:
    """Whether a model or an environment may be called so; see NAME_RULE."""
    return _NAME.fullmatch(text) is not None


def is_version(text: str) -> bool:
    """Whether a version may be called so; see VERSION_RULE."""
    return _VERSION.fullmatch(text) is not None and text != LATEST


def is_number(version: str) -> bool:
    """Whether a version is a whole number, which is what comes next counts from."""
    return version.isascii() and version.isdigit()


def order(version: str) -> tuple[bool, int, str]:
    """A key that sorts versions: numbers first, by their value, then the others."""
    number = is_number(version)
    return (not number, int(version) if number else 0, version)


# Where an environment's document names paths, in its forms of today and of 2021.
PATH_KEYS = (("conda_file",), ("path",), ("build", "path"), ("docker", "build", "dockerfile"))


def paths_in(document: dict[str, Any]) -> list[Path]:
    """The absolute paths that an environment's document names."""
    texts = [value_at(document, keys) for keys in PATH_KEYS]
    return [Path(text) for text in texts if isinstance(text, str) and text.startswith("/")]


def value_at(document: dict[str, Any], keys: tuple[str, ...]) -> object:
    """The value under keys that lie one in the other, None where there is none."""
    value: object = document
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # out of reach
        return False
