"""A build's output as steps and their lines, whichever builder it came from."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localep.errors import BuildFailed

if TYPE_CHECKING:
    from localep.engine.base import Progress

LAST_LINES = 30
# What says why a step failed may stand far above its end.
KEPT_LINES = 1000
MAX_NAME = 100
MAX_LINE = 1000

# Work of the builder itself.
_UNTOLD = ("[internal]", "copy /context", "exporting", "importing", "writing image", "naming to")
# Escape sequences of terminals, and characters that would move a cursor or ring a bell.
_CONTROLS = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|[\x00-\x08\x0a-\x1f\x7f]"
)
_EXIT_CODE = re.compile(r"(?:exit code|non-zero code): (\d+)")
_MOUNTS = re.compile(r"--mount=\S+")


@dataclass
class BuildLog:
    """Passes a build's output on while it comes, and keeps what a failure needs.

    Steps are told apart by an id of the builder's own, as several may run at once.
    """

    progress: Progress
    names: dict[str, str] = field(default_factory=dict)
    lines: dict[str, deque[str]] = field(default_factory=dict)
    unfinished: dict[str, str] = field(default_factory=dict)
    failed_step: str | None = None
    error: str | None = None

    def begin(self, step: str, name: str) -> None:
        """A step begins, or its name becomes known."""
        if step in self.names:
            return
        self.names[step] = name
        if not name.startswith(_UNTOLD):
            self.progress.step(shortened(name))

    def output(self, step: str, chunk: str) -> None:
        """Output of a step as it comes; a line is passed on once it is whole.

        What a progress bar draws over and over is shown to who looks on; its last state makes
        the line.
        """
        *whole, rest = (self.unfinished.pop(step, "") + chunk).split("\n")
        for line in whole:
            self._line(step, line)
        if rest:
            self.unfinished[step] = _last_drawn(rest)[: MAX_LINE + 1]
        if "\r" in rest:
            self.progress.status(_as_shown(rest))

    def fail(self, step: str | None, error: str) -> None:
        """A step failed, or the build as a whole; the first failure is the one that counts."""
        if self.error is None or self.failed_step is None:
            self.failed_step = step
            self.error = error

    def failure(self, reference: str, fallback: str) -> BuildFailed:
        """What to raise; ``fallback`` is the cause where the log has none."""
        for unfinished, rest in list(self.unfinished.items()):
            self._line(unfinished, rest)
        step = self.failed_step or ""
        name = " ".join(_MOUNTS.sub("", self.names.get(step, "")).split())
        status = _EXIT_CODE.search(self.error or "")
        cause = self.error or fallback
        if status and name:
            cause = f"A step ended with exit code {status.group(1)}: {name}"
        lines = tuple(self.lines.get(step, ()))
        return BuildFailed(
            f"The image {reference} could not be built.",
            cause=cause,
            remedy="The step's last lines say what went wrong; correct the conda file.",
            details=lines[-LAST_LINES:],
            log=(*lines, self.error or fallback),
        )

    def _line(self, step: str, text: str) -> None:
        text = _as_shown(text)
        if text:
            self.lines.setdefault(step, deque(maxlen=KEPT_LINES)).append(text)
            self.progress.line(text)


def shortened(name: str) -> str:
    """A step's name on one line, without what is the same for every step."""
    return _cut(" ".join(_MOUNTS.sub("", name).split()), MAX_NAME)


def _as_shown(line: str) -> str:
    """What a terminal would show of a line, without colours."""
    return _cut(_CONTROLS.sub("", _last_drawn(line)).rstrip(), MAX_LINE)


def _last_drawn(line: str) -> str:
    """What follows the last carriage return that something was written after."""
    return line[line.rstrip("\r").rfind("\r") + 1 :]


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."
