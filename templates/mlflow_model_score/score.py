"""Serves an MLflow model whose deployment names neither code nor environment.

Takes and gives what the cloud's own script does: a JSON object with ``input_data`` and, where the
model knows them, ``params``; the predictions come back bare, those of a DataFrame as records. The
types come from the model's input example, else from its signature, and are what /swagger.json
tells. Needs Python 3.9, mlflow (2 or 3; mlflow-skinny will do) and the inference server.
"""

from __future__ import annotations

import inspect
import io
import json
import os
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
from azureml_inference_server_http.api.aml_response import AMLResponse
from inference_schema.parameter_types.abstract_parameter_type import AbstractParameterType
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema
from mlflow.exceptions import MlflowException
from mlflow.models import Model

FLAVORS_OF_TEXT = frozenset({"transformers", "langchain", "openai"})
# What MLflow says of data that the model's signature does not admit.
REFUSALS = frozenset({"INVALID_PARAMETER_VALUE", "BAD_REQUEST"})
COLUMNS_FORM = '{"input_data": {"columns": [...], "index": [...], "data": [[...]]}}'
LIST_FORM = '{"input_data": [[...]]}'
NAMED_FORM = '{"input_data": {"name": [...]}}'
# Stand in for parameters that have no default.
PARAMETER_EXAMPLES = {
    "boolean": True,
    "integer": 42,
    "long": 42,
    "float": 0.15,
    "double": 0.15,
    "string": "sample string",
}


class Anything(AbstractParameterType):
    """A value that nothing is known of."""

    def __init__(self) -> None:
        super().__init__(None)

    def deserialize_input(self, input_data: Any) -> Any:
        """The value as it came."""
        return input_data

    def input_to_swagger(self) -> dict[str, Any]:
        """Any object."""
        return {"type": "object", "example": {}}


class Refused(Exception):
    """What was sent is none of the forms that the model takes."""

    def __init__(self, reason: object, *forms: str) -> None:
        super().__init__(
            f"input_data cannot be read: {str(reason).rstrip('.')}. Send {' or '.join(forms)}."
        )


def find_model() -> Path:
    """The model's folder: the one in AZUREML_MODEL_DIR that has an MLmodel file."""
    root = Path(os.environ["AZUREML_MODEL_DIR"])
    if "MLFLOW_MODEL_FOLDER" in os.environ:
        return root / os.environ["MLFLOW_MODEL_FOLDER"]
    found = [path.parent for path in (*root.glob("MLmodel"), *root.glob("*/MLmodel"))]
    if len(found) != 1:
        message = f"{root} holds {len(found)} folders with an MLmodel file, where one is needed."
        raise FileNotFoundError(message)
    return found[0]


def type_of(sample: Any, orient: str) -> AbstractParameterType:
    """How values like the sample are read from JSON, and described."""
    if isinstance(sample, np.ndarray):
        return NumpyParameterType(sample, enforce_shape=False)
    if isinstance(sample, pd.DataFrame):
        return PandasParameterType(sample, enforce_shape=False, orient=orient)
    if isinstance(sample, dict):
        return StandardPythonParameterType({k: type_of(v, orient) for k, v in sample.items()})
    return Anything()


def sample_of(schema: Any) -> Any:
    """A value that fits one half of a signature, None where there is none that JSON can name."""
    if not schema:
        return None
    if schema.is_tensor_spec():
        tensors = {spec.name: _zeros(spec) for spec in schema.inputs}
        return tensors if schema.has_input_names() else next(iter(tensors.values()))
    try:
        types = schema.pandas_types()
    except MlflowException:  # lists and objects
        return None
    names = schema.input_names()
    return pd.DataFrame(columns=names).astype({names[i]: kind for i, kind in enumerate(types)})


def described(form: AbstractParameterType) -> AbstractParameterType:
    """The type, or one of anything where inference-schema cannot describe it."""
    try:
        form.supported_versions()
    except Exception as error:
        print(f"/swagger.json leaves a type out, as the cloud's own script ends with {error!r}")
        return Anything()
    return form


def _zeros(spec: Any) -> Any:
    return np.zeros([1 if size == -1 else size for size in spec.shape], dtype=spec.type)


def example_of(model: Model, folder: Path) -> Any:
    """The input example that was saved with the model, None where there is none to read."""
    info = model.saved_input_example_info
    if not info:
        return None
    try:
        saved = json.loads((folder / info["artifact_path"]).read_text(encoding="utf-8"))
        if info["type"] == "dataframe":
            orient = "split" if "columns" in saved else "values"
            return pd.read_json(_file_of(saved), orient=orient, dtype=False)
        if info["type"] == "ndarray":
            return _arrays(saved["inputs"])
    except (KeyError, OSError, TypeError, ValueError) as error:
        print(f"cannot read the model's input example: {error!r}")
    return None


def _file_of(data: Any) -> io.StringIO:
    return io.StringIO(json.dumps(data))


def _arrays(data: Any) -> Any:
    """An array, or arrays by name."""
    if isinstance(data, dict):
        return {name: np.asarray(value) for name, value in data.items()}
    return np.asarray(data)


def parameters_of(model: Model) -> AbstractParameterType:
    """How ``params`` are described: by their defaults, or by an example of their type."""
    schema = getattr(model.signature, "params", None)
    if schema is None:
        return Anything()
    examples = {
        spec.name: spec.default
        if spec.default is not None
        else PARAMETER_EXAMPLES.get(spec.dtype.name, {})
        for spec in schema.params
    }
    return StandardPythonParameterType(examples)


def read(data: Any, form: AbstractParameterType) -> Any:
    """``input_data`` as the model takes it. Raises Refused."""
    needed = list if isinstance(form, NumpyParameterType) else dict
    try:
        if isinstance(form, Anything):
            return read_untyped(data)
        if not isinstance(data, needed):
            raise TypeError(f"it is {_kind(data)}")
        if isinstance(form, StandardPythonParameterType):
            return {name: _array(form, name, value) for name, value in data.items()}
        return form.deserialize_input(data)
    except Exception as error:
        raise Refused(error, *_forms(form)) from error


def _kind(data: Any) -> str:
    """What JSON calls the data."""
    if isinstance(data, (dict, list)):
        return "an object" if isinstance(data, dict) else "an array"
    return json.dumps(data)


def _array(form: StandardPythonParameterType, name: str, value: Any) -> Any:
    known = form.sample_data_type_map.get(name)
    return value if known is None else known.deserialize_input(value)


def _forms(form: AbstractParameterType) -> tuple[str, ...]:
    if isinstance(form, PandasParameterType):
        return (COLUMNS_FORM,)
    if isinstance(form, NumpyParameterType):
        return (LIST_FORM,)
    if isinstance(form, StandardPythonParameterType):
        return (NAMED_FORM,)
    return (COLUMNS_FORM, LIST_FORM, NAMED_FORM)


def read_untyped(data: Any) -> Any:
    """Data for a model without a signature: a DataFrame, an array, or arrays by name."""
    if isinstance(data, str):
        data = json.loads(data)
    if not isinstance(data, (list, dict)):
        raise TypeError(f"it is {_kind(data)}")
    if isinstance(data, dict) and {"columns", "index", "data"} <= data.keys():
        return pd.read_json(_file_of(data), orient="split", dtype=False)
    return _arrays(data)


def is_text(data: Any) -> bool:
    """Whether the data are strings, lists or objects of them, as models of language take them."""
    if isinstance(data, dict):
        return all(is_text(value) for value in data.values())
    if isinstance(data, list):
        return all(is_text(item) for item in data)
    return isinstance(data, str)


def jsonable(predictions: Any) -> Any:
    """Predictions as the answer holds them."""
    if isinstance(predictions, np.ndarray):
        return predictions.tolist()
    if isinstance(predictions, pd.Series):
        predictions = pd.DataFrame(predictions)
    if isinstance(predictions, pd.DataFrame):
        return predictions.to_dict(orient="records")
    return predictions


FOLDER = find_model()
MODEL = Model.load(str(FOLDER))
TAKES_TEXT = not FLAVORS_OF_TEXT.isdisjoint(MODEL.flavors)


def _input_type() -> AbstractParameterType:
    if TAKES_TEXT:
        return Anything()
    sample = example_of(MODEL, FOLDER)
    if sample is None and MODEL.signature is not None:
        sample = sample_of(MODEL.signature.inputs)
    return type_of(sample, "split")


def _output_type() -> AbstractParameterType:
    sample = sample_of(MODEL.signature.outputs) if MODEL.signature is not None else None
    return described(type_of(sample, "records"))


INPUT = _input_type()
loaded: Any = None


def init() -> None:
    """Load the model."""
    global loaded
    loaded = mlflow.pyfunc.load_model(str(FOLDER))
    print(f"loaded the MLflow model {FOLDER.name}")


# The types are read in run(), so that what they refuse is answered with 400 and not with 500.
@input_schema("input_data", INPUT, convert_to_provided_type=False)
@input_schema("params", parameters_of(MODEL), convert_to_provided_type=False, optional=True)
@output_schema(_output_type())
def run(input_data: Any, params: dict[str, Any] | None = None) -> Any:
    """The model's predictions."""
    try:
        data = input_data if TAKES_TEXT and is_text(input_data) else read(input_data, INPUT)
        return jsonable(predict(data, params))
    except Refused as refusal:
        return bad_request(refusal)
    except MlflowException as error:
        if error.error_code in REFUSALS:
            return bad_request(error)
        raise


def predict(data: Any, params: dict[str, Any] | None) -> Any:
    """Ask the model; MLflow knows parameters since 2.6."""
    if "params" in inspect.signature(loaded.predict).parameters:
        return loaded.predict(data, params=params)
    return loaded.predict(data)


def bad_request(error: Exception) -> AMLResponse:
    """An answer of the form that the inference server's own have."""
    return AMLResponse({"message": str(error)}, 400, json_str=True)
