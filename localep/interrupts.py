"""Ctrl-C and SIGTERM as an error of localep's own, held back where a half-done step would hurt."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from localep.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class _State:
    """What the signal handler knows: Python calls it between any two steps of the program."""

    def __init__(self) -> None:
        self.held = 0
        self.pending = False
        self.raised = False


_state = _State()


def install() -> None:
    """Have SIGINT and SIGTERM raise Interrupted in the main thread, once."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _handle)


@contextmanager
def held_back() -> Iterator[None]:
    """Let the block finish first where an interrupt comes; raise Interrupted after it.

    Other threads are not interrupted at all: Python runs signal handlers in the main one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _state.held += 1
    try:
        yield
    finally:
        _state.held -= 1
    if _state.pending and not _state.held:
        _state.pending = False
        _raise()


@contextmanager
def signals_call(action: Callable[[], None]) -> Iterator[None]:
    """Have Ctrl-C and SIGTERM call this during the block, however often they come.

    For the end of a command that was interrupted: Interrupted is raised once only.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    former = [signal.signal(number, lambda *_: action()) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, former, strict=True):
            signal.signal(number, handler)


def _handle(_number: int, _frame: FrameType | None) -> None:
    if _state.raised:
        return  # the undoing of a first interrupt is under way
    if _state.held:
        _state.pending = True
        return
    _raise()


def _raise() -> None:
    _state.raised = True
    raise Interrupted("Interrupted.", remedy="Run the command again.")
