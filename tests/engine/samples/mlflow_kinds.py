"""Runs in the MLflow sample's container: MLflow models of each kind, and how they are served.

Prints a JSON object: for each kind the answers to REQUESTS[kind], and what /swagger.json tells of
``input_data``. The scoring script is the one that the container runs.
"""

# mypy: ignore-errors
# What is imported is in that container, and not where types are checked.
from __future__ import annotations

import json
import os
import runpy
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from inference_schema.schema_util import get_input_schema
from mlflow.models import ModelSignature, infer_signature
from mlflow.types import ParamSchema, ParamSpec, Schema, TensorSpec

REQUESTS = json.loads(sys.argv[1])
SCRIPT = f"{os.environ['AML_APP_ROOT']}/score.py"
NUMBERS = pd.DataFrame({"a": [1.0, 2.0], "n": [1, 2]})
DATES = pd.DataFrame({"day": pd.to_datetime(["2024-02-29", "2025-03-01"])})


class Echo(mlflow.pyfunc.PythonModel):
    """Gives back what it was given, or says its type and shape.

    MLflow would take hints at types for a signature.
    """

    def predict(self, context, model_input, params=None):  # noqa: ANN001, ANN201
        if isinstance(model_input, pd.DataFrame):
            columns = {} if params is None else params
            return model_input.assign(**columns)
        if isinstance(model_input, np.ndarray):
            return model_input * 2
        if isinstance(model_input, dict):
            return {k: f"{v.dtype} {list(v.shape)}" for k, v in model_input.items()}
        return f"{type(model_input).__name__} {model_input}"


class FirstColumn(Echo):
    """Answers with a Series."""

    def predict(self, context, model_input, params=None):  # noqa: ANN001, ANN201
        return model_input["a"]


def tensor(kind: str, *shape: int, name: str | None = None) -> TensorSpec:
    return TensorSpec(np.dtype(kind), shape, name=name)


def save(kind: str, folder: Path) -> None:
    signature = {
        "columns": lambda: infer_signature(NUMBERS, NUMBERS),
        "series": lambda: infer_signature(NUMBERS),
        "example": lambda: infer_signature(NUMBERS),
        "array": lambda: ModelSignature(Schema([tensor("float32", -1, 2)])),
        "several unknown sizes": lambda: ModelSignature(Schema([tensor("float32", -1, -1)])),
        "arrays": lambda: ModelSignature(
            Schema([tensor("float32", -1, 2, name="x"), tensor("int64", -1, name="y")])
        ),
        "parameters": lambda: ModelSignature(
            infer_signature(NUMBERS).inputs,
            params=ParamSchema([ParamSpec("k", "long", 1), ParamSpec("s", "string", "x")]),
        ),
        "dates": lambda: infer_signature(DATES, DATES),
    }.get(kind, lambda: None)()
    mlflow.pyfunc.save_model(
        folder / "model",
        python_model=FirstColumn() if kind == "series" else Echo(),
        signature=signature,
        input_example=NUMBERS if kind == "example" else None,
        pip_requirements=["mlflow"],
    )
    if kind == "text":
        file = folder / "model" / "MLmodel"
        file.write_text(file.read_text().replace("flavors:", "flavors:\n  openai: {}"))


def answers(kind: str, folder: Path) -> tuple[list[Any], Any]:
    save(kind, folder)
    os.environ["AZUREML_MODEL_DIR"] = str(folder)
    script = runpy.run_path(SCRIPT, run_name=kind)
    script["init"]()
    given = []
    for request in REQUESTS[kind]:
        try:
            answer = script["run"](**request)
        except Exception as error:
            answer = repr(error)
        is_response = hasattr(answer, "get_json")
        given.append([answer.status_code, answer.get_json()] if is_response else answer)
    return given, get_input_schema(script["run"])["properties"]


warnings.simplefilter("ignore")
os.chdir(tempfile.mkdtemp())
result = {kind: answers(kind, Path(tempfile.mkdtemp())) for kind in REQUESTS}
print("RESULT" + json.dumps(result))
