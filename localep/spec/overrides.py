"""``--set path=value``: changes to a document before it is read."""

from __future__ import annotations

import copy
import itertools
import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from localep.errors import UsageError
from localep.spec import ga

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from localep.spec.documents import Document

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_KINDS = ("endpoint", "deployment")


@dataclass(frozen=True)
class Override:
    """One ``path=value`` pair; ``path`` alternates keys and list indexes."""

    text: str
    path: tuple[str | int, ...]
    value: Any

    @property
    def option(self) -> str:
        """The option without its value, which may be a secret."""
        return f"--set {self.text.partition('=')[0]}"


def parse_override(text: str) -> Override:
    """Read ``a.b[0].c=value``; the value is JSON where it is valid JSON, else a string."""
    path_text, separator, value_text = text.partition("=")
    steps = [key or int(index) for key, index in _STEP.findall(path_text)]
    if not separator or not steps or isinstance(steps[0], int) or _malformed(path_text):
        raise UsageError(
            f"--set {text} is not a change.",
            cause="It does not have the form path=value.",
            remedy="Write for example --set environment_variables.LEVEL=debug.",
        )
    return Override(text, tuple(steps), _value(value_text))


def apply_overrides(
    documents: Sequence[Document], overrides: Iterable[Override]
) -> tuple[Document, ...]:
    """The documents with every override in the one whose kind knows the path's first key."""
    changed = [
        replace(document, data=copy.deepcopy(document.data), given=dict(document.given))
        for document in documents
    ]
    for override in overrides:
        target, path = _target(changed, override)
        made = _assign(target.data, path, override)
        target.given[made] = override.option
    return tuple(changed)


def kind_of(document: Document) -> str:
    """``combined``, ``deployment`` or ``endpoint``, told by the keys of the document."""
    if "deployments" in document.data:
        return "combined"
    if (ga.DEPLOYMENT_KEYS | {"resource_requirements", "sku"}) - {"type"} & document.data.keys():
        return "deployment"
    return "endpoint"


def _target(
    documents: Sequence[Document], override: Override
) -> tuple[Document, tuple[str | int, ...]]:
    first = override.path[0]
    if first in _KINDS and len(override.path) > 1:
        fitting = [document for document in documents if kind_of(document) == first]
        if len(fitting) == 1:
            return fitting[0], override.path[1:]
    if len(documents) == 1:
        return documents[0], override.path
    known_by = {"endpoint": ga.ENDPOINT_KEYS, "deployment": ga.DEPLOYMENT_KEYS}
    fitting = [
        document for document in documents if first in known_by.get(kind_of(document), frozenset())
    ]
    if len(fitting) == 1:
        return fitting[0], override.path
    raise UsageError(
        f"--set {override.text} fits no single document.",
        cause=f"`{first}` is a key of endpoints and of deployments, or of neither.",
        remedy=f"Write --set endpoint.{override.text} or --set deployment.{override.text}.",
    )


def _assign(
    data: dict[str, Any], path: tuple[str | int, ...], override: Override
) -> tuple[str | int, ...]:
    """Put the value there; the path of the outermost place that was made for it."""
    node: Any = data
    made = path
    for depth, (step, following) in enumerate(itertools.pairwise(path), 1):
        if isinstance(node, dict) and isinstance(step, str):
            if node.get(step) is None:
                node[step] = [] if isinstance(following, int) else {}
                made = min(made, path[:depth], key=len)
            node = node[step]
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            raise _no_such_place(override, step)
    last = path[-1]
    if isinstance(node, dict) and isinstance(last, str):
        node[last] = override.value
    elif isinstance(node, list) and isinstance(last, int) and last <= len(node):
        node[last : last + 1] = [override.value]
    else:
        raise _no_such_place(override, last)
    return made


def _no_such_place(override: Override, step: str | int) -> UsageError:
    return UsageError(
        f"--set {override.text} does not fit the document.",
        cause=f"There is nothing at `{step}` that could be changed.",
        remedy="Compare the path with the YAML; list indexes start at 0.",
    )


def _malformed(path_text: str) -> bool:
    return re.fullmatch(r"[^.\[\]]+(\.[^.\[\]]+|\[\d+\])*", path_text) is None


def _value(text: str) -> Any:  # noqa: ANN401
    try:
        return json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return text


def _no_json(word: str) -> None:
    """NaN and Infinity are words of Python's reader, not of JSON."""
    raise ValueError(word)
