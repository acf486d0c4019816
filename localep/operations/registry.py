"""The verbs of `localep model` and `localep environment`: the local registry of assets."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localep.errors import AssetConflict, SpecError, UsageError
from localep.registry.assets import (
    LATEST,
    NAME_RULE,
    PATH_KEYS,
    VERSION_RULE,
    Asset,
    Content,
    Kind,
    is_name,
    is_version,
    value_at,
)
from localep.registry.store import store_of_user
from localep.spec.paths import CHECK_FOLDERS, OUT_OF_REACH, is_out_of_reach, is_there

if TYPE_CHECKING:
    from localep.spec.documents import Document

__all__ = [
    "Asset",
    "Kind",
    "Listing",
    "delete",
    "found_versions",
    "list_assets",
    "register_environment",
    "register_model",
    "show",
    "to_dict",
]


_REMOTE = ("azureml:", "http://", "https://", "ftp://", "ftps://")


@dataclass(frozen=True)
class Listing:
    """What is registered, and a line for each version that cannot be read."""

    assets: tuple[Asset, ...]
    unreadable: tuple[str, ...] = ()


def register_model(name: str, version: str | None, path: Path, kind: str) -> Asset:
    """Note where a model lies under a name; nothing is copied.

    ``kind`` is custom_model, mlflow_model or triton_model. Raises UsageError for what cannot be
    registered, AssetConflict where the version stands for something else.
    """
    _check(Kind.MODEL, name, version)
    absolute = Path(os.path.normpath(path.absolute()))
    if not is_there(absolute, "file or folder"):
        if is_out_of_reach(absolute):
            raise UsageError(OUT_OF_REACH.format(absolute), remedy=CHECK_FOLDERS)
        raise UsageError(
            f"There is no file or folder at {absolute}.",
            remedy="Name the model's file or folder with --path.",
        )
    return store_of_user().add(Kind.MODEL, name, version, Content(absolute, kind))


def register_environment(file: Path, name: str | None, version: str | None) -> Asset:
    """Copy an environment's document into the registry, its paths made absolute.

    Name and version are those of the document where they are not given. Raises SpecError where
    the document is wrong or names a file that is not there; else like register_model.
    """
    document = _environment_document(file)
    if name is None:
        name = _text(document, "name")
        if name is None:
            raise UsageError(
                "The environment has no name.",
                cause=f"{file} has no `name`, and the command line gives none.",
                remedy="Name it with -n.",
            )
    version = version or _text(document, "version")
    _check(Kind.ENVIRONMENT, name, version)
    data = _with_absolute_paths(document)
    return store_of_user().add(
        Kind.ENVIRONMENT, name, version, Content(document.source, document=data)
    )


def list_assets(kind: Kind, name: str | None = None) -> Listing:
    """Everything of a kind that is registered, or the versions of one name."""
    store = store_of_user()
    assets: list[Asset] = []
    unreadable: list[str] = []
    for one in store.names(kind) if name is None else [name]:
        for version in store.versions(kind, one):
            try:
                asset = store.get(kind, one, version)
            except UsageError as error:
                unreadable.append(f"{error.said} {error.remedy}")
            else:
                assets += [] if asset is None else [asset]
    return Listing(tuple(assets), tuple(unreadable))


def show(kind: Kind, name: str, version: str | None = None) -> Asset:
    """One version, the latest where none is named. Raises AssetConflict where there is none."""
    store = store_of_user()
    asset = (
        store.latest(kind, name) if version in {None, LATEST} else store.get(kind, name, version)
    )
    if asset is None:
        raise _unknown(kind, name, version)
    return asset


def found_versions(kind: Kind, name: str, version: str | None = None) -> list[str]:
    """The versions that `delete` would take away. Raises AssetConflict where there are none."""
    store = store_of_user()
    if version == LATEST:
        asset = store.latest(kind, name)
        version = asset.version if asset is not None else version
    found = [item for item in store.versions(kind, name) if version in {None, item}]
    if not found:
        raise _unknown(kind, name, version)
    return found


def delete(kind: Kind, name: str, versions: list[str]) -> list[str]:
    """Take versions out of the registry; what they name stays. Returns those that were there."""
    store = store_of_user()
    return [gone for version in versions for gone in store.remove(kind, name, version)]


def to_dict(asset: Asset) -> dict[str, Any]:
    """An asset as plain values; `available` tells whether all that it names is there."""
    values: dict[str, Any] = {"name": asset.name, "version": asset.version}
    if asset.kind is Kind.MODEL:
        values |= {"type": asset.content.type, "path": str(asset.content.path)}
    else:
        values |= {"source": str(asset.content.path), "environment": asset.content.document}
    return values | {
        "available": not asset.missing,
        "reference": asset.reference,
        "created_at": asset.created_at,
    }


def _check(kind: Kind, name: str, version: str | None) -> None:
    if not is_name(name):
        raise UsageError(f"No {kind.value} can be named {name!r}.", remedy=NAME_RULE)
    if version is not None and not is_version(version):
        raise UsageError(f"{version!r} cannot be a version.", remedy=VERSION_RULE)


def _unknown(kind: Kind, name: str, version: str | None) -> AssetConflict:
    shown = f"{kind.value} {name}"
    if version not in {None, LATEST}:
        shown = f"version {version} of the {shown}"
    return AssetConflict(
        f"There is no {shown} in the local registry.",
        remedy=f"See `localep {kind.value} list`.",
    )


def _environment_document(file: Path) -> Document:
    """The document of an environment, read as a deployment would read it."""
    from localep.operations.registered_assets import read_environment_document
    from localep.spec.documents import ENVIRONMENT, read_document
    from localep.spec.findings import Findings

    document = read_document(file, ENVIRONMENT)
    if "dependencies" in document.data:
        raise SpecError(
            f"{file} is a conda file and not an environment.",
            cause="It has `dependencies` at its top level.",
            remedy="Write a file with `image:` and `conda_file:`, and register that.",
        )
    findings = Findings()
    spec = read_environment_document(document, findings)
    findings.raise_errors()
    if (spec.image, spec.build, spec.conda_file, spec.conda) == (None, None, None, None):
        raise SpecError(
            f"{file} is no environment.",
            cause="It has neither `image` nor `build` nor `conda_file`.",
            remedy="Write the image that it starts from: `image: IMAGE`.",
        )
    return document


def _with_absolute_paths(document: Document) -> dict[str, Any]:
    from localep.operations.registered_assets import is_of_2021

    # As it will be read again: JSON knows no dates.
    data: dict[str, Any] = json.loads(json.dumps(document.data, default=str))
    prefix = "file:" if is_of_2021(document) else ""
    for keys in PATH_KEYS:
        text = value_at(data, keys)
        if isinstance(text, str) and not text.startswith(_REMOTE):
            parent: Any = data
            for key in keys[:-1]:
                parent = parent[key]
            path = document.folder / text.removeprefix(prefix)
            parent[keys[-1]] = os.path.normpath(path)
    return data


def _text(document: Document, key: str) -> str | None:
    value = document.data.get(key)
    return None if value is None else str(value)
