"""localep get-credentials."""

from __future__ import annotations

from localep.cli import options
from localep.cli.output import Format, Output


def get_credentials(
    name: options.Name = None,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Show the keys of an endpoint."""
    from localep.cli.session import open_workplace
    from localep.cli.text import credentials
    from localep.operations.show import get_credentials as run

    output = Output(form, query)
    keys = run(open_workplace(output), name)
    values = {"primaryKey": keys.primary_key, "secondaryKey": keys.secondary_key}
    output.result(values, lambda: credentials(keys))
