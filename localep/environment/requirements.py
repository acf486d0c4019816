"""pip's list of an environment, made ready for the build."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from localep.environment.addresses import has_credentials, without_credentials
from localep.errors import EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

INFERENCE_SERVER = "azureml-inference-server-http"

# What the cloud's old server was made of.
_OLD_SERVER = frozenset({"azureml-defaults", "azureml-dataset-runtime", "azureml-contrib-services"})
# Each of these brings the inference server along.
_SERVER_BEARERS = frozenset({INFERENCE_SERVER, "azureml-defaults"})
# Releases of these lack dependencies on the index: whatever the Python, or from a Python on, for
# which the last version of one has no wheel. The numbers of both packages go together.
_MINORS = range(20, 100)
_GONE = frozenset({24, 33})
_LAST_WITHOUT_WHEEL = {(3, 10): 43, (3, 11): 51, (3, 12): 53}
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


def without_server(lines: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """pip's list without the packages of the cloud's old server and pins of it, and these."""
    return _split_off(lines, is_of_server)


def without_insoluble(
    lines: Iterable[str], python: str | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """pip's list without what is known not to be installed any more on a Python, and that.

    ``python`` is a minor version ("3.11"), None where it is not known yet.
    """
    return _split_off(lines, lambda line: _is_insoluble(line, python))


def package_name(line: str) -> str | None:
    """The canonical name of the package that a line asks for, None for an option line."""
    try:
        return canonicalize_name(Requirement(line).name)
    except InvalidRequirement:
        return None


def _split_off(
    lines: Iterable[str], is_unwanted: Callable[[str], bool]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    lines = tuple(lines)
    taken = tuple(line for line in lines if is_unwanted(line))
    return tuple(line for line in lines if line not in taken), taken


def is_of_server(line: str) -> bool:
    """Whether a line is a package of the cloud's old server, or pins the server."""
    name = package_name(line)
    if name == INFERENCE_SERVER:
        return line.strip() != INFERENCE_SERVER
    return name in _OLD_SERVER


def _is_insoluble(line: str, python: str | None) -> bool:
    if package_name(line) not in {"azureml-defaults", "azureml-dataset-runtime"}:
        return False
    specifier = Requirement(line).specifier
    admitted = [minor for minor in _MINORS if specifier.contains(f"1.{minor}.0")]
    return bool(admitted) and all(_is_gone(minor, python) for minor in admitted)


def _is_gone(minor: int, python: str | None) -> bool:
    """Whether release 1.``minor`` cannot be installed on a Python (None: on any)."""
    wanted = tuple(int(part) for part in python.split(".")) if python is not None else ()
    last = max((last for since, last in _LAST_WITHOUT_WHEEL.items() if since <= wanted), default=0)
    return minor in _GONE or minor <= last
