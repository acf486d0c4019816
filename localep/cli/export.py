"""localep export: a deployment that needs no localep any more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from localep.cli import options
from localep.cli.output import Format, Output

app = typer.Typer(help="Export a deployment as an image, or to Kubernetes.")
Name = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "-n",
        "--name",
        "-e",
        "--endpoint-name",
        metavar="NAME",
        help="The endpoint that runs; with -f, the name of the one that the files describe.",
    ),
]


To = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("-O", "--to", metavar="FILE", help="Write there; else to standard output."),
]


@app.command("image")
def image(
    tag: Annotated[str, typer.Option("-t", "--tag", metavar="TAG", help="The image's name.")],
    name: Name = None,
    files: options.OptionalFiles = None,
    deployment: options.Deployment = None,
    overrides: options.Set = None,
    variables: options.Var = None,
    models: options.Model = None,
    keep: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--keep-variable",
            metavar="NAME",
            help="Put this variable in, though it looks like a secret; repeatable.",
        ),
    ] = None,
    python: options.Python = None,
    strict_image: options.StrictImage = False,
    platform: options.Platform = None,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Bake environment, code and models into an image; without -f, those that an endpoint runs."""
    from contextlib import ExitStack

    from localep.cli.session import environment_options, open_workplace, read_bundle, selection
    from localep.operations.export.image import export_image
    from localep.operations.export.source import planned_source, running_source

    output = Output(form, query)
    with ExitStack() as stack:
        if files:
            chosen = selection(name, deployment, overrides, None, variables, models)
            bundle = read_bundle(output, files, chosen)
            environment = environment_options(
                python=python,
                strict_image=strict_image,
                pull=False,
                no_cache=False,
                platform=platform,
            )
            place = open_workplace(output)
            source = stack.enter_context(planned_source(place, bundle, environment))
        else:
            _refuse_without_files(deployment, overrides, variables, models, python, platform)
            place = open_workplace(output)
            source = running_source(place, name)
        result = export_image(place, source, tag, keep or ())
    megabytes = result.size // 1_000_000
    output.result(
        result.to_dict(),
        lambda: [f"Exported {result.image} ({megabytes} MB). It runs by itself:", result.command],
    )


@app.command("k8s")
def k8s(
    name: Name = None,
    files: options.OptionalFiles = None,
    deployment: options.Deployment = None,
    overrides: options.Set = None,
    variables: options.Var = None,
    tag: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--image",
            metavar="TAG",
            help="The exported image, by the name under which the cluster pulls it.",
        ),
    ] = None,
    to: To = None,
    form: options.OutputFormat = Format.HUMAN,
    query: options.Query = None,
) -> None:
    """Write the manifests that run an exported image on Kubernetes: Deployment and Service."""
    from localep.cli.render import engine_if_any
    from localep.cli.session import open_workplace, read_bundle, selection
    from localep.operations.export.k8s import export_k8s, write_manifests
    from localep.operations.export.source import planned_spec, running_spec

    output = Output(form, query)
    if files:
        bundle = read_bundle(output, files, selection(name, deployment, overrides, None, variables))
        engine, spec = engine_if_any(), planned_spec(bundle)
    else:
        _refuse_without_files(deployment, overrides, variables)
        place = open_workplace(output)
        engine, spec = place.engine, running_spec(place, name)
    manifests = export_k8s(engine, output, spec, tag)
    if to is None:
        output.result(manifests.documents(), manifests.text.splitlines)
        return
    write_manifests(manifests, to)
    output.result(
        {"file": str(to), "image": manifests.image}, lambda: [f"Wrote {to} for {manifests.image}."]
    )


def _refuse_without_files(*options_of_files: object) -> None:
    """Refuse what changes YAML files where there are none: an endpoint is taken as it runs."""
    from localep.errors import UsageError

    if any(options_of_files):
        raise UsageError(
            "Without -f, an endpoint is exported as it runs.",
            cause="An option asks to change or choose what files describe.",
            remedy="Name the files with -f, or change the endpoint first with `localep update`.",
        )
