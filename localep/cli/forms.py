"""Results in the forms that programs read."""

from __future__ import annotations

import json
import sys
from enum import Enum
from typing import TYPE_CHECKING, Any

from localep.cli.table import table_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO


class Format(str, Enum):
    """How a result is written."""

    HUMAN = "human"
    JSON = "json"
    YAML = "yaml"
    TABLE = "table"
    TSV = "tsv"
    NONE = "none"


def lines_of(form: Format, data: Any) -> Iterator[str]:  # noqa: ANN401
    """A result as the lines of standard output."""
    writer = _WRITERS.get(form)
    if writer is not None:
        yield from writer(data)


def to_json(data: Any, stream: TextIO, indent: int | None = None) -> str:  # noqa: ANN401
    """JSON that survives the encoding of a stream."""
    return json.dumps(data, indent=indent, default=str, ensure_ascii=not speaks_unicode(stream))


def speaks_unicode(stream: TextIO) -> bool:
    """Whether a stream can hold every character."""
    return (stream.encoding or "utf-8").lower().replace("-", "").startswith("utf")


def terminal_width() -> int | None:
    """How many cells a line of standard output has, None where it is no terminal."""
    if not sys.stdout.isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns


def _json(data: Any) -> Iterator[str]:  # noqa: ANN401
    yield to_json(data, sys.stdout, indent=2)


def _yaml(data: Any) -> Iterator[str]:  # noqa: ANN401
    import yaml

    text = yaml.safe_dump(
        data, sort_keys=False, allow_unicode=speaks_unicode(sys.stdout), width=sys.maxsize
    )
    yield text.removesuffix("...\n").removesuffix("\n")


def _tsv(data: Any) -> Iterator[str]:  # noqa: ANN401
    if not isinstance(data, (list, dict)):
        yield _cell(data)
        return
    for row in data if isinstance(data, list) else [data]:
        cells = row if isinstance(row, list) else row.values() if isinstance(row, dict) else [row]
        yield "\t".join(_within_a_row(_cell(cell)) for cell in cells)


def _table(data: Any) -> Iterator[str]:  # noqa: ANN401
    rows = data if isinstance(data, list) else [data]
    dicts = [_named(row) for row in rows]
    columns = list(dict.fromkeys(name for row in dicts for name in row))
    nested = (dict, list)
    flat = [name for name in columns if not any(isinstance(row.get(name), nested) for row in dicts)]
    # A column that says nothing at all takes the room of those that do.
    told = [name for name in flat if any(row.get(name) is not None for row in dicts)] or flat
    cells = [[_cell(row.get(name)) for name in told] for row in dicts]
    return table_lines(told, cells, terminal_width())


def _named(row: Any) -> dict[str, Any]:  # noqa: ANN401
    """A row with names for its columns, those of the cloud's CLI where it has none."""
    if isinstance(row, list):
        return {f"Column{number}": value for number, value in enumerate(row, 1)}
    return row if isinstance(row, dict) else {"result": row}


def _cell(value: Any) -> str:  # noqa: ANN401
    if value is None:
        return ""
    if isinstance(value, (bool, dict, list)):
        return to_json(value, sys.stdout)
    return str(value)


def _within_a_row(cell: str) -> str:
    """A cell that ends neither its column nor its row."""
    return cell.replace("\t", "\\t").replace("\r", "\\r").replace("\n", "\\n")


_WRITERS: dict[Format, Callable[[Any], Iterator[str]]] = {
    Format.JSON: _json,
    Format.YAML: _yaml,
    Format.TABLE: _table,
    Format.TSV: _tsv,
}
