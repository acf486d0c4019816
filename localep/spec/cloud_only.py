"""The fields that speak of the cloud around a container, in the shapes that its loader takes.

None but egress plays a part in a local run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.spec.model import CloudOnly
from localep.spec.references import check_prefix

if TYPE_CHECKING:
    from localep.spec.fields import Fields

ACCESS = ("disabled", "enabled")
IDENTITIES = ("none", "system_assigned", "user_assigned")
_CLUSTER = "It is for managed endpoints and deployments, and these are of Kubernetes."
_MANAGED = "It is for deployments of Kubernetes: write `type: kubernetes`, or remove it."
_SCALES = ("max_instances", "min_instances", "polling_interval", "target_utilization_percentage")


def read_of_endpoint(fields: Fields, *, is_kubernetes: bool) -> CloudOnly:
    """What an endpoint of today asks of the cloud alone."""
    asked = {
        "identity": read_identity(fields, most=1),
        "mirror_traffic": _read_mirror_traffic(fields),
        "public_network_access": not is_kubernetes
        and _is_disabled(fields, "public_network_access"),
        "compute": is_kubernetes and _read_compute(fields),
    }
    if is_kubernetes:
        fields.refuse("public_network_access", _CLUSTER)
    return asked_for(asked)


def read_of_deployment(fields: Fields, *, is_kubernetes: bool) -> CloudOnly:
    """What a deployment of today asks of the cloud alone."""
    asked = {
        "scale_settings": read_scale_settings(fields),
        "data_collector": _read_data_collector(fields),
    }
    if is_kubernetes:
        asked["resources"] = read_resources(fields)
        fields.refuse("private_network_connection", _CLUSTER)
    else:
        connection = fields.boolean("private_network_connection")
        asked["private_network_connection"] = connection is True
        fields.refuse("resources", _MANAGED)
    return asked_for(asked)


def read_egress(fields: Fields, *, is_kubernetes: bool = False) -> bool:
    """Whether a deployment may reach out of its network, which a local run honours."""
    access = "egress_public_network_access"
    if is_kubernetes:
        fields.refuse(access, _CLUSTER)
        return True
    return not _is_disabled(fields, access)


def read_identity(fields: Fields, most: int | None = None) -> bool:
    """Whether an identity is asked for; ``most`` is how many of the user's own there may be."""
    section = fields.section("identity", shape="identity-shape")
    if section is None:
        return False
    kind = section.choice("type", IDENTITIES, is_camel=True, required=True)
    section.texts("principal_id", "tenant_id")
    own = section.sections("user_assigned_identities")
    for identity in own:
        identity.refuse_odd_keys()
        identity.texts(*identity.data)
    if most is not None and len(own) > most:
        section.error(
            "user_assigned_identities",
            "value",
            f"holds {len(own)} identities; the cloud takes {most}.",
        )
    section.finish()
    return kind != "none"


def read_resources(fields: Fields) -> bool:
    """Whether anything is asked of a cluster of Kubernetes."""
    section = fields.section("resources")
    if section is None:
        return False
    for key in ("requests", "limits"):
        half = section.section(key)
        if half is not None:
            half.texts("cpu", "memory", "gpu", "nvidia.com/gpu")
            half.finish()
    section.finish()
    return bool(section.data)


def read_scale_settings(fields: Fields) -> bool:
    """Whether other rules of scaling are asked for than the usual one, which is none."""
    section = fields.section("scale_settings")
    if section is None:
        return False
    kind = section.choice("type", ("default", "target_utilization"), is_camel=True, required=True)
    for key in _SCALES:
        if kind == "default":
            section.refuse(key, "Only `type: target_utilization` has it.")
        else:
            section.integer(key)
    section.finish()
    return kind != "default"


def _read_mirror_traffic(fields: Fields) -> bool:
    section = fields.section("mirror_traffic")
    if section is None:
        return False
    section.refuse_odd_keys()
    shares = [section.integer(name) for name in section.data]
    return any(shares)


def _read_compute(fields: Fields) -> bool:
    check_prefix(fields, "compute", "cluster")
    return True


def _read_data_collector(fields: Fields) -> bool:
    section = fields.section("data_collector", shape="data-collector-shape")
    if section is None:
        return False
    collections = section.section("collections", required=True)
    if collections is not None:
        collections.refuse_odd_keys()
        for name in collections.data:
            _read_collection(collections.section(name))
    section.choice("rolling_rate", ("day", "hour", "minute"))
    rate = section.number("sampling_rate")
    if rate is not None and not 0 <= rate <= 1:
        section.error("sampling_rate", "value", f"{rate:g} does not lie between 0 and 1.")
    logging = section.section("request_logging")
    if logging is not None:
        logging.list_of_texts("capture_headers")
        logging.finish()
    section.finish()
    return True


def _read_collection(collection: Fields | None) -> None:
    if collection is None:
        return
    collection.choice("enabled", ("false", "true"), required=True)
    data = collection.text_or_section("data")
    if data is not None and not isinstance(data, str):
        data.texts("name", "path", "version", "data_id")
        data.finish()
    collection.text("client_id")
    collection.finish()


def _is_disabled(fields: Fields, key: str) -> bool:
    return fields.choice(key, ACCESS) == "disabled"


def asked_for(asked: dict[str, bool]) -> CloudOnly:
    """The names of what is asked for."""
    return CloudOnly(tuple(name for name, is_asked in asked.items() if is_asked))
