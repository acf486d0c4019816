"""References to registered models and environments, by short name, full id or registry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localep.spec.generations import Generation
from localep.spec.paths import note_reference

if TYPE_CHECKING:
    from localep.spec.fields import Fields

REGISTRY = "azureml://registries/"
_PREFIX = "azureml:"

_WORKSPACE = (
    "subscriptions/[^/]+/resourceGroups/[^/]+"
    "/providers/Microsoft.MachineLearningServices/workspaces/[^/]+"
)
_FULL_ID = re.compile(rf"/?{_WORKSPACE}/[^/]+/[^/]+/versions/[^/]+")
_SHORT = re.compile(r"azureml:(?P<name>[^:@/]+)(?::(?P<version>[^:@/]+)|@[^:@/]+)?")
_ANY_ID = re.compile(rf"/{_WORKSPACE.replace('[^/]+', '.*')}/(models|environments)/", re.IGNORECASE)


def read_asset_reference(fields: Fields, key: str, text: str, remedy: str) -> str | None:
    """The reference to a registered asset that stands at a key; None where it is none.

    That only the cloud can resolve it is noted, with ``remedy``. The previews of 2021 had more
    forms than are known.
    """
    is_today = fields.generation is Generation.TODAY
    if not (is_asset_reference(text) if is_today else text.startswith(_PREFIX)):
        fields.error(
            key,
            "asset-ref-form",
            f"{text!r} is not a reference to a registered {key}.",
            f"Write `azureml:NAME:VERSION`, or a mapping {_MAPPINGS[key]}.",
        )
        return None
    note_reference(fields, key, text, remedy)
    return text


def check_prefix(fields: Fields, key: str, kind: str) -> None:
    """Report what stands at a key without being a reference to something of the cloud."""
    text = fields.text(key)
    if text is not None and not text.startswith(_PREFIX):
        message = f"{text!r} is not a reference to a registered {kind}."
        fields.error(key, "asset-ref-form", message, "Write `azureml:` in front of its name.")


def is_asset_reference(text: str) -> bool:
    """Whether the cloud's loader takes a string for the name of a registered asset.

    A short name has no slash in it; the full id of an asset starts with one and ends with a
    version.
    """
    if text.startswith(REGISTRY):
        return True
    if not text.startswith(_PREFIX):
        return False
    name = text.removeprefix(_PREFIX)
    if _FULL_ID.match(name):
        return True
    return not _ANY_ID.match(name) and ("/" not in name or name.startswith("/"))


def short_name(text: str) -> dict[str, str] | None:
    """The name, and the version if there is one, in ``azureml:NAME:VERSION`` or ``NAME@LABEL``.

    None for every other form.
    """
    match = _SHORT.fullmatch(text)
    if match is None:
        return None
    return {key: part for key, part in match.groupdict().items() if part is not None}


_MAPPINGS = {
    "environment": "with `image:` and `conda_file:`",
    "model": "that names a local path",
}
