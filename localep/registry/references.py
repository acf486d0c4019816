"""References to models and environments, in every form that documents have for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localep.registry.assets import LATEST, Kind, is_name, is_version

if TYPE_CHECKING:
    from localep.registry.assets import Asset
    from localep.registry.store import Store

# A workspace or registry, by one of its addresses; the same asset is meant here by all of them.
_LONG = re.compile(
    r"azureml:(?:/?/?subscriptions/[^/]+/resourceGroups/[^/]+/"
    r"(?:providers/Microsoft\.MachineLearningServices/)?(?:workspaces|registries)/[^/]+/"
    r"|//registries/[^/]+/|//locations/[^/]+/workspaces/[^/]+/)"
    r"(?P<kinds>[^/]+)/(?P<name>[^/]+)/(?:versions/(?P<version>[^/]+)|labels/(?P<label>[^/]+))",
    re.IGNORECASE,
)
_SHORT = re.compile(
    r"azureml:(?P<name>[^/:@]+)"
    r"(?:(?::|/versions/)(?P<version>[^/@]+)|(?:@|/labels/)(?P<label>[^/@]+))?"
)


@dataclass(frozen=True)
class Reference:
    """A name with a version or a label; without either, the latest is meant."""

    name: str
    version: str | None = None
    label: str | None = None


def parse(kind: Kind, text: str) -> Reference | None:
    """What a reference names, None where it is not the reference of a ``kind``."""
    found = _SHORT.fullmatch(text)
    if found is None:
        found = _LONG.fullmatch(text)
        if found is None or found["kinds"].lower() != f"{kind.value}s":
            return None
    if not is_name(found["name"]):
        return None
    return Reference(found["name"], found["version"], found["label"])


def resolve(store: Store, kind: Kind, text: str) -> Asset | None:
    """The asset that a reference names, None where nobody registered it.

    Of labels there is `latest` alone, as in the cloud's client.
    """
    reference = parse(kind, text)
    if reference is None:
        return None
    if reference.version is not None:
        return store.get(kind, reference.name, reference.version)
    if reference.label in {None, LATEST}:
        return store.latest(kind, reference.name)
    return None


def register_command(kind: Kind, text: str) -> str:
    """The command line that registers what a reference names."""
    reference = parse(kind, text) or Reference("NAME")
    wanted = reference.version
    version = f" -v {wanted}" if wanted is not None and is_version(wanted) else ""
    source = "--path PATH" if kind is Kind.MODEL else "-f env.yml"
    return f"localep {kind.value} register -n {reference.name}{version} {source}"
