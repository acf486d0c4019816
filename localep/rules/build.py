"""Rules for what the build of the image is given: the conda file and the image's name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from localep.environment.addresses import has_credentials
from localep.environment.conda_file import admits_python, parse_conda_file
from localep.environment.requirements import INFERENCE_SERVER, brings_server, clean_lines
from localep.errors import EnvironmentFailure, SpecError
from localep.rules.package_lists import (
    PackageList,
    conda_specifiers,
    is_filled_in,
    without_options,
)
from localep.rules.rule import Told, deployment_rule
from localep.spec.documents import CONDA_FILE, read_document
from localep.spec.findings import Severity
from localep.spec.paths import is_there

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.rules.package_lists import Entry
    from localep.rules.subject import DeploymentSubject

# Python's own table: the months in which releases got their last correction.
ENDED = {
    "2.7": "April 2020",
    "3.5": "September 2020",
    "3.6": "December 2021",
    "3.7": "June 2023",
    "3.8": "October 2024",
    "3.9": "October 2025",
}
ENDING = {"3.10": "October 2026"}
SUPPORTED = ("3.11", "3.12", "3.13", "3.14", "3.15")
# What died in the cloud was pip 21; that of any later year was not reported.
OLDEST_PIP = Version("22")

_BOUND = re.compile(r"(<=|<|~=|===?|=)\s*(\d+(?:\.\d+)*)")
_OPTION = re.compile(r"(-i|-f|--index-url|--extra-index-url|--find-links)[\s=]")
_ADDRESS = re.compile(r"\w+(?:\+\w+)?://\S+")
# Where nobody is let in without a login; feeds of public projects are the exception.
_PRIVATE_HOST = re.compile(r"pkgs\.dev\.azure\..*|.*\.pkgs\.visualstudio\..*|.*\.codeartifact\..*")
_OWN_HOST = re.compile(r"(localhost|127(\.\d+){3}|host\.docker\.internal|[\w.-]+\.local)(:\d+)?")
_SINGLE_EQUALS = re.compile(r"[A-Za-z0-9][\w.\[\],-]*\s*=\s*[^=\s].*")
_SHOWN = 5


@deployment_rule("conda-malformed")
def conda_malformed(subject: DeploymentSubject) -> Iterator[Told]:
    """A conda file that is none, or that holds what is no package."""
    environment = subject.spec.environment
    file = environment.conda_file if environment is not None else None
    if file is not None and subject.conda_document is None and is_there(file, "file"):
        yield Told(("environment", "conda_file"), _why_unreadable(subject))
        return
    packages = _own_list(subject)
    if packages is None:
        return
    if not packages.data.get("dependencies"):
        yield packages.told((), "there are no `dependencies`.")
        return
    try:
        parse_conda_file(packages.data, "conda_file")
    except SpecError as error:
        yield packages.told(("dependencies",), _as_clause(error.cause or error.message))
    for entry in packages.conda:
        if is_filled_in(entry.text) and not _is_readable(entry):
            yield packages.told(entry.path, f"{entry.text!r} is nothing that conda can read.")
    for path, line in packages.pip_lines:
        if is_filled_in(line) and not _is_requirement(line):
            yield packages.told(path, _why_no_requirement(line))


@deployment_rule("python-too-old")
def python_too_old(subject: DeploymentSubject) -> Iterator[Told]:
    """A Python that gets no corrections any more."""
    packages = subject.packages
    if packages is None:
        return
    for entry in packages.entries("python")[:1]:
        admitted = [minor for minor in (*ENDED, *ENDING, *SUPPORTED) if _admits(entry, minor)]
        if not admitted or admitted[-1] in SUPPORTED:
            continue
        newest = admitted[-1]
        month = {**ENDED, **ENDING}[newest]
        severity = Severity.WARNING if newest in ENDED else Severity.INFO
        message = f"{entry.text} has had no corrections since {month}."
        yield packages.told(entry.path, message, severity=severity)


@deployment_rule("python-entry")
def python_entry(subject: DeploymentSubject) -> Iterator[Told]:
    """No Python, several, or one whose release is not said."""
    packages = _sound_list(subject)
    if packages is None:
        return
    entries = [entry for entry in packages.conda if entry.name == "python"]
    if not entries:
        yield packages.told(("dependencies",), "there is no `python` among the packages.")
    elif len(entries) > 1:
        yield packages.told(entries[1].path, f"python is asked for {len(entries)} times.")
    elif not entries[0].constraint or entries[0].constraint.strip("= ") == "*":
        yield packages.told(entries[0].path, "python has no version.")


@deployment_rule("pip-entry")
def pip_entry(subject: DeploymentSubject) -> Iterator[Told]:
    """A list for pip, where pip is not asked for."""
    packages = _own_list(subject)
    if packages is not None and packages.pip_lines and not packages.entries("pip"):
        message = "there is a list for pip, but no `pip` among the packages before it."
        yield packages.told(packages.pip_path[:-1], message, severity=Severity.INFO)


@deployment_rule("pip-capped")
def pip_capped(subject: DeploymentSubject) -> Iterator[Told]:
    """A pip that is too old for the Python beside it."""
    packages = subject.packages
    if packages is None:
        return
    pythons = packages.entries("python")
    if pythons and not any(_admits(pythons[0], minor) for minor in (*ENDING, *SUPPORTED)):
        return
    for entry in packages.entries("pip"):
        if any(_is_capped(part) for part in entry.constraint.split(",")):
            beside = pythons[0].text if pythons else "today's Python"
            yield packages.told(entry.path, f"{entry.text} is too old for {beside}.")


@deployment_rule("channels-missing")
def channels_missing(subject: DeploymentSubject) -> Iterator[Told]:
    """No channel that the packages come from."""
    packages = _own_list(subject)
    if packages is not None and packages.conda and not packages.data.get("channels"):
        message = "there are no `channels`; what the packages come from is left to chance."
        yield packages.told((), message, severity=Severity.INFO)


@deployment_rule("server-package-missing")
def server_package_missing(subject: DeploymentSubject) -> Iterator[Told]:
    """Packages for a scoring script, without what runs it."""
    packages = _sound_list(subject)
    if packages is None or subject.spec.code is None or subject.spec.routes is not None:
        return
    if any(_is_local(line) for _, line in packages.pip_lines):  # more may stand in the file
        return
    lines = [*(line for _, line in packages.pip_lines), *packages.names]
    if not brings_server(map(without_options, lines)):
        message = f"{INFERENCE_SERVER} is missing; localep adds it, the cloud does not."
        yield packages.told(packages.pip_path, message)


@deployment_rule("local-file-dependency")
def local_file_dependency(subject: DeploymentSubject) -> Iterator[Told]:
    """Lines of pip's list that name a file of this machine."""
    packages = _own_list(subject)
    if packages is None:
        return
    for path, line in packages.pip_lines:
        if _is_local(line):
            message = f"{line} names a file, and only the conda file is sent to the build."
            yield packages.told(path, message)


@deployment_rule("private-feed")
def private_feed(subject: DeploymentSubject) -> Iterator[Told]:
    """Indexes and repositories that let nobody in without a login."""
    packages = subject.packages
    if packages is None:
        return
    for path, line in packages.pip_lines:
        host = _private_host(line) if is_filled_in(line) else None
        if host is not None:
            kind = "feed" if _OPTION.match(line) else "source"
            yield packages.told(path, f"the {kind} at {host} asks for a login.")


@deployment_rule("unpinned-drift")
def unpinned_drift(subject: DeploymentSubject) -> Iterator[Told]:
    """Packages of which any release will do."""
    packages = _own_list(subject)
    if packages is None:
        return
    free = [
        entry for entry in packages.packages if _is_free(entry) and entry.name != INFERENCE_SERVER
    ]
    if free:
        names = [entry.name for entry in free]
        told = ", ".join(names[:_SHOWN])
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        message = f"without a version: {told}{more}."
        yield packages.told(free[0].path, message, severity=Severity.INFO)


@deployment_rule("image-local-only")
def image_local_only(subject: DeploymentSubject) -> Iterator[Told]:
    """An image of a registry that only this machine or its network has."""
    environment = subject.spec.environment
    image = environment.image if environment is not None else None
    if image is None:
        return
    host, slash, _ = image.partition("/")
    if slash and _OWN_HOST.fullmatch(host):
        yield Told(("environment", "image"), f"the cloud cannot pull from {host}.")
    elif image.startswith("localep/"):
        message = f"{image} is an image of localep's own, which no registry has."
        yield Told(("environment", "image"), message, severity=Severity.INFO)


def _own_list(subject: DeploymentSubject) -> PackageList | None:
    """The list of the deployment's environment; an MLflow model's was not written by hand."""
    packages = subject.packages
    return None if packages is None or packages.is_of_model else packages


def _sound_list(subject: DeploymentSubject) -> PackageList | None:
    """The list of the deployment's environment, if there are packages in it."""
    packages = _own_list(subject)
    entries = packages.data.get("dependencies") if packages is not None else None
    return packages if isinstance(entries, list) and entries else None


def _why_unreadable(subject: DeploymentSubject) -> str:
    environment = subject.spec.environment
    assert environment is not None  # noqa: S101 - asked for above
    assert environment.conda_file is not None  # noqa: S101
    try:
        read_document(environment.conda_file, CONDA_FILE)
    except SpecError as error:
        return error.said
    return f"{environment.conda_file} cannot be read."  # it has changed meanwhile


def _as_clause(sentence: str) -> str:
    """A sentence as it stands behind a colon."""
    first, _, rest = sentence.partition(" ")
    return f"{first.lower()} {rest}" if first == "The" else sentence


def _is_free(entry: Entry) -> bool:
    """Whether any release will do; conda also takes `name[version='>=1']`."""
    return entry.constraint in {"", "*"} and "[version" not in entry.text


def _is_readable(entry: Entry) -> bool:
    """Whether conda can read the constraint; alternatives and builds are left to conda."""
    constraint = entry.constraint.partition("[")[0].strip()
    if not constraint or "|" in constraint or "*" in constraint or " " in constraint:
        return True
    return conda_specifiers(constraint) is not None


def _is_requirement(line: str) -> bool:
    """Whether pip can read a line; options, addresses and files are judged elsewhere."""
    if line.startswith("-") or "://" in line or _is_local(line):
        return True
    try:
        Requirement(without_options(line))
    except InvalidRequirement:
        return False
    return True


def _why_no_requirement(line: str) -> str:
    if _SINGLE_EQUALS.fullmatch(line):
        return f"{line!r} has one `=`, where pip takes two."
    return f"{line!r} is nothing that pip can read."


def _is_local(line: str) -> bool:
    try:
        clean_lines([line])
    except EnvironmentFailure:
        return True
    return False


def _admits(entry: Entry, minor: str) -> bool:
    return admits_python(entry.constraint, minor)


def _is_capped(part: str) -> bool:
    match = _BOUND.match(part.strip())
    if match is None:
        return False
    version = Version(match.group(2))
    return version < OLDEST_PIP or (match.group(1) == "<" and version == OLDEST_PIP)


def _private_host(line: str) -> str | None:
    """The host that a line needs a login for and has none, None for any other line."""
    address = _ADDRESS.search(line)
    try:
        parts = urlsplit(address.group() if address is not None else "")
    except ValueError:
        return None
    host = parts.hostname or ""
    if parts.scheme.endswith("ssh"):
        return host
    is_public = "public" in parts.path.lower().split("/") or has_credentials(line)
    return host if _PRIVATE_HOST.fullmatch(host) and not is_public else None
