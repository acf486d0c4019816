"""The documents of an endpoint, kept in its state so that a later update needs no files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localep.operations.told import marks_after
from localep.spec.documents import Document
from localep.spec.overrides import kind_of
from localep.spec.variables import plain_text

if TYPE_CHECKING:
    from localep.gateway.state import GatewayState
    from localep.spec.loader import Bundle


def documents_to_store(
    state: GatewayState, bundle: Bundle, traffic: dict[str, int]
) -> GatewayState:
    """The state with a bundle's documents in the place of earlier ones of the same kind."""
    new = [_stored(document) for document in bundle.documents]
    replaced = {"combined", *(kind_of(document) for document in bundle.documents)}
    if any(kind_of(document) == "combined" for document in bundle.documents):
        replaced = {"combined", "endpoint", "deployment"}
    kept = [stored for stored in state.documents if kind_of(_read(stored)) not in replaced]
    # Always in the same order, so that states can be compared: the endpoint's first.
    documents = sorted([*kept, *new], key=lambda stored: kind_of(_read(stored)) == "deployment")
    told = marks_after(state.told, bundle)
    return replace(state, documents=documents, traffic=traffic, told=told)


def stored_documents(state: GatewayState) -> list[Document]:
    """The documents that an endpoint was last created or updated from."""
    return [_read(stored) for stored in state.documents]


def without_deployment(state: GatewayState) -> list[dict[str, Any]]:
    """What is left of an endpoint's documents when its deployment is deleted."""
    return [stored for stored in state.documents if kind_of(_read(stored)) == "endpoint"]


def _stored(document: Document) -> dict[str, Any]:
    # As it will be read again: JSON knows no dates.
    data = json.loads(json.dumps(document.data, default=plain_text))
    return {"source": str(document.source), "data": data}


def _read(stored: dict[str, Any]) -> Document:
    return Document(Path(stored["source"]), stored["data"])
