"""The fields that play no part here; what the cloud takes of them is in test_loader_probes.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from localep.spec.documents import parse_document
from localep.spec.findings import Findings
from localep.spec.ga import read_deployment, read_endpoint
from localep.spec.model import CloudOnly

SOURCE = Path("/project/a.yml")


def endpoint(text: str) -> tuple[CloudOnly, list[str]]:
    """What an endpoint asks of the cloud alone, and what is wrong with it."""
    findings = Findings()
    spec = read_endpoint(parse_document(f"name: orders\n{text}\n", SOURCE), findings)
    assert spec is not None
    return spec.cloud_only, [f"{item.code}: {item}" for item in findings.items]


def deployment(text: str) -> tuple[CloudOnly, list[str]]:
    findings = Findings()
    size = "" if "kubernetes" in text else "instance_type: F2"
    head = f"name: blue\nendpoint_name: orders\n{size}\n"
    spec = read_deployment(parse_document(f"{head}{text}\n", SOURCE), findings)
    assert spec is not None
    return spec.cloud_only, [f"{item.code}: {item}" for item in findings.items]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("identity: {type: SystemAssigned}", ("identity",)),
        (
            "identity: {type: user_assigned, user_assigned_identities: [{resource_id: x}]}",
            ("identity",),
        ),
        ("identity: {type: None}", ()),
        ("public_network_access: enabled", ()),
        ("public_network_access: Disabled", ("public_network_access",)),
        ("mirror_traffic: {}", ()),
        ("mirror_traffic: {green: 0}", ()),
        ("mirror_traffic: {green: 0, blue: 5}", ("mirror_traffic",)),
        ("compute: azureml:aks", ("compute",)),
        (
            "compute: azureml:aks\nmirror_traffic: {a: 1}\nidentity: {type: system_assigned}",
            ("identity", "mirror_traffic", "compute"),
        ),
    ],
)
def test_what_an_endpoint_asks_of_the_cloud_alone(text: str, names: tuple[str, ...]) -> None:
    assert endpoint(text) == (CloudOnly(names), [])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("app_insights_enabled: false", ()),
        ("app_insights_enabled: true", ("app_insights_enabled",)),
        ("scale_settings: {type: Default}", ()),
        (
            "scale_settings: {type: TargetUtilization, min_instances: 1, max_instances: '2', "
            "polling_interval: 1.5, target_utilization_percentage: 70}",
            ("scale_settings",),
        ),
        ("egress_public_network_access: disabled", ()),
        ("private_network_connection: false", ()),
        ("private_network_connection: true", ("private_network_connection",)),
        ("data_collector: {collections: {}}", ("data_collector",)),
        ("type: kubernetes\nresources: {}", ()),
        ("type: kubernetes\nresources: {limits: {nvidia.com/gpu: '1'}}", ("resources",)),
    ],
)
def test_what_a_deployment_asks_of_the_cloud_alone(text: str, names: tuple[str, ...]) -> None:
    assert deployment(text) == (CloudOnly(names), [])


WRONG_ENDPOINTS = {
    "identity: none": "identity-shape: {}:2:11: identity: should be a mapping, not 'none'.",
    "identity: {}": "identity-shape: {}:2:11: identity: `type` is missing.",
    "identity: {type: none, user_assigned_identities: [/subscriptions/1]}": "identity-shape: "
    "{}:2:51: identity.user_assigned_identities.0: should be a mapping.",
    "identity: {type: none, user_assigned_identities: [{resource_id: a}, {resource_id: b}]}": (
        "identity-shape: {}:2:50: identity.user_assigned_identities: "
        "holds 2 identities; the cloud takes 1."
    ),
    "identity: {typ: none, type: none}": "unknown-key: {}:2:17: identity.typ: "
    "is not a known key here. Did you mean `type`?",
    "compute: aks": "asset-ref-form: {}:2:10: compute: 'aks' is not a reference to a registered "
    "cluster. Write `azureml:` in front of its name.",
    "compute: azureml:aks\npublic_network_access: enabled": "unknown-key: {}:3:24: "
    "public_network_access: is not a known key here. "
    "It is for managed endpoints and deployments, and these are of Kubernetes.",
    "mirror_traffic: {on: 5}": "type: {}:2:22: mirror_traffic.on: on is no string to YAML. "
    "Put it in quotes: 'on'.",
    "public_network_access: true": "type: {}:2:24: public_network_access: "
    "should be a string, not True. Put it in quotes: 'true'.",
}


@pytest.mark.parametrize("text", WRONG_ENDPOINTS)
def test_a_wrong_field_of_an_endpoint_is_told_with_its_place(text: str) -> None:
    assert endpoint(text)[1] == [WRONG_ENDPOINTS[text].format(SOURCE)]


WRONG_DEPLOYMENTS = {
    "data_collector: true": "data-collector-shape: {}:4:17: data_collector: "
    "should be a mapping, not True.",
    "data_collector: {}": "data-collector-shape: {}:4:17: data_collector: "
    "`collections` is missing.",
    "data_collector: {collections: {a: {enabled: true}}}": "data-collector-shape: {}:4:45: "
    "data_collector.collections.a.enabled: should be a string, not True. "
    "Put it in quotes: 'true'.",
    "data_collector: {collections: {a: {}}}": "data-collector-shape: {}:4:35: "
    "data_collector.collections.a: `enabled` is missing.",
    "data_collector: {collections: {}, rolling_rate: month}": "data-collector-shape: {}:4:49: "
    "data_collector.rolling_rate: 'month' is not one of day, hour, minute.",
    "data_collector: {collections: {}, sampling_rate: 1.5}": "data-collector-shape: {}:4:50: "
    "data_collector.sampling_rate: 1.5 does not lie between 0 and 1.",
    "data_collector: {collections: {}, enabled: 'true'}": "unknown-key: {}:4:44: "
    "data_collector.enabled: is not a known key here.",
    "scale_settings: {type: default, min_instances: 1}": "unknown-key: {}:4:48: "
    "scale_settings.min_instances: is not a known key here. "
    "Only `type: target_utilization` has it.",
    "scale_settings: {}": "missing-key: {}:4:17: scale_settings: `type` is missing.",
    "resources: {}": "unknown-key: {}:4:12: resources: is not a known key here. "
    "It is for deployments of Kubernetes: write `type: kubernetes`, or remove it.",
    "type: kubernetes\negress_public_network_access: enabled": "unknown-key: {}:5:31: "
    "egress_public_network_access: is not a known key here. "
    "It is for managed endpoints and deployments, and these are of Kubernetes.",
    "type: kubernetes\nresources: {limits: {cpu: 1}}": "type: {}:5:27: resources.limits.cpu: "
    "should be a string, not 1.",
    "type: kubernetes\nresources: {limit: {}}": "unknown-key: {}:5:20: resources.limit: "
    "is not a known key here. Did you mean `limits`?",
}


@pytest.mark.parametrize("text", WRONG_DEPLOYMENTS)
def test_a_wrong_field_of_a_deployment_is_told_with_its_place(text: str) -> None:
    assert deployment(text)[1] == [WRONG_DEPLOYMENTS[text].format(SOURCE)]


@pytest.mark.parametrize(
    ("text", "has_egress"),
    [
        ("", True),
        ("egress_public_network_access: enabled", True),
        ("egress_public_network_access: Disabled", False),
        ("type: kubernetes", True),
    ],
)
def test_whether_a_deployment_may_reach_out_is_read(text: str, has_egress: bool) -> None:
    size = "" if "kubernetes" in text else "instance_type: F2"
    document = parse_document(f"name: blue\nendpoint_name: orders\n{size}\n{text}\n", SOURCE)
    spec = read_deployment(document, Findings())
    assert spec is not None
    assert spec.has_egress is has_egress
