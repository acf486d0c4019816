"""Why a server or a script failed, read off its log: a cause with the cloud's words for it.

The patterns and their texts are the table beside this file.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from localep.operations.failures.table import FoundCause, Pattern, first_found, read_table
from localep.rules.causes import cause

if TYPE_CHECKING:
    from localep.operations.failures.server_log import ScriptFailure

# "own" is the start of a server of the user's own.
Step = Literal["start", "own", "request"]

TABLE = Path(__file__).with_name("runs.yml")
# What the cloud says of most starts that fail; the catalogue has it where it was found first.
_CRASHED = "import-error"
_WRONG_SYNTAX = frozenset({"SyntaxError", "IndentationError", "TabError"})
_NO_PERMISSION = (
    "The server runs as the user of the code, not as root: check the permissions of what it "
    "reads, and let it write below /tmp alone."
)
# Of a failure that no pattern tells.
_BY_STAGE = {
    "The scoring script could not be imported.": "import-error",
    "The scoring script is not complete.": "init-or-run-missing",
}


def patterns(step: Step) -> tuple[Pattern, ...]:
    """The rows of the table that hold for a step, in their order."""
    return tuple(row for row in read_table(TABLE) if row.at in {"", step})


def read_text(text: str, step: Step) -> FoundCause | None:
    """The cause that a traceback or the end of a log tells of, None where nobody knows it."""
    found = first_found(patterns(step), text)
    if found is None or found.cloud or step == "request":
        return found and _with_package(found)
    return replace(_with_package(found), cloud=cause(_CRASHED).cloud[0])


def why_script_failed(failure: ScriptFailure, entry_script: str) -> FoundCause:
    """The cause of a script, or its server, that did not get ready."""
    text = "\n".join(failure.traceback) or failure.error
    found = read_text(text, "start")
    if found is not None:
        return found
    error = failure.error.partition(":")[0]
    remedy = f"Correct {entry_script} and try again."
    if error in _WRONG_SYNTAX:
        return known_cause("syntax-error", remedy="Correct the line and try again.")
    if error == "PermissionError":
        remedy = _NO_PERMISSION
    return known_cause(_BY_STAGE.get(failure.stage, "init-raises"), remedy=remedy)


def known_cause(name: str, step: Step = "start", remedy: str = "") -> FoundCause:
    """A cause that needs no pattern, with the cloud's own words.

    Those of a request that fails are the endpoint's answer itself.
    """
    known = cause(name)
    words = () if step == "request" else (*known.cloud, *cause(_CRASHED).cloud)
    return FoundCause(name, "", remedy or known.remedy, next(iter(words), ""))


def _with_package(found: FoundCause) -> FoundCause:
    """The cause with the name of the package that helps, as far as that is known."""
    if found.id == "native-library":
        from localep.rules.libraries import debian_package

        package = debian_package(found.what)
        if package is not None:
            remedy = f"Install {package} with apt in a Dockerfile; it has {found.what}."
            if found.what == "libGL.so.1":
                remedy += " Or take opencv-python-headless, if it is for OpenCV."
            return replace(found, remedy=remedy)
    elif found.id == "import-error" and found.remedy == cause(found.id).remedy:
        return replace(found, remedy=_remedy_of_module(found.what))
    return found


def _remedy_of_module(module: str) -> str:
    from localep.rules.known_packages import known_packages

    top = module.partition(".")[0]
    package = known_packages().to_install(module)
    if package is None:
        return (
            f"Add the package that has {module} to the list under `pip:` in the conda file, "
            "or the module to the code folder."
        )
    if top != module and known_packages().to_install(top) == package:  # Python found the package
        return (
            f"Pin the version of {package} that the script was written for, or change the import: "
            f"the installed one has no {module}."
        )
    return f"Add {package} to the list under `pip:` in the conda file."
