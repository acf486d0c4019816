"""What a container waits for: connections that nobody has accepted yet."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from localep.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.engine.base import Engine

_TABLES = ("cat", "/proc/net/tcp", "/proc/net/tcp6")
# The far end of a row; 02 is Linux's word for a connection whose first packet was sent, and had no
# answer.
_SYN_SENT = re.compile(
    r"^ *\d+: [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) 02 ", re.MULTILINE
)


def hosts_waited_for(engine: Engine, container: str) -> list[str]:
    """The hosts that a container that runs tries to reach now, as ``address:port``.

    None where its image has no ``cat``, or the engine does not look.
    """
    with suppress(EngineError):
        return unanswered(engine.execute(container, _TABLES)[1])
    return []


def unanswered(tables: str) -> list[str]:
    """The far ends of the connections without an answer in Linux's tables of TCP, each once."""
    return list(dict.fromkeys(_unanswered(tables)))


def _unanswered(tables: str) -> Iterator[str]:
    for digits, port in _SYN_SENT.findall(tables):
        address = _address(digits)
        if not address.is_loopback:
            host = f"[{address}]" if address.version == 6 else str(address)
            yield f"{host}:{int(port, 16)}"


def _address(digits: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address of the tables: words of 32 bits, as processors of today keep them."""
    words = [digits[start : start + 8] for start in range(0, len(digits), 8)]
    address = ipaddress.ip_address(b"".join(bytes.fromhex(word)[::-1] for word in words))
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
