"""The public preview of November 2021: a file each, as today, with ``local_path`` still in it.

It is known from files alone, some of which keep more of May than others: what either May or
today knows is read.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from localep.spec import cloud_only
from localep.spec.common import build_deployment, read_environment, read_name
from localep.spec.fields import Fields
from localep.spec.ga_assets import read_mount_path
from localep.spec.parts2021 import (
    NOVEMBER_2021,
    environment_section,
    read_code_configuration,
    read_model,
    read_scale_settings,
    read_split_resources,
)

if TYPE_CHECKING:
    from localep.spec.documents import Document
    from localep.spec.findings import Findings
    from localep.spec.model import DeploymentSpec


def read_deployment(document: Document, findings: Findings) -> DeploymentSpec | None:
    """The deployment of a document; None where its names are missing or wrong."""
    fields = Fields(document, findings, generation=NOVEMBER_2021.generation)
    scaled, is_scaled = read_scale_settings(fields, NOVEMBER_2021)
    count = fields.integer("instance_count")
    fields.texts("type")
    asked = {
        "scale_settings": is_scaled,
        "resources": read_split_resources(fields),
    }
    return build_deployment(
        fields,
        read_name(fields, "endpoint_name"),
        model=read_model(fields, NOVEMBER_2021),
        code=read_code_configuration(fields, NOVEMBER_2021),
        environment=read_environment(fields, partial(environment_section, dialect=NOVEMBER_2021)),
        instance_type=fields.text("instance_type"),
        instance_count=count if count is not None else scaled,
        model_mount_path=read_mount_path(fields),
        has_egress=cloud_only.read_egress(fields),
        cloud_only=cloud_only.asked_for(asked),
    )
