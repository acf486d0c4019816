"""The address that an endpoint or a server answers on, as the command line gives it."""

from __future__ import annotations

import typer


def address(host: str) -> str:
    """Refuse names: the engine takes what is no address for all addresses."""
    from ipaddress import ip_address

    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(ip_address(host))
    except ValueError as error:
        raise typer.BadParameter(f"{host} is not an IP address") from error
