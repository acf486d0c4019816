"""The Dockerfile of an exported image."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from localep import __version__
from localep.operations import layout
from localep.operations.export.tags import EXPORT_ROLE, ROLE_LABEL
from localep.resources import render_template
from localep.spec.model import LOG_LEVEL_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from localep.engine.base import Image
    from localep.operations.export.source import Source
    from localep.spec.model import DeploymentSpec

# Whom localep's inference server runs as. Not the user of this machine: the same image shall
# come from every machine.
USER = (1000, 1000)

_NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_UNWRITABLE = re.compile(r"[\0\r\n]")
_SPECIAL = re.compile(r"[\\\"$]")
_SPECIAL_UNQUOTED = re.compile(r"[\\\"'$]")


def is_writable(name: str, value: str) -> bool:
    """Whether a Dockerfile can set a variable to a value."""
    return _NAME.fullmatch(name) is not None and _UNWRITABLE.search(value) is None


def render_export(
    source: Source, base: Image, files: Sequence[str], user: str, withheld: Collection[str]
) -> str:
    """The Dockerfile that adds archives to the image of an environment.

    ``user`` is whom the image runs as, empty for its own; ``withheld`` are the variables that
    it does not set.
    """
    spec = source.spec
    left_out = {*withheld, LOG_LEVEL_VARIABLE}
    variables = {
        name: value for name, value in layout.variables(spec).items() if name not in left_out
    }
    command: list[str] = []
    working_dir = ""
    if spec.code is not None and spec.routes is None:
        command = layout.server_command(spec.code)
        working_dir = _SPECIAL_UNQUOTED.sub(_escaped, layout.app_root(spec.code))
    return render_template(
        "export.Dockerfile.j2",
        spec=spec,
        image=source.image,
        files=files,
        variables=_pairs(variables),
        working_dir=working_dir,
        ports=layout.ports(spec),
        user=user,
        entry_point=json.dumps(command[:1]),
        arguments=json.dumps(command[1:]),
        has_command=bool(command),
        labels=_pairs(_labels(spec, source.image, base)),
    )


def _labels(spec: DeploymentSpec, image: str, base: Image) -> dict[str, str]:
    digest = next((name.partition("@")[2] for name in base.digests), base.identity)
    return {
        "org.opencontainers.image.title": f"{spec.endpoint_name}-{spec.name}",
        "org.opencontainers.image.base.name": image,
        "org.opencontainers.image.base.digest": digest,
        "localep.version": __version__,
        ROLE_LABEL: EXPORT_ROLE,
    }


def _pairs(values: Mapping[str, str]) -> list[str]:
    return [f'{name}="{_SPECIAL.sub(_escaped, value)}"' for name, value in values.items()]


def _escaped(match: re.Match[str]) -> str:
    return f"\\{match.group()}"
