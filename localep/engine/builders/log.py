"""A build's output as steps and their lines, whichever builder it came from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localep.errors import BuildFailed

if TYPE_CHECKING:
    from localep.engine.base import Progress

LAST_LINES = 20
MAX_NAME = 100

# Work of the builder itself.
_UNTOLD = ("[internal]", "exporting", "importing", "writing image", "naming to")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_EXIT_CODE = re.compile(r"(?:exit code|non-zero code): (\d+)")
_MOUNTS = re.compile(r"--mount=\S+")


@dataclass
class BuildLog:
    """Passes a build's output on while it comes, and keeps what a failure needs.

    Steps are told apart by an id of the builder's own, as several may run at once.
    """

    progress: Progress
    names: dict[str, str] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
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
        """Output of a step as it comes; a line is passed on once it is whole."""
        *whole, rest = (self.unfinished.pop(step, "") + chunk).split("\n")
        for line in whole:
            self._line(step, line)
        if rest:
            self.unfinished[step] = rest

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
        return BuildFailed(
            f"The image {reference} could not be built.",
            cause=cause,
            remedy="The step's last lines say what went wrong; correct the conda file.",
            details=self.lines.get(step, [])[-LAST_LINES:],
        )

    def _line(self, step: str, text: str) -> None:
        text = _COLOURS.sub("", text).rstrip()
        if text:
            self.lines.setdefault(step, []).append(text)
            self.progress.line(text)


def shortened(name: str) -> str:
    """A step's name on one line, without what is the same for every step."""
    text = " ".join(_MOUNTS.sub("", name).split())
    return text if len(text) <= MAX_NAME else f"{text[: MAX_NAME - 3]}..."
