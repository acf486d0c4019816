"""localep create."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from localep.cli import options
from localep.cli.output import Format, Output
from localep.environment.solver import Solver


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
    instances: options.Instances = None,
    no_limits: options.NoLimits = False,
    cpus: options.Cpus = None,
    memory: options.Memory = None,
    shm_size: options.ShmSize = None,
    gpus: options.Gpus = "auto",
    skip_script_validation: options.SkipScriptValidation = False,
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
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Ask nobody for a key or a token.")
    ] = False,
    max_payload: options.MaxPayload = None,
    python: options.Python = None,
    solver: options.Solver = Solver.AUTO,
    strict_image: options.StrictImage = False,
    pull: options.Pull = False,
    no_cache: options.NoCache = False,
    platform: options.Platform = None,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Create an endpoint and its deployment from their YAML."""
    from localep.cli.numbers import number_of_bytes
    from localep.cli.session import (
        environment_options,
        limit_options,
        number_of_instances,
        open_workplace,
        read_bundle,
        selection,
    )
    from localep.cli.text import endpoint_ready
    from localep.operations.create import CreateOptions
    from localep.operations.create import create as run

    output = Output(form, query)
    chosen = selection(name, deployment, overrides, log_level, variables, models)
    bundle = read_bundle(
        output, files, chosen, runs_script=not skip_script_validation, python=python
    )
    environment = environment_options(
        python=python,
        solver=solver,
        strict_image=strict_image,
        pull=pull,
        no_cache=no_cache,
        platform=platform,
    )
    settings = CreateOptions(
        host=host,
        port=port,
        timeout=timeout,
        all_traffic=all_traffic,
        copy_model=copy_model,
        instances=number_of_instances(instances),
        limits=limit_options(False if no_limits else None, cpus, memory, shm_size),
        gpus=gpus or "auto",
        allows_options=allow_options,
        is_direct=direct,
        requires_key=not no_auth,
        payload_limit=number_of_bytes(max_payload) or None,
        environment=environment,
    )
    result = run(open_workplace(output), bundle, settings)
    output.result(
        result.endpoint.to_dict(),
        lambda: endpoint_ready("Created", result.endpoint, result.seconds),
    )
