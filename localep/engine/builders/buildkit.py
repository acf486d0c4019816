"""Builds by the docker client: `docker buildx build`, or `docker build` with BuildKit."""

from __future__ import annotations

import base64
import codecs
import json
import os
import re
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from localep.engine.base import BuildFolder
from localep.engine.builders.context import archive
from localep.engine.builders.log import BuildLog
from localep.engine.builders.process import client_process

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator

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

    @property
    def kind(self) -> str:
        """Its name in LOCALEP_BUILDER."""
        return "buildx" if "buildx" in self.command else "buildkit"

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
        """Build and name the image. Raises BuildFailed.

        Neither the context nor the secrets get a name on disk, where they would stay if this
        process was killed; nor are secrets seen in the client's arguments or variables.
        """
        with ExitStack() as stack:
            sent, context = _sent(request)
            stdin = stack.enter_context(_nameless_file(sent))
            secrets = {
                name: stack.enter_context(_nameless_file(text.encode())).fileno()
                for name, text in request.secrets.items()
            }
            command = [*self.command, "--tag", request.reference]
            command += [f"--progress={'rawjson' if self.raw_json else 'plain'}"]
            command += ["--no-cache"] if request.no_cache else []
            command += ["--platform", request.platform] if request.platform else []
            for name, number in secrets.items():
                command += ["--secret", f"id={name},src=/dev/fd/{number}"]
            environ = {**os.environ, "DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": ""}
            client = client_process([*command, *context], stdin, secrets.values(), environ)
            self._follow(stack.enter_context(client), request.reference, progress)

    def _follow(self, process: subprocess.Popen[bytes], reference: str, progress: Progress) -> None:
        log = BuildLog(progress)
        read = read_raw_json if self.raw_json else read_plain
        last_line = read(log, _lines(process.stderr))
        status = process.wait()
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
        try:
            status = json.loads(pending)
        except ValueError:
            other = pending.strip()
        else:
            _feed(log, status, decoders)
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


def _sent(request: BuildRequest) -> tuple[bytes, list[str]]:
    """What a client is sent on its input, and the arguments that name the context."""
    context = request.context
    if isinstance(context, BuildFolder):
        return b"", ["--file", str(context.path / context.dockerfile), str(context.path)]
    return archive(context, request.files), ["-"]


def _client(client: str, context: str | None) -> tuple[str, ...]:
    return (client, "--context", context) if context else (client,)


@contextmanager
def _nameless_file(content: bytes) -> Iterator[IO[bytes]]:
    """An open file with this content that no folder lists: it is gone with its last reader."""
    with tempfile.TemporaryFile(prefix="localep-") as file:
        file.write(content)
        file.seek(0)
        yield file


def _lines(stream: IO[bytes] | None) -> Iterator[str]:
    """The lines of a log; what a program draws with carriage returns is one line."""
    for line in stream or ():
        yield line.decode("utf-8", errors="replace")
