"""localep stats."""

from __future__ import annotations

from typing import Annotated

import typer

from localep.cli import options
from localep.cli.output import Format, Output


def stats(
    name: options.Name = None,
    lines: Annotated[
        int,
        typer.Option(
            "-l", "--lines", metavar="N", min=1, help="By how many of the last requests to judge."
        ),
    ] = 1000,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Tell how the requests of an endpoint went, and what is under way."""
    from localep.cli.gateway_text import stats_lines
    from localep.cli.session import open_workplace
    from localep.operations.stats import stats as run

    output = Output(form, query)
    found = run(open_workplace(output), name, lines=lines)
    output.result(found.to_dict(), lambda: stats_lines(found))
