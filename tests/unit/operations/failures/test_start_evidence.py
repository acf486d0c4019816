"""What is shown of this machine's files beside a start that failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from localep.errors import DeploymentNotReady
from localep.operations.failures.evidence import add_evidence, differences, version_warnings
from localep.spec.loader import Selection, bundle_of, read_files
from localep.spec.model import DeploymentSpec

MODELS = "/var/azureml-app/azureml-models"
JOIN = 'Nearest to it is os.path.join(os.environ["AZUREML_MODEL_DIR"], {}).'
# The end of a LogisticRegression that scikit-learn 1.0.2 and joblib saved; the whole is 700 bytes.
PICKLE = b"\x80\x04\x95\xb6\x02\0\0" + b"\x8c\x10_sklearn_version\x94\x8c\x051.0.2\x94ub."
INSTALLED = {"scikit-learn": "1.6.1", "numpy": "2.1.3"}


def spec_of(
    folder: Path, model: str = "model: {name: reg, version: 1, path: model}"
) -> DeploymentSpec:
    """A deployment of a model in a folder."""
    (folder / "code").mkdir()
    (folder / "code" / "score.py").write_text("def init(): ...\ndef run(raw_data): ...\n")
    file = folder / "deployment.yml"
    file.write_text(
        "name: blue\nendpoint_name: hello\n"
        "code_configuration: {code: code, scoring_script: score.py}\n"
        "environment: {image: 'base:1'}\ninstance_type: Standard_DS3_v2\ninstance_count: 1\n"
        f"{model}\n"
    )
    deployment = bundle_of(read_files([file]), Selection()).deployment
    assert deployment is not None
    return deployment


def not_found(
    path: str, error: str = "FileNotFoundError: [Errno 2] No such file or directory"
) -> DeploymentNotReady:
    details = ["Traceback (most recent call last):", f"{error}: '{path}'"]
    return DeploymentNotReady(
        "No.", cause="init() failed.", remedy="?", details=details, code="model-file-missing"
    )


def nobody() -> Mapping[str, str] | None:
    return None


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "weights").mkdir(parents=True)
    (folder / "weights" / "reg.pkl").write_bytes(PICKLE)
    (folder / "labels.txt").write_text("yes\nno\n")
    return folder


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        (f"{MODELS}/reg/1/reg.pkl", '"model", "weights", "reg.pkl"'),
        (f"{MODELS}/reg/1/model/model/weights/reg.pkl", '"model", "weights", "reg.pkl"'),
        (f"{MODELS}/reg/1/model/weights/Reg.PKL", '"model", "weights", "reg.pkl"'),
        (f"{MODELS}/reg/1/model/lables.txt", '"model", "labels.txt"'),
        (f"{MODELS}/reg/1/model/weights", '"model", "weights", "reg.pkl"'),
        (f"{MODELS}/other/2/labels.txt", '"model", "labels.txt"'),
    ],
)
def test_the_models_files_are_listed_and_the_nearest_is_named(
    tmp_path: Path, model: Path, path: str, nearest: str
) -> None:
    error = not_found(path)

    add_evidence(error, spec_of(tmp_path), nobody)

    assert error.details[2:] == (
        f"In AZUREML_MODEL_DIR ({MODELS}/reg/1):",
        "  model/",
        "    labels.txt",
        "    weights/",
        "      reg.pkl",
    )
    assert error.remedy == JOIN.format(nearest)


def test_what_is_nothing_like_any_file_has_no_nearest(tmp_path: Path, model: Path) -> None:
    error = not_found(f"{MODELS}/reg/1/zzz")

    add_evidence(error, spec_of(tmp_path), nobody)

    assert error.remedy == "?"


def test_a_deployment_without_a_model_is_told_so(tmp_path: Path) -> None:
    error = not_found(f"{MODELS}/reg/1/reg.pkl")

    add_evidence(error, spec_of(tmp_path, ""), nobody)

    assert error.remedy == "Name the model in the deployment: it has none."


def test_a_long_list_is_cut(tmp_path: Path, model: Path) -> None:
    for number in range(30):
        (model / f"part-{number:02}.bin").touch()
    error = not_found(f"{MODELS}/reg/1/reg.pkl")

    add_evidence(error, spec_of(tmp_path), nobody)

    assert len(error.details) == 2 + 1 + 20 + 1
    assert error.details[-1] == "  ... and 14 more"


def test_the_versions_are_shown_beside_a_pickle_that_cannot_be_read(
    tmp_path: Path, model: Path
) -> None:
    error = DeploymentNotReady("No.", details=["one"], code="unpickle-version")

    add_evidence(error, spec_of(tmp_path), lambda: INSTALLED)

    assert error.details == (
        "one",
        "reg.pkl was saved with scikit-learn 1.0.2; 1.6.1 is there.",
    )


def test_any_other_error_stays_as_it_is(tmp_path: Path, model: Path) -> None:
    error = DeploymentNotReady("No.", remedy="?", details=["one"], code="init-raises")

    add_evidence(error, spec_of(tmp_path), lambda: INSTALLED)

    assert (error.details, error.remedy) == (("one",), "?")


def test_an_mlflow_model_tells_its_versions_in_its_list(tmp_path: Path, model: Path) -> None:
    (model / "MLmodel").write_text("flavors: {}\n")
    (model / "requirements.txt").write_text(
        "mlflow==2.16.0\n numpy == 1.26.4\ncloudpickle==3.0.0\nscipy>=1\n"
    )

    found = differences(spec_of(tmp_path), lambda: {**INSTALLED, "cloudpickle": "3.0.1"})

    assert [str(difference) for difference in found] == [
        "model/requirements.txt was saved with numpy 1.26.4; 2.1.3 is there",
        "reg.pkl was saved with scikit-learn 1.0.2; 1.6.1 is there",
    ]


def test_a_model_that_loads_all_the_same_is_warned_of(tmp_path: Path, model: Path) -> None:
    assert version_warnings(spec_of(tmp_path), lambda: INSTALLED) == [
        "reg.pkl was saved with scikit-learn 1.0.2; 1.6.1 is there (unpickle-version). "
        "Pin the versions that the model was trained with."
    ]


@pytest.mark.parametrize("installed", [None, {}, {"scikit-learn": "1.0.9"}])
def test_where_no_version_differs_nothing_is_said(
    tmp_path: Path, model: Path, installed: dict[str, str] | None
) -> None:
    assert version_warnings(spec_of(tmp_path), lambda: installed) == []


def test_nobody_is_asked_for_versions_where_no_file_tells_one(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.json").write_text(json.dumps([1]))

    def asked() -> Mapping[str, str]:
        raise AssertionError

    assert version_warnings(spec_of(tmp_path), asked) == []
