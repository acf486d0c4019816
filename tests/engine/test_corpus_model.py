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


def test_the_public_model_answers_its_sample_request(localep: Localep) -> None:
    (localep.folder / "onlinescoring").mkdir()
    (localep.folder / "onlinescoring" / "score.py").write_text(SCRIPT)
    (localep.folder / "conda.yaml").write_text(CONDA)
    (localep.folder / "deployment.yml").write_text(DEPLOYMENT)
    localep("create", "-f", "deployment.yml")

    answer = localep("invoke", "-r", str(SAMPLE / "sample-request.json"))

    assert json.loads(answer) == pytest.approx([11055.97724553, 4503.07953611])
