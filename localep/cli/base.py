"""localep base: the base image."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from localep.cli import options
from localep.cli.output import Format, Output

app = typer.Typer(help="The base image that environments and gateways start from.")


@app.callback()
def base() -> None:
    """Keep `build` a command of its own, though it is the only one."""


@app.command("build")
def build(
    pull: Annotated[
        bool, typer.Option("--pull", help="Ask the registry for Debian even where it is here.")
    ] = False,
    no_cache: options.NoCache = False,
    mirror: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--debian-mirror", metavar="URL", help="Where debootstrap finds Debian's packages."
        ),
    ] = None,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Build the base image, from a registry's Debian or, where none answers, by debootstrap."""
    from localep.cli.session import open_workplace
    from localep.operations.environments.base_image import base_reference, build_base

    output = Output(form, query)
    image = build_base(open_workplace(output), pull=pull, no_cache=no_cache, mirror=mirror)
    megabytes = image.size // 1_000_000
    output.result(
        {"image": base_reference(), "id": image.identity, "size": image.size},
        lambda: [f"Built {base_reference()} ({megabytes} MB)."],
    )
