"""Options that several verbs share."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer

from localep.cli.addresses import address
from localep.cli.forms import Format

# Optional[...] and not `... | None`: Typer reads these at run time, on Python 3.10 too.
Files = Annotated[
    list[Path],
    typer.Option(
        "-f",
        "--file",
        metavar="FILE",
        readable=False,  # whoever reads it tells better what is wrong
        help="YAML of an endpoint or deployment; repeatable.",
    ),
]
OptionalFiles = Annotated[
    Optional[list[Path]],  # noqa: UP045
    typer.Option(
        "-f",
        "--file",
        metavar="FILE",
        readable=False,  # whoever reads it tells better what is wrong
        help="YAML of an endpoint or deployment; repeatable.",
    ),
]
Name = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "-n",
        "--name",
        "-e",
        "--endpoint-name",
        metavar="NAME",
        help="The endpoint; needed only where there are several.",
    ),
]
EndpointName = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "-n",
        "--name",
        "-e",
        "--endpoint-name",
        metavar="NAME",
        help="Name the endpoint so, whatever the files say.",
    ),
]
Deployment = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("-d", "--deployment", "--deployment-name", metavar="NAME", help="The deployment."),
]
Set = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Change the YAML before it is read; several pairs may follow.",
    ),
]
Model = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--model",
        metavar="REFERENCE",
        help="Deploy this registered model, azureml:NAME:VERSION; repeatable.",
    ),
]
Var = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(
        "--var",
        metavar="NAME=VALUE",
        help="Fill {{NAME}}, <NAME> and $NAME before the YAML is read; repeatable.",
    ),
]
Host = Annotated[
    str,
    typer.Option(
        "--host",
        metavar="ADDRESS",
        callback=address,
        help="The address to answer on; 0.0.0.0 for every network.",
    ),
]
Timeout = Annotated[
    float,
    typer.Option(
        "--timeout", metavar="SECONDS", min=0.1, help="How long the server may take to get ready."
    ),
]
Python = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--python", metavar="VERSION", help="Use this Python, whatever the conda file says."
    ),
]
StrictImage = Annotated[
    bool,
    typer.Option(
        "--strict-image", help="Fail where the YAML's image cannot be used, with no stand-in."
    ),
]
Pull = Annotated[
    bool, typer.Option("--pull", help="Ask the registry even where the image is here.")
]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Build anew, every step.")]
CopyModel = Annotated[
    bool, typer.Option("--copy-model", help="Copy the model into a volume; do not mount it.")
]


class Level(str, Enum):
    """A level of Python's logging."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


LogLevel = Annotated[
    Optional[Level],  # noqa: UP045
    typer.Option(
        "--log-level",
        help="Show the script's log from this level on; without, the server shows print() alone.",
        case_sensitive=False,
        show_default=False,
    ),
]
OutputFormat = Annotated[
    Format,
    typer.Option(
        "-o",
        "--output",
        help="How the result is written.",
        case_sensitive=False,
        show_default=False,
    ),
]
Query = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--query", metavar="JMESPATH", help="Write this part of the result alone."),
]
