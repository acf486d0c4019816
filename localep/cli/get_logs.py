"""localep get-logs."""

from __future__ import annotations

from dataclasses import asdict
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from localep.cli import options
from localep.cli.output import Format, Output
from localep.errors import UsageError

if TYPE_CHECKING:
    from localep.operations.workplace import Workplace


class Source(str, Enum):
    """Whose log: the first two are the cloud's names, the gateway is localep's own."""

    INFERENCE_SERVER = "inference-server"
    STORAGE_INITIALIZER = "storage-initializer"
    GATEWAY = "gateway"


def get_logs(
    name: options.Name = None,
    deployment: options.Deployment = None,
    container: Annotated[
        Source,
        typer.Option(
            "-c",
            "--container",
            help="The server's log; what was placed where; or a line a request.",
            case_sensitive=False,
        ),
    ] = Source.INFERENCE_SERVER,
    instance: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--instance", metavar="N", min=1, help="Which of several, counted from 1."),
    ] = None,
    lines: Annotated[
        int, typer.Option("-l", "--lines", metavar="N", min=0, help="How many of the last lines.")
    ] = 5000,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with new lines until interrupted.")
    ] = False,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Write what the inference server and the scoring script have logged."""
    from localep.cli.session import open_workplace

    output = Output(form, query)
    if follow and output.form is not Format.HUMAN:
        raise UsageError(
            f"--follow does not go with -o {output.form.value}.",
            cause="It writes lines as they come, and has no result.",
            remedy="Leave one of the two out.",
        )
    if instance is not None and container is not Source.INFERENCE_SERVER:
        raise UsageError(
            f"--instance does not go with --container {container.value}.",
            cause="All instances have the same.",
            remedy="Leave one of the two out.",
        )
    place = open_workplace(output)
    if container is Source.GATEWAY:
        _gateway(output, place, name, lines, follow=follow)
    elif container is Source.STORAGE_INITIALIZER:
        _placements(output, place, name, deployment, lines)
    else:
        _server(output, place, name, deployment, instance, lines, follow=follow)


def _server(
    output: Output,
    place: Workplace,
    name: str | None,
    deployment: str | None,
    instance: int | None,
    lines: int,
    *,
    follow: bool,
) -> None:
    from localep.operations.logs import get_logs as run

    chunks = run(place, name, deployment, lines=lines, follow=follow, instance=instance)
    if output.form is Format.HUMAN:
        for chunk in chunks:
            output.raw(chunk)
    else:
        output.result(b"".join(chunks).decode("utf-8", errors="replace").splitlines(), list)


def _gateway(
    output: Output, place: Workplace, name: str | None, lines: int, *, follow: bool
) -> None:
    from localep.cli.gateway_text import log_line
    from localep.gateway.access_log import columns
    from localep.operations.logs import follow_gateway_log, get_gateway_log

    if follow:
        entries = follow_gateway_log(place, name, lines=lines)
        output.lines(map(log_line, entries))
        return
    log = get_gateway_log(place, name, lines=lines)
    if output.form is not Format.HUMAN:
        for trouble in log.troubles:
            output.warn(trouble)
    records = [columns(request, log.endpoint) for request in log.requests]
    output.result(records, lambda: map(log_line, log.entries))


def _placements(
    output: Output, place: Workplace, name: str | None, deployment: str | None, lines: int
) -> None:
    from localep.cli.gateway_text import placement_lines
    from localep.operations.logs import get_placements

    found = get_placements(place, name, deployment)
    found = found[max(len(found) - lines, 0) :]
    output.result([asdict(one) for one in found], lambda: placement_lines(found))
