"""localep render and localep build."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from localep.cli import options
from localep.cli.output import Format, Output
from localep.environment.solver import Solver

if TYPE_CHECKING:
    from localep.engine.base import Engine


def render(
    files: options.Files,
    deployment: options.Deployment = None,
    overrides: options.Set = None,
    variables: options.Var = None,
    to: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--to", metavar="DIR", help="Write the whole build context there."),
    ] = None,
    python: options.Python = None,
    solver: options.Solver = Solver.AUTO,
    strict_image: options.StrictImage = False,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Print the Dockerfile of a deployment's environment; build nothing."""
    from localep.cli.session import environment_options, read_bundle, selection
    from localep.operations.render import render as run
    from localep.operations.render import write_context

    output = Output(form, query)
    chosen = selection(None, deployment, overrides, None, variables)
    bundle = read_bundle(output, files, chosen)
    environment = environment_options(
        python=python, strict_image=strict_image, pull=False, no_cache=False, solver=solver
    )
    result = run(engine_if_any(), bundle, environment)
    for warning in result.warnings:
        output.warn(warning)
    if to is None:
        output.result(result.context, result.context["Dockerfile"].splitlines)
        return
    written = [str(path) for path in write_context(result, to)]
    output.result(written, lambda: written)


def build(
    files: options.Files,
    deployment: options.Deployment = None,
    overrides: options.Set = None,
    variables: options.Var = None,
    python: options.Python = None,
    solver: options.Solver = Solver.AUTO,
    strict_image: options.StrictImage = False,
    pull: options.Pull = False,
    no_cache: options.NoCache = False,
    platform: options.Platform = None,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Build the image of a deployment's environment; start nothing."""
    from localep.cli.session import (
        environment_options,
        open_workplace,
        read_bundle,
        selection,
    )
    from localep.operations.render import build as run

    output = Output(form, query)
    chosen = selection(None, deployment, overrides, None, variables)
    bundle = read_bundle(output, files, chosen)
    environment = environment_options(
        python=python,
        solver=solver,
        strict_image=strict_image,
        pull=pull,
        no_cache=no_cache,
        platform=platform,
    )
    image = run(open_workplace(output), bundle, environment)
    word = "Built" if image.built else "Here already:"
    output.result(
        {"image": image.reference, "id": image.identity, "built": image.built},
        lambda: [f"{word} {image.reference}"],
    )


def engine_if_any() -> Engine | None:
    """The engine, None where none answers."""
    from localep.engine.client import connect_engine
    from localep.errors import EngineError

    try:
        return connect_engine()
    except EngineError:
        return None
