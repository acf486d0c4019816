"""localep environment: environments that documents refer to by name and version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from localep.cli import assets, options
from localep.cli.output import Format, Output

app = typer.Typer(help="Environments that documents name as azureml:NAME:VERSION.")


@app.command("register")
def register(
    file: Annotated[
        Path,
        typer.Option(
            "-f",
            "--file",
            metavar="FILE",
            readable=False,  # whoever reads it tells better what is wrong
            help="YAML of the environment. It is copied; the files that it names are not.",
        ),
    ],
    name: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "-n", "--name", metavar="NAME", help="Its name; without, the one in the file."
        ),
    ] = None,
    version: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "-v",
            "--version",
            metavar="VERSION",
            help="Its version; without, the one in the file, else the next number.",
        ),
    ] = None,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Give an environment a name and a version."""
    from localep.operations.registry import register_environment

    output = Output(form, query)
    assets.show_registered(output, register_environment(file, name, version))


@app.command("list")
def list_environments(
    name: assets.OptionalName = None,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """List the environments, every version."""
    from localep.operations.registry import Kind

    assets.list_all(Kind.ENVIRONMENT, name, form, query)


@app.command("show")
def show(
    name: assets.Name,
    version: assets.ShownVersion = None,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Show an environment, and whether the files that it names are still there."""
    from localep.operations.registry import Kind

    assets.show_one(Kind.ENVIRONMENT, name, version, form, query)


@app.command("delete")
def delete(
    name: assets.Name,
    version: assets.DeletedVersion = None,
    yes: assets.Yes = False,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Forget an environment; its files stay."""
    from localep.operations.registry import Kind

    assets.delete_some(Kind.ENVIRONMENT, name, version, yes, form, query)
