"""Wheels that pip finds in folders of this machine, at an address that builds reach, too."""

from __future__ import annotations

import functools
import http.server
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@contextmanager
def served_wheels(host: str) -> Iterator[str | None]:
    """The addresses of the folders in PIP_FIND_LINKS, as that variable takes them, while it lasts.

    None where pip is told of no folder.
    """
    found = (Path(item) for item in os.environ.get("PIP_FIND_LINKS", "").split())
    with ExitStack() as stack:
        folders = [folder for folder in found if folder.is_dir()]
        addresses = [stack.enter_context(_served(folder, host)) for folder in folders]
        yield " ".join(addresses) or None


@contextmanager
def _served(folder: Path, host: str) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer((host, 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
