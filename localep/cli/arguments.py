"""The command line as users of the cloud's CLI type it, made ready for Typer."""

from __future__ import annotations


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
