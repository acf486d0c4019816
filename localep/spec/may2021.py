"""The public preview of May 2021: one document, with the deployments in a list.

A deployment may also stand in a file of its own, for an endpoint that is named elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.spec.common import read_name
from localep.spec.fields import Fields
from localep.spec.parts2021 import MAY_2021, deployment_of, endpoint_of

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
    fields = Fields(document, findings, generation=MAY_2021.generation)
    name = fields.data.get("name")
    endpoint_name = name if isinstance(name, str) else None
    items = fields.sections("deployments")
    fitting = [item for item in items if wanted is not None and item.data.get("name") == wanted]
    deployments = [deployment_of(item, MAY_2021, endpoint_name) for item in fitting or items]
    endpoint = endpoint_of(fields, MAY_2021)
    return endpoint, [deployment for deployment in deployments if deployment is not None]


def read_endpoint(document: Document, findings: Findings) -> EndpointSpec | None:
    """The endpoint of a document without deployments; None where its name is missing or wrong."""
    return endpoint_of(Fields(document, findings, generation=MAY_2021.generation), MAY_2021)


def read_deployment(document: Document, findings: Findings) -> DeploymentSpec | None:
    """The deployment of a document; None where its names are missing or wrong."""
    fields = Fields(document, findings, generation=MAY_2021.generation)
    return deployment_of(fields, MAY_2021, read_name(fields, "endpoint_name"))
