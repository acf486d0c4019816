"""What went wrong with channels and packages, out of rattler's own words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localep.errors import ChannelUnreachable, EnvironmentFailure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localep.conda.channels import Channels
    from localep.conda.packages import SolveRequest

_SHOWN_VERSIONS = 6
_SHOWN_LINES = 30
_ADDRESS = re.compile(r"(?:for url \(|in channel '|download )([^\s')]+)")
_STATUS = re.compile(r"\((\d{3}) ?([^)]*)\)")
_MISSING = re.compile(r"No candidates were found for (\S+) ?(.*?)\.?$", re.MULTILINE)
_VIRTUAL = re.compile(r"(__\w+)([^,;\n]*)")
_HEAD = "Cannot solve the request because of: "
_OWN_NETWORK = (
    "Check the network, or name a mirror as `channel_alias` or under `custom_channels` in .condarc."
)


def silent_channel(address: str, cause: str) -> ChannelUnreachable:
    """A channel takes no connection."""
    return ChannelUnreachable(
        f"The conda channel {address} does not answer.", cause=cause, remedy=_OWN_NETWORK
    )


def channel_failed(text: str, channels: Channels) -> EnvironmentFailure:
    """What rattler's gateway says of a channel: ChannelUnreachable where it does not answer."""
    address = _channel_in(text, channels)
    last = text.strip().splitlines()[-1].removeprefix("Caused by: ").strip()
    status = _STATUS.search(text)
    if "certificate" in text:
        return EnvironmentFailure(
            f"The certificate of the conda channel {address} is refused.",
            cause=f"{last}.",
            remedy="Name the file with your authority's certificate in REQUESTS_CA_BUNDLE, or as "
            "`ssl_verify` in .condarc.",
        )
    if status is not None and status.group(1) in {"401", "403", "407"}:
        return EnvironmentFailure(
            f"The conda channel {address} refuses.",
            cause=f"It answers with {status.group(1)} {status.group(2)}.",
            remedy="Check the token in the channel's address (/t/TOKEN/ after the host), or its "
            "user and password (user:password@ before the host) in .condarc or .netrc.",
        )
    if "could not find subdir" in text or (status is not None and status.group(1) == "404"):
        return EnvironmentFailure(
            f"There is no conda channel {address}.",
            cause=f"{last}.",
            remedy="Correct its name under `channels:` in the conda file, or its place in "
            ".condarc.",
        )
    return silent_channel(address, f"{last}.")


def wrong_spec(text: str) -> EnvironmentFailure:
    """A line of the conda file that is no match spec."""
    return EnvironmentFailure(
        "The conda file names a package in a way that conda does not know.",
        cause=f"{_sentence(text)}.",
        remedy="Write name, name=version or name>=version under `dependencies:`.",
    )


def not_solved(
    text: str,
    request: SolveRequest,
    channels: Channels,
    there: Mapping[str, tuple[str, ...]],
) -> EnvironmentFailure:
    """Why there is no solution; ``there`` are the versions in the channels by package."""
    where = ", ".join(channels.addresses)
    missing = _MISSING.search(text)
    lines = tuple(text.removeprefix(_HEAD).strip().splitlines())
    if missing is not None:
        name, version = missing.group(1), missing.group(2)
        versions = there.get(name)
        if not versions:
            return EnvironmentFailure(
                f"The package {name} is in none of the conda channels.",
                cause=f"Asked were {where} for {request.platform}.",
                remedy="Correct the name, add the channel that has it, or move it to the list "
                "under `pip:` if it is on PyPI.",
            )
        return EnvironmentFailure(
            f"No {name} {version} is in the conda channels.",
            cause=f"{where} has {_listed(versions)}.",
            remedy=f"Ask for a version of {name} that is there, or add the channel that has it.",
        )
    absent = [match for match in _VIRTUAL.finditer(text) if not _is_there(match, request)]
    remedy = "Loosen or remove one of these constraints in the conda file."
    if any(match.group(1) == "__cuda" for match in absent):
        remedy = "Choose an `instance_type` with GPUs, or packages that need none."
    elif any(match.group(1) == "__glibc" for match in absent):
        remedy = "Choose a newer image, or older versions of these packages."
    return EnvironmentFailure(
        "The conda packages cannot be installed together.",
        cause=_first_words(lines),
        remedy=remedy,
        details=lines[:_SHOWN_LINES],
    )


def _channel_in(text: str, channels: Channels) -> str:
    """The channel that a message speaks of; rattler hides tokens from it."""
    match = _ADDRESS.search(text)
    if match is None:
        return ", ".join(channels.addresses)
    address = match.group(1)
    for channel in channels.channels:
        if address.startswith((channel.address, *channel.mirrors)):
            return channel.address
    return address


def _listed(versions: tuple[str, ...]) -> str:
    shown = ", ".join(versions[-_SHOWN_VERSIONS:])
    more = len(versions) - _SHOWN_VERSIONS
    return f"{shown} and {more} older ones" if more > 0 else shown


def _is_there(match: re.Match[str], request: SolveRequest) -> bool:
    return any(name == match.group(1) for name, _ in request.virtual_packages) and not match.group(
        2
    ).strip(" *")


def _first_words(lines: tuple[str, ...]) -> str:
    """What contradicts what, in one line."""
    roots = [line[2:].split(" can")[0].strip() for line in lines if line[:2] in {"├─", "└─"}]
    if len(roots) > 1:
        return f"{', '.join(roots[:-1])} and {roots[-1]} contradict each other."
    asked = lines[0].split(" cannot be")[0] if lines else ""
    needed = re.sub(r"^[\s│├└─]+|,? (for )?which .*$", "", lines[-1]) if lines else ""
    return f"{asked} needs {needed.rstrip('.')}, which is not to be had."


def _sentence(text: str) -> str:
    first = text.strip().splitlines()[0].rstrip(".")
    return f"{first[:1].upper()}{first[1:]}"
