"""localep upgrade."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from localep.cli import options
from localep.cli.output import Format, Output


def upgrade(
    files: options.Files,
    to: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--to", metavar="DIR", help="Write there; else beside each file."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Write files of 2021 anew as the cloud reads them today: endpoint.yml, deployment.yml."""
    from localep.operations.upgrade import upgrade_files

    output = Output(form, query)
    result = upgrade_files(files, to, replace=force)
    for key in result.left_out:
        output.warn(f"{key} has no place in today's form and was left out.")
    output.result(list(result.files), lambda: result.files)
