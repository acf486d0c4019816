"""The private preview of April 2021: one document, with the deployments in a mapping by name.

A deployment may also stand in a file of its own, for an endpoint that is named elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.spec.common import read_name
from localep.spec.fields import Fields
from localep.spec.parts2021 import APRIL_2021, deployment_of, endpoint_of

if TYPE_CHECKING:
    from localep.spec.documents import Document
    from localep.spec.findings import Findings
    from localep.spec.model import DeploymentSpec, EndpointSpec


def read_combined(
    document: Document, findings: Findings, wanted: str | None = None
) -> tuple[EndpointSpec | None, list[DeploymentSpec]]:
    """The endpoint of a combined document and its deployments, in the document's order.

    Where one of them is ``wanted``, nothing in the others can stand in its way.
    """
    fields = Fields(document, findings, generation=APRIL_2021.generation)
    name = fields.data.get("name")
    endpoint_name = name if isinstance(name, str) else None
    deployments = [
        deployment_of(section.with_default("name", name), APRIL_2021, endpoint_name)
        for name, section in _sections(fields, wanted)
    ]
    endpoint = endpoint_of(fields, APRIL_2021)
    return endpoint, [deployment for deployment in deployments if deployment is not None]


def read_endpoint(document: Document, findings: Findings) -> EndpointSpec | None:
    """The endpoint of a document without deployments; None where its name is missing or wrong."""
    return endpoint_of(Fields(document, findings, generation=APRIL_2021.generation), APRIL_2021)


def read_deployment(document: Document, findings: Findings) -> DeploymentSpec | None:
    """The deployment of a document; None where its names are missing or wrong."""
    fields = Fields(document, findings, generation=APRIL_2021.generation)
    return deployment_of(fields, APRIL_2021, read_name(fields, "endpoint_name"))


def _sections(fields: Fields, wanted: str | None) -> list[tuple[str, Fields]]:
    """The deployments by name; the wanted one alone, if it is there."""
    mapping = fields.section("deployments")
    if mapping is None:
        return []
    names = [wanted] if wanted in mapping.data else list(mapping.data)
    sections = [(name, mapping.section(name)) for name in names]
    return [(name, section) for name, section in sections if section is not None]
