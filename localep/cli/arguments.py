"""The command line as users of the cloud's CLI type it, made ready for Typer."""

from __future__ import annotations

from localep.cli.forms import Format
from localep.cli.output import form_with_query

_FORM_OPTIONS = ("-o", "--output")
_QUERY = "--query"


def spread_set(arguments: list[str]) -> list[str]:
    """Repeat ``--set`` before each of several pairs that follow one ``--set``.

    ``--set a=1 b=2`` becomes ``--set a=1 --set b=2``.
    """
    result: list[str] = []
    in_set = False
    for index, argument in enumerate(arguments):
        if argument == "--":
            return result + arguments[index:]
        follows_set = bool(result) and result[-1] == "--set"
        if in_set and not follows_set and not argument.startswith("-") and "=" in argument:
            result.append("--set")
        elif argument.startswith("-"):
            in_set = argument == "--set"
        elif not follows_set:
            in_set = False
        result.append(argument)
    return result


def form_of(arguments: list[str]) -> Format:
    """The form that a command line asks for, also where nobody understands the rest of it."""
    form, query = Format.HUMAN, None
    words = arguments[: arguments.index("--")] if "--" in arguments else arguments
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        if word in _FORM_OPTIONS:
            form = _form_named(following, form)
        elif word.startswith("--output="):
            form = _form_named(word.partition("=")[2], form)
        elif word.startswith("-o"):
            form = _form_named(word[2:], form)
        elif word == _QUERY:
            query = following
        elif word.startswith(f"{_QUERY}="):
            query = word.partition("=")[2]
    return form_with_query(form, query)


def _form_named(name: str, otherwise: Format) -> Format:
    try:
        return Format(name.lower())
    except ValueError:
        return otherwise
