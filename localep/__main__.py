"""The command ``localep``, and ``python -m localep``."""

from __future__ import annotations

import sys

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
        print(interrupted.message, file=sys.stderr)
        return interrupted.exit_code


if __name__ == "__main__":
    sys.exit(main())
