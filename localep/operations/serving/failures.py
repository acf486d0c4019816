"""Why a server of this machine failed, in the words that containers' failures are told in."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from localep.environment.requirements import INFERENCE_SERVER
from localep.errors import DeploymentNotReady, EnvironmentFailure, UsageError
from localep.operations.failures.evidence import add_evidence
from localep.operations.failures.server_log import script_failure, worker_deaths
from localep.operations.failures.starts import ended_before_ready
from localep.operations.serving.layout import ROOT_NAME
from localep.operations.serving.packages import install_command, missing_package, server_command

if TYPE_CHECKING:
    from localep.server.interpreter import Installed
    from localep.spec.model import DeploymentSpec

_LAST_LINES = 30


def server_missing(python: Path, installed: Installed | None) -> EnvironmentFailure:
    """Of a Python that lacks the inference server."""
    return EnvironmentFailure(
        "The inference server is not installed.",
        cause=f"{python} has no {INFERENCE_SERVER}.",
        remedy=f"Install it ({server_command(python, installed)}), "
        "or use --isolated: localep then makes an environment of its own.",
    )


def server_failed(
    log: str, entry_script: str, status: int, python: Path, installed: Installed | None
) -> DeploymentNotReady:
    """Of a server that ended before it was ready; a missing package is named with its cure.

    ``installed`` is None where the environment is localep's own: the conda file rules there.
    """
    failure = script_failure(log)
    if failure is None and not worker_deaths(log):
        return _ended("The deployment did not get ready.", log, status)
    error = ended_before_ready(log, entry_script, status)
    package = missing_package(failure.error) if failure is not None else None
    if package is None or installed is None:
        return error
    command = install_command(python, installed, [package])
    return DeploymentNotReady(
        error.message,
        cause=error.cause,
        remedy=f"Install the package ({command}) and add it to the list under `pip:` in the "
        "conda file, or add the module to the code folder.",
        details=error.details,
        code=error.code,
    )


def with_evidence(
    error: DeploymentNotReady, spec: DeploymentSpec, scratch: Path, installed: Installed | None
) -> DeploymentNotReady:
    """The error with what lies on this machine beside it; ``scratch`` has the cloud's folders."""
    packages = installed.packages if installed is not None else {}
    versions = {str(canonicalize_name(name)): version for name, version in packages.items()}
    add_evidence(error, spec, lambda: versions, (scratch / ROOT_NAME).as_posix())
    return error


def cannot_start(error: OSError) -> UsageError:
    """Of a server whose files or whose Python this machine refuses."""
    return UsageError(
        "The server cannot be started.",
        cause=f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}.",
        remedy="Check that the code can be read, that the Python can be run, and that there is "
        "room for temporary files.",
    )


def make_scratch() -> Path:
    """A folder for what belongs to one run of a server. Raises UsageError."""
    try:
        return Path(tempfile.mkdtemp(prefix="localep-serve-")).resolve()
    except OSError as error:
        raise cannot_start(error) from error


def server_gone(log: str, status: int) -> DeploymentNotReady:
    """Of a server that had been ready."""
    return _ended("The server ended by itself.", log, status)


def _ended(message: str, log: str, status: int) -> DeploymentNotReady:
    return DeploymentNotReady(
        message,
        cause=f"Its exit code is {status}.",
        remedy="See the last lines of its log above.",
        details=log.rstrip().splitlines()[-_LAST_LINES:],
    )
