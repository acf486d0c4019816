"""A pseudo-terminal to run a command in, and what its screen shows in the end."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Makes the terminal the controlling one, so that Ctrl-C reaches the command.
_LAUNCHER = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)
_TOKEN = re.compile(r"\x1b\[(\??[0-9;]*)([A-Za-z])|[^\x1b]", re.DOTALL)


@dataclass(frozen=True)
class Session:
    """What a command wrote to its terminal, byte for byte, and what stays on the screen."""

    status: int
    written: str
    screen: str
    cursor_is_visible: bool


def in_terminal(
    command: Sequence[str],
    *,
    columns: int,
    folder: Path,
    environment: Mapping[str, str],
    answer: tuple[str, bytes] | None = None,
) -> Session:
    """Run a command in a terminal of its own; ``answer`` is what to type once a prompt is there."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", _LAUNCHER, *command],
        cwd=folder,
        env=dict(environment),
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    try:
        written = _read(leader, process.pid, answer)
        status = process.wait(timeout=30)
    finally:
        process.kill()
        process.wait()
        os.close(leader)
    screen = Screen(columns)
    screen.feed(written)
    return Session(status, written, screen.text(), screen.cursor_is_visible)


def _read(leader: int, process: int, answer: tuple[str, bytes] | None) -> str:
    content = b""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not select.select([leader], [], [], 1)[0]:
            continue
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # Linux: the other side is closed
            break
        if not chunk:
            break
        content += chunk
        if answer is not None and answer[0].encode() in content:
            _wait_until_it_waits(process)
            os.write(leader, answer[1])
            answer = None
    return content.decode()


def _wait_until_it_waits(process: int) -> None:
    """A signal just before a program reads is seen only after it has read."""
    stat = Path(f"/proc/{process}/stat")
    while stat.read_text().rpartition(") ")[2][0] != "S":
        time.sleep(0.01)


class Screen:
    """As much of a terminal as localep uses; what it does not know fails the test."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.cursor_is_visible = True
        self._rows: list[list[str]] = [[]]
        self._goes_on: list[bool] = [False]  # a row that the next one only continues
        self._row = self._column = 0

    def feed(self, text: str) -> None:
        """Show what a program writes."""
        position = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            assert match is not None, f"unknown sequence: {text[position : position + 20]!r}"
            position = match.end()
            if match[2] is None:
                self._write(match[0])
            else:
                self._obey(match[1], match[2])

    def text(self) -> str:
        """The screen's lines to the last that is not empty, those that needed rows whole again."""
        text = ""
        for row, goes_on in zip(self._rows, self._goes_on, strict=True):
            text += "".join(row) if goes_on else f"{''.join(row).rstrip()}\n"
        return text.rstrip("\n") + "\n"

    def _write(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._down()
        else:
            if self._column == self.columns:
                self._goes_on[self._row] = True
                self._column = 0
                self._down()
            row = self._rows[self._row]
            row.extend(" " * (self._column + 1 - len(row)))
            row[self._column] = character
            self._column += 1

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self._rows):
            self._rows.append([])
            self._goes_on.append(False)

    def _obey(self, argument: str, command: str) -> None:
        if command in "lh" and argument == "?25":
            self.cursor_is_visible = command == "h"
        elif command == "A":
            self._row -= int(argument or 1)
            assert self._row >= 0
        elif command == "K":
            del self._rows[self._row][0 if argument == "2" else self._column :]
            self._goes_on[self._row] = False
        else:
            assert command == "m", f"unknown sequence: {argument}{command}"
