"""localep delete."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from localep.cli import options
from localep.cli.output import Output


def delete(
    name: options.Name = None,
    deployment: options.Deployment = None,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
) -> None:
    """Delete an endpoint, or its deployment alone."""
    from localep.cli.session import open_workplace
    from localep.operations.delete import delete as run
    from localep.operations.endpoints import find_endpoint

    output = Output()
    place = open_workplace(output)
    endpoint = find_endpoint(place, name)
    what = f"deployment {deployment} of {endpoint.name}" if deployment else endpoint.name
    if not yes:
        _confirm(what)
    result = run(place, endpoint, deployment)
    output.result(
        {"endpoint": result.endpoint, "deployment": result.deployment},
        lambda: [f"Deleted {what}."],
    )


def _confirm(what: str) -> None:
    from localep.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError(
            f"Nobody can be asked whether to delete {what}.",
            cause="Standard input is not a terminal.",
            remedy="Say --yes.",
        )
    if not typer.confirm(f"Delete {what}?", err=True):
        raise UsageError("Nothing was deleted.", remedy="Answer y, or say --yes.")
