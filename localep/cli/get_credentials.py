"""localep get-credentials, and list-keys as its users of 2021 call it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localep.cli import options
from localep.cli.output import Format, Output

if TYPE_CHECKING:
    from localep.operations.credentials import Keys, Token


def get_credentials(
    name: options.Name = None,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Show the keys of an endpoint, or a token where its auth_mode wants one."""
    from localep.cli.session import open_workplace
    from localep.operations.credentials import get_credentials as run

    output = Output(form, query)
    _tell(output, run(open_workplace(output), name))


def list_keys(
    name: options.Name = None,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Show the keys of an endpoint."""
    from localep.cli.session import open_workplace
    from localep.operations.credentials import list_keys as run

    output = Output(form, query)
    _tell(output, run(open_workplace(output), name))


def _tell(output: Output, found: Keys | Token) -> None:
    from localep.cli.text import credentials

    output.result(_values(found), lambda: credentials(found))


def _values(found: Keys | Token) -> dict[str, Any]:
    """What programs are given, with the cloud's own names."""
    from localep.operations.credentials import Keys

    if isinstance(found, Keys):
        return {"primaryKey": found.primary, "secondaryKey": found.secondary}
    return {
        "accessToken": found.value,
        "tokenType": "Bearer",
        "expiryTimeUtc": found.expiry,
        "refreshAfterTimeUtc": found.refresh_after,
    }
