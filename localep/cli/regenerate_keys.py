"""localep regenerate-keys."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from localep.cli import options
from localep.cli.output import Format, Output


class Kind(str, Enum):
    """Which of the two keys."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


def regenerate_keys(
    name: options.Name = None,
    kind: Annotated[
        Kind,
        typer.Option("--key-kind", "--key-type", help="Which key.", case_sensitive=False),
    ] = Kind.PRIMARY,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Replace one key of an endpoint; the other one goes on."""
    from localep.cli.session import open_workplace
    from localep.operations.credentials import KeyKind
    from localep.operations.credentials import regenerate_keys as run

    output = Output(form, query)
    done = run(open_workplace(output), name, KeyKind(kind.value))
    output.result(
        {"name": done.endpoint, "key_kind": done.kind.value},
        lambda: [f"{done.endpoint} has another {done.kind.value} key; the former one is void."],
    )
