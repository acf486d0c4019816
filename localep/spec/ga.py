"""Today's documents: an endpoint and a deployment, each in a file of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.spec import cloud_only, ga_assets
from localep.spec.common import build_deployment, build_endpoint, read_environment, read_name
from localep.spec.fields import Fields

if TYPE_CHECKING:
    from localep.spec.documents import Document
    from localep.spec.findings import Findings
    from localep.spec.model import DeploymentSpec, EndpointSpec

ENDPOINT_KEYS = frozenset(
    {"auth_mode", "compute", "identity", "mirror_traffic", "public_network_access", "traffic"}
)
DEPLOYMENT_KEYS = frozenset(
    {
        "app_insights_enabled",
        "code_configuration",
        "data_collector",
        "egress_public_network_access",
        "endpoint_name",
        "environment",
        "environment_variables",
        "instance_count",
        "instance_type",
        "liveness_probe",
        "model",
        "model_mount_path",
        "models",
        "private_network_connection",
        "readiness_probe",
        "request_settings",
        "resources",
        "scale_settings",
        "type",
    }
)


def read_endpoint(document: Document, findings: Findings) -> EndpointSpec | None:
    """The endpoint of a document; None where its name is missing or wrong.

    It is one of Kubernetes where it names a cluster.
    """
    is_kubernetes = bool(document.data.get("compute"))
    return endpoint_of(Fields(document, findings), is_kubernetes=is_kubernetes)


def endpoint_of(fields: Fields, *, is_kubernetes: bool) -> EndpointSpec | None:
    """The endpoint of a mapping."""
    asked = cloud_only.read_of_endpoint(fields, is_kubernetes=is_kubernetes)
    fields.texts("openapi_uri")
    fields.drop("kind")
    return build_endpoint(fields, asked)


def read_deployment(document: Document, findings: Findings) -> DeploymentSpec | None:
    """The deployment of a document; None where its names are missing or wrong.

    The cloud asks for the instance type of a managed one, and takes ``Kubernetes`` in any other
    casing for the name of a managed one.
    """
    is_kubernetes = document.data.get("type") == "kubernetes"
    return deployment_of(Fields(document, findings), is_kubernetes=is_kubernetes)


def deployment_of(fields: Fields, *, is_kubernetes: bool) -> DeploymentSpec | None:
    """The deployment of a mapping."""
    fields.choice("type", ("kubernetes", "managed"), is_camel=True)
    asked = cloud_only.read_of_deployment(fields, is_kubernetes=is_kubernetes)
    if is_kubernetes:
        ga_assets.refuse_registries(fields)
    else:
        fields.drop("creation_context")
    return build_deployment(
        fields,
        read_name(fields, "endpoint_name"),
        model=ga_assets.read_model(fields),
        code=ga_assets.read_code_configuration(fields),
        environment=read_environment(fields, ga_assets.environment_section),
        instance_type=fields.text("instance_type", required=not is_kubernetes),
        instance_count=fields.integer("instance_count"),
        model_mount_path=ga_assets.read_mount_path(fields),
        has_egress=cloud_only.read_egress(fields, is_kubernetes=is_kubernetes),
        cloud_only=asked,
    )
