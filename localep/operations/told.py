"""Which warnings of an endpoint's documents were told before.

A mark is a letter for what the warning is about, and a digest of it without its line: an edit
further up changes nothing about a warning.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from localep.spec.findings import Finding
    from localep.spec.loader import Bundle

_ENDPOINT, _DEPLOYMENT = "e", "d"


def marks_after(told: Sequence[str], bundle: Bundle) -> list[str]:
    """The marks once a bundle's warnings are told; what it does not speak of keeps its own."""
    spoken_of = set()
    if bundle.endpoint is not None:
        spoken_of.add(_ENDPOINT)
    if bundle.deployment is not None:
        spoken_of.add(_DEPLOYMENT)
    kept = [mark for mark in told if mark[:1] not in spoken_of]
    return sorted({*kept, *_marks(bundle)})


def untold(told: Sequence[str], bundle: Bundle) -> list[Finding]:
    """The warnings of a bundle that were not told before."""
    marks = _marks(bundle)
    return [item for item, mark in zip(bundle.warnings, marks, strict=True) if mark not in told]


def _marks(bundle: Bundle) -> list[str]:
    """The mark of each warning; equal ones are numbered."""
    seen: dict[tuple[str, ...], int] = {}
    marks = []
    for item in bundle.warnings:
        key = _key(item)
        seen[key] = seen.get(key, 0) + 1
        text = "\0".join((*key, str(seen[key])))
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
        marks.append(f"{_subject(item, bundle)}{digest}")
    return marks


def _key(item: Finding) -> tuple[str, ...]:
    place = item.place
    where = (str(place.source), place.path) if place is not None else (item.where, "")
    return (item.code, *where, item.message)


def _subject(item: Finding, bundle: Bundle) -> str:
    """Whether a warning is about the endpoint alone; of a document of both it is not."""
    deployment = bundle.deployment.origin if bundle.deployment is not None else None
    endpoint = bundle.endpoint.origin if bundle.endpoint is not None else None
    if endpoint is None or item.place is None:
        return _DEPLOYMENT
    if deployment is not None and deployment.document.source == endpoint.document.source:
        return _DEPLOYMENT
    return _ENDPOINT if item.place.source == endpoint.document.source else _DEPLOYMENT
