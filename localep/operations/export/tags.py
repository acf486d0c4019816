"""Names that users give to images."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localep.errors import UsageError

if TYPE_CHECKING:
    from localep.engine.base import Engine

EXPORT_ROLE = "export"
ROLE_LABEL = "localep.role"

_OWN_REPOSITORY = "localep/"
_MAX_NAME = 255
_RULE = "Use small letters, digits, `.`, `_`, `-` and `/`, and a tag after a colon: team/hello:1"
# The rules of the reference grammar that all engines and registries share.
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_TAG = re.compile(
    rf"(?P<name>(?:(?P<host>{_HOST})/)?{_PART}(?:/{_PART})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?",
    re.ASCII,
)
_IDENTITY = re.compile(r"[0-9a-f]{64}")


def check_tag(tag: str) -> str:
    """The name of an image with its tag, ``latest`` where it has none. Raises UsageError."""
    match = _TAG.fullmatch(tag)
    if match is None or _IDENTITY.fullmatch(tag):
        raise _refused(tag, _reason(tag))
    if len(match["name"]) > _MAX_NAME:
        raise _refused(tag, f"It is longer than {_MAX_NAME} characters.")
    if match["name"].startswith(_OWN_REPOSITORY):
        raise UsageError(
            f"No image of yours can be named {tag}.",
            cause=f"{_OWN_REPOSITORY} is where localep keeps its own images.",
            remedy="Choose another name with --tag.",
        )
    return tag if match["tag"] else f"{tag}:latest"


def refuse_own_image(engine: Engine, tag: str) -> None:
    """Raise UsageError where a name belongs to an image that localep needs itself."""
    there = engine.find_image(tag)
    if there is not None and there.labels.get(ROLE_LABEL, EXPORT_ROLE) != EXPORT_ROLE:
        raise UsageError(
            f"{tag} is the name of an image of localep's own.",
            cause=f"It is its {there.labels[ROLE_LABEL]} image, and would lose that name.",
            remedy="Choose another name with --tag.",
        )


def _refused(tag: str, cause: str) -> UsageError:
    return UsageError(f"No image can be named {tag!r}.", cause=cause, remedy=_RULE)


def _reason(tag: str) -> str:
    if "@" in tag:
        return "It holds a digest, which follows from the content and cannot be chosen."
    if _IDENTITY.fullmatch(tag):
        return "It looks like the id of an image."
    if tag != tag.lower() and _TAG.fullmatch(tag.lower()):
        return "A name has no capital letters; a tag may."
    return "It breaks the rules of image names."
