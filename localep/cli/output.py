"""The only printer: results to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, ClassVar

from localep.cli.forms import Format, lines_of, to_json
from localep.cli.query import check_query, search
from localep.cli.streams import silence_stdout
from localep.errors import Interrupted, LocalepError, SpecError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from localep.cli.progress import ProgressLine

__all__ = ["Format", "Output"]


class Output:
    """Writes one command's result, its warnings and its progress.

    It is the reporter of the operations, too. Progress moves on a terminal; elsewhere only what
    a log wants is written, line by line. With JSON as the form, every line of stderr is an object
    with one key that says what it is: warning, note, step, line, traceback, error.
    """

    _current: ClassVar[Output | None] = None

    def __init__(self, form: Format = Format.HUMAN, query: str | None = None) -> None:
        Output._current = self
        self.form = form_with_query(form, query)
        self.query = query
        self._progress: ProgressLine | None = None
        self._line_is_open = False
        self._shows_progress = self.form is not Format.JSON and _is_lively_terminal()
        if query:
            check_query(query)  # a wrong one is refused before anything is done

    @classmethod
    def current(cls) -> Output | None:
        """The output of the command that runs, None where none came that far."""
        return cls._current

    @classmethod
    def forget(cls) -> None:
        """A new command line begins."""
        cls._current = None

    # Results

    def result(self, data: Any, human: Callable[[], Iterable[str]]) -> None:  # noqa: ANN401
        """Write a result: plain values for programs, or the lines that ``human`` gives."""
        self.end_progress()
        if self.form is Format.NONE:
            return
        if self.form is Format.HUMAN:
            lines = human()
        else:
            lines = lines_of(self.form, search(self.query, data) if self.query else data)
        with _writing():
            for line in lines:
                print(line)
            sys.stdout.flush()

    def lines(self, lines: Iterable[str]) -> None:
        """Write lines as they come."""
        self.end_progress()
        with _writing():
            for line in lines:
                print(line, flush=True)

    def raw(self, content: bytes) -> None:
        """Write bytes to stdout as they are."""
        self.end_progress()
        if self.form is Format.NONE:
            return
        with _writing():
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        if content:
            self._line_is_open = not content.endswith(b"\n")

    def body(self, content: bytes) -> None:
        """Write the body of an answer; on a terminal, the prompt gets a line of its own."""
        needs_line = sys.stdout.isatty() and not content.endswith(b"\n")
        self.raw(content + b"\n" if needs_line else content)

    # Everything else

    def warn(self, message: str) -> None:
        """Something doubtful."""
        self._tell("warning", message, f"Warning: {message}")

    def note(self, message: str) -> None:
        """Something worth knowing."""
        self._tell("note", message, message)

    def status(self, message: str) -> None:
        """What is waited for; shown on a terminal only."""
        if not self._shows_progress:
            return
        if self._progress is None:
            from localep.cli.progress import ProgressLine

            self._progress = ProgressLine()
        self._progress.show(message)

    def step(self, message: str) -> None:
        """A step of long work."""
        if self._shows_progress:
            self.status(message)
        else:
            self._tell("step", message, message)

    def line(self, text: str) -> None:
        """A line of output of long work."""
        if self._shows_progress:
            self.status(text)
        else:
            self._tell("line", text, f"  {text}")

    def end_progress(self) -> None:
        """Take the progress display away, if there is one."""
        if self._progress is not None:
            self._progress.end()
            self._progress = None

    def traceback(self, lines: list[str]) -> None:
        """Where in localep an error was raised."""
        self._tell("traceback", lines, "\n".join(lines))

    def error(self, error: LocalepError) -> None:
        """Write an error: what, why, the details, and what to do."""
        self.end_progress()
        self._tell("error", _error_values(error), "\n".join(_error_lines(error)))

    def _tell(self, kind: str, value: Any, text: str) -> None:  # noqa: ANN401
        # Nobody may be there to read it any more; the work goes on all the same.
        with suppress(OSError):
            if self.form is Format.JSON:
                text = to_json({kind: value}, sys.stderr)
            if self._line_is_open and _both_go_to_one_place():
                text = f"\n{text}"
                self._line_is_open = False
            if self._progress is not None:
                self._progress.print_above(text)
            else:
                print(text, file=sys.stderr, flush=True)


def form_with_query(form: Format, query: str | None) -> Format:
    """A query asks for data, which people read as JSON."""
    return Format.JSON if query and form is Format.HUMAN else form


def _is_lively_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") not in {None, "", "dumb", "unknown"}


def _both_go_to_one_place() -> bool:
    """Whether stdout and stderr are the same file, pipe or terminal."""
    try:
        return os.path.samestat(*(os.fstat(stream.fileno()) for stream in (sys.stdout, sys.stderr)))
    except OSError:  # a stream that is no file
        return False


@contextmanager
def _writing() -> Iterator[None]:
    """Tell a full disk from a bug; who has read enough is dealt with elsewhere."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        silence_stdout()
        raise UsageError(
            "The result cannot be written.",
            cause=f"Standard output: {error.strerror}.",
            remedy="Send it elsewhere, or make room where it goes.",
        ) from error


def _error_lines(error: LocalepError) -> list[str]:
    if isinstance(error, Interrupted):
        return [error.message]
    lines = [f"Error: {error.message}"]
    if error.cause:
        lines.append(f"Cause: {error.cause}")
    lines += [f"  {line}" for line in error.details]
    if error.remedy:
        lines.append(f"Remedy: {error.remedy}")
    return lines


def _error_values(error: LocalepError) -> dict[str, Any]:
    code = None if isinstance(error, SpecError) else error.code
    return {
        **({"code": code} if code else {}),
        "type": type(error).__name__,
        "message": error.message,
        "cause": error.cause,
        "remedy": error.remedy,
        "details": list(error.details),
        "exit_code": int(error.exit_code),
    }
