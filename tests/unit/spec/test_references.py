from __future__ import annotations

from pathlib import Path

import pytest

from localep.spec.documents import Document, parse_document
from localep.spec.fields import Fields
from localep.spec.findings import Findings, Topic
from localep.spec.generations import Generation
from localep.spec.references import check_prefix, is_asset_reference, read_asset_reference

WORKSPACE = (
    "subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
)
SOURCE = Path("/project/a.yml")
# The kinds of assets that have references, as the cloud's ids spell them.
KINDS = ("models", "environments")


@pytest.mark.parametrize(
    "text",
    [
        "azureml:m:1",
        "azureml:m:1:2",
        "azureml:m@latest",
        "azureml:m",
        "azureml:m name:1",
        f"azureml:/{WORKSPACE}/{{kind}}/m/versions/1",
        f"azureml:{WORKSPACE}/{{kind}}/m/versions/1",
        "azureml:/foo/bar",
        "azureml://registries/r/{kind}/m/versions/1",
        "azureml://registries/r/{kind}/m/labels/latest",
        "azureml://workspaces/x",
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_the_cloud_takes_for_a_reference(text: str, kind: str) -> None:
    assert is_asset_reference(text.format(kind=kind))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "m:1",
        "AzureML:m:1",
        "./model",
        "runs:/x/model",
        "azureml:m/versions/9",
        "azureml:AzureML-Minimal/versions/2",
        "azureml:registries/r/{kind}/m/versions/1",
        f"azureml:/{WORKSPACE}/{{kind}}/m",
        f"azureml:/{WORKSPACE}/{{kind}}/m/labels/latest",
        f"azureml:/{WORKSPACE.lower()}/{{kind}}/m/versions/1",
        f"/{WORKSPACE}/{{kind}}/m/versions/1",
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_the_cloud_refuses_as_a_reference(text: str, kind: str) -> None:
    assert not is_asset_reference(text.format(kind=kind))


def fields_of(text: str, generation: Generation = Generation.TODAY) -> Fields:
    document = parse_document(f"model: {text}\n", SOURCE)
    return Fields(document, Findings(), generation=generation)


def test_a_reference_is_noted_as_absent_from_this_machine() -> None:
    fields = fields_of("azureml:m:1")
    assert read_asset_reference(fields, "model", "azureml:m:1", "Name a file.") == "azureml:m:1"
    assert [(item.topic, item.code, str(item)) for item in fields.findings.items] == [
        (
            Topic.MACHINE,
            "cloud-reference",
            f"{SOURCE}:1:8: model: azureml:m:1 can only be resolved by the cloud. Name a file.",
        )
    ]


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        ("model", "Write `azureml:NAME:VERSION`, or a mapping that names a local path."),
        (
            "environment",
            "Write `azureml:NAME:VERSION`, or a mapping with `image:` and `conda_file:`.",
        ),
    ],
)
def test_what_is_no_reference_is_refused(key: str, remedy: str) -> None:
    fields = Fields(Document(SOURCE, {}), Findings())
    assert read_asset_reference(fields, key, "m:1", "Name a file.") is None
    assert [(item.topic, item.code, str(item)) for item in fields.findings.items] == [
        (
            Topic.DOCUMENT,
            "asset-ref-form",
            f"{SOURCE}: {key}: 'm:1' is not a reference to a registered {key}. {remedy}",
        )
    ]


@pytest.mark.parametrize(
    "generation", [item for item in Generation if item is not Generation.TODAY]
)
def test_a_reference_of_2021_only_begins_as_one(generation: Generation) -> None:
    text = "azureml:AzureML-Minimal/versions/2"
    fields = fields_of(text, generation)
    assert read_asset_reference(fields, "model", text, "Name a file.") == text
    assert read_asset_reference(fields, "model", "m:1", "Name a file.") is None
    assert [item.code for item in fields.findings.items] == ["cloud-reference", "asset-ref-form"]


def test_the_name_of_something_in_the_cloud_has_its_prefix() -> None:
    fields = fields_of("azureml:aks")
    check_prefix(fields, "model", "cluster")
    check_prefix(fields, "compute", "cluster")
    assert fields.findings.items == []
    wrong = fields_of("aks")
    check_prefix(wrong, "model", "cluster")
    assert [str(item) for item in wrong.findings.items] == [
        f"{SOURCE}:1:8: model: 'aks' is not a reference to a registered cluster. "
        "Write `azureml:` in front of its name."
    ]
