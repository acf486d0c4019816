"""localep instance-types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from localep.cli import options
from localep.cli.output import Format, Output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from localep.spec.instance_types import InstanceType


def instance_types(
    gpu: Annotated[bool, typer.Option("--gpu", help="Those with a GPU alone.")] = False,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """List the instance types of managed endpoints, and what each has."""
    from localep.spec.instance_types import all_instance_types

    output = Output(form, query)
    found = [size for size in all_instance_types() if size.gpus or not gpu]
    output.result([_values(size) for size in found], lambda: _table(found))


def _values(size: InstanceType) -> dict[str, Any]:
    return {
        "name": size.name,
        "vcpus": size.vcpus,
        "memory_gib": size.memory_gib,
        "gpus": size.gpus,
        "accelerator": size.accelerator,
        "family": size.family,
    }


def _table(found: Sequence[InstanceType]) -> Iterator[str]:
    from localep.cli.forms import terminal_width
    from localep.cli.table import table_lines

    rows = [
        [size.name, f"{size.vcpus}", f"{size.memory_gib:g}", _gpus(size), size.family]
        for size in found
    ]
    columns = ["INSTANCE TYPE", "VCPUS", "MEMORY (GIB)", "GPUS", "FAMILY"]
    return table_lines(columns, rows, terminal_width())


def _gpus(size: InstanceType) -> str:
    """How many GPUs; a share of one as the cloud's pages write it, such as 1/6."""
    from fractions import Fraction

    return str(Fraction(size.gpus).limit_denominator(24)) if size.gpus else ""
