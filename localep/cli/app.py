"""The command `localep`: its verbs, and what happens to an error."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from localep import __version__
from localep.cli import base, environment, export, model, streams
from localep.cli.arguments import spread_set
from localep.cli.create import create
from localep.cli.delete import delete
from localep.cli.doctor import doctor
from localep.cli.failures import DEBUG_VARIABLE, report
from localep.cli.get_credentials import get_credentials, list_keys
from localep.cli.get_logs import get_logs
from localep.cli.instance_types import instance_types
from localep.cli.invoke import invoke
from localep.cli.list_endpoints import list_endpoints
from localep.cli.lock import lock
from localep.cli.output import Output
from localep.cli.regenerate_keys import regenerate_keys
from localep.cli.render import build, render
from localep.cli.schema import schema
from localep.cli.serve import serve
from localep.cli.show import show
from localep.cli.stats import stats
from localep.cli.update import update
from localep.cli.upgrade import upgrade
from localep.cli.validate import validate
from localep.exit_codes import ExitCode

app = typer.Typer(
    name="localep",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("create")(create)
app.command("update")(update)
app.command("invoke")(invoke)
app.command("get-logs")(get_logs)
app.command("stats")(stats)
app.command("show")(show)
app.command("list")(list_endpoints)
app.command("get-credentials")(get_credentials)
app.command("list-keys")(list_keys)
app.command("regenerate-keys")(regenerate_keys)
app.command("delete")(delete)
app.command("serve")(serve)
app.command("validate")(validate)
app.command("upgrade")(upgrade)
app.command("schema")(schema)
app.command("instance-types")(instance_types)
app.command("doctor")(doctor)
app.command("render")(render)
app.command("build")(build)
app.command("lock")(lock)
app.add_typer(export.app, name="export")
app.add_typer(model.app, name="model")
app.add_typer(environment.app, name="environment")
app.add_typer(base.app, name="base")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"localep {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error of localep itself.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Run Azure Machine Learning online endpoints on this machine, from the cloud's own YAML."""
    if debug:
        os.environ[DEBUG_VARIABLE] = "1"
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(ExitCode.USAGE)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status; prints every error."""
    streams.prepare()
    Output.forget()
    try:
        status = app(spread_set(arguments), prog_name="localep", standalone_mode=False)
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # Typer's own ending of it
            return ExitCode.OK
        return end.code if isinstance(end.code, int) else ExitCode.OK
    except BrokenPipeError:
        streams.silence_stdout()  # who read our output has enough
        return ExitCode.OK
    except Exception as error:
        return report(error, arguments)
    return status if isinstance(status, int) else ExitCode.OK
