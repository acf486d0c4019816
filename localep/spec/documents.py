"""YAML files with the position of every value, so that a finding can name its line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from localep.errors import SpecError
from localep.spec.placeholders import fill, first_in_braces, remedy_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KeyPath = tuple[str | int, ...]

# An alias is expanded in place: a few lines of nested anchors could ask for billions of values.
MAX_VALUES = 100_000
MAX_BYTES = 5 * 1024 * 1024
# What follows the reader copies and walks documents recursively.
MAX_DEPTH = 100

_MERGE = "tag:yaml.org,2002:merge"
_TEXT = "tag:yaml.org,2002:str"


@dataclass(frozen=True)
class Kind:
    """What a file shall be, for messages: its name and a key that stands at its top."""

    name: str
    key: str


DOCUMENT = Kind("an endpoint or deployment document", "name")
ENVIRONMENT = Kind("an environment document", "image")
CONDA_FILE = Kind("a conda file", "dependencies")


class Position(NamedTuple):
    """Where a value stands in its file; both counted from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


@dataclass(frozen=True)
class Place:
    """Where a value stands: its file, its dotted path, and its position from 1.

    The position is None where nothing of the path has one, or where the value came from the
    command line, by ``option``.
    """

    source: Path
    path: str = ""
    position: Position | None = None
    option: str | None = None

    def __str__(self) -> str:
        """``file:line:column``, or ``file (option)``."""
        if self.option is not None:
            return f"{self.source} ({self.option})"
        return str(self.source) if self.position is None else f"{self.source}:{self.position}"


@dataclass(frozen=True)
class Document:
    """A YAML mapping, the file it came from, and where each of its values stands.

    ``odd_keys`` are the keys that YAML reads as something else than a string, such as 1 or on.
    ``given`` are the places whose values came from the command line, and the option of each.
    """

    source: Path
    data: dict[str, Any]
    positions: dict[KeyPath, Position] = field(default_factory=dict, repr=False)
    duplicates: tuple[KeyPath, ...] = ()
    odd_keys: frozenset[KeyPath] = frozenset()
    given: dict[KeyPath, str] = field(default_factory=dict, repr=False)

    @property
    def folder(self) -> Path:
        """The folder that relative paths in this document start from."""
        return self.source.parent

    def position(self, path: KeyPath) -> Position | None:
        """Where a value stands, or the nearest parent that has a position."""
        for length in range(len(path), -1, -1):
            position = self.positions.get(path[:length])
            if position is not None:
                return position
        return None

    def place(self, path: KeyPath) -> Place:
        """Where a value came from: the file, at its position or its nearest parent's, or an option
        of the command line.
        """
        lengths = range(len(path), 0, -1) if self.given else ()
        option = next((self.given[path[:n]] for n in lengths if path[:n] in self.given), None)
        position = self.position(path) if option is None else None
        return Place(self.source, ".".join(map(str, path)), position, option)

    def locate(self, path: KeyPath) -> str:
        """The place of a value in words."""
        return str(self.place(path))


def read_document(
    source: Path, kind: Kind = DOCUMENT, variables: Mapping[str, str] | None = None
) -> Document:
    """Read one YAML file whose top level is a mapping; ``kind`` is what messages call it.

    ``variables`` fill placeholders first. Raises SpecError where the file is missing,
    unreadable, not YAML, empty, or holds anything else than one mapping.
    """
    return parse_document(fill(read_text(source), variables or {}), source.absolute(), kind)


def parse_document(text: str, source: Path, kind: Kind = DOCUMENT) -> Document:
    """Like read_document, of text that is already there; ``source`` is what messages name."""
    loader = yaml.CSafeLoader(text)
    try:
        _refuse_depth(text)
        root = loader.get_single_node()
        if root is None:
            raise SpecError(
                f"{source} is empty.",
                cause="There is no YAML document in it.",
                remedy="Write the endpoint or deployment into it."
                if kind is DOCUMENT
                else f"Write `{kind.key}:` and what belongs to it into the file.",
            )
        if not isinstance(root, yaml.MappingNode):
            top = "a list" if isinstance(root, yaml.SequenceNode) else "a single value"
            raise SpecError(
                f"{source} is not {kind.name}.",
                cause=f"Its top level is {top}, not a mapping of keys to values.",
                remedy=f"Put keys such as `{kind.key}:` at the top level.",
            )
        builder = _Builder(loader)
        data = builder.mapping(root, ())
    except yaml.YAMLError as error:
        raise _syntax_error(source, error, text if kind is DOCUMENT else "") from error
    except (_TooDeep, RecursionError) as error:
        raise SpecError(
            f"{source} cannot be read.",
            cause="It is nested too deeply.",
            remedy="Flatten the document.",
        ) from error
    finally:
        loader.dispose()
    if builder.count > MAX_VALUES:
        raise SpecError(
            f"{source} cannot be read.",
            cause=f"It holds more than {MAX_VALUES} values once its anchors are expanded.",
            remedy="Remove the nested anchors, or split the file.",
        )
    return Document(
        source,
        data,
        builder.positions,
        tuple(builder.duplicates),
        frozenset(builder.odd_keys),
    )


class _TooDeep(Exception):
    """The document is nested more than MAX_DEPTH levels deep."""


def _refuse_depth(text: str) -> None:
    """Raise _TooDeep before libyaml's composer, which recurses in C, overflows the stack."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _TooDeep
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def read_text(source: Path) -> str:
    """The text of a YAML file. Raises SpecError where there is none that could be one."""
    try:
        with source.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise SpecError(
                f"{source} is too large.",
                cause=f"It has more than {MAX_BYTES} bytes.",
                remedy="Name the YAML of an endpoint or a deployment.",
            )
        return content.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise SpecError(
            f"{source} is not there.",
            remedy="Check the path given with -f.",
        ) from error
    except IsADirectoryError as error:
        raise SpecError(
            f"{source} is a folder.", remedy="Name the YAML file inside it with -f."
        ) from error
    except UnicodeDecodeError as error:
        raise SpecError(
            f"{source} is not a text file.",
            cause=f"Byte {error.start} is not UTF-8.",
            remedy="Save it as UTF-8.",
        ) from error
    except OSError as error:
        raise SpecError(
            f"{source} cannot be read.",
            cause=f"{error.strerror or error}.",
            remedy="Check its permissions.",
        ) from error


def _syntax_error(source: Path, error: yaml.YAMLError, text: str) -> SpecError:
    """What is wrong with a text as YAML; a placeholder at that place is the likely cause."""
    mark = getattr(error, "problem_mark", None)
    where = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark is not None else str(source)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    context = getattr(error, "context", None)
    if context and problem.startswith("but "):  # the second half of a sentence
        problem = f"{context}, {problem}"
    near = text.splitlines()[max(mark.line - 1, 0) : mark.line + 1] if mark is not None else []
    placeholder = first_in_braces("\n".join(near))
    remedy = "Correct the line; placeholders such as {{X}} must be filled in before."
    if placeholder is not None:
        remedy = remedy_for(f"{{{{{placeholder}}}}}")
    return SpecError(
        f"{where} is not valid YAML.",
        cause=f"{problem[0].upper()}{problem[1:]}.",
        remedy=remedy,
        code="yaml-syntax" if placeholder is None else "placeholder-left",
        position=(mark.line + 1, mark.column + 1) if mark is not None else None,
    )


class _Builder:
    """Turns a tree of YAML nodes into Python values and notes where each stands."""

    def __init__(self, loader: yaml.CSafeLoader) -> None:
        self.loader = loader
        self.positions: dict[KeyPath, Position] = {}
        self.duplicates: list[KeyPath] = []
        self.odd_keys: set[KeyPath] = set()
        self.count = 0
        self.merged: dict[int, dict[str, yaml.Node]] = {}

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        self._note(node, path)
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                continue
            key = self._key(key_node)
            here = (*path, key)
            if key in result:
                self.duplicates.append(here)
            if key_node.tag != _TEXT:
                self.odd_keys.add(here)
            result[key] = self._value(value_node, here)
        for key, value_node in self._merged(node).items():
            if key not in result:
                result[key] = self._value(value_node, (*path, key))
        return result

    def _merged(self, node: yaml.MappingNode) -> dict[str, yaml.Node]:
        """What the merge keys (`<<`) of a mapping bring; the first of several counts."""
        known = self.merged.get(id(node))
        if known is not None:
            return known
        found = self.merged[id(node)] = {}
        for key_node, value in node.value:
            if key_node.tag != _MERGE:
                continue
            sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for source in sources:
                if not isinstance(source, yaml.MappingNode):
                    raise yaml.constructor.ConstructorError(
                        None,
                        None,
                        "expected a mapping or list of mappings for merging, "
                        f"but found {source.id}",
                        source.start_mark,
                    )
                own = {self._key(k): v for k, v in source.value if k.tag != _MERGE}
                for key, item in {**self._merged(source), **own}.items():
                    found.setdefault(key, item)
        return found

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(
                None, None, "a key must be a plain word", node.start_mark
            )
        return str(node.value)

    def _scalar(self, node: yaml.Node) -> Any:  # noqa: ANN401
        try:
            return self.loader.construct_object(node)
        except (ValueError, KeyError, AttributeError) as error:
            kind = node.tag.rpartition(":")[2]
            raise yaml.constructor.ConstructorError(
                None, None, f"this is no valid {kind}", node.start_mark
            ) from error

    def _value(self, node: yaml.Node, path: KeyPath) -> Any:  # noqa: ANN401
        if self.count > MAX_VALUES:
            return None
        if len(path) > MAX_DEPTH:
            raise _TooDeep
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        self._note(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _note(self, node: yaml.Node, path: KeyPath) -> None:
        self.count += 1
        mark = node.start_mark
        self.positions[path] = Position(mark.line + 1, mark.column + 1)
