"""localep delete."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from localep.cli import options
from localep.cli.output import Format, Output


def delete(
    name: options.Name = None,
    deployment: options.Deployment = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Delete an endpoint, or its deployment alone."""
    from localep.cli.session import open_workplace
    from localep.operations.delete import delete as run
    from localep.operations.endpoints import look_at_endpoint, only_name

    output = Output(form, query)
    place = open_workplace(output)
    name = name or only_name(place)
    what = f"deployment {deployment} of {name}" if deployment else name
    if not yes:
        look_at_endpoint(place, name)  # nobody is asked about what is not there
        confirm(what, output.form)
    result = run(place, name, deployment)
    output.result(
        {"endpoint": result.endpoint, "deployment": result.deployment},
        lambda: [f"Deleted {what}."],
    )


def confirm(what: str, form: Format) -> None:
    """Ask whether to delete something. Raises UsageError where the answer is not yes."""
    from localep.errors import Interrupted, UsageError

    if form is Format.JSON or not sys.stdin.isatty():
        raise UsageError(
            f"Nobody can be asked whether to delete {what}.",
            cause="Standard input is not a terminal."
            if form is not Format.JSON
            else "The output is JSON, for a program to read.",
            remedy="Say --yes.",
        )
    try:
        answer = typer.confirm(f"Delete {what}?", err=True)
    except (typer.Abort, Interrupted) as end:
        typer.echo(err=True)  # the question's line is still open
        if not isinstance(end.__context__, EOFError):
            raise
        answer = False  # Ctrl-D
    if not answer:
        raise UsageError(
            "Nothing was deleted.",
            cause="The answer was not yes.",
            remedy="Answer y, or say --yes.",
        )
