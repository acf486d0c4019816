"""Works out body mass indexes from typed parameters, which inference-schema describes.

The OpenAPI documents at /swagger.json are made of the examples below. Inputs, GlobalParameters and
Results, written so, are the names that Power BI looks for.
"""

import numpy as np
import pandas as pd
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema

people = PandasParameterType(pd.DataFrame({"name": ["Ada", "Grace"], "age": [36, 45]}))
measurements = NumpyParameterType(np.array([[1.6, 64.0], [1.7, 59.2]]))
inputs = StandardPythonParameterType(
    {
        "people": people,
        "measurements": measurements,
        "title": StandardPythonParameterType("visitors"),
    }
)
digits = StandardPythonParameterType(1)
results = StandardPythonParameterType(
    {"Results": StandardPythonParameterType([{"name": "Ada", "index": 25.0}])}
)


def init():
    pass


@input_schema("Inputs", inputs)
@input_schema("GlobalParameters", digits)
@output_schema(results)
def run(Inputs, GlobalParameters):  # noqa: N803
    print(f"{Inputs['title']} of {len(Inputs['people'])} people")
    height, weight = Inputs["measurements"].T
    index = (weight / height**2).round(GlobalParameters)
    return {"Results": Inputs["people"][["name"]].assign(index=index).to_dict("records")}
