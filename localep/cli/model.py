"""localep model: models that documents refer to by name and version."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from localep.cli import assets, options
from localep.cli.output import Format, Output

app = typer.Typer(help="Models that documents name as azureml:NAME:VERSION.")


class ModelType(str, Enum):
    """What a model is made of."""

    CUSTOM = "custom_model"
    MLFLOW = "mlflow_model"
    TRITON = "triton_model"


@app.command("register")
def register(
    name: assets.Name,
    path: Annotated[
        Path,
        typer.Option(
            "--path",
            metavar="PATH",
            help="The model's file or folder. It is not copied: keep it where it is.",
        ),
    ],
    version: assets.NewVersion = None,
    kind: Annotated[
        ModelType, typer.Option("--type", help="What the model is.", case_sensitive=False)
    ] = ModelType.CUSTOM,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Give a model of this machine a name and a version."""
    from localep.operations.registry import register_model

    output = Output(form, query)
    assets.show_registered(output, register_model(name, version, path, kind.value))


@app.command("list")
def list_models(
    name: assets.OptionalName = None,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """List the models, every version."""
    from localep.operations.registry import Kind

    assets.list_all(Kind.MODEL, name, form, query)


@app.command("show")
def show(
    name: assets.Name,
    version: assets.ShownVersion = None,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Show a model, and whether its path is still there."""
    from localep.operations.registry import Kind

    assets.show_one(Kind.MODEL, name, version, form, query)


@app.command("delete")
def delete(
    name: assets.Name,
    version: assets.DeletedVersion = None,
    yes: assets.Yes = False,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Forget a model; its files stay."""
    from localep.operations.registry import Kind

    assets.delete_some(Kind.MODEL, name, version, yes, form, query)
