"""A container's connections: whom it waits for, and who has left it."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from localep.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.engine.base import Engine

# Shows Linux's tables of a container's connections.
SHOW_TABLES = ("cat", "/proc/net/tcp", "/proc/net/tcp6")
# A row: the port here, the far end, and the state.
_ROW = re.compile(
    r"^ *\d+: [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{2}) ",
    re.MULTILINE,
)
# The first packet was sent, and had no answer.
_SYN_SENT = "02"
# The far end has closed, and the program here has not.
_CLOSE_WAIT = "08"


def hosts_waited_for(engine: Engine, container: str) -> list[str]:
    """The hosts that a container that runs tries to reach now, as ``address:port``.

    Empty where its image has no ``cat``, or the engine does not look.
    """
    with suppress(EngineError):
        return unanswered(engine.execute(container, SHOW_TABLES)[1])
    return []


def clients_that_left(tables: str, port: int) -> int:
    """How many clients of a port have closed their connections while the program has them open.

    Of HAProxy: those who left before their answers. It tells it of no request whose answer it could
    still hand to the kernel.
    """
    rows = _ROW.findall(tables)
    return sum(int(here, 16) == port and state == _CLOSE_WAIT for here, _, _, state in rows)


def unanswered(tables: str) -> list[str]:
    """The far ends of the connections without an answer in SHOW_TABLES, each once."""
    return list(dict.fromkeys(_unanswered(tables)))


def _unanswered(tables: str) -> Iterator[str]:
    for _, digits, port, state in _ROW.findall(tables):
        address = _address(digits)
        if state == _SYN_SENT and not address.is_loopback:
            host = f"[{address}]" if address.version == 6 else str(address)
            yield f"{host}:{int(port, 16)}"


def _address(digits: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address of the tables: words of 32 bits, as processors of today keep them."""
    words = [digits[start : start + 8] for start in range(0, len(digits), 8)]
    address = ipaddress.ip_address(b"".join(bytes.fromhex(word)[::-1] for word in words))
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
