"""Several kinds of change in one update, as the cloud of 2021 and today's take them."""

from __future__ import annotations

from pathlib import Path

import pytest

from localep.rules.causes import cause
from localep.rules.changes import several_changes
from localep.spec.documents import parse_document
from localep.spec.loader import Bundle, Reading, read_documents

APRIL = """\
name: orders
type: online
traffic: {blue: 100}
deployments:
  blue:
    sku: Standard_DS3_v2
    model: azureml:prices:1
    code_configuration: {code: {directory: code}, scoring_script: score.py}
    environment: azureml:sklearn:1
    scale_settings: {scale_type: manual, instance_count: 1}
    environment_variables: {LEVEL: info}
"""
MAY = """\
name: orders
type: online
traffic: {blue: 100}
deployments:
  - name: blue
    instance_type: Standard_DS3_v2
    model: azureml:prices:1
    code_configuration: {code: {local_path: code}, scoring_script: score.py}
    environment: azureml:sklearn:1
    scale_settings: {scale_type: manual, instance_count: 1}
    environment_variables: {LEVEL: info}
"""
NOVEMBER = """\
name: blue
endpoint_name: orders
instance_type: Standard_DS3_v2
instance_count: 1
model: azureml:prices:1
code_configuration: {code: {local_path: code}, scoring_script: score.py}
environment: azureml:sklearn:1
environment_variables: {LEVEL: info}
"""
TODAY = """\
name: blue
endpoint_name: orders
instance_type: Standard_DS3_v2
instance_count: 1
model: azureml:prices:1
code_configuration: {code: code, scoring_script: score.py}
environment: azureml:sklearn:1
environment_variables: {LEVEL: info}
"""
OF_2021 = {"April": APRIL, "May": MAY, "November": NOVEMBER}
CHANGES = {
    "scale": ("instance_count: 1", "instance_count: 2"),
    "code": ("scoring_script: score.py", "scoring_script: other.py"),
    "model": ("prices:1", "prices:2"),
    "environment": ("sklearn:1", "sklearn:2"),
    "traffic": ("blue: 100", "blue: 0"),
    "variables": ("LEVEL: info", "LEVEL: debug"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    for name in ("score.py", "other.py"):
        (tmp_path / "code" / name).write_text("def init(): pass\ndef run(data): return 1\n")
    return tmp_path


def bundle_of(text: str, folder: Path) -> tuple[Reading, Bundle]:
    """A document as it was read, and as one that a command runs."""
    reading = read_documents([parse_document(text, folder / "blue.yml")])
    endpoint = reading.endpoints[0] if reading.endpoints else None
    return reading, Bundle(endpoint, reading.deployments[0], reading.documents)


def changed(text: str, *changes: str) -> str:
    for change in changes:
        old, new = CHANGES[change]
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


def told(folder: Path, before: str, now: str) -> tuple[str, str, str | None] | None:
    """Severity, text and remedy of what is told where one document follows another."""
    finding = several_changes(bundle_of(before, folder)[0], bundle_of(now, folder)[1])
    if finding is None:
        return None
    assert finding.code == "several-changes"
    return finding.severity.value, finding.message, finding.remedy


@pytest.mark.parametrize("generation", OF_2021)
@pytest.mark.parametrize(
    ("changes", "listed"),
    [
        (("code", "model"), "the code and the model"),
        (("scale", "environment"), "the scale settings and the environment"),
        (
            ("environment", "model", "code", "scale", "variables"),
            "the scale settings, the code, the model and the environment",
        ),
    ],
)
def test_several_kinds_of_change_at_once_are_told(
    folder: Path, generation: str, changes: tuple[str, ...], listed: str
) -> None:
    before = OF_2021[generation]
    where = {"April": "deployments.blue: ", "May": "deployments.0: ", "November": ""}[generation]

    assert told(folder, before, changed(before, *changes)) == (
        "warning",
        f"{where}{listed} change at once; the cloud of 2021 takes one kind of change an update.",
        cause("several-changes").remedy,
    )


@pytest.mark.parametrize("before", [APRIL, MAY], ids=["April", "May"])
def test_the_traffic_of_a_combined_document_is_one_of_the_kinds(folder: Path, before: str) -> None:
    found = told(folder, before, changed(before, "traffic", "code"))

    assert found is not None
    assert "the traffic and the code change at once" in found[1]


@pytest.mark.parametrize("before", [*OF_2021.values(), TODAY], ids=[*OF_2021, "today"])
@pytest.mark.parametrize("change", ["scale", "code", "model", "environment", "variables"])
def test_one_kind_of_change_is_not_told(folder: Path, before: str, change: str) -> None:
    assert told(folder, before, before) is None
    assert told(folder, before, changed(before, change)) is None
    assert told(folder, before, changed(before, *{change, "variables"})) is None


def test_several_changes_of_a_document_of_today_are_told_where_the_cloud_scales_first(
    folder: Path,
) -> None:
    assert told(folder, TODAY, changed(TODAY, "code", "model", "environment")) is None
    assert told(folder, TODAY, changed(TODAY, "scale", "code")) == (
        "info",
        "the scale settings and the code change at once; the cloud scales first, and does the "
        "rest when that is done.",
        "In production, scale by itself.",
    )


def test_another_spelling_of_the_same_is_no_change(folder: Path) -> None:
    assert told(folder, NOVEMBER, changed(TODAY, "code")) is None
    assert told(folder, MAY.partition("traffic")[0] + MAY[MAY.index("deployments") :], MAY) is None


def test_another_deployment_is_compared_with_nothing(folder: Path) -> None:
    green = changed(NOVEMBER, "code", "model").replace("name: blue", "name: green")
    assert told(folder, NOVEMBER, green) is None


def test_an_endpoint_alone_is_compared_with_nothing(folder: Path) -> None:
    before, _ = bundle_of(MAY, folder)
    endpoint = before.endpoints[0]
    assert several_changes(before, Bundle(endpoint, None, before.documents)) is None
