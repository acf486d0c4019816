"""localep invoke."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from localep.cli import options
from localep.cli.output import Format, Output


def invoke(
    request_file: Annotated[
        str,
        typer.Option(
            "-r", "--request-file", metavar="FILE", help="The request's body; - for standard input."
        ),
    ],
    name: options.Name = None,
    deployment: options.Deployment = None,
    direct: Annotated[
        bool,
        typer.Option(
            "--direct", help="Show the container's own answer, without the front end's rules."
        ),
    ] = False,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Send a request to an endpoint and write the body of its answer."""
    from localep.cli.session import open_workplace
    from localep.operations.invoke import invoke as run
    from localep.operations.invoke import read_request

    output = Output(form, query)
    body, content_type = read_request(request_file)
    result = run(open_workplace(output), name, body, content_type, deployment, direct=direct)
    if output.form is Format.HUMAN:
        output.body(result.body)
    else:
        output.result(_data(result.body), list)
    error = result.error()
    if error is not None:
        raise error


def _data(body: bytes) -> Any:  # noqa: ANN401
    """The body as programs take it: what its JSON says, else its text."""
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", errors="replace")
