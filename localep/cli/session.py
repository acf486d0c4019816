"""What a verb opens before its operation: the engine, and the one who is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from localep.cli.options import Level
    from localep.cli.output import Output
    from localep.operations.environments import EnvironmentOptions
    from localep.operations.workplace import Workplace
    from localep.spec.loader import Bundle, Selection


def open_workplace(output: Output) -> Workplace:
    """Reach the engine. Raises EngineError."""
    from localep.engine.client import connect_engine
    from localep.operations.workplace import Workplace

    return Workplace(connect_engine(), output)


def read_bundle(output: Output, files: Iterable[Path], chosen: Selection) -> Bundle:
    """Read the YAML files and show what is doubtful in them."""
    from localep.operations.checked import load_checked_files, not_honoured

    bundle = load_checked_files(list(files), chosen)
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


def environment_options(
    *, python: str | None, strict_image: bool, pull: bool, no_cache: bool
) -> EnvironmentOptions:
    """The options of an environment as the operations take them."""
    from localep.operations.environments import EnvironmentOptions

    return EnvironmentOptions(python, strict_image, pull, no_cache)
