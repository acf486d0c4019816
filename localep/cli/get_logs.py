"""localep get-logs."""

from __future__ import annotations

from typing import Annotated

import typer

from localep.cli import options
from localep.cli.output import Format, Output
from localep.errors import UsageError


def get_logs(
    name: options.Name = None,
    deployment: options.Deployment = None,
    lines: Annotated[
        int, typer.Option("-l", "--lines", metavar="N", min=0, help="How many of the last lines.")
    ] = 5000,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with new lines until interrupted.")
    ] = False,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Write what the inference server and the scoring script have logged."""
    from localep.cli.session import open_workplace
    from localep.operations.logs import get_logs as run

    output = Output(form, query)
    in_lines = output.form is Format.HUMAN
    if follow and not in_lines:
        raise UsageError(
            f"--follow does not go with -o {output.form.value}.",
            cause="It writes lines as they come, and has no result.",
            remedy="Leave one of the two out.",
        )
    chunks = run(open_workplace(output), name, deployment, lines=lines, follow=follow)
    if in_lines:
        for chunk in chunks:
            output.raw(chunk)
    else:
        output.result(b"".join(chunks).decode("utf-8", errors="replace").splitlines(), list)
