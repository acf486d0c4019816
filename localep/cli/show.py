"""localep show."""

from __future__ import annotations

from localep.cli import options
from localep.cli.output import Format, Output


def show(
    name: options.Name = None,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Show an endpoint and its deployment."""
    from localep.cli.session import open_workplace
    from localep.cli.text import endpoint_details
    from localep.operations.show import show as run

    output = Output(form, query)
    is_for_programs = output.form in {Format.JSON, Format.YAML} or query is not None
    endpoint = run(open_workplace(output), name, with_environment=is_for_programs)
    output.result(endpoint.to_dict(), lambda: endpoint_details(endpoint))
