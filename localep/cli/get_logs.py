"""localep get-logs."""

from __future__ import annotations

from typing import Annotated

import typer

from localep.cli import options
from localep.cli.output import Output


def get_logs(
    name: options.Name = None,
    deployment: options.Deployment = None,
    lines: Annotated[
        int, typer.Option("-l", "--lines", metavar="N", min=0, help="How many of the last lines.")
    ] = 5000,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with new lines until interrupted.")
    ] = False,
) -> None:
    """Write what the inference server and the scoring script have logged."""
    from localep.cli.session import open_workplace
    from localep.operations.logs import get_logs as run

    output = Output()
    for chunk in run(open_workplace(output), name, deployment, lines=lines, follow=follow):
        output.raw(chunk)
