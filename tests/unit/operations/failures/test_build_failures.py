"""What is read off the logs of failed builds."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from localep.errors import BuildFailed
from localep.operations.failures.builds import explain, patterns, read_log
from localep.operations.failures.table import FoundCause
from localep.rules.causes import all_causes, cause

LOGS = yaml.safe_load(Path(__file__).with_name("build_logs.yml").read_text(encoding="utf-8"))
# conda's own words, as its users quote them: no build here has conda.
CONDA_LOGS = {
    "Solving environment: failed\n\nResolvePackageNotFound: \n  - libtiff==4.0.9=vc14_0\n": (
        "package-not-found",
        "Package not found",
        "No channel has libtiff==4.0.9=vc14_0",
    ),
    "PackagesNotFoundError: The following packages are not available from current channels:\n\n"
    "  - scikit-learnn\n": (
        "package-not-found",
        "Package not found",
        "No channel has scikit-learnn",
    ),
    "Solving environment: failed\n\nLibMambaUnsatisfiableError: Encountered problems while "
    "solving:\n  - nothing provides tensorflow 1.12.0 needed by medaka-0.5.2-py36h2b5150b_0\n": (
        "package-not-found",
        "Package not found",
        "No channel has tensorflow",
    ),
    "LibMambaUnsatisfiableError: Encountered problems while solving:\n  - package "
    "torchvision-0.14.1-py310_cpu requires python >=3.10,<3.11.0a0, but none of the providers "
    "can be installed\n": (
        "dependency-conflict",
        "Failed to install packages",
        "The versions that are asked for do not go together",
    ),
    "Collecting package metadata: failed\n\nCondaHTTPError: HTTP 000 CONNECTION FAILED for url "
    "<https://channel.example/linux-64/repodata.json>\nElapsed: -\n": (
        "index-unreachable",
        "Communications error",
        "A package index or channel does not answer",
    ),
    "Pip subprocess error:\nexit code: 1\n\nfailed\n\nCondaEnvException: Pip failed\n": (
        "packages-not-installed",
        "Failed to install packages",
        "conda's pip could not install its list",
    ),
    "ValueError: Interactive auth was attempted, but no terminal is there\n": (
        "private-feed",
        "Interactive auth was attempted",
        "A package index asks for a login",
    ),
    "  Building wheel for horovod (setup.py): finished with status 'error'\n"
    "  ERROR: Failed building wheel for horovod\n": (
        "wheel-build-fails",
        "Horovod build",
        "horovod has to be compiled, and the image cannot",
    ),
    "Failed to build mpi4py\nERROR: Could not build wheels for mpi4py\n": (
        "wheel-build-fails",
        "Can't build mpi4py",
        "mpi4py has to be compiled, and the image cannot",
    ),
    "manifest for registry.example/team/base:9 not found: manifest unknown: manifest unknown\n": (
        "base-image-not-found",
        "Failed to pull Docker image",
        "The base image does not exist",
    ),
    "pull access denied for team/base, repository does not exist or may require 'docker login'\n": (
        "base-image-not-found",
        "Failed to pull Docker image",
        "The base image does not exist",
    ),
}
# Headings of the cloud's page that the log of a build can show; the others are about the
# definition, or about what only Azure does.
HEADINGS = {
    "Unexpected Dockerfile Format",
    "Failed to pull Docker image",
    "Bad spec",
    "Communications error",
    "Compile error",
    "Missing command",
    "Out of memory",
    "Package not found",
    "Missing Python module",
    "No matching distribution",
    "Can't build mpi4py",
    "Interactive auth was attempted",
    "Forbidden blob",
    "Horovod build",
    "Conda command not found",
    "Incompatible Python version",
    "Conda bare redirection",
    "UTF-8 decoding error",
    "Failed to install packages",
    "Can't uninstall package",
    "Invalid operator",
    "Invalid wheel filename",
    "No targets specified",
    "File not found",
    "Failed to run apt-get command",
    "Unknown Docker instruction",
    "Command not recognized",
}
OWN = {
    "certificate-refused",
    "disk-full",
    "index-unreachable",
    "no-such-host",
    "packages-not-installed",
    "proxy-refused",
    "python-too-new",
    "registry-unreachable",
}


def parts(found: FoundCause | None) -> tuple[str, str, str] | None:
    return (found.id, found.cloud, found.says) if found is not None else None


@pytest.mark.parametrize("entry", LOGS, ids=lambda entry: cast("str", entry["name"]))
def test_the_cause_is_read_off_a_log(entry: dict[str, Any]) -> None:
    assert parts(read_log(entry["log"])) == (entry["cause"], entry["cloud"], entry["says"])


@pytest.mark.parametrize(("log", "told"), CONDA_LOGS.items(), ids=lambda value: str(value)[:40])
def test_the_cause_is_read_off_words_that_are_quoted(log: str, told: tuple[str, ...]) -> None:
    assert parts(read_log(log)) == told


def test_every_heading_that_a_log_can_show_is_known() -> None:
    assert {pattern.cloud for pattern in patterns()} >= HEADINGS


def test_every_cause_is_of_the_catalogue_or_of_this_machine() -> None:
    known = {item.id for item in all_causes()}

    assert {pattern.cause for pattern in patterns()} - known == OWN
    assert all(pattern.remedy for pattern in patterns() if pattern.cause in OWN)


def test_every_cause_that_a_build_shows_has_a_pattern() -> None:
    # How long a build takes stands in no log: see test_builds.py.
    wanted = {item.id for item in all_causes() if item.known == "by-building"}

    assert wanted - {pattern.cause for pattern in patterns()} == {"image-build-timeout"}


def test_every_pattern_is_shown_by_a_log() -> None:
    texts = [*(entry["log"] for entry in LOGS), *CONDA_LOGS]

    unseen = [
        pattern.expression.pattern
        for pattern in patterns()
        if not any(pattern.expression.search(text) for text in texts)
    ]
    assert unseen == []


def test_a_log_that_nobody_knows_tells_nothing() -> None:
    assert read_log("+ test -e /opt/app\nexit code: 1\n") is None


def test_the_end_of_a_log_comes_first() -> None:
    trouble = "WARNING: Retrying: Failed to establish a new connection: [Errno 111]\n"
    log = trouble + "ok\n" * 50 + "error: command 'gcc' failed: No such file or directory\n"

    assert parts(read_log(log)) == (
        "wheel-build-fails",
        "Compile error",
        "A package has to be compiled, and the image lacks gcc",
    )
    found = read_log(trouble + "ok\n" * 50)
    assert found is not None
    assert found.id == "index-unreachable"


def test_the_error_names_the_cause_the_clouds_words_and_the_remedy() -> None:
    lines = ("/bin/sh: 1: conda: not found",)
    step = "A step ended with exit code 127: [2/2] RUN conda list"
    error = BuildFailed("No.", cause=step, remedy="?", details=lines, log=lines)

    explain(error)

    assert (error.code, error.cause, error.remedy, error.details) == (
        "conda-absent",
        "The image has no conda (conda-absent; the cloud says `Conda command not found`). " + step,
        cause("conda-absent").remedy,
        lines,
    )


def test_without_lines_the_builders_own_word_is_shown_as_it_is() -> None:
    words = "dockerfile parse error line 2: unknown instruction: RUNN"
    error = BuildFailed("No.", cause=words, log=(words,))

    explain(error)

    assert (error.cause, error.details) == (
        "RUNN is no instruction of a Dockerfile (dockerfile-syntax; the cloud says "
        "`Unknown Docker instruction`).",
        (words,),
    )


def test_a_cause_of_this_machine_is_in_no_cloud() -> None:
    error = BuildFailed(
        "No.", cause="A step ended.", details=("x",), log=("write: no space left on device",)
    )

    explain(error)

    assert error.cause == "A disk is full (disk-full). A step ended."
    assert error.remedy == "Free disk space, for example with `docker system prune`."


def test_an_error_that_nobody_knows_stays_as_it_is() -> None:
    error = BuildFailed("No.", cause="A step ended.", remedy="Look.", log=("exit code: 1",))

    explain(error)

    assert (error.code, error.cause, error.remedy) == (None, "A step ended.", "Look.")
