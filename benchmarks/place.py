"""Where the benchmarks work: a namespace of their own in the engine, and a folder of samples."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import sys
import sysconfig
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.processes import Run, run, run_together
from localep.engine.client import DockerEngine, connect_engine
from localep.operations.names import NAMESPACE, NAMESPACE_VARIABLE, Names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parent.parent
IMAGE = "localep/base:latest"
_ENDINGS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class Place:
    """The engine, the names of this session's things in it, and how often to measure."""

    engine: DockerEngine
    names: Names
    folder: Path
    runs: int

    def localep(self, *arguments: str, status: int = 0) -> Run:
        """Time one command of the installed `localep`, which has to end with this status."""
        return run(self.command(*arguments), self.folder, self.environment, status=status)

    def localep_together(self, commands: Sequence[Sequence[str]]) -> Run:
        """Time several commands of `localep` that run side by side."""
        lines = [self.command(*arguments) for arguments in commands]
        return run_together(lines, self.folder, self.environment)

    def python(self, program: str) -> Run:
        """Time the interpreter that `localep` runs in."""
        return run([sys.executable, "-c", program], self.folder, self.environment)

    def copy_hello(self, name: str) -> Path:
        """A copy of the sample `hello` that asks no registry for an image."""
        copy = self.folder / name
        shutil.copytree(ROOT / "samples" / "hello", copy)
        deployment = copy / "deployment.yml"
        text = deployment.read_text(encoding="utf-8")
        text = re.sub(r"(?m)^( *image:) .*$", rf"\1 {IMAGE}", text)
        deployment.write_text(text, encoding="utf-8")
        return copy

    @property
    def environment(self) -> dict[str, str]:
        """The variables of every command."""
        # localep keeps its locks in the cache.
        cache = str(self.folder / "cache")
        return {**os.environ, NAMESPACE_VARIABLE: self.names.namespace, "XDG_CACHE_HOME": cache}

    @staticmethod
    def command(*arguments: str) -> list[str]:
        """The command line of the installed `localep`."""
        return [str(Path(sysconfig.get_path("scripts")) / "localep"), *arguments]


@contextmanager
def working_place(runs: int) -> Iterator[Place]:
    """A place of which nothing is left afterwards, interrupted or not; images stay."""
    engine = connect_engine()
    names = Names(f"bench-{secrets.token_hex(4)}")
    for number in _ENDINGS:
        signal.signal(number, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="localep-bench-") as folder:
        try:
            yield Place(engine, names, Path(folder), runs)
        finally:
            for number in _ENDINGS:
                signal.signal(number, signal.SIG_IGN)
            clean_up(engine, names)


def clean_up(engine: DockerEngine, names: Names) -> None:
    """Remove whatever is in the namespace."""
    for container in engine.list_containers(names.labels()):
        engine.remove_container(container.identity)
    for volume in engine.list_volumes(names.labels()):
        engine.remove_volume(volume)
    # By their ids: a name may have been given twice.
    for network in engine.api.networks(filters={"label": f"{NAMESPACE}={names.namespace}"}):
        engine.api.remove_network(network["Id"])
