"""Builds by the docker client: `docker buildx build`, or `docker build` with BuildKit."""

from __future__ import annotations

import base64
import codecs
import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from localep.engine.builders.log import BuildLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from localep.engine.base import BuildRequest, Progress

_PLAIN_STEP = re.compile(r"#(\d+) (\[.*)")
_PLAIN_ERROR = re.compile(r"#(\d+) ERROR:? (.*)")
_PLAIN_OUTPUT = re.compile(r"#(\d+) \d+\.\d+ (.*)")


@dataclass(frozen=True)
class BuildKit:
    """A docker client that builds with BuildKit.

    ``command`` is the beginning of the command line, ``raw_json`` whether its progress comes
    as JSON lines instead of plain text.
    """

    command: tuple[str, ...]
    raw_json: bool

    @classmethod
    def by_buildx(cls, client: str, context: str | None, version: tuple[int, int]) -> BuildKit:
        """The buildx plugin, with the builder of the context itself.

        The builder that the user selected may be one that has to pull BuildKit first, and
        whose images do not land in the engine.
        """
        raw_json = version >= (0, 13)
        command = (*_client(client, context), "buildx", "build", "--load")
        command += ("--builder", context or "default")
        command += ("--provenance=false",) if version >= (0, 10) else ()
        return cls(command, raw_json)

    @classmethod
    def by_client(cls, client: str, context: str | None) -> BuildKit:
        """A client before 23, whose `docker build` speaks BuildKit when it is told to."""
        return cls((*_client(client, context), "build"), raw_json=False)

    def build(self, request: BuildRequest, progress: Progress) -> None:
        """Build and name the image. Raises BuildFailed."""
        with tempfile.TemporaryDirectory(prefix="localep-build-") as folder:
            context = Path(folder, "context")
            secrets = Path(folder, "secrets")
            _write_files(context, request.context)
            _write_files(secrets, request.secrets)
            arguments = [*self.command, "--tag", request.reference]
            arguments += [f"--progress={'rawjson' if self.raw_json else 'plain'}"]
            arguments += ["--no-cache"] if request.no_cache else []
            for name in request.secrets:
                arguments += ["--secret", f"id={name},src={secrets / name}"]
            self._run([*arguments, str(context)], request.reference, progress)

    def _run(self, command: list[str], reference: str, progress: Progress) -> None:
        log = BuildLog(progress)
        environ = {**os.environ, "DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": ""}
        read: Callable[[BuildLog, Iterable[str]], str] = (
            read_raw_json if self.raw_json else read_plain
        )
        # A session of its own: Ctrl-C reaches localep alone, which then ends the client.
        with subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=environ,
            start_new_session=True,
        ) as process:
            try:
                last_line = read(log, _lines(process.stderr))
                status = process.wait()
            except BaseException:
                process.terminate()
                raise
        if status != 0:
            raise log.failure(reference, last_line or f"The client ended with status {status}.")


def read_raw_json(log: BuildLog, lines: Iterable[str]) -> str:
    """Feed a log from `--progress=rawjson`; returns the last line that was not JSON.

    buildx 0.13 spreads an object over several lines, later versions write one a line.
    """
    other = ""
    pending = ""
    decoders: dict[str, codecs.IncrementalDecoder] = {}
    for line in lines:
        if not pending and not line.startswith("{"):
            other = line.strip() or other
            continue
        pending += line
        if not line.rstrip().endswith("}") or (line != pending and not line.startswith("}")):
            continue
        _feed(log, json.loads(pending), decoders)
        pending = ""
    return other


def _feed(
    log: BuildLog, status: dict[str, Any], decoders: dict[str, codecs.IncrementalDecoder]
) -> None:
    for vertex in status.get("vertexes") or ():
        if vertex.get("started"):
            log.begin(vertex["digest"], vertex["name"])
        if vertex.get("error") and "context canceled" not in vertex["error"]:
            log.fail(vertex["digest"], vertex["error"])
    for entry in status.get("logs") or ():
        step = entry["vertex"]
        decoder = decoders.setdefault(step, codecs.getincrementaldecoder("utf-8")("replace"))
        log.output(step, decoder.decode(base64.b64decode(entry["data"])))


def read_plain(log: BuildLog, lines: Iterable[str]) -> str:
    """Feed a log from `--progress=plain`; returns the last line that belongs to no step."""
    other = ""
    repeated = False
    for line in lines:
        text = line.rstrip()
        # Between such lines a client repeats what a failed step wrote.
        if text == "------":
            repeated = not repeated
        elif repeated:
            continue
        elif match := _PLAIN_ERROR.fullmatch(text):
            log.fail(match.group(1), match.group(2))
        elif match := _PLAIN_OUTPUT.fullmatch(text):
            log.output(match.group(1), match.group(2) + "\n")
        elif match := _PLAIN_STEP.fullmatch(text):
            log.begin(match.group(1), match.group(2))
        elif text and not text.startswith(("#", "-----", " >")):
            other = text
    return other


def _client(client: str, context: str | None) -> tuple[str, ...]:
    return (client, "--context", context) if context else (client,)


def _write_files(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(mode=0o700)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _lines(stream: IO[str] | None) -> Iterable[str]:
    return stream if stream is not None else ()
