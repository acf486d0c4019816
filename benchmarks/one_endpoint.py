"""The life of one endpoint, command by command, and what large files beside it add."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from benchmarks.measurement import Measurement, differences
from benchmarks.processes import BenchmarkFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.floors import Floors
    from benchmarks.place import Place

# The seconds of each run, by what was done.
Times = dict[str, list[float]]

GIGABYTE = 1024**3
_READING = ("invoke", "show", "list", "get-logs")
_UPDATE = "update after a one-line change"
_NO_UPDATE = "update without a change"
_BOUND_OF_A_LARGE_FILE = 0.15


def measure_help(place: Place, floors: Floors) -> list[Measurement]:
    """The command line alone."""
    seconds = tuple(place.localep("--help").seconds for _ in range(place.runs))
    return [Measurement("localep --help", seconds, bound=0.15, floor=floors.python.median)]


def measure_endpoint(place: Place, floors: Floors) -> list[Measurement]:
    """Every verb on the sample `hello`."""
    hello = place.copy_hello("hello")
    times: Times = defaultdict(list)
    for run in range(place.runs):
        _live(place, hello, f"run {run}", times)
    python = floors.python.median
    return [
        Measurement("create", tuple(times["create"]), 1.5, floors.in_turn.median),
        Measurement(_UPDATE, tuple(times[_UPDATE]), 1.2, floors.server.median),
        Measurement(_NO_UPDATE, tuple(times[_NO_UPDATE]), 0.4, python),
        *(Measurement(verb, tuple(times[verb]), 0.3, python) for verb in _READING),
        Measurement("delete", tuple(times["delete"]), floor=python),
    ]


def measure_large_files(place: Place, _: Floors) -> list[Measurement]:
    """What a 1 GB model, and a 1 GB file beside the conda file, add to create and update.

    The files are sparse: they have the size and take no space.
    """
    plain: Times = defaultdict(list)
    added: dict[str, Times] = {}
    kinds: dict[str, Callable[[Path], None]] = {
        "a 1 GB model (sparse)": _add_model,
        "a 1 GB file (sparse) beside the conda file": _add_file,
    }
    folders = {"plain": place.copy_hello("plain")}
    for number, (kind, add) in enumerate(kinds.items()):
        folders[kind] = place.copy_hello(f"large-{number}")
        add(folders[kind])
        added[kind] = defaultdict(list)
    for run in range(place.runs):
        for kind, folder in folders.items():
            _live(place, folder, f"run {run}", added.get(kind, plain))
    return [
        differences(
            f"{verb}: what {kind} adds", times[command], plain[command], _BOUND_OF_A_LARGE_FILE
        )
        for kind, times in added.items()
        for verb, command in (("create", "create"), ("update", _UPDATE))
    ]


def _live(place: Place, hello: Path, mark: str, times: Times) -> None:
    """Create an endpoint, use, change and delete it; every answer is looked at."""

    def run(what: str, *arguments: str) -> str:
        result = place.localep(*arguments)
        times[what].append(result.seconds)
        return result.output

    request = str(hello / "sample-request.json")
    run("create", "create", "-f", f"{hello}/endpoint.yml", "-f", f"{hello}/deployment.yml")
    greeting = json.loads(run("invoke", "invoke", "-r", request))["greeting"]
    _expect("hello", run("show", "show"))
    _expect("hello", run("list", "list"))
    _expect("greeting", run("get-logs", "get-logs"))
    _expect("nothing changed", run(_NO_UPDATE, "update"))
    script = hello / "code" / "score.py"
    before = script.read_text(encoding="utf-8")
    script.write_text(before.replace('{name}!"}', f'{{name}}! ({mark})"}}'), encoding="utf-8")
    run(_UPDATE, "update")
    script.write_text(before, encoding="utf-8")
    _expect(f"{greeting} ({mark})", place.localep("invoke", "-r", request).output)
    run("delete", "delete", "--yes")


def _expect(part: str, output: str) -> None:
    if part not in output:
        raise BenchmarkFailed(f"{part!r} is not in what localep wrote:\n{output}")


def _add_model(hello: Path) -> None:
    _make_large(hello / "model.bin")
    with (hello / "deployment.yml").open("a", encoding="utf-8") as deployment:
        deployment.write("model:\n  path: model.bin\n")


def _add_file(hello: Path) -> None:
    _make_large(hello / "data.bin")


def _make_large(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(GIGABYTE)
