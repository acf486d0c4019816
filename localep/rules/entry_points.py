"""init() and run() of a scoring script, as the inference server wants them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localep.rules.scripts import dotted_name

if TYPE_CHECKING:
    from collections.abc import Iterator

# Their signature is that of the function that they decorate.
_KNOWN_DECORATORS = frozenset({"input_schema", "output_schema", "rawhttp"})
_HEADERS = "request_headers"
# What these bind the text does not tell, wherever they stand.
_BINDING_CALLS = frozenset({"exec", "globals", "locals", "setattr", "vars"})
_BINDING_NAMES = frozenset({"sys.modules"})
# It answers for whatever a module lacks.
_ANSWERS_ALL = "__getattr__"
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Fault:
    """What the server does not take, and where it stands in the script.

    ``is_certain`` tells that no server runs such a script.
    """

    message: str
    line: int = 1
    column: int = 1
    is_certain: bool = False


def faults_of(tree: ast.Module) -> Iterator[Fault]:
    """What is wrong with init() and run() of a script, as far as its text tells."""
    bound = _bound(tree)
    if bound is None:
        return
    for name in ("init", "run"):
        if name not in bound:
            told = f"there is no {name}() at the top level of the script."
            yield Fault(told, is_certain=True)
    for name, judge in (("init", _init_fault), ("run", _run_fault)):
        function = bound.get(name)
        if isinstance(function, _Function):
            message = _async_fault(function) or judge(function)
            if message is not None:
                yield Fault(message, function.lineno, function.col_offset + 1)


def _bound(tree: ast.Module) -> dict[str, ast.AST] | None:
    """The names that a script binds at its top level; None where that cannot be told."""
    if any(_binds_anything(node) for node in ast.walk(tree)):
        return None
    found: dict[str, ast.AST] = {}
    stack: list[ast.AST] = list(reversed(tree.body))
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found[node.name] = node
            found.update(_declared_global(node))
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.asname or alias.name for alias in node.names]
            if "*" in names:
                return None
            found.update(dict.fromkeys(names, node))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = node
        if not isinstance(node, ast.Lambda):
            stack.extend(reversed(list(ast.iter_child_nodes(node))))
    return None if _ANSWERS_ALL in found else found


def _binds_anything(node: ast.AST) -> bool:
    """Whether a node may bind names that do not stand in the text."""
    if isinstance(node, ast.Call):
        return dotted_name(node.func) in _BINDING_CALLS
    return isinstance(node, ast.Attribute) and dotted_name(node) in _BINDING_NAMES


def _declared_global(function: ast.AST) -> dict[str, ast.AST]:
    """The names of the module that a function may bind when it is called."""
    nodes = [node for node in ast.walk(function) if isinstance(node, ast.Global)]
    return {name: node for node in nodes for name in node.names}


def _async_fault(function: _Function) -> str | None:
    if isinstance(function, ast.AsyncFunctionDef) and not function.decorator_list:
        return f"{function.name}() is `async`, and the server does not wait for its result."
    return None


def _init_fault(function: _Function) -> str | None:
    wanted = function.args
    required = len(wanted.posonlyargs) + len(wanted.args) - len(wanted.defaults)
    required += sum(default is None for default in wanted.kw_defaults)
    if required and not function.decorator_list:
        return "init() is called without arguments."
    return None


def _run_fault(function: _Function) -> str | None:
    if not all(_is_known(decorator) for decorator in function.decorator_list):
        return None
    wanted = function.args
    if wanted.posonlyargs or wanted.vararg is not None or wanted.kwarg is not None:
        return "run() may have no positional-only arguments, no *args and no **kwargs."
    names = [argument.arg for argument in (*wanted.args, *wanted.kwonlyargs)]
    if not names:
        return "run() has no argument for the data of a request."
    if names == [_HEADERS]:
        return f"run() has no argument for the data of a request, but {_HEADERS}."
    return None


def _is_known(decorator: ast.expr) -> bool:
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return dotted_name(function).rpartition(".")[2] in _KNOWN_DECORATORS
