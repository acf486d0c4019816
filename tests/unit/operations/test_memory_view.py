"""What `show` and `get-logs` tell of memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from localep.engine.base import Container, Engine, Usage
from localep.operations.memory import MemoryView, view_memory, with_word_of_kills
from localep.operations.sizes import MIB
from localep.operations.workplace import Workplace

LIMITS = {"limits": {"cpus": None, "memory": 256 * MIB, "shm": None}, "asked": {}, "note": None}
BLUE = Container("1", "blue", "image", "running", {"localep.spec": json.dumps({"limits": LIMITS})})
GREEN = replace(BLUE, identity="2")
ENDED = replace(BLUE, identity="3", status="exited", oom_killed=True)
ALL = {found.identity: found for found in (BLUE, GREEN, ENDED)}
KILLED = b"Worker (pid:7) was sent SIGKILL! Perhaps out of memory?\n"


@dataclass
class Counting:
    """An engine whose containers' groups count; ``asked`` is how often."""

    usages: dict[str, Usage] = field(default_factory=dict)
    containers: dict[str, Container] = field(default_factory=lambda: dict(ALL))
    asked: int = 0

    def usage(self, identity: str) -> Usage | None:
        self.asked += 1
        return self.usages.get(identity)

    def inspect_container(self, identity: str) -> Container | None:
        return self.containers.get(identity)


def view(engine: Counting, *containers: Container) -> MemoryView | None:
    return view_memory(cast(Engine, engine), containers)


def test_the_memory_is_that_of_the_instance_with_the_most() -> None:
    usages = {
        "1": Usage(50 * MIB, 1, 256 * MIB, 2),
        "2": Usage(60 * MIB, 1, 70 * MIB, 0),
    }

    assert view(Counting(usages), BLUE, GREEN, ENDED) == MemoryView(
        limit_bytes=256 * MIB,
        used_bytes=60 * MIB,
        peak_bytes=256 * MIB,
        processes_killed=2,
    )


def test_nothing_is_told_of_what_does_not_run() -> None:
    assert view(Counting(), ENDED) is None
    assert view(Counting()) is None


def test_a_container_that_was_killed_and_started_again_is_told() -> None:
    engine = Counting({"1": Usage(MIB, 1, 2 * MIB, 0)})
    engine.containers["1"] = replace(BLUE, oom_killed=True)

    assert view(engine, BLUE) == MemoryView(256 * MIB, MIB, 2 * MIB, 1)


def test_counters_that_an_image_does_not_give_are_left_out() -> None:
    assert view(Counting({"1": Usage(MIB, 1)}), BLUE) == MemoryView(256 * MIB, MIB, None, 0)


def log(
    place: Workplace, engine: Counting, *chunks: bytes, container: Container = BLUE, follow: bool
) -> Iterator[bytes]:
    place = replace(place, engine=cast(Engine, engine))
    return with_word_of_kills(place, container, chunks, follow=follow)


@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize(
    "chunks", [[b"one\n", KILLED, b"two\n", KILLED], [KILLED[:30], KILLED[30:], KILLED]]
)
def test_a_log_with_a_killed_worker_says_so_once(
    place: Workplace, told: list[str], chunks: list[bytes], follow: bool
) -> None:
    engine = Counting({"1": Usage(MIB, 1, 2 * MIB, 3)})

    assert list(log(place, engine, *chunks, follow=follow)) == chunks

    assert told == [
        "warning: The system ended 3 processes of the deployment for want of memory, at the limit "
        "of 256 MiB (memory-at-start)."
    ]
    assert engine.asked == 1


def test_who_follows_a_log_is_told_at_once(place: Workplace, told: list[str]) -> None:
    lines = log(place, Counting({"1": Usage(MIB, 1, None, 1)}), KILLED, b"two\n", follow=True)

    assert next(lines) == KILLED
    assert told == []
    assert next(lines) == b"two\n"
    assert len(told) == 1


def test_a_worker_that_was_ended_for_another_reason_is_not_told_of(
    place: Workplace, told: list[str]
) -> None:
    engine = Counting({"1": Usage(MIB, 1, 2 * MIB, 0)})

    assert list(log(place, engine, KILLED, follow=False)) == [KILLED]
    assert told == []


def test_nothing_is_counted_for_a_log_without_a_kill(place: Workplace, told: list[str]) -> None:
    engine = Counting({"1": Usage(MIB, 1, 2 * MIB, 1)})

    assert list(log(place, engine, b"one\n", follow=False)) == [b"one\n"]
    assert (told, engine.asked) == ([], 0)


def test_a_container_that_ended_for_want_of_memory_is_told(
    place: Workplace, told: list[str]
) -> None:
    assert list(log(place, Counting(), b"one\n", container=ENDED, follow=False)) == [b"one\n"]

    assert told == [
        "warning: The system ended a process of the deployment for want of memory, at the limit of "
        "256 MiB (memory-at-start)."
    ]
