"""localep invoke."""

from __future__ import annotations

from typing import Annotated

import typer

from localep.cli import options
from localep.cli.output import Output


def invoke(
    request_file: Annotated[
        str,
        typer.Option(
            "-r", "--request-file", metavar="FILE", help="The request's body; - for standard input."
        ),
    ],
    name: options.Name = None,
    deployment: options.Deployment = None,
) -> None:
    """Send a request to an endpoint and write the body of its answer."""
    from localep.cli.session import open_workplace
    from localep.operations.invoke import invoke as run
    from localep.operations.invoke import read_request

    output = Output()
    body, content_type = read_request(request_file)
    result = run(open_workplace(output), name, body, content_type, deployment)
    output.body(result.body)
    error = result.error()
    if error is not None:
        raise error
