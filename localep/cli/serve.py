"""localep serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from localep.cli import options
from localep.cli.output import Format, Output
from localep.errors import UsageError


def serve(
    files: options.OptionalFiles = None,
    name: options.EndpointName = None,
    deployment: options.Deployment = None,
    overrides: options.Set = None,
    variables: options.Var = None,
    models: options.Model = None,
    entry_script: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--entry-script",
            metavar="FILE",
            help="Serve this scoring script, without any YAML.",
        ),
    ] = None,
    model_dir: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--model-dir", metavar="DIR", help="AZUREML_MODEL_DIR, with --entry-script."),
    ] = None,
    host: options.Host = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port", metavar="PORT", min=0, max=65535, help="The port; 0 for a free one."
        ),
    ] = 5001,
    workers: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--workers", metavar="N", min=1, help="How many processes answer requests."),
    ] = None,
    timeout: options.Timeout = 300.0,
    no_reload: Annotated[
        bool, typer.Option("--no-reload", help="Go on as started, whatever changes.")
    ] = False,
    isolated: Annotated[
        bool,
        typer.Option(
            "--isolated",
            help="Run in an environment of its own, made from the YAML and kept in the cache.",
        ),
    ] = False,
    python: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--python",
            metavar="VERSION",
            help="With --isolated: use this Python, whatever the conda file says.",
        ),
    ] = None,
    log_level: options.LogLevel = None,
    form: options.OutputFormat = Format.HUMAN,
) -> None:
    """Run the inference server on this machine itself, without Docker, until Ctrl-C.

    It starts anew when the code, the model or the YAML change. It has no front end: no keys, no
    429, no 424, and the time-out of requests is the server's own (500). With -o json, each line
    of standard error is a JSON object; standard output is the server's.
    """
    output = Output(form)
    _check(files, entry_script, model_dir, python=python, isolated=isolated)
    from localep.cli.session import selection
    from localep.operations.serve import serve as run
    from localep.operations.serving.plan import ServeOptions

    settings = ServeOptions(
        files=tuple(files or ()),
        selection=selection(name, deployment, overrides, log_level, variables, models),
        entry_script=entry_script,
        model_dir=model_dir,
        host=host,
        port=port,
        workers=workers,
        timeout=timeout,
        reloads=not no_reload,
        is_isolated=isolated,
        python=python,
    )
    run(settings, output)


def _check(
    files: list[Path] | None,
    entry_script: Path | None,
    model_dir: Path | None,
    *,
    python: str | None,
    isolated: bool,
) -> None:
    """Refuse what does not go together."""
    if bool(files) == (entry_script is not None):
        raise UsageError(
            "What shall be served?" if not files else "-f and --entry-script exclude each other.",
            cause="A server runs the scoring script of one deployment, or one script alone.",
            remedy="Name the deployment's YAML with -f, or a scoring script with --entry-script.",
        )
    if model_dir is not None and files:
        raise UsageError(
            "--model-dir goes with --entry-script alone.",
            cause="The YAML names the model.",
            remedy="Leave it out, or change the YAML: --set model.path=DIR.",
        )
    if python is not None and not isolated:
        raise UsageError(
            "--python goes with --isolated alone.",
            cause="Otherwise the server runs in the Python of the active environment.",
            remedy="Add --isolated, or activate an environment with another Python.",
        )
