"""Waiting for what happens by itself, and soon."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 20


def wait_for(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Return as soon as the condition holds; fail where it does not within the time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(0.02)
