from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from localep.spec.documents import parse_document
from localep.spec.generations import Generation, generation_of, spelling_in

if TYPE_CHECKING:
    from localep.spec.documents import KeyPath

APRIL, MAY, NOVEMBER, TODAY = Generation


def parsed(text: str) -> dict[str, object]:
    return parse_document(text, Path("/project/a.yml")).data


@pytest.mark.parametrize(
    ("text", "generation"),
    [
        ("name: orders", TODAY),
        ("name: orders\ntraffic: {blue: 100}", TODAY),
        ("name: orders\ncompute: azureml:aks", TODAY),
        ("name: orders\ntype: online", MAY),
        ("name: orders\ntarget: azureml:aks", MAY),
        ("name: orders\nswagger_uri: https://example.com", MAY),
        ("name: orders\ninfrastructure: managed", APRIL),
        ("name: orders\nssl_enabled: true", APRIL),
    ],
)
def test_the_generation_of_an_endpoint_is_told_by_its_keys(
    text: str, generation: Generation
) -> None:
    assert generation_of(parsed(text)) is generation


@pytest.mark.parametrize(
    ("text", "generation"),
    [
        ("deployments: []", MAY),
        ("deployments: [{sku: F2}]", MAY),
        ("deployments:", MAY),
        ("deployments: {}", APRIL),
        ("deployments: {blue: {instance_type: F2}}", APRIL),
        ("deployments: []\ninfrastructure: managed", APRIL),
    ],
)
def test_the_generation_of_a_combined_document_is_told_by_its_deployments(
    text: str, generation: Generation
) -> None:
    assert generation_of(parsed(text)) is generation


@pytest.mark.parametrize(
    ("text", "generation"),
    [
        ("model: {path: x}", TODAY),
        ("model: azureml:x:1", TODAY),
        ("model:", TODAY),
        ("code_configuration: {code: x}", TODAY),
        ("code_configuration: x", TODAY),
        ("environment: {image: x}", TODAY),
        ("environment: azureml:x:1", TODAY),
        ("scale_settings: {type: default}", TODAY),
        ("liveness_probe: {period: 1}", TODAY),
        ("type: kubernetes", TODAY),
        ("model: {local_path: x}", NOVEMBER),
        ("model: {model_format: Triton}", NOVEMBER),
        ("code_configuration: {code: {local_path: x}}", NOVEMBER),
        ("code_configuration: {code: {}}", NOVEMBER),
        ("environment: {docker: {image: x}}", MAY),
        ("scale_settings: {scale_type: manual}", MAY),
        ("resource_requirements: {cpu: 1}", MAY),
        ("sku: F2", APRIL),
        ("model: {asset_path: x}", APRIL),
        ("code_configuration: {code: {directory: x}}", APRIL),
        ("liveness_probe: {period_seconds: 1}", APRIL),
        ("readiness_probe: {timeout_seconds: 1}", APRIL),
    ],
)
def test_the_generation_of_a_deployment_is_told_by_its_keys(
    text: str, generation: Generation
) -> None:
    assert generation_of(parsed(f"name: blue\n{text}")) is generation


@pytest.mark.parametrize(
    "text",
    [
        "data_collector: {}",
        "egress_public_network_access: enabled",
        "environment: {image: x}",
        "environment: {build: {path: x}}",
        "instance_count: 1",
        "model_mount_path: /x",
        "private_network_connection: true",
        "resources: {}",
    ],
)
@pytest.mark.parametrize(
    "old", ["scale_settings: {scale_type: manual}", "resource_requirements: {cpu: 1}"]
)
def test_a_deployment_with_newer_keys_beside_those_of_may_is_of_november(
    text: str, old: str
) -> None:
    assert generation_of(parsed(f"{old}\n{text}")) is NOVEMBER


@pytest.mark.parametrize(
    ("path", "spellings"),
    [
        (("sku",), (None, "instance_type", "instance_type", "instance_type")),
        (
            ("instance_count",),
            ("scale_settings.instance_count", "scale_settings.instance_count", None, None),
        ),
        (
            ("deployments", 0, "instance_count"),
            ("scale_settings.instance_count", "scale_settings.instance_count", None, None),
        ),
        (
            ("deployments", "blue", "model", "path"),
            ("model.asset_path", "model.local_path", "model.local_path", None),
        ),
        (("model", "model_format"), (None, None, None, "model.type")),
        (
            ("code_configuration", "code", "directory"),
            (
                None,
                "code_configuration.code.local_path",
                "code_configuration.code.local_path",
                "code_configuration.code",
            ),
        ),
        (
            ("environment", "docker", "image"),
            (None, None, "environment.image", "environment.image"),
        ),
        (
            ("readiness_probe", "timeout_seconds"),
            (None, *["readiness_probe.timeout"] * 3),
        ),
        (("compute",), ("infrastructure", "target", None, None)),
        (("deployments",), (None, None, None, None)),
        (("name",), (None, None, None, None)),
        (("deployments", 0), (None, None, None, None)),
    ],
)
def test_each_generation_has_its_own_word_for_a_thing(
    path: KeyPath, spellings: tuple[str | None, ...]
) -> None:
    assert tuple(spelling_in(generation, path) for generation in Generation) == spellings
