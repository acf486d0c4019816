"""Options that several verbs share."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer

from localep.cli.addresses import address
from localep.cli.forms import Format
from localep.cli.numbers import cpus, gpus, instances, memory, shared_memory, size
from localep.environment import solver

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
        help="Fill {{NAME}}, <NAME>, <% NAME %> and $NAME in the YAML; repeatable.",
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
Solver = Annotated[
    solver.Solver,
    typer.Option(
        "--solver",
        help="Where conda's packages come from: its channels, PyPI, or the one, else the other.",
        case_sensitive=False,
        show_default=False,
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
SkipScriptValidation = Annotated[
    bool,
    typer.Option(
        "--skip-script-validation",
        help="Start the scoring script whatever its text looks like.",
    ),
]
Platform = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--platform",
        metavar="OS/ARCH",
        help="Pull, build and run for this one, such as linux/amd64; else the engine's own.",
    ),
]
Instances = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--instances",
        metavar="N|yaml",
        callback=instances,
        help="Run this many containers, or as many as the YAML says; else one.",
    ),
]
NoLimits = Annotated[
    bool,
    typer.Option(
        "--no-limits",
        help="Let each container take all of the machine, not what its instance type has.",
    ),
]
Limits = Annotated[
    Optional[bool],  # noqa: UP045
    typer.Option(
        "--limits/--no-limits",
        help="Limit each container to what its instance type has, or not; else as before.",
        show_default=False,
    ),
]
Cpus = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option(
        "--cpus",
        metavar="N",
        callback=cpus,
        help="Let each container take so many CPUs, such as 2 or 0.5, whatever its type has.",
    ),
]
Memory = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--memory",
        metavar="BYTES",
        callback=memory,
        help="Let each container take so much memory, such as 4G or 512M, whatever its type has.",
    ),
]
ShmSize = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--shm-size",
        metavar="BYTES",
        callback=shared_memory,
        help="The size of /dev/shm, such as 1G; else the engine's own, mostly 64M.",
    ),
]
Gpus = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--gpus",
        metavar="auto|none|all|N|ID,...",
        callback=gpus,
        show_default=False,
        help="The GPUs of each container; else as many as its instance type has, if they are here.",
    ),
]
MaxPayload = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(
        "--max-payload",
        metavar="BYTES",
        callback=size,
        help="Refuse larger requests, such as 1500000, 1.5M or 64K; 0 takes any.",
    ),
]
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
