"""localep schema."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from localep.cli import options
from localep.cli.output import Format, Output


class Kind(str, Enum):
    """What a document describes."""

    ENDPOINT = "endpoint"
    DEPLOYMENT = "deployment"


def schema(
    kind: Annotated[Kind, typer.Argument(help="Whose schema.", case_sensitive=False)],
    form: options.OutputFormat = Format.JSON,
    query: options.Query = None,
) -> None:
    """Print the JSON Schema of today's documents, for editors that check and complete."""
    from localep.spec.schema import deployment_schema, endpoint_schema

    output = Output(Format.JSON if form is Format.HUMAN else form, query)
    result = endpoint_schema() if kind is Kind.ENDPOINT else deployment_schema()
    output.result(result, list)
