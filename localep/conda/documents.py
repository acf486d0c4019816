"""What localep-conda reads in a build: what to install, and how channels are reached."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localep.conda.channels import access_document, resolve, resolve_request
from localep.conda.packages import CondaPackage, SolveRequest
from localep.conda.settings import user_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@dataclass(frozen=True)
class Installation:
    """What a build installs from channels.

    ``listed`` is the list of packages, ``files`` those that no build can fetch, by their names in
    the context; ``access`` is how channels are reached, and ``has_credentials`` that it must not
    end in a layer.
    """

    listed: str
    access: str
    has_credentials: bool = False
    files: Mapping[str, Path] = field(default_factory=dict)


def unsolved_list(request: SolveRequest) -> tuple[str, bool]:
    """What is asked of channels, without credentials, and whether packages go with the context.

    The same text means the same packages as long as the channels stay the same.
    """
    channels, specs = resolve_request(request, user_settings(), os.environ, Path.home())
    document = {
        "platform": request.platform,
        "specs": specs,
        "channels": channels.addresses,
        "virtual_packages": [_virtual(*item) for item in request.virtual_packages],
    }
    return _text(document), not all(map(channels.reached_by_build, channels.folders))


def locked_list(
    packages: Iterable[CondaPackage], platform: str, names: Iterable[str]
) -> tuple[str, bool]:
    """The packages of a lock, and whether some go with the context; ``names`` are its channels."""
    packages = tuple(packages)
    channels = resolve(names, user_settings(), os.environ, Path.home())
    sent = [package for package in packages if not channels.reached_by_build(package.url)]
    return _solved_text(packages, platform), bool(sent)


def installation(
    listed: str, names: tuple[str, ...], on_step: Callable[[str], None]
) -> Installation:
    """Make a list ready for a build: solved, and what a build cannot reach fetched.

    ``names`` are the channels with their credentials. Raises what solve() raises.
    """
    from localep.conda.client import authorities_file
    from localep.conda.solve import fetch, solve

    settings = user_settings()
    data: dict[str, Any] = json.loads(listed)
    if "packages" in data:
        packages = tuple(CondaPackage.from_dict(entry) for entry in data["packages"])
    else:
        on_step("Solving the conda environment")
        packages = solve(_request(data, names))
    channels = resolve(names, settings, os.environ, Path.home()).settled()
    sent = [package for package in packages if not channels.reached_by_build(package.url)]
    if any("://" in package.url and not package.url.startswith("file:") for package in sent):
        on_step("Fetching conda packages")
    authorities = None
    if isinstance(settings.ssl_verify, str):
        path = authorities_file(settings, os.environ)
        authorities = path.read_text("utf-8", "replace") if path is not None else None
    return Installation(
        _solved_text(packages, data["platform"]),
        access_document(channels, settings, authorities),
        channels.has_credentials,
        fetch(sent, names),
    )


def _request(data: Mapping[str, Any], names: tuple[str, ...]) -> SolveRequest:
    virtual = ((name, f"{version}={build}") for name, version, build in data["virtual_packages"])
    return SolveRequest(tuple(data["specs"]), names, data["platform"], tuple(virtual))


def _virtual(name: str, version: str) -> list[str]:
    number, _, build = version.partition("=")
    return [name, number, build or "0"]


def _solved_text(packages: Iterable[CondaPackage], platform: str) -> str:
    return _text({"platform": platform, "packages": [asdict(package) for package in packages]})


def _text(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=1) + "\n"
