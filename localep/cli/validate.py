"""localep validate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from localep.cli import options
from localep.cli.output import Format, Output
from localep.exit_codes import ExitCode

if TYPE_CHECKING:
    from localep.operations.validate import ValidateResult


def validate(
    files: options.Files,
    name: options.EndpointName = None,
    deployment: options.Deployment = None,
    overrides: options.Set = None,
    variables: options.Var = None,
    models: options.Model = None,
    strict: Annotated[bool, typer.Option("--strict", help="Take every warning for an error.")] = (
        False
    ),
    images: Annotated[
        bool,
        typer.Option(
            "--images", help="Ask the engine and the registries for the images that are named."
        ),
    ] = False,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> int:
    """Tell all that is wrong or doubtful with YAML files; build and start nothing."""
    from localep.cli.session import selection
    from localep.operations.validate import validate as run

    output = Output(form, query)
    chosen = selection(name, deployment, overrides, None, variables, models)
    look_up = None
    if images:
        from localep.engine.client import connect_engine
        from localep.operations.environments.image_facts import look_up_in

        look_up = look_up_in(connect_engine())
    result = run(files, chosen, strict=strict, look_up_image=look_up)
    output.result(result.to_dict(), lambda: _report(result))
    return ExitCode.OK if result.is_valid else ExitCode.SPEC


def _report(result: ValidateResult) -> Iterator[str]:
    from localep.operations.frames import finding_lines

    for finding in result.findings:
        yield from finding_lines(finding, result.lines)
        yield ""
    counts = [
        _count(sum(finding.severity.value == word for finding in result.findings), word)
        for word in ("error", "warning", "info")
    ]
    told = ", ".join(count for count in counts if count)
    files = _count(len(result.documents), "file")
    yield f"{files}: {told}." if told else f"{files}: nothing wrong was found."


def _count(number: int, word: str) -> str:
    if number == 0:
        return ""
    return f"one {word}" if number == 1 else f"{number} {word}s"
