"""An environment on this machine itself, made once by uv and kept in localep's cache."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localep.environment import index_settings
from localep.environment.build_settings import find_ca_bundle
from localep.environment.conda_file import admits_python
from localep.environment.plan import BaseImage, plan_environment
from localep.environment.processes import run_lines
from localep.environment.pypi_twins import find_twins
from localep.errors import EnvironmentFailure
from localep.interrupts import held_back

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from localep.environment.conda_file import CondaFile
    from localep.environment.index_settings import IndexSettings

# Written last: without it, what is there is half made.
_MARK = ".localep-complete"
_LAST_LINES = 20
# Read with all other settings of indexes, and set anew.
_INDEX_VARIABLES = (
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_INSECURE_HOST",
)


@dataclass(frozen=True)
class LocalEnvironment:
    """What an environment holds: a minor version of Python ("3.11") and pip's list.

    ``private_options`` are lines of pip's list whose address holds credentials. ``is_locked``
    tells that the list names every package, one exact file each.
    """

    python: str
    requirements: tuple[str, ...]
    private_options: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    is_locked: bool = False

    @property
    def name(self) -> str:
        """The same for environments that hold the same on the same kind of machine."""
        identity = [self.python, self.requirements, sys.platform, platform.machine()]
        return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]


def plan_local_environment(
    conda: CondaFile | None, pythons: Sequence[str], python: str | None
) -> LocalEnvironment:
    """Decide what an environment holds.

    ``pythons`` are the versions to choose from, the best first; ``python`` is the one that the
    user wants instead. Raises EnvironmentFailure as the plan of an image does.
    """
    constraint = conda.python if conda is not None else ""
    fitting = [minor for minor in pythons if admits_python(constraint, minor)]
    chosen = python or next(iter(fitting), None)
    if chosen is None:
        raise EnvironmentFailure(
            f"The conda file asks for python{constraint}.",
            cause=f"The inference server runs on Python {', '.join(sorted(pythons, key=_number))}.",
            remedy="Change the conda file, or choose a Python with --python.",
        )
    missing = find_twins(conda.packages, conda.pip).missing if conda is not None else ()
    if missing:
        raise EnvironmentFailure(
            "The conda file asks for packages that PyPI has no twin of.",
            cause=f"They are {', '.join(missing)}.",
            remedy="Serve it with a Python that has them, without --isolated, or run it in "
            "Docker: localep create.",
        )
    here = BaseImage("this machine", identity="", python=chosen)
    plan = plan_environment(conda, here, python=python)
    return LocalEnvironment(chosen, plan.requirements, plan.private_options, plan.warnings)


def environments_folder(environ: Mapping[str, str]) -> Path:
    """Where the user's environments are kept; it may be removed at any time."""
    cache = environ.get("XDG_CACHE_HOME")
    return Path(cache or Path("~/.cache").expanduser()) / "localep" / "environments"


def ensure_local_environment(
    plan: LocalEnvironment,
    folder: Path,
    environ: Mapping[str, str],
    on_step: Callable[[str], None],
    on_line: Callable[[str], None],
) -> Path:
    """The folder of the environment, made where it is not there. Raises EnvironmentFailure.

    It is made where it stays, as its programs hold its path; what an interrupted command left
    is made anew.
    """
    place = folder / plan.name
    if (place / _MARK).exists():
        return place
    from filelock import FileLock

    _make_folder(folder)
    with FileLock(folder / f"{plan.name}.lock"):
        if (place / _MARK).exists():  # by another command meanwhile
            return place
        shutil.rmtree(place, ignore_errors=True)
        on_step(f"Making the environment (Python {plan.python}, once)")
        try:
            _make(plan, place, uv_variables(_indexes(plan, environ), environ), on_line)
        except BaseException:
            with held_back():
                shutil.rmtree(place, ignore_errors=True)
            raise
        (place / _MARK).touch()
    return place


def _make(
    plan: LocalEnvironment,
    place: Path,
    environ: Mapping[str, str],
    on_line: Callable[[str], None],
) -> None:
    uv = find_uv()
    output = _run([uv, "venv", "--quiet", "--python", plan.python, str(place)], environ, on_line)
    if output is not None:
        raise EnvironmentFailure(
            f"Python {plan.python} is not to be had.",
            cause="It is not installed here, and could not be fetched.",
            remedy=f"Install Python {plan.python}, or choose another one with --python.",
            details=output,
        )
    with tempfile.TemporaryDirectory(prefix="localep-requirements-") as scratch:
        requirements = Path(scratch, "requirements.txt")
        requirements.write_text("".join(f"{line}\n" for line in plan.requirements), "utf-8")
        command = [uv, "pip", "install", "--compile-bytecode", "--python", str(place)]
        command += ["--no-deps"] if plan.is_locked else []
        output = _run([*command, "--requirements", str(requirements)], environ, on_line)
    if output is not None:
        raise EnvironmentFailure(
            "The environment could not be made.",
            cause="uv could not install the packages.",
            remedy="Correct the list under `pip:` in the conda file as the lines above say.",
            details=output,
        )


def _run(
    command: Sequence[str], environ: Mapping[str, str], on_line: Callable[[str], None]
) -> list[str] | None:
    """Run uv; the last lines of its output where it fails, None where it goes well."""
    status, lines = run_lines(command, on_line, environ)
    return lines[-_LAST_LINES:] if status != 0 else None


def find_uv() -> str:
    """The program uv that came with localep."""
    from uv import find_uv_bin

    return str(find_uv_bin())


def _indexes(plan: LocalEnvironment, environ: Mapping[str, str]) -> IndexSettings:
    return index_settings.collect(environ, Path.home()).with_options(plan.private_options)


def uv_variables(indexes: IndexSettings, environ: Mapping[str, str]) -> dict[str, str]:
    """The user's variables, with these indexes and this machine's authorities for uv."""
    result = {
        **environ,
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_NO_PROGRESS": "1",
        "UV_NO_CONFIG": "1",  # of the folder that the user is in; the user's own is read above
    }
    for name in (*_INDEX_VARIABLES, "VIRTUAL_ENV", "CONDA_PREFIX"):
        result.pop(name, None)
    for name, value in {
        "UV_DEFAULT_INDEX": indexes.default,
        "UV_INDEX": " ".join(indexes.extra),
        "UV_FIND_LINKS": ",".join(indexes.find_links),
        "UV_INSECURE_HOST": " ".join(indexes.trusted_hosts),
    }.items():
        if value:
            result[name] = value
    authorities = find_ca_bundle(environ, indexes.certificate)
    if authorities is not None:
        result["SSL_CERT_FILE"] = str(authorities)
    return result


def _number(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise EnvironmentFailure(
            f"The folder {folder} cannot be used.",
            cause=f"{error.strerror}.",
            remedy="Name a folder that you may write to in XDG_CACHE_HOME.",
        ) from error
