"""Every error that is raised on purpose says what to do about it."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import localep
from localep import errors

PACKAGE = Path(localep.__file__).parent
KINDS = {
    name
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, errors.LocalepError)
}


def calls(path: Path) -> list[tuple[str, ast.Call]]:
    """Every place of a module where an error is made, and where that is."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        (f"{path.relative_to(PACKAGE)}:{node.lineno}", node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS
    ]


PLACES = dict(place for path in sorted(PACKAGE.rglob("*.py")) for place in calls(path))


def values(node: ast.expr | None) -> list[ast.expr | None]:
    """All that an expression may come to."""
    if isinstance(node, ast.IfExp):
        return [*values(node.body), *values(node.orelse)]
    if isinstance(node, ast.BoolOp):
        return [values(operand)[-1] for operand in node.values[-1:]]
    return [node]


def says_something(node: ast.expr | None) -> bool:
    """Whether an expression gives a text; a name or a call is taken at its word."""
    return all(
        value is not None
        and not (isinstance(value, ast.Constant) and not str(value.value or "").strip())
        for value in values(node)
    )


@pytest.mark.parametrize("place", PLACES)
def test_an_error_has_a_remedy(place: str) -> None:
    keywords = {keyword.arg: keyword.value for keyword in PLACES[place].keywords}

    assert says_something(keywords.get("remedy")), f"{place} leaves the user without a way out"


def test_the_search_finds_errors_of_every_kind() -> None:
    made = {node.func.id for node in PLACES.values() if isinstance(node.func, ast.Name)}

    # The root is made for bugs alone; these are chosen from a table of messages.
    assert KINDS - made <= {"NameTaken", "PortTaken", "NetworkMissing"}
    assert len(PLACES) > 50


@pytest.mark.parametrize(
    ("call", "verdict"),
    [
        ("E('x')", False),
        ("E('x', remedy=None)", False),
        ("E('x', remedy=' ')", False),
        ("E('x', remedy='a' if y else None)", False),
        ("E('x', remedy=y or '')", False),
        ("E('x', remedy='a' if y else 'b')", True),
        ("E('x', remedy=f'{y}')", True),
        ("E('x', remedy=y)", True),
    ],
)
def test_the_search_knows_a_remedy_when_it_sees_one(call: str, verdict: bool) -> None:
    node = ast.parse(call, mode="eval").body
    assert isinstance(node, ast.Call)
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}

    assert says_something(keywords.get("remedy")) is verdict
