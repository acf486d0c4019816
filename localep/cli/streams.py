"""Standard input, output and error, whatever they were opened with."""

from __future__ import annotations

import io
import os
import sys


def prepare() -> None:
    """Have all three streams, and no character that one of them cannot take.

    A stream that was closed by the caller is None to Python; a name with characters that the
    terminal's encoding lacks would end the command.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(null, mode, encoding="utf-8", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def silence_stdout() -> None:
    """Have nothing written to stdout any more, not at exit either."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
