"""The command ``localep``, and ``python -m localep``."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn

from localep import interrupts
from localep.errors import Interrupted


def main() -> int:
    """Run the command line of this process and return its exit status."""
    # Before the imports that take a while, so that Ctrl-C never ends in a traceback.
    interrupts.install()
    try:
        from localep.cli.app import run

        return run(sys.argv[1:])
    except Interrupted as interrupted:
        from localep.cli.failures import report

        return report(interrupted, sys.argv[1:])


def run_and_exit() -> NoReturn:
    """Run the command line and end the process, without what only slows a short one down."""
    gc.disable()  # nothing a command makes is worth collecting before its end
    status = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            pass  # who read it has enough
        except (OSError, ValueError):
            status = status or 1
    os._exit(status)  # taking all objects down one by one takes a fifth of `localep list`


if __name__ == "__main__":
    run_and_exit()
