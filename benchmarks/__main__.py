"""`python -m benchmarks`: measure, print the table, and say by the exit status how it went."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.environments import measure_environments
from benchmarks.floors import Floors, measure_floors
from benchmarks.front_end import measure_front_end
from benchmarks.many_endpoints import measure_many
from benchmarks.measurement import Measurement, broken, table
from benchmarks.one_endpoint import measure_endpoint, measure_help, measure_large_files
from benchmarks.place import Place, working_place
from benchmarks.processes import BenchmarkFailed
from benchmarks.serving import measure_serve
from benchmarks.validation import measure_validate
from localep import __version__
from localep.errors import LocalepError

if TYPE_CHECKING:
    from collections.abc import Callable

BENCHMARKS: dict[str, Callable[[Place, Floors], list[Measurement]]] = {
    "help": measure_help,
    "validate": measure_validate,
    "endpoint": measure_endpoint,
    "large-files": measure_large_files,
    "many": measure_many,
    "serve": measure_serve,
    "gateway": measure_front_end,
    "environment": measure_environments,
}
QUIET_LOAD = 0.5
BOUND_BROKEN, FAILED, INTERRUPTED = 1, 2, 130


def main() -> int:
    """Run the benchmarks that the command line names."""
    options = _parser().parse_args()
    load = os.getloadavg()[0]
    print(
        f"localep {__version__}, Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"medians of {options.runs} runs; load average at the start: {load:.2f}"
    )
    if load > QUIET_LOAD:
        print(f"WARNING: a load above {QUIET_LOAD}: other work disturbs these figures.")
    rows: list[Measurement] = []
    status = 0
    try:
        measure(options.only or list(BENCHMARKS), options.runs, rows)
    except (BenchmarkFailed, LocalepError) as error:
        print(f"FAILED: {error}", file=sys.stderr)
        status = FAILED
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    if rows:
        print("\n".join(["", *table(rows)]))
    if options.json is not None:
        figures = [row.to_dict() for row in rows]
        report = {"version": __version__, "load": load, "runs": options.runs, "rows": figures}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return status or (BOUND_BROKEN if broken(rows) else 0)


def measure(chosen: list[str], runs: int, rows: list[Measurement]) -> None:
    """Add the floors, which every session measures anew, and the chosen benchmarks to ``rows``.

    What was measured before a failure is in them, too.
    """
    with working_place(runs) as place:
        floors = measure_floors(place)
        rows += floors.rows()
        for name in chosen:
            print(f"measuring: {name}", file=sys.stderr)
            rows += BENCHMARKS[name](place, floors)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench.sh",
        description="Time localep. Ends with 1 where a bound is broken, with 2 where a command "
        "failed.",
    )
    parser.add_argument(
        "--only",
        metavar="NAME",
        choices=BENCHMARKS,
        action="append",
        help=f"one of {', '.join(BENCHMARKS)}; may be given again",
    )
    parser.add_argument("--runs", metavar="N", type=_positive, default=5, help="5 unless told")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures there, too")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1 is needed")
    return number


if __name__ == "__main__":
    sys.exit(main())
