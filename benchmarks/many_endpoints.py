"""Ten endpoints that are created at once: how long, how much memory, and `list` of them."""

from __future__ import annotations

import json
from collections import defaultdict
from statistics import mean
from typing import TYPE_CHECKING, Any

from benchmarks.measurement import MEGABYTES, Measurement
from benchmarks.processes import BenchmarkFailed

if TYPE_CHECKING:
    from benchmarks.floors import Floors
    from benchmarks.place import Place

COUNT = 10


def measure_many(place: Place, floors: Floors) -> list[Measurement]:
    """Create ten endpoints side by side, ask each, look at them, delete them."""
    hello = place.copy_hello("many")
    names = [f"hello-{number}" for number in range(COUNT)]
    files = ["-f", f"{hello}/endpoint.yml", "-f", f"{hello}/deployment.yml"]
    request = str(hello / "sample-request.json")
    created, listed = [], []
    memory: dict[str, list[float]] = defaultdict(list)
    for _ in range(place.runs):
        created.append(place.localep_together([["create", "-n", n, *files] for n in names]).seconds)
        answers = place.localep_together([["invoke", "-n", n, "-r", request] for n in names])
        _check_answers(answers.outputs)
        listed.append(place.localep("list").seconds)
        for role in ("gateway", "deployment"):
            memory[role].append(_memory_a_piece(place, role))
        place.localep_together([["delete", "-n", n, "--yes"] for n in names])
    pieces = tuple(seconds / COUNT for seconds in created)
    floor = floors.in_turn.median
    return [
        Measurement(f"create, {COUNT} endpoints at once", tuple(created), floor=floor),
        Measurement("  a piece", pieces),
        *(
            Measurement(f"  memory of a {role}", tuple(samples), unit=MEGABYTES)
            for role, samples in memory.items()
        ),
        Measurement(f"list with {COUNT} endpoints", tuple(listed), floor=floors.python.median),
    ]


def working_set(stats: dict[str, Any]) -> int:
    """The bytes that a container's processes need, without files read once, as `docker stats`."""
    memory = stats["memory_stats"]
    details = memory["stats"]
    inactive = details.get("total_inactive_file", details.get("inactive_file", 0))
    return int(memory["usage"] - inactive)


def _memory_a_piece(place: Place, role: str) -> float:
    containers = place.engine.list_containers(place.names.labels(role=role))
    if len(containers) != COUNT:
        raise BenchmarkFailed(f"There are {len(containers)} containers of role {role}.")
    stats = [
        place.engine.api.stats(container.identity, stream=False, one_shot=True)
        for container in containers
    ]
    return mean(working_set(one) for one in stats) / 1_000_000


def _check_answers(outputs: tuple[str, ...]) -> None:
    for output in outputs:
        if "greeting" not in json.loads(output):
            raise BenchmarkFailed(f"An endpoint answered {output}")
