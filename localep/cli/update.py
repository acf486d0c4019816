"""localep update."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from localep.cli import options
from localep.cli.output import Format, Output
from localep.environment.solver import Solver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.operations.update import UpdateResult


def update(
    files: options.OptionalFiles = None,
    name: options.Name = None,
    deployment: options.Deployment = None,
    overrides: options.Set = None,
    variables: options.Var = None,
    models: options.Model = None,
    timeout: options.Timeout = 300.0,
    copy_model: options.CopyModel = False,
    instances: options.Instances = None,
    limits: options.Limits = None,
    cpus: options.Cpus = None,
    memory: options.Memory = None,
    shm_size: options.ShmSize = None,
    gpus: options.Gpus = None,
    skip_script_validation: options.SkipScriptValidation = False,
    log_level: options.LogLevel = None,
    auth: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option(
            "--auth/--no-auth",
            help="Ask for a key or a token, or ask nobody; else as before.",
            show_default=False,
        ),
    ] = None,
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
    """Change an endpoint while it runs; without -f, from the YAML of before and today's code."""
    from localep.cli.numbers import number_of_bytes
    from localep.cli.session import (
        environment_options,
        limit_options,
        number_of_instances,
        open_workplace,
        selection,
    )
    from localep.operations.update import UpdateOptions
    from localep.operations.update import update as run

    output = Output(form, query)
    environment = environment_options(
        python=python,
        solver=solver,
        strict_image=strict_image,
        pull=pull,
        no_cache=no_cache,
        platform=platform,
    )
    chosen = selection(name, deployment, overrides, log_level, variables, models)
    settings = UpdateOptions(
        files=tuple(files or ()),
        selection=chosen,
        timeout=timeout,
        copy_model=copy_model,
        instances=number_of_instances(instances),
        limits=limit_options(limits, cpus, memory, shm_size),
        gpus=gpus,
        checks_script=not skip_script_validation,
        requires_key=auth,
        payload_limit=number_of_bytes(max_payload),
        environment=environment,
    )
    result = run(open_workplace(output), settings)
    output.result(result.endpoint.to_dict(), lambda: _text(result))


def _text(result: UpdateResult) -> Iterator[str]:
    from localep.cli.text import endpoint_ready

    if result.changed == "nothing":
        yield f"{result.endpoint.name} is as the YAML says already; nothing changed."
    elif result.changed == "settings":
        yield f"Updated {result.endpoint.name}: settings of the endpoint only."
    else:
        yield from endpoint_ready("Updated", result.endpoint, result.seconds)
