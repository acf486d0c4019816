"""What is worth a word before a deployment, and never a warning."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from unit.rules.rule_files import SCRIPT, found, found_in, write

COUNT = "instance_count: 1\n"
KEY = "auth_mode: key\n"
IDENTITY = "identity: {type: UserAssigned, user_assigned_identities: [{resource_id: me}]}\n"


@pytest.mark.parametrize(
    ("size", "count", "told"),
    [
        ("Standard_DS3_v2", 1, "1 instance of Standard_DS3_v2 takes 8 cores of the quota for"),
        ("standard_ds3_v2", 2, "2 instances of Standard_DS3_v2 take 12 cores of the quota for"),
        ("Standard_DS3_v2", 5, "5 instances of Standard_DS3_v2 take 24 cores of the quota for"),
        ("Standard_DS3_v2", 10, "10 instances of Standard_DS3_v2 take 48 cores of the quota for"),
    ],
)
def test_the_cores_of_a_deployment_are_told(
    tmp_path: Path, size: str, count: int, told: str
) -> None:
    changes = {"Standard_DS3_v2": size, COUNT: f"instance_count: {count}\n"}

    assert found_in(tmp_path, "core-quota", deployment=changes) == [
        f"info deployment.yml:12:17 instance_count: {told} standardDSv2Family, "
        "with the fifth that the cloud reserves."
    ]


def test_for_some_families_no_instance_is_reserved(tmp_path: Path) -> None:
    changes = {"Standard_DS3_v2": "Standard_NC24ads_A100_v4"}

    assert found_in(tmp_path, "core-quota", deployment=changes) == [
        "info deployment.yml:12:17 instance_count: 1 instance of Standard_NC24ads_A100_v4 takes "
        "24 cores of the quota for standardNCADSA100v4Family."
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"Standard_DS3_v2": "Standard_Own"},
        {COUNT: ""},
        {COUNT: COUNT + "type: kubernetes\n"},
    ],
)
def test_the_cores_of_other_machines_are_not_known(tmp_path: Path, changes: dict[str, str]) -> None:
    assert found_in(tmp_path, "core-quota", deployment=changes) == []


@pytest.mark.parametrize(
    ("gib", "variables", "told"),
    [
        (8, "", "Standard_DS3_v2 has 14 GiB of memory, for 8.0 GiB of model files."),
        (
            4,
            "environment_variables: {WORKER_COUNT: 2}\n",
            "Standard_DS3_v2 has 14 GiB of memory, "
            "for 4.0 GiB of model files for each of 2 workers.",
        ),
    ],
)
def test_a_model_that_fills_half_of_the_memory_is_told(
    tmp_path: Path, gib: int, variables: str, told: str
) -> None:
    _make_large(tmp_path / "model" / "large.bin", gib)

    assert found_in(tmp_path, "memory-at-start", deployment={COUNT: COUNT + variables}) == [
        f"info deployment.yml:11:16 instance_type: {told}"
    ]


def test_a_smaller_model_is_not_told(tmp_path: Path) -> None:
    _make_large(tmp_path / "model" / "large.bin", 6)

    assert found_in(tmp_path, "memory-at-start") == []


def test_a_script_that_logs_in_as_the_endpoint_is_told_once(tmp_path: Path) -> None:
    lines = "from azure.identity import DefaultAzureCredential\nimport azure.identity.aio\n"

    assert found_in(tmp_path, "needs-identity", {"src/score.py": lines + SCRIPT}) == [
        "info src/score.py:1:1 in the cloud the script logs in as the endpoint's identity."
    ]
    assert found_in(tmp_path, "needs-identity") == []


def test_a_secret_that_the_cloud_fills_in_is_told(tmp_path: Path) -> None:
    value = "${{azureml://connections/search/credentials/key}}"
    variables = f'environment_variables: {{KEY: "{value}", OTHER: x}}\n'

    assert found_in(tmp_path, "secret-access", deployment={COUNT: COUNT + variables}) == [
        "info deployment.yml:13:30 environment_variables.KEY: "
        "the cloud fills in the secret as the endpoint's identity."
    ]
    assert found_in(tmp_path, "secret-access") == []


def test_the_name_of_a_sample_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"endpoint.yml": "name: My-Endpoint\n", "other.yml": "name: my-endpoint-7\n"})

    assert found(tmp_path, "name-taken", "endpoint.yml") == [
        "info endpoint.yml:1:7 name: My-Endpoint is a name of samples, "
        "and only one endpoint of a region can have it."
    ]
    assert found(tmp_path, "name-taken", "other.yml") == []


def test_the_roles_of_an_identity_of_ones_own_are_told(tmp_path: Path) -> None:
    assert found_in(tmp_path, "identity-roles", endpoint={KEY: KEY + IDENTITY}) == [
        "info endpoint.yml:3:11 identity: a user-assigned identity gets no roles by itself."
    ]
    system = "identity: {type: system_assigned}\n"
    assert found_in(tmp_path, "identity-roles", endpoint={KEY: KEY + system}) == []


def _make_large(file: Path, gib: int) -> None:
    """A file of this size that takes no room."""
    file.parent.mkdir(parents=True)
    file.touch()
    os.truncate(file, gib * 1024**3)
