"""localep list."""

from __future__ import annotations

from localep.cli import options
from localep.cli.output import Format, Output


def list_endpoints(form: options.OutputFormat = Format.HUMAN, query: options.Query = None) -> None:
    """List the endpoints."""
    from localep.cli.session import open_workplace
    from localep.cli.text import endpoint_table
    from localep.operations.show import list_endpoints as run

    output = Output(form, query)
    endpoints = run(open_workplace(output))
    data = [endpoint.to_dict() for endpoint in endpoints]
    output.result(data, lambda: endpoint_table(endpoints))
