"""The conda files of a deployment, entry by entry and with the place of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from localep.environment.mlflow_model import mlflow_environment
from localep.errors import LocalepError
from localep.rules.told import Told
from localep.spec.documents import CONDA_FILE, Document, read_document
from localep.spec.findings import Severity
from localep.spec.placeholders import left_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from localep.spec.documents import KeyPath
    from localep.spec.model import DeploymentSpec

# Beyond these a list is looked at in part: a check before a build must take no time.
MAX_ENTRIES = 2_000
MAX_LINE = 1_000

_CONDA_ENTRY = re.compile(
    r"(?:[\w./:-]+::)?(?P<name>[A-Za-z0-9_][\w.-]*)(?P<extras>\[[^\]]*\])?\s*(?P<rest>.*)"
)
_COMMENT = re.compile(r"(^|\s)#.*$")
_PER_LINE_OPTION = re.compile(r"\s--?[a-z].*$")
# Conda's single `=` takes any release that begins so; a second `=` is followed by the build.
_CONDA_PART = re.compile(r"(==|=|!=|>=|<=|~=|>|<|)\s*(\d[\w.]*?)(\.?\*)?(?:=[\w.*]+)?")


@dataclass(frozen=True)
class Entry:
    """A package that a list asks for: the canonical name, and the constraint as it is written.

    ``path`` leads to it from the top of its document; ``extras`` are those in brackets.
    """

    path: KeyPath
    text: str
    name: str
    constraint: str
    extras: frozenset[str] = frozenset()

    @property
    def admitted(self) -> SpecifierSet | None:
        """The releases that are admitted, None where the constraint cannot be read."""
        try:
            return SpecifierSet(self.constraint)
        except InvalidSpecifier:
            return conda_specifiers(self.constraint)

    def admits_any(self, releases: Iterable[str]) -> bool:
        """Whether one of some releases is admitted; so it is where that cannot be told."""
        admitted = self.admitted
        return admitted is None or any(admitted.contains(release) for release in releases)


@dataclass
class PackageList:
    """A conda file, or the mapping in its place.

    ``document`` is the file, None for a mapping, which ``top`` leads to from the deployment.
    ``is_of_model`` tells that it is an MLflow model's own, which the cloud installs where the
    deployment names no environment.
    """

    data: dict[str, Any]
    document: Document | None
    top: KeyPath = ()
    is_of_model: bool = False

    @cached_property
    def conda(self) -> tuple[Entry, ...]:
        """The conda packages, Python and pip included; what is malformed is left out."""
        texts = [(path, item) for path, item in self._items if _is_short_text(item)]
        found = [_conda_entry(path, text) for path, text in texts]
        return tuple(entry for entry in found if entry is not None)

    @cached_property
    def pip_lines(self) -> tuple[tuple[KeyPath, str], ...]:
        """pip's list without comments, each line with its path."""
        lines: list[tuple[KeyPath, str]] = []
        for path, item in self._items:
            below = item.get("pip") if isinstance(item, dict) else None
            entries = below[:MAX_ENTRIES] if isinstance(below, list) else []
            for index, line in enumerate(entries):
                text = _COMMENT.sub("", line).strip() if _is_short_text(line) else ""
                lines += [((*path, "pip", index), text)] if text else []
        return tuple(lines)

    @cached_property
    def pip(self) -> tuple[Entry, ...]:
        """The packages of pip's list; options, files and what is malformed are left out."""
        found = [_pip_entry(path, line) for path, line in self.pip_lines]
        return tuple(entry for entry in found if entry is not None)

    @property
    def packages(self) -> tuple[Entry, ...]:
        """Conda's and pip's packages but Python and pip themselves."""
        own = ("pip", "python")
        return (*(entry for entry in self.conda if entry.name not in own), *self.pip)

    @property
    def names(self) -> frozenset[str]:
        """The names of all packages."""
        return frozenset(entry.name for entry in self.packages)

    @property
    def pip_path(self) -> KeyPath:
        """Where pip's list begins; where the packages do, if there is none."""
        paths = [path for path, item in self._items if isinstance(item, dict) and "pip" in item]
        return (*paths[0], "pip") if paths else ("dependencies",)

    def entries(self, name: str) -> list[Entry]:
        """The entries for a package, conda's first."""
        return [entry for entry in (*self.conda, *self.pip) if entry.name == name]

    def told(
        self,
        path: KeyPath,
        message: str,
        remedy: str | None = None,
        severity: Severity = Severity.WARNING,
    ) -> Told:
        """What a rule found at a path of this list."""
        return Told((*self.top, *path), message, remedy, severity, self.document)

    @property
    def _items(self) -> list[tuple[KeyPath, Any]]:
        items = self.data.get("dependencies")
        if not isinstance(items, list):
            return []
        return [(("dependencies", index), item) for index, item in enumerate(items[:MAX_ENTRIES])]


def list_of(spec: DeploymentSpec, conda_document: Document | None) -> PackageList | None:
    """What the cloud installs for a deployment, None where that is not in the files.

    ``conda_document`` is its conda file, if there is one that can be read.
    """
    environment = spec.environment
    if conda_document is not None:
        return PackageList(conda_document.data, conda_document)
    if environment is not None and environment.conda is not None:
        return PackageList(environment.conda, None, ("environment", "conda_file"))
    return _list_of_model(spec)


def model_without_code(spec: DeploymentSpec) -> Path | None:
    """The folder of an MLflow model that the cloud writes the script for, and the environment."""
    if spec.code is not None or spec.environment is not None or spec.model is None:
        return None
    return spec.model.path if spec.model.type == "mlflow_model" else None


def conda_specifiers(constraint: str) -> SpecifierSet | None:
    """A constraint of conda's in pip's form; None where it has alternatives or is malformed."""
    parts = []
    for part in filter(None, (part.strip() for part in constraint.split(","))):
        match = _CONDA_PART.fullmatch(part)
        if match is None:
            return None
        operator, version, star = match.groups()
        if operator in {"", "="} or star:
            parts.append(f"{'!=' if operator == '!=' else '=='}{version}.*")
        else:
            parts.append(f"{operator}{version}")
    try:
        return SpecifierSet(",".join(parts))
    except InvalidSpecifier:
        return None


def without_options(line: str) -> str:
    """A line of pip's list without the options behind the package, such as ``--hash``."""
    return _PER_LINE_OPTION.sub("", line).strip()


def is_filled_in(text: str) -> bool:
    """Whether a text has no placeholder left."""
    return next(left_in(text), None) is None


def _is_short_text(item: object) -> bool:
    return isinstance(item, str) and len(item) <= MAX_LINE


def _list_of_model(spec: DeploymentSpec) -> PackageList | None:
    model = model_without_code(spec)
    if model is None:
        return None
    try:
        own = mlflow_environment(model)
    except LocalepError:  # told by the rule for models that cannot be served
        return None
    source = Path(own.source)
    if source.suffix != ".txt":
        document = _document_of(source)
        if document is not None and "channels" in document.data:
            return PackageList(document.data, document, is_of_model=True)
    return PackageList(own.conda, Document(source, own.conda), is_of_model=True)


def _document_of(file: Path) -> Document | None:
    try:
        return read_document(file, CONDA_FILE)
    except LocalepError:
        return None


def _conda_entry(path: KeyPath, text: str) -> Entry | None:
    match = _CONDA_ENTRY.fullmatch(text.strip())
    if match is None:
        return None
    name = canonicalize_name(match["name"])
    extras = frozenset((match["extras"] or "").strip("[]").replace(" ", "").split(",")) - {""}
    return Entry(path, text.strip(), name, match["rest"].strip(), extras)


def _pip_entry(path: KeyPath, line: str) -> Entry | None:
    try:
        wanted = Requirement(without_options(line))
    except InvalidRequirement:
        return None
    constraint = f"@ {wanted.url}" if wanted.url else str(wanted.specifier)
    return Entry(path, line, canonicalize_name(wanted.name), constraint, frozenset(wanted.extras))
