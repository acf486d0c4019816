"""What a verb opens before its operation: the engine, and the one who is told."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from localep.cli.options import Level
    from localep.cli.output import Output
    from localep.environment.solver import Solver
    from localep.operations.environments.options import EnvironmentOptions
    from localep.operations.limits import LimitOptions
    from localep.operations.workplace import Workplace
    from localep.spec.loader import Bundle, Selection


def open_workplace(output: Output) -> Workplace:
    """Reach the engine. Raises EngineError."""
    from localep.engine.client import connect_engine
    from localep.operations.workplace import Workplace

    return Workplace(connect_engine(), output)


def read_bundle(
    output: Output,
    files: Iterable[Path],
    chosen: Selection,
    *,
    runs_script: bool = False,
    python: str | None = None,
) -> Bundle:
    """Read the YAML files and show what is doubtful in them.

    With ``runs_script`` a script that no server can run is refused, by the Python that the user
    wants in the place of the conda file's. Raises SpecError.
    """
    from localep.operations.checked import (
        load_checked_files,
        not_honoured,
        refuse_faulty_script,
        without_script_findings,
    )

    bundle = load_checked_files(list(files), chosen)
    if runs_script:
        refuse_faulty_script(bundle, python)
    else:
        bundle = without_script_findings(bundle)
    for finding in bundle.warnings:
        output.warn(str(finding))
    note = not_honoured(bundle)
    if note is not None:
        output.note(note)
    return bundle


def selection(
    name: str | None,
    deployment: str | None,
    overrides: Iterable[str] | None,
    log_level: Level | None = None,
    variables: Iterable[str] | None = None,
    models: Iterable[str] | None = None,
) -> Selection:
    """What the command line adds to the documents. Raises UsageError."""
    from localep.spec.loader import Selection
    from localep.spec.placeholders import parse_variables

    level = log_level.value.upper() if log_level is not None else None
    filled = parse_variables(variables or ())
    return Selection(name, deployment, tuple(overrides or ()), level, filled, tuple(models or ()))


def number_of_instances(text: str | None) -> int | None:
    """What ``--instances`` says, see CreateOptions."""
    from localep.operations.create import AS_IN_YAML

    return None if text is None else AS_IN_YAML if text == "yaml" else int(text)


def limit_options(
    of_type: bool | None, cpus: float | None, memory: str | None, shm_size: str | None
) -> LimitOptions:
    """The limits of a container as the operations take them."""
    from localep.cli.numbers import number_of_bytes
    from localep.operations.limits import LimitOptions

    return LimitOptions(of_type, cpus, number_of_bytes(memory), number_of_bytes(shm_size))


def environment_options(
    *,
    python: str | None,
    strict_image: bool,
    pull: bool,
    no_cache: bool,
    platform: str | None = None,
    solver: Solver | None = None,
) -> EnvironmentOptions:
    """The options of an environment as the operations take them. Raises UsageError."""
    from localep.environment.solver import Solver
    from localep.operations.environments.options import EnvironmentOptions
    from localep.operations.environments.platforms import wanted_platform

    wanted = wanted_platform(platform, os.environ)
    chosen = solver or Solver.AUTO
    return EnvironmentOptions(python, strict_image, pull, no_cache, wanted, chosen)
