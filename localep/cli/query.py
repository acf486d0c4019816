"""The part of a result that is asked for, in JMESPath."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from localep.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LANGUAGE = "See jmespath.org for the language."


def check_query(query: str) -> None:
    """Refuse what is no query before anything is done. Raises UsageError."""
    import jmespath
    import jmespath.exceptions
    from jmespath.functions import Functions

    try:
        parsed: Any = jmespath.compile(query).parsed
    except jmespath.exceptions.JMESPathError as error:
        raise UsageError(
            f"--query {query} is not a JMESPath expression.",
            cause=_reason(error),
            remedy=_LANGUAGE,
        ) from error
    known = Functions().FUNCTION_TABLE
    for name in _functions(parsed):
        if name not in known:
            raise UsageError(
                f"--query {query} cannot be answered.",
                cause=f"JMESPath has no function {name}().",
                remedy=_LANGUAGE,
            )


def search(query: str, data: Any) -> Any:  # noqa: ANN401
    """The part of a result that a query names. Raises UsageError where the two do not fit."""
    import jmespath
    import jmespath.exceptions

    try:
        return jmespath.compile(query).search(data)
    except jmespath.exceptions.JMESPathError as error:
        raise UsageError(
            f"--query {query} does not fit the result.",
            cause=_reason(error),
            remedy="The command itself is done; `-o json` shows what its results look like.",
        ) from error


def _functions(node: dict[str, Any]) -> Iterator[str]:
    if node["type"] == "function_expression":
        yield node["value"]
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _functions(child)


def _reason(error: Exception) -> str:
    import jmespath.exceptions

    if isinstance(error, jmespath.exceptions.JMESPathTypeError):
        expected = " or ".join(error.expected_types)
        return f"{error.function_name}() takes {expected}, and got {error.actual_type}."
    line = str(error).partition("\n")[0].removesuffix(":").removesuffix(", for expression")
    for prefix in ("Invalid jmespath expression: ", "Bad jmespath expression: "):
        line = line.removeprefix(prefix)
    return f"{line}."
