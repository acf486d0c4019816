"""One line at the bottom of a terminal that says what is waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from rich.status import Status


class ProgressLine:
    """A line of stderr that moves while it waits, and is gone afterwards."""

    def __init__(self) -> None:
        console = Console(stderr=True, highlight=False)
        self._console = console
        spinner = "line" if console.options.ascii_only else "dots"
        self._status: Status = console.status("", spinner=spinner)

    def show(self, message: str) -> None:
        """Say what is waited for now, as much of it as fits a line."""
        self._status.update(self._one_line(message))
        self._status.start()

    def print_above(self, text: str) -> None:
        """Write lines that stay."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def end(self) -> None:
        """Take the line away."""
        self._status.stop()

    def _one_line(self, message: str) -> Text:
        printable = "".join(
            character if character.isprintable() else " " for character in message.strip()
        )
        text = Text(printable, no_wrap=True, end="")
        # Two cells for what moves and its gap, one that the cursor needs.
        text.truncate(max(self._console.width - 3, 1), overflow="crop")
        return text
