"""Debian's root file system from Debian's packages, for networks without an image registry."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from localep.environment.processes import run_lines
from localep.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUITE = "bookworm"

# What the official slim image leaves out, too.
_LEFT_OUT = (
    "./var/cache/apt/*.bin",
    "./var/cache/apt/archives/*.deb",
    "./var/lib/apt/lists/*_*",
    "./var/log/*",
    "./usr/share/doc/*",
    "./usr/share/info/*",
    "./usr/share/locale/*",
    "./usr/share/man/*",
)


@contextmanager
def root_file_system(on_line: Callable[[str], None], mirror: str | None = None) -> Iterator[Path]:
    """A tar file with Debian's root file system, gone when the context ends.

    ``mirror`` is the address of a mirror of Debian's packages, by default debootstrap's own.
    Raises EnvironmentFailure where debootstrap is not there, may not run, or fails.
    """
    debootstrap = _find_debootstrap()
    # /tmp may be mounted so that it takes neither device files nor programs.
    with tempfile.TemporaryDirectory(prefix="localep-debian-", dir="/var/tmp") as folder:
        root = Path(folder, "root")
        archive = Path(folder, "root.tar")
        command = [debootstrap, "--variant=minbase", SUITE, str(root)]
        _run([*command, mirror] if mirror else command, on_line)
        excluded = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
        tar = ["tar", "--create", "--file", str(archive), "--directory", str(root), "--wildcards"]
        _run([*tar, "--numeric-owner", *excluded, "."], on_line)
        shutil.rmtree(root)
        yield archive


def _find_debootstrap() -> str:
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    debootstrap = shutil.which("debootstrap", path=path)
    if debootstrap is None:
        raise EnvironmentFailure(
            "Debian's base image is not to be had.",
            cause="No registry answered, and the program debootstrap is not installed.",
            remedy="Install it (`apt-get install debootstrap`), or pull debian:bookworm-slim "
            "where a registry answers.",
        )
    if os.geteuid() != 0:
        raise EnvironmentFailure(
            "Debian's root file system cannot be made.",
            cause="debootstrap works for root alone.",
            remedy="Run `sudo localep base build` once.",
        )
    return debootstrap


def _run(command: list[str], on_line: Callable[[str], None]) -> None:
    status, lines = run_lines(command, on_line)
    if status != 0:
        raise EnvironmentFailure(
            "Debian's root file system cannot be made.",
            cause=f"{Path(command[0]).name} ended with status {status}.",
            remedy="Check that Debian's package mirror can be reached from here.",
            details=lines[-20:],
        )
