"""localep update."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.cli import options
from localep.cli.output import Format, Output

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
    log_level: options.LogLevel = None,
    python: options.Python = None,
    strict_image: options.StrictImage = False,
    pull: options.Pull = False,
    no_cache: options.NoCache = False,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Change an endpoint while it runs; without -f, from the YAML of before and today's code."""
    from localep.cli.session import environment_options, open_workplace, selection
    from localep.operations.update import UpdateOptions
    from localep.operations.update import update as run

    output = Output(form, query)
    environment = environment_options(
        python=python, strict_image=strict_image, pull=pull, no_cache=no_cache
    )
    chosen = selection(name, deployment, overrides, log_level, variables, models)
    settings = UpdateOptions(tuple(files or ()), chosen, timeout, copy_model, environment)
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
