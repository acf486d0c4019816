"""localep lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from localep.cli import options
from localep.cli.output import Format, Output
from localep.environment.solver import Solver
from localep.exit_codes import ExitCode

if TYPE_CHECKING:
    from localep.operations.lock import LockResult


def lock(
    files: options.Files,
    deployment: options.Deployment = None,
    overrides: options.Set = None,
    variables: options.Var = None,
    platforms: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--platform",
            metavar="NAME",
            help="Lock for this platform, as conda names it (linux-64, linux-aarch64, osx-arm64 "
            "...); repeatable. Else for those of the lock there, or linux-64.",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Tell whether the lock there fits, and end with 3 where not."),
    ] = False,
    python: options.Python = None,
    solver: options.Solver = Solver.AUTO,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> int:
    """Write conda-lock.yml: the exact packages of a conda file."""
    from localep.cli.render import engine_if_any
    from localep.cli.session import environment_options, read_bundle, selection
    from localep.operations.lock import check_lock, write_lock

    output = Output(form, query)
    chosen = selection(None, deployment, overrides, None, variables)
    bundle = read_bundle(output, files, chosen)
    environment = environment_options(
        python=python, strict_image=False, pull=False, no_cache=False, solver=solver
    )
    if check:
        result = check_lock(bundle, environment, platforms or ())
    else:
        result = write_lock(engine_if_any(), bundle, environment, platforms or (), output)
    output.result(result.to_dict(), lambda: _checked(result) if check else _written(result))
    return ExitCode.OK if result.fits else ExitCode.SPEC


def _written(result: LockResult) -> Iterator[str]:
    yield f"Wrote {result.path}."
    yield from _contents(result)


def _checked(result: LockResult) -> Iterator[str]:
    if result.fits:
        yield f"{result.path} fits the conda file."
        yield from _contents(result)
        return
    yield f"{result.path} does not fit the conda file:"
    yield from (f"  {change}" for change in result.changes)
    yield "Write it anew with `localep lock`."


def _contents(result: LockResult) -> Iterator[str]:
    for platform, numbers in result.packages.items():
        kinds = [f"{number} from {kind}" for kind, number in numbers.items() if number]
        yield f"  {platform}: {', '.join(kinds) or 'nothing'}"
