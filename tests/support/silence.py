"""An address that nobody answers at."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from support.bridge import host_address

from localep.engine.client import DockerEngine


@contextmanager
def nobody_answers(engine: DockerEngine) -> Iterator[str]:
    """An address that containers reach, and where no connection is ever taken."""
    host = host_address(engine)
    with ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind((host, 0))
        server.listen(0)
        for _ in range(3):  # as many as fill its queue, and more
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield f"{host}:{server.getsockname()[1]}"
