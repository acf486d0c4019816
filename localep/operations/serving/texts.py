"""What `serve` says while all goes well."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SHOWN = 5
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - looked up, not listened on


def ready_text(host: str, port: int, seconds: float, watched: Sequence[Path]) -> str:
    """Where a server answers that has got ready, and what makes it start anew."""
    address = f"http://{_as_client(host)}:{port}"
    text = f"Ready after {seconds:.1f} s: {address}/score, OpenAPI: {address}/swagger.json"
    return f"{text}; watching {listed(watched)}." if watched else f"{text}."


def listed(paths: Sequence[Path]) -> str:
    """The names of files and folders, the last ones counted where there are many."""
    names = list(dict.fromkeys(path.name for path in paths))
    if len(names) > _SHOWN:
        names = [*names[: _SHOWN - 1], f"{len(names) - _SHOWN + 1} others"]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _as_client(host: str) -> str:
    """How a client on this machine names an address."""
    host = _EVERY_ADDRESS.get(host, host)
    return f"[{host}]" if ":" in host else host
