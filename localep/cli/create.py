"""localep create."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from localep.cli import options
from localep.cli.output import Format, Output


def create(
    files: options.Files,
    name: options.EndpointName = None,
    deployment: options.Deployment = None,
    overrides: options.Set = None,
    variables: options.Var = None,
    models: options.Model = None,
    host: options.Host = "127.0.0.1",
    port: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            "--port",
            metavar="PORT",
            min=1,
            max=65535,
            help="The port to answer on; else a free one.",
        ),
    ] = None,
    timeout: options.Timeout = 300.0,
    all_traffic: Annotated[
        bool, typer.Option("--all-traffic", help="Give the deployment all the traffic.")
    ] = False,
    copy_model: options.CopyModel = False,
    log_level: options.LogLevel = None,
    allow_options: Annotated[
        bool,
        typer.Option(
            "--allow-options",
            help="Let OPTIONS reach the container; the cloud lets GET and POST alone.",
        ),
    ] = False,
    direct: Annotated[
        bool,
        typer.Option(
            "--direct",
            help="Give the container's own answers, without the front end's keys and rules.",
        ),
    ] = False,
    python: options.Python = None,
    strict_image: options.StrictImage = False,
    pull: options.Pull = False,
    no_cache: options.NoCache = False,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Create an endpoint and its deployment from their YAML."""
    from localep.cli.session import (
        environment_options,
        open_workplace,
        read_bundle,
        selection,
    )
    from localep.cli.text import endpoint_ready
    from localep.operations.create import CreateOptions
    from localep.operations.create import create as run

    output = Output(form, query)
    chosen = selection(name, deployment, overrides, log_level, variables, models)
    bundle = read_bundle(output, files, chosen)
    environment = environment_options(
        python=python, strict_image=strict_image, pull=pull, no_cache=no_cache
    )
    settings = CreateOptions(
        host=host,
        port=port,
        timeout=timeout,
        all_traffic=all_traffic,
        copy_model=copy_model,
        allows_options=allow_options,
        is_direct=direct,
        environment=environment,
    )
    result = run(open_workplace(output), bundle, settings)
    output.result(
        result.endpoint.to_dict(),
        lambda: endpoint_ready("Created", result.endpoint, result.seconds),
    )
