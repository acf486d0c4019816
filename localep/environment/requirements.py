"""pip's list of an environment, made ready for the build."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from localep.environment.addresses import has_credentials, without_credentials
from localep.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Iterable

INFERENCE_SERVER = "azureml-inference-server-http"

# Each of these brings the inference server along.
_SERVER_BEARERS = frozenset({INFERENCE_SERVER, "azureml-defaults"})
_LOCAL = re.compile(
    r"""
    -[rec] | --(requirement|editable|constraint)\b    # another file, or a checkout
    | (-f|--find-links)[\s=]+ (?![\s=]|\w+://)        # a folder of packages
    | ((-f|--find-links)[\s=]+ | [^@:/]*@\s*)? (\.{0,2}/|file:)  # a path, also as `name @ path`
    | (?!.*://) .*\.whl$                              # a wheel, but not at an address
    """,
    re.VERBOSE,
)


def clean_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """pip's list without comments and empty lines.

    Raises EnvironmentFailure where a line names a local file: the cloud is sent the conda file
    alone, and fails on such a line.
    """
    cleaned: list[str] = []
    for line in lines:
        text = re.sub(r"(^|\s)#.*$", "", line).strip()
        if not text:
            continue
        if _LOCAL.match(text):
            raise EnvironmentFailure(
                f"pip's list names a local file: {text}",
                cause="Only the conda file reaches the build, here and in the cloud.",
                remedy="Name the package as an index has it, or build an image of your own.",
            )
        cleaned.append(text)
    return tuple(cleaned)


def split_private(lines: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines that may stand in an image, and the index options that hold credentials.

    Raises EnvironmentFailure where a package's own address holds credentials: the installer
    would write it into the image.
    """
    public: list[str] = []
    private: list[str] = []
    for line in lines:
        if not has_credentials(line):
            public.append(line)
        elif line.startswith("-"):
            private.append(line)
        else:
            raise EnvironmentFailure(
                f"pip's list holds credentials: {without_credentials(line)}",
                cause="They would end in the image.",
                remedy="Take the package from an index, and keep its login in pip's settings.",
            )
    return tuple(public), tuple(private)


def brings_server(lines: Iterable[str]) -> bool:
    """Whether one of the requirements is the inference server, or brings it along."""
    return any(package_name(line) in _SERVER_BEARERS for line in lines)


def package_name(line: str) -> str | None:
    """The canonical name of the package that a line asks for, None for an option line."""
    try:
        return canonicalize_name(Requirement(line).name)
    except InvalidRequirement:
        return None
