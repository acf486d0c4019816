"""What `localep model` and `localep environment` share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from localep.cli.forms import terminal_width
from localep.cli.output import Format, Output
from localep.cli.table import table_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.operations.registry import Asset, Kind, Listing

Name = Annotated[
    str, typer.Option("-n", "--name", metavar="NAME", help="Its name; documents refer to it.")
]
OptionalName = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("-n", "--name", metavar="NAME", help="The versions of this name alone."),
]
NewVersion = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "-v", "--version", metavar="VERSION", help="Its version; without, the next number."
    ),
]
ShownVersion = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "-v",
        "--version",
        metavar="VERSION",
        help="The version; without, or with `latest`, the one that was registered last.",
    ),
]
DeletedVersion = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("-v", "--version", metavar="VERSION", help="This version; without, all."),
]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")]


def show_registered(output: Output, asset: Asset) -> None:
    """What `register` says when it is done."""
    from localep.operations.registry import to_dict

    line = f"Registered {asset.kind.value} {asset.reference}."
    output.result(to_dict(asset), lambda: [line])


def list_all(kind: Kind, name: str | None, form: Format, query: str | None) -> None:
    """Run `list`."""
    from localep.operations.registry import list_assets, to_dict

    output = Output(form, query)
    listing = list_assets(kind, name)
    for line in listing.unreadable:
        output.warn(line)
    data = [to_dict(asset) for asset in listing.assets]
    output.result(data, lambda: _table(kind, name, listing))


def show_one(kind: Kind, name: str, version: str | None, form: Format, query: str | None) -> None:
    """Run `show`."""
    from localep.operations.registry import show, to_dict

    output = Output(form, query)
    asset = show(kind, name, version)
    output.result(to_dict(asset), lambda: _details(asset))


def delete_some(
    kind: Kind, name: str, version: str | None, yes: bool, form: Format, query: str | None
) -> None:
    """Run `delete`."""
    from localep.cli.delete import confirm
    from localep.operations.registry import delete, found_versions

    output = Output(form, query)
    versions = found_versions(kind, name, version)
    word = "version" if len(versions) == 1 else "versions"
    what = f"{kind.value} {name}, {word} {', '.join(versions)}"
    if not yes:
        confirm(what, output.form)
    gone = delete(kind, name, versions)
    output.result({"name": name, "versions": gone}, lambda: [f"Deleted {what}."])


def _table(kind: Kind, name: str | None, listing: Listing) -> Iterator[str]:
    if not listing.assets:
        yield f"No {kind.value} is registered{f' as {name}' if name else ''}."
    is_model = kind.value == "model"
    columns = ["TYPE", "PATH"] if is_model else ["IMAGE", "CONDA FILE"]
    rows = []
    for asset in listing.assets:
        cells = _model_cells(asset) if is_model else _environment_cells(asset)
        rows.append([asset.name, asset.version, *cells])
    yield from table_lines(["NAME", "VERSION", *columns], rows, terminal_width())


def _model_cells(asset: Asset) -> list[str]:
    return [asset.content.type or "", _shown(asset, asset.content.path)]


def _environment_cells(asset: Asset) -> list[str]:
    document = asset.content.document or {}
    build = _section(document, "build").get("path")
    image = document.get("image") or _section(document, "docker").get("image")
    conda = document.get("conda_file")
    return [
        f"built from {_shown(asset, build)}" if image is None and build else str(image or ""),
        ""
        if conda is None
        else "in the document"
        if isinstance(conda, dict)
        else _shown(asset, conda),
    ]


def _details(asset: Asset) -> Iterator[str]:
    values: dict[str, Any] = {"name": asset.name, "version": asset.version}
    if asset.content.document is None:
        values |= {"type": asset.content.type, "path": _shown(asset, asset.content.path)}
    else:
        image, conda = _environment_cells(asset)
        values |= {"image": image, "conda file": conda, "registered from": asset.content.path}
    values |= {"reference": asset.reference, "registered at": asset.created_at}
    yield from (f"{name:<21}{value}" for name, value in values.items() if value)


def _shown(asset: Asset, path: object) -> str:
    """A path, and whether it still leads anywhere."""
    gone = Path(str(path)) in asset.missing
    return f"{path} (not there any more)" if gone else str(path)


def _section(document: dict[str, Any], key: str) -> dict[str, Any]:
    value = document.get(key)
    return value if isinstance(value, dict) else {}
