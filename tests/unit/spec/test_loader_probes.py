"""Single changes to a document, each judged by the cloud's own loader and by localep's.

The judgements of the cloud are in loader_probes.yml. What stands here is every place where localep
judges otherwise on purpose, and why.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import yaml
from unit.spec.spec_files import write

from localep.errors import SpecError
from localep.spec.documents import read_document
from localep.spec.findings import Severity, Topic
from localep.spec.loader import read_documents

if TYPE_CHECKING:
    from localep.spec.findings import Finding

PROBES = yaml.safe_load(Path(__file__).with_name("loader_probes.yml").read_text("utf-8"))
HEADS = {
    "endpoint": "name: orders\n",
    "kubernetes endpoint": "name: orders\ncompute: azureml:aks\n",
    "deployment": "name: blue\nendpoint_name: orders\ninstance_type: Standard_F2s_v2\n",
    "kubernetes deployment": "name: blue\nendpoint_name: orders\ntype: kubernetes\n",
}
FILES = {
    "code/score.py": "",
    "model/model.pkl": "",
    "docker/Dockerfile": "",
    "conda.yml": "name: x\ndependencies: [python=3.10]\n",
    "env.yml": "image: python\nconda_file: conda.yml\n",
}


class Probe(NamedTuple):
    """A change, and whether the cloud's loader takes the document with it."""

    document: str
    change: str
    is_accepted: bool

    @property
    def text(self) -> str:
        head = HEADS.get(self.document)
        return self.change if head is None else f"{head}{self.change}\n"


ALL = [
    Probe(document, change, judgement == "accepted")
    for document, judgements in PROBES.items()
    for judgement, changes in judgements.items()
    for change in changes
]
ACCEPTED = [probe for probe in ALL if probe.is_accepted]
REFUSED = [probe for probe in ALL if not probe.is_accepted]

OLD = "It is of an older generation, which localep reads with a warning."
OWN = "The key is localep's own."
ABSENT = "What is missing here may be there where the document is sent from: validate warns of it."

# What the cloud refuses and localep does not take for an error of the document.
LENIENT = {
    "swagger_uri: x": OLD,
    "type: online": OLD,
    "deployments: []": OLD,
    "deployments: {}": OLD,
    "target: azureml:x": OLD,
    "infrastructure: managed": OLD,
    "ssl_enabled: true": OLD,
    "scale_settings: {scale_type: manual, instance_count: 1}": OLD,
    "liveness_probe: {period_seconds: 1}": OLD,
    "sku: x": OLD,
    "resource_requirements: {}": OLD,
    "code_configuration: {code: {local_path: code}, scoring_script: score.py}": OLD,
    "model: {local_path: model}": OLD,
    "environment: {docker: {image: p}}": OLD,
    "models: []": OWN,
    "environment: 'file:model'": ABSENT,
    "environment: 'file:nowhere.yml'": ABSENT,
    "model: {path: nowhere}": ABSENT,
    "model: {path: 'azureml:m:1'}": ABSENT,
    "model: {path: 'azureml://datastores/d/paths/x'}": ABSENT,
    "model: {path: 'azureml://jobs/j/outputs/artifacts/paths/m'}": ABSENT,
    "model: {path: 'runs:/x/m'}": ABSENT,
    "model: {path: 'https://x/y'}": ABSENT,
    "model: {path: 'wasbs://x/y'}": ABSENT,
    "model: {path: 'file:model'}": ABSENT,
    "model: {path: 'azureml://foo'}": ABSENT,
    "environment: {image: python, conda_file: nowhere.yml}": ABSENT,
    "environment: {image: p, conda_file: 'file:conda.yml'}": ABSENT,
    "environment: {image: p, conda_file: docker}": ABSENT,
    "environment: {image: p, conda_file: 'azureml:x'}": ABSENT,
    "environment: {image: p, conda_file: 'https://x/y'}": ABSENT,
    "environment: {build: {path: nowhere}}": ABSENT,
    "environment: {build: {path: 'file:docker'}}": ABSENT,
    "environment: {build: {path: 'azureml://x'}}": ABSENT,
}

# What the cloud's loader takes and no run can do with, here or there: `validate` warns of it,
# `create` refuses it.
NAME = "name-rule"
STRICT = {
    "name: ab": NAME,
    "name: a": NAME,
    "name: a--b": NAME,
    f"name: {'a' * 40}": NAME,
    "name: two_words": NAME,
    "name: a_b": NAME,
    "name: ''": NAME,
    "endpoint_name: a_b": NAME,
    "traffic: {a: -10}": "traffic-rule",
    "traffic: {a: -10, b: 110}": "traffic-rule",
    "model_mount_path: models": "mount-path",
    "model_mount_path: ''": "mount-path",
    "code_configuration: {}": "missing-key",
    "code_configuration: {code: code}": "missing-key",
    "code_configuration: {scoring_script: score.py}": "missing-key",
    "code_configuration: {$schema: x, code: code}": "missing-key",
    "code_configuration: {code: code, scoring_script: ../x.py}": "outside-code-folder",
    "model: {}": "missing-key",
    "model: {name: m}": "missing-key",
    "environment: {build: {}}": "missing-key",
    "environment: {build: {dockerfile_path: Dockerfile}}": "missing-key",
    "environment: {image: p, inference_config: {liveness_route: {port: '1', path: /}, "
    "readiness_route: {port: 1.5, path: x}, scoring_route: {port: 70000, path: /}}}": "value",
    "environment: {image: p, inference_config: {liveness_route: {port: 0, path: /}, "
    "readiness_route: {port: -1, path: x}, scoring_route: {port: 1, path: ''}}}": "value",
}
# Its regular expression ends with $, which stands before the end of a line, too.
MISTAKEN = {'name: "abc\\n"'}

ELSEWHERE = {
    "azureml-ref-in-path",
    "cloud-reference",
    "dockerfile-path",
    "missing-local-path",
    "scoring-script-missing",
}


def found(folder: Path, probe: Probe) -> list[Finding]:
    """All that localep says of a document, with everything at hand that it may name."""
    for name, text in FILES.items():
        write(folder, name, text)
    source = write(folder, "document.yml", probe.text)
    return read_documents([read_document(source)]).findings.items


def codes(findings: list[Finding], topic: Topic) -> set[str]:
    return {
        item.code for item in findings if (item.topic, item.severity) == (topic, Severity.ERROR)
    }


def warnings(findings: list[Finding]) -> set[str]:
    return {item.code for item in findings if item.severity is Severity.WARNING}


def ids(probes: list[Probe]) -> list[str]:
    return [f"{probe.document}: {probe.change}" for probe in probes]


def test_there_are_probes_of_every_kind() -> None:
    whole = {"no document", "whole deployment", "whole endpoint"}
    assert {probe.document for probe in ALL} == HEADS.keys() | whole
    assert (len(ACCEPTED), len(REFUSED)) == (266, 368)
    assert {probe.change for probe in REFUSED} >= LENIENT.keys()
    assert {probe.change for probe in ACCEPTED} >= STRICT.keys() | MISTAKEN


@pytest.mark.parametrize("probe", ACCEPTED, ids=ids(ACCEPTED))
def test_what_the_cloud_takes_is_no_error_of_the_document(tmp_path: Path, probe: Probe) -> None:
    findings = found(tmp_path, probe)
    own = {"name-rule"} if probe.change in MISTAKEN else set()
    needed = {STRICT[probe.change]} if probe.change in STRICT else set()
    assert codes(findings, Topic.DOCUMENT) == own
    assert codes(findings, Topic.MACHINE) - ELSEWHERE == needed


@pytest.mark.parametrize("probe", REFUSED, ids=ids(REFUSED))
def test_what_the_cloud_refuses_is_an_error_of_the_document(tmp_path: Path, probe: Probe) -> None:
    if probe.document == "no document":
        with pytest.raises(SpecError):
            found(tmp_path, probe)
        return
    findings = found(tmp_path, probe)
    reason = LENIENT.get(probe.change)
    assert (codes(findings, Topic.DOCUMENT) == set()) == (reason is not None)
    if reason == OLD:
        assert "old-generation" in warnings(findings)
    if reason == ABSENT:
        assert codes(findings, Topic.MACHINE) <= ELSEWHERE
        assert codes(findings, Topic.MACHINE)
