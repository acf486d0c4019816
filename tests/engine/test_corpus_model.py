"""The public regression model of the cloud's own samples, behind a scoring script of ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.engine import Localep

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "yaml"
SAMPLE = CORPUS / "Azure+azureml-examples" / "cli" / "endpoints" / "online" / "model-1"

pytestmark = pytest.mark.skipif(
    not SAMPLE.is_dir(), reason="the corpus of public samples is not beside this checkout"
)

PREDICTIONS = [11055.97724553, 4503.07953611]
SCRIPT = """
import json, os
import joblib

def init():
    global model
    model = joblib.load(os.environ["AZUREML_MODEL_DIR"] + "/model/sklearn_regression_model.pkl")

def run(raw_data):
    return model.predict(json.loads(raw_data)["data"]).tolist()
"""

CONDA = """
dependencies:
  - python=3.11
  - pip:
      - azureml-inference-server-http
      - joblib==1.5.2
      - numpy==2.3.4
      - scikit-learn==1.7.2
"""

DEPLOYMENT = f"""
name: blue
endpoint_name: my-endpoint
model:
  path: {SAMPLE / "model"}
code_configuration:
  code: onlinescoring
  scoring_script: score.py
environment:
  image: localep/base:latest
  conda_file: conda.yaml
instance_type: Standard_DS3_v2
instance_count: 1
"""


@pytest.fixture
def model(localep: Localep) -> Localep:
    """The command line beside a deployment of the model."""
    (localep.folder / "onlinescoring").mkdir()
    (localep.folder / "onlinescoring" / "score.py").write_text(SCRIPT)
    (localep.folder / "conda.yaml").write_text(CONDA)
    (localep.folder / "deployment.yml").write_text(DEPLOYMENT)
    return localep


def test_the_public_model_answers_its_sample_request(model: Localep) -> None:
    model("create", "-f", "deployment.yml")

    answer = model("invoke", "-r", str(SAMPLE / "sample-request.json"))

    assert json.loads(answer) == pytest.approx(PREDICTIONS)


def test_the_public_model_answers_with_its_own_conda_file(model: Localep) -> None:
    own = (SAMPLE / "environment" / "conda.yaml").read_text()
    (model.folder / "conda.yaml").write_text(own)

    told = model.run("create", "-f", "deployment.yml", "--solver", "pypi", "--python", "3.11")

    assert told.status == 0, told.stderr
    assert [line for line in told.stderr.splitlines() if line.startswith("Warning: ")] == [
        "Warning: The conda file asks for python=3.12; Python 3.11 is used instead.",
        "Warning: Taken from PyPI in the place of conda's channels: numpy==2.3.1.*, "
        "scikit-learn==1.7.0.*, scipy==1.16.0.*.",
        "Warning: sklearn_regression_model.pkl was saved with scikit-learn 0.24.2; 1.7.0 is there "
        "(unpickle-version). Pin the versions that the model was trained with.",
    ]
    answer = model("invoke", "-r", str(SAMPLE / "sample-request.json"))
    assert json.loads(answer) == pytest.approx(PREDICTIONS)
