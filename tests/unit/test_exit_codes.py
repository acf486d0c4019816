"""The tree of errors, as errors.py draws it, and the numbers that scripts rely on."""

from __future__ import annotations

import ast
import inspect
import re
from typing import NamedTuple

import pytest

from localep import errors
from localep.errors import LocalepError
from localep.exit_codes import ExitCode

_ROW = re.compile(r"(?P<indent>[ │├└─]*)(?P<name>\w+)(?:\s+exit (?P<code>\d+))?(?:\s{2,}.*)?")


class Node(NamedTuple):
    """A class as it is drawn: its parent, and the exit code that holds for it."""

    parent: str | None
    code: int


def drawn_tree() -> dict[str, Node]:
    """The classes in the drawing; one without a code of its own has its parent's."""
    assert errors.__doc__ is not None
    drawing = errors.__doc__.partition("::\n\n")[2].partition("\n\n")[0]
    tree: dict[str, Node] = {}
    above: list[str] = []
    for line in inspect.cleandoc(drawing).splitlines():
        row = _ROW.fullmatch(line)
        assert row is not None, line
        depth = len(row["indent"]) // 4
        above[depth:] = [row["name"]]
        parent = above[depth - 1] if depth else None
        inherited = tree[parent].code if parent else int(ExitCode.BUG)
        tree[row["name"]] = Node(parent, int(row["code"] or inherited))
    return tree


def defined_tree() -> dict[str, Node]:
    """The classes as they are."""
    classes = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    return {
        kind.__name__: Node(
            None if kind is LocalepError else kind.__bases__[0].__name__, int(kind.exit_code)
        )
        for kind in classes
        if issubclass(kind, LocalepError)
    }


def test_the_drawing_shows_every_error_with_its_parent_and_code() -> None:
    assert drawn_tree() == defined_tree()


def test_the_drawing_and_the_classes_are_in_the_same_order() -> None:
    tree = ast.parse(inspect.getsource(errors))

    assert list(drawn_tree()) == [node.name for node in tree.body if isinstance(node, ast.ClassDef)]


def test_the_numbers_stay_what_they_are() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": 0,
        "BUG": 1,
        "USAGE": 2,
        "SPEC": 3,
        "ENGINE": 4,
        "ENVIRONMENT": 5,
        "NOT_READY": 6,
        "ENDPOINT_ERROR": 7,
        "NO_SUCH_ENDPOINT": 8,
        "GPU": 9,
        "INTERRUPTED": 130,
    }


@pytest.mark.parametrize("name", [name for name in defined_tree() if name != "LocalepError"])
def test_an_error_carries_what_failed_why_and_what_to_do(name: str) -> None:
    kind: type[LocalepError] = getattr(errors, name)

    error = kind("It failed.", cause="Because.", remedy="Do this.", details=["one", "two"])

    assert str(error) == "It failed."
    assert (error.message, error.cause, error.remedy, error.details) == (
        "It failed.",
        "Because.",
        "Do this.",
        ("one", "two"),
    )


def test_cause_remedy_and_details_may_be_left_out() -> None:
    error = LocalepError("It failed.")

    assert (error.cause, error.remedy, error.details) == (None, None, ())
