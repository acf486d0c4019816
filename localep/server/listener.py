"""The socket that the servers of one command answer on, one after the other."""

from __future__ import annotations

import errno
import os
import socket
from ipaddress import ip_address

from localep.errors import UsageError

_BACKLOG = 2048  # as gunicorn has it


def open_listener(host: str, port: int) -> socket.socket:
    """Listen on an address; a free port where ``port`` is 0. Raises UsageError."""
    family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
    listener = socket.socket(family)
    try:
        if os.name != "nt":  # there it would share the port with whoever has it
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _refused(host, port, error) from error
    return listener


def _refused(host: str, port: int, error: OSError) -> UsageError:
    if error.errno == errno.EADDRINUSE:
        return UsageError(
            f"Port {port} is in use.",
            cause=f"Another process answers on it, or on all addresses with {host} among them.",
            remedy="Choose another port with --port, or --port 0 for a free one.",
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        return UsageError(
            f"Port {port} may not be used.",
            cause=f"{error.strerror}.",
            remedy="Choose a port above 1023 with --port.",
        )
    return UsageError(
        f"{host} is no address of this machine.",
        cause=f"{error.strerror}.",
        remedy="Leave out --host, or use 0.0.0.0 for every network.",
    )
