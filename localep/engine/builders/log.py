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

_MOUNTS = re.compile(r"--mount=\S+")


@dataclass
class BuildLog:
    """Passes a build's output on while it comes, and keeps what a failure needs.

    Steps are told apart by an id of the builder's own, as several may run at once.
    """

    progress: Progress
    names: dict[str, str] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    failed_step: str | None = None
    error: str | None = None

    def begin(self, step: str, name: str) -> None:
        """A step begins, or its name becomes known."""
        if step in self.names:
            return
        self.names[step] = name
        if not name.startswith("[internal]"):
            self.progress.step(shortened(name))

    def output(self, step: str, text: str) -> None:
        """One line of a step's output."""
        self.lines.setdefault(step, []).append(text)
        self.progress.line(text)

    def fail(self, step: str | None, error: str) -> None:
        """A step failed, or the build as a whole; the first failure is the one that counts."""
        if self.error is None or self.failed_step is None:
            self.failed_step = step
            self.error = error

    def failure(self, reference: str, fallback: str) -> BuildFailed:
        """What to raise; ``fallback`` is the cause where the log has none."""
        step = self.failed_step or ""
        name = shortened(self.names.get(step, "none of its own"))
        lines = self.lines.get(step, [])[-LAST_LINES:]
        return BuildFailed(
            f"The image {reference} could not be built.",
            cause=f"{self.error or fallback} The step: {name}",
            remedy="The last lines of the step say what went wrong; correct the conda file.",
            details=lines,
        )


def shortened(name: str) -> str:
    """A step's name on one line, without what is the same for every step."""
    text = " ".join(_MOUNTS.sub("", name).split())
    return text if len(text) <= MAX_NAME else f"{text[: MAX_NAME - 3]}..."
