"""The solver: from match specs to packages, and to their files.

rattler works in a process of its own: its threads cannot be ended, and may outlive the interpreter
that they belong to. That process is ended with this one, and a signal ends both.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localep.conda.packages import CondaPackage
from localep.errors import ChannelUnreachable, EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from localep.conda.packages import SolveRequest

_KINDS = {kind.__name__: kind for kind in (ChannelUnreachable, EnvironmentFailure)}
_LAST_LINES = 5
# Nothing is to be imported from the folder that the user is in.
_PROGRAM = (
    "import sys; sys.path[0] = sys.argv[2]; "
    "from localep.conda.worker import main; main(sys.argv[1])"
)
_ROOT = Path(__file__).parents[2]


def solve(request: SolveRequest) -> tuple[CondaPackage, ...]:
    """The packages to install, each after what it needs; strict channel priority.

    Raises ChannelUnreachable where a channel does not answer, and EnvironmentFailure where it
    refuses, where a package is in no channel, or where packages contradict each other.
    """
    found = _ask("solve", asdict(request))
    return tuple(CondaPackage.from_dict(entry) for entry in found)


def fetch(packages: Iterable[CondaPackage], names: Iterable[str]) -> dict[str, Path]:
    """The files of packages by their names in a build's context, fetched where they are not here.

    ``names`` are the channels with their credentials. Raises EnvironmentFailure where a file is
    not there, or is another one than its list says.
    """
    question = {"packages": [asdict(package) for package in packages], "names": list(names)}
    found = _ask("fetch", question) if question["packages"] else {}
    return {name: Path(path) for name, path in found.items()}


def _ask(task: str, question: dict[str, Any]) -> Any:  # noqa: ANN401 - what JSON holds
    command = [sys.executable, "-c", _PROGRAM, task, str(_ROOT)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        try:
            answer, errors = process.communicate(json.dumps(question))
        except BaseException:
            process.kill()
            raise
    try:
        told = json.loads(answer)
    except ValueError:
        raise EnvironmentFailure(
            "The conda solver broke off.",
            cause=f"Its process ended with status {process.returncode}.",
            remedy="Run the command again; take the packages from PyPI with --solver pypi.",
            details=errors.splitlines()[-_LAST_LINES:],
        ) from None
    if "error" in told:
        error = told["error"]
        raise _KINDS[error.pop("kind")](error.pop("message"), **error)
    return told["result"]
