"""Whatever ends a command early, as an error of localep's own."""

from __future__ import annotations

import os

from localep.cli.arguments import form_of
from localep.cli.output import Output
from localep.errors import Interrupted, LocalepError, UsageError

DEBUG_VARIABLE = "LOCALEP_DEBUG"


def report(error: Exception, arguments: list[str]) -> int:
    """Show what ended a command and return its exit status."""
    output = Output.current() or Output(form_of(arguments))
    shown = _as_localep_error(error, arguments)
    if os.environ.get(DEBUG_VARIABLE):
        import traceback

        output.end_progress()
        output.traceback("".join(traceback.format_exception(error)).splitlines())
    output.error(shown)
    return shown.exit_code


def _as_localep_error(error: Exception, arguments: list[str]) -> LocalepError:
    """The error to show for an exception: a bug where it is none that localep knows."""
    if isinstance(error, LocalepError):
        return error
    import typer

    if isinstance(error, typer.Abort):
        return Interrupted("Interrupted.", remedy="Run the command again.")
    return _of_the_command_line(error, arguments) or LocalepError(
        "localep has a bug.",
        cause=f"{type(error).__name__}: {error}",
        remedy="Run it again with --debug in front of the verb, and report what it shows.",
    )


def _of_the_command_line(error: Exception, arguments: list[str]) -> UsageError | None:
    """What Typer says of a command line that it does not understand.

    Its exceptions are Click's, which Typer carries along or imports, as its version goes: they
    are known by what they can do.
    """
    format_message = getattr(error, "format_message", None)
    if format_message is None:
        return None
    text = " ".join(str(format_message()).split())
    message, cause = text, ""
    if text.startswith("Invalid value for "):
        message, _, cause = text.partition(": ")
    return UsageError(
        _sentence(message),
        cause=_sentence(cause.removeprefix("Value error, ")) or None,
        remedy=f"See `{_command(error, arguments)} --help`.",
    )


def _command(error: Exception, arguments: list[str]) -> str:
    context = getattr(error, "ctx", None)
    if context is not None:
        return str(context.command_path)
    verbs = [word for word in arguments if not word.startswith("-")]
    return " ".join(["localep", *verbs[:1]])


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "?")) else f"{text}."
