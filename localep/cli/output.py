"""The only printer: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from localep.errors import LocalepError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jmespath.parser import ParsedResult
    from rich.status import Status


class Format(str, Enum):
    """How a result is written."""

    HUMAN = "human"
    JSON = "json"
    YAML = "yaml"
    TABLE = "table"
    TSV = "tsv"
    NONE = "none"


class Output:
    """Writes one command's result, its warnings and its progress.

    It is the reporter of the operations, too. Progress moves on a terminal; elsewhere only what
    a log wants is written, line by line.
    """

    _current: ClassVar[Output | None] = None

    def __init__(self, form: Format = Format.HUMAN, query: str | None = None) -> None:
        Output._current = self
        self.form = Format.JSON if query and form is Format.HUMAN else form
        self.query = query
        self._status: Status | None = None
        self._is_terminal = sys.stderr.isatty()
        if query:
            _compile(query)  # a wrong one is refused before anything is done

    @classmethod
    def current(cls) -> Output:
        """The output of the command that runs, a plain one where none came that far."""
        return cls._current or cls()

    # Results

    def result(self, data: Any, human: Callable[[], Iterable[str]]) -> None:  # noqa: ANN401
        """Write a result: plain values for programs, or the lines that ``human`` gives."""
        self.end_progress()
        if self.form is Format.NONE:
            return
        if self.form is Format.HUMAN:
            for line in human():
                print(line)
            return
        data = _search(self.query, data) if self.query else data
        _WRITERS[self.form](data)

    def raw(self, content: bytes) -> None:
        """Write bytes to stdout as they are."""
        self.end_progress()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()

    def body(self, content: bytes) -> None:
        """Write the body of an answer; on a terminal, the prompt gets a line of its own."""
        needs_line = sys.stdout.isatty() and not content.endswith(b"\n")
        self.raw(content + b"\n" if needs_line else content)

    # Everything else

    def warn(self, message: str) -> None:
        """Something doubtful."""
        self._tell(f"Warning: {message}")

    def note(self, message: str) -> None:
        """Something worth knowing."""
        self._tell(message)

    def status(self, message: str) -> None:
        """What is waited for; shown on a terminal only."""
        if not self._is_terminal:
            return
        if self._status is None:
            from rich.console import Console

            self._status = Console(stderr=True).status("")
            self._status.start()
        self._status.update(_one_line(message))

    def step(self, message: str) -> None:
        """A step of long work."""
        if self._is_terminal:
            self.status(message)
        else:
            self._tell(message)

    def line(self, text: str) -> None:
        """A line of output of long work."""
        if self._is_terminal:
            self.status(text)
        else:
            self._tell(f"  {text}")

    def end_progress(self) -> None:
        """Take the progress display away, if there is one."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def error(self, error: LocalepError) -> None:
        """Write an error: what, why, the details, and what to do."""
        self.end_progress()
        if self.form is Format.JSON:
            print(json.dumps({"error": _error_values(error)}, indent=2), file=sys.stderr)
            return
        for line in _error_lines(error):
            print(line, file=sys.stderr)

    def _tell(self, message: str) -> None:
        if self._status is not None:
            self._status.console.print(message, markup=False, highlight=False, soft_wrap=True)
        else:
            print(message, file=sys.stderr, flush=True)


def _compile(query: str) -> ParsedResult:
    import jmespath

    with _query_errors(query):
        return jmespath.compile(query)


def _search(query: str, data: Any) -> Any:  # noqa: ANN401
    with _query_errors(query):
        return _compile(query).search(data)


@contextmanager
def _query_errors(query: str) -> Iterator[None]:
    import jmespath.exceptions

    try:
        yield
    except jmespath.exceptions.JMESPathError as error:
        raise UsageError(
            f"--query {query} is not a JMESPath expression.",
            cause=str(error).splitlines()[0],
            remedy="See jmespath.org for the language.",
        ) from error


def _write_json(data: Any) -> None:  # noqa: ANN401
    print(json.dumps(data, indent=2, default=str, ensure_ascii=False))


def _write_yaml(data: Any) -> None:  # noqa: ANN401
    import yaml

    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    print(text.removesuffix("...\n"), end="")


def _write_tsv(data: Any) -> None:  # noqa: ANN401
    for row in data if isinstance(data, list) else [data]:
        cells = row if isinstance(row, list) else row.values() if isinstance(row, dict) else [row]
        print("\t".join(_cell(cell) for cell in cells))


def _write_table(data: Any) -> None:  # noqa: ANN401
    rows = data if isinstance(data, list) else [data]
    dicts = [_named(row) for row in rows]
    columns = list(dict.fromkeys(name for row in dicts for name in row))
    nested = (dict, list)
    flat = [name for name in columns if not any(isinstance(row.get(name), nested) for row in dicts)]
    print_table(flat, [[_cell(row.get(name)) for name in flat] for row in dicts])


def _named(row: Any) -> dict[str, Any]:  # noqa: ANN401
    """A row with names for its columns, those of the cloud's CLI where it has none."""
    if isinstance(row, list):
        return {f"Column{number}": value for number, value in enumerate(row, 1)}
    return row if isinstance(row, dict) else {"result": row}


def print_table(columns: list[str], rows: list[list[str]]) -> None:
    """Write rows under their columns' names, as wide as they need to be where nobody looks."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 100_000, highlight=False)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        print(line.rstrip())


def _cell(value: Any) -> str:  # noqa: ANN401
    if value is None:
        return ""
    if isinstance(value, (bool, dict, list)):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)


def _error_lines(error: LocalepError) -> list[str]:
    lines = [f"Error: {error.message}"]
    if error.cause:
        lines.append(f"Cause: {error.cause}")
    lines += [f"  {line}" for line in error.details]
    if error.remedy:
        lines.append(f"Remedy: {error.remedy}")
    return lines


def _error_values(error: LocalepError) -> dict[str, Any]:
    return {
        "type": type(error).__name__,
        "message": error.message,
        "cause": error.cause,
        "remedy": error.remedy,
        "details": list(error.details),
        "exit_code": int(error.exit_code),
    }


def _one_line(text: str) -> str:
    """A line that fits a terminal and holds no markup."""
    from rich.markup import escape

    width = os.get_terminal_size(sys.stderr.fileno()).columns
    return escape(text.strip()[: max(width - 4, 10)])


_WRITERS: dict[Format, Callable[[Any], None]] = {
    Format.JSON: _write_json,
    Format.YAML: _write_yaml,
    Format.TABLE: _write_table,
    Format.TSV: _write_tsv,
}
