"""Ctrl-C and SIGTERM, as localep takes them."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from localep import interrupts
from localep.errors import Interrupted

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The handlers, with nothing that happened before; the test runner's are put back."""
    former = {number: signal.getsignal(number) for number in SIGNALS}
    monkeypatch.setattr(interrupts, "_state", interrupts._State())
    interrupts.install()
    yield
    for number, handler in former.items():
        signal.signal(number, handler)


def send(number: signal.Signals = signal.SIGINT) -> None:
    """Send this process a signal; Python handles it before the call returns."""
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_raised_as_an_error_of_localep(number: signal.Signals) -> None:
    with pytest.raises(Interrupted) as caught:
        send(number)

    assert caught.value.message == "Interrupted."
    assert (caught.value.cause, caught.value.details) == (None, ())
    assert caught.value.remedy == "Run the command again."


@pytest.mark.parametrize("second", SIGNALS)
@pytest.mark.parametrize("first", SIGNALS)
def test_a_second_signal_does_not_disturb_the_undoing_of_the_first(
    first: signal.Signals, second: signal.Signals
) -> None:
    done: list[str] = []

    def work() -> None:
        try:
            send(first)
        finally:
            send(second)
            done.append("undone")

    with pytest.raises(Interrupted):
        work()

    assert done == ["undone"]


def test_a_step_that_is_held_back_comes_to_its_end() -> None:
    done: list[str] = []

    def work() -> None:
        with interrupts.held_back():
            done.append("before")
            send()
            done.append("after")
        done.append("next step")

    with pytest.raises(Interrupted, match=r"^Interrupted\.$"):
        work()

    assert done == ["before", "after"]


def test_of_several_signals_in_a_step_one_is_raised_after_it() -> None:
    done: list[str] = []

    def work() -> None:
        with interrupts.held_back():
            send(signal.SIGINT)
            send(signal.SIGTERM)
            done.append("step")

    with pytest.raises(Interrupted):
        work()
    with interrupts.held_back():
        done.append("next step")

    assert done == ["step", "next step"]


def test_nothing_is_raised_before_the_outermost_step_ends() -> None:
    done: list[str] = []

    def work() -> None:
        with interrupts.held_back():
            with interrupts.held_back():
                send()
            done.append("after the inner step")
        done.append("after the outer step")

    with pytest.raises(Interrupted):
        work()

    assert done == ["after the inner step"]


def test_without_a_signal_a_step_raises_nothing() -> None:
    done: list[str] = []
    with interrupts.held_back():
        done.append("step")

    assert done == ["step"]


def test_after_a_step_signals_are_raised_at_once_again() -> None:
    with interrupts.held_back():
        pass

    with pytest.raises(Interrupted):
        send()


def test_a_step_of_another_thread_holds_nothing_back() -> None:
    inside = threading.Event()
    leave = threading.Event()

    def work() -> None:
        with interrupts.held_back():
            inside.set()
            leave.wait()

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    with pytest.raises(Interrupted):
        send()
    leave.set()
    thread.join()


def test_a_step_that_fails_tells_its_own_error() -> None:
    with pytest.raises(ValueError, match=r"^the step failed$"), interrupts.held_back():
        raise ValueError("the step failed")

    with pytest.raises(Interrupted):
        send()


def test_an_interrupted_step_that_fails_tells_its_own_error() -> None:
    def work() -> None:
        with interrupts.held_back():
            send()
            raise ValueError("the step failed")

    with pytest.raises(ValueError, match=r"^the step failed$"):
        work()


@pytest.mark.parametrize("number", SIGNALS)
def test_signals_call_what_a_block_wants_however_often_they_come(number: signal.Signals) -> None:
    calls: list[str] = []
    with pytest.raises(Interrupted):
        send()

    with interrupts.signals_call(lambda: calls.append("hurry")):
        send(number)
        send(number)
        assert calls == ["hurry", "hurry"]

    send(number)
    assert calls == ["hurry", "hurry"]
