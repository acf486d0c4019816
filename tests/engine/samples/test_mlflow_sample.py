"""MLflow models without code: the cloud's formats of requests, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.sample_endpoint import SampleEndpoint
from support.sample_requests import Request, get, post, post_json

SAMPLE = "mlflow"

COLUMNS = ["age", "bmi", "bp"]
PATIENT = [59, 32.1, 101.0]
SPLIT_FORM = 'Send {"input_data": {"columns": [...], "index": [...], "data": [[...]]}}.'
LIST_FORM = 'Send {"input_data": [[...]]}.'
NAMED_FORM = 'Send {"input_data": {"name": [...]}}.'


def rows(*data: list[Any], columns: list[str] = COLUMNS) -> dict[str, Any]:
    return {"input_data": {"columns": columns, "index": list(range(len(data))), "data": list(data)}}


def refused(reason: str, *forms: str) -> list[Any]:
    return [400, {"message": f"input_data cannot be read: {reason}. {' or '.join(forms)}"}]


REFUSED: dict[str, tuple[Request, int, str]] = {
    "a list of lists": (
        post_json({"input_data": [PATIENT]}),
        400,
        f"input_data cannot be read: it is an array. {SPLIT_FORM}",
    ),
    "a list of records": (
        post_json({"input_data": [dict(zip(COLUMNS, PATIENT, strict=True))]}),
        400,
        f"input_data cannot be read: it is an array. {SPLIT_FORM}",
    ),
    "a column that is missing": (
        post_json(rows([59, 32.1], columns=["age", "bmi"])),
        400,
        "Error: Model is missing inputs ['bp'].",
    ),
    "text in the place of a number": (
        post_json(rows(["old", 32.1, 101])),
        400,
        "input_data cannot be read: could not convert string to float: 'old': "
        f"Error while type casting for column 'age'. {SPLIT_FORM}",
    ),
    "the name that MLflow's own server has": (
        post_json({"inputs": [PATIENT]}),
        400,
        "A value is not provided for the 'input_data' parameter.",
    ),
    "no JSON": (post(b"age,bmi", "text/csv"), 415, "Expects Content-Type to be application/json"),
}

# For each kind of model what is sent to it, and what it answers.
KINDS: dict[str, list[tuple[dict[str, Any], Any]]] = {
    "columns": [
        (rows([1, 2], columns=["a", "n"]), [{"a": 1.0, "n": 2}]),
        ({"input_data": {"data": [[2, 1]], "columns": ["n", "a"]}}, [{"a": 1.0, "n": 2}]),
        ({"input_data": None}, refused("it is null", SPLIT_FORM)),
    ],
    "series": [(rows([1, 2], columns=["a", "n"]), [{"a": 1.0}])],
    "example": [(rows([1, 2], columns=["a", "n"]), [{"a": 1.0, "n": 2}])],
    "array": [
        ({"input_data": [[1, 2], [3, 4]]}, [[2.0, 4.0], [6.0, 8.0]]),
        (rows([1, 2], columns=["a", "n"]), refused("it is an object", LIST_FORM)),
    ],
    "several unknown sizes": [({"input_data": [[1], [2]]}, [[2.0], [4.0]])],
    "arrays": [
        (
            {"input_data": {"x": [[1, 2]], "y": [3, 4]}},
            {"x": "float32 [1, 2]", "y": "int64 [2]"},
        ),
        ({"input_data": [[1, 2]]}, refused("it is an array", NAMED_FORM)),
    ],
    "parameters": [
        (rows([1, 2], columns=["a", "n"]), [{"a": 1.0, "n": 2, "k": 1, "s": "x"}]),
        (
            {**rows([1, 2], columns=["a", "n"]), "params": {"k": 7}},
            [{"a": 1.0, "n": 2, "k": 7, "s": "x"}],
        ),
    ],
    "no signature": [
        (rows([1, "b"], columns=["a", "n"]), [{"a": 1, "n": "b"}]),
        ({"input_data": [[1, 2]]}, [[2, 4]]),
        ({"input_data": {"x": [1.5]}}, {"x": "float64 [1]"}),
        (
            {"input_data": 5},
            refused("it is 5", SPLIT_FORM[:-1], LIST_FORM[5:-1], NAMED_FORM[5:]),
        ),
    ],
    "text": [
        ({"input_data": ["one", "two"]}, "list ['one', 'two']"),
        ({"input_data": "one"}, "str one"),
        ({"input_data": [[1]]}, [[2]]),
    ],
    "dates": [
        (
            rows(["2024-02-30"], columns=["day"]),
            refused(
                "day is out of range for month: 2024-02-30, at position 0: "
                "Error while type casting for column 'day'",
                SPLIT_FORM,
            ),
        ),
    ],
}
DESCRIBED = {
    "array": {
        "type": "array",
        "items": {"type": "array", "items": {"type": "number", "format": "float"}},
        "format": "numpy.ndarray",
    },
    "no signature": {"type": "object"},
}


@pytest.fixture(scope="module")
def kinds(endpoint: SampleEndpoint) -> dict[str, tuple[list[Any], dict[str, Any]]]:
    """What models of each kind answered in the sample's container, and how they are described."""
    program = Path(__file__).with_name("mlflow_kinds.py").read_text()
    requests = {kind: [request for request, _ in cases] for kind, cases in KINDS.items()}
    engine = endpoint.localep.engine.api
    command = ["python", "-c", program, json.dumps(requests)]
    started = engine.exec_create(endpoint.localep.container(), command)
    output = engine.exec_start(started["Id"]).decode()
    assert "RESULT" in output, output
    result: dict[str, tuple[list[Any], dict[str, Any]]] = json.loads(output.split("RESULT")[1])
    return result


def test_a_model_without_code_predicts(endpoint: SampleEndpoint) -> None:
    answer = endpoint.localep("invoke", "-r", "mlflow/sample-request.json")

    assert [round(value, 2) for value in json.loads(answer)] == [210.41, 101.11]
    assert "azmlinfsrv.print - loaded the MLflow model model" in endpoint.localep("get-logs")


@pytest.mark.parametrize("case", REFUSED)
def test_other_forms_are_refused_with_the_one_that_is_taken(
    endpoint: SampleEndpoint, case: str
) -> None:
    request, status, message = REFUSED[case]

    answer = endpoint.send(request)

    assert (answer.seen, answer.status) == (424, status)
    assert answer.json()["message"].endswith(message)


def test_the_openapi_document_describes_the_signature(endpoint: SampleEndpoint) -> None:
    document = endpoint.send(get("/swagger.json")).json()["definitions"]

    assert document["ServiceInput"]["example"] == {
        "input_data": {"columns": COLUMNS, "index": [], "data": []},
        "params": {},
    }
    assert document["ServiceOutput"] == {
        "type": "array",
        "items": {"type": "number", "format": "double"},
        "example": [0.0],
        "format": "numpy.ndarray",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_model_takes_its_form(
    kinds: dict[str, tuple[list[Any], dict[str, Any]]], kind: str
) -> None:
    answers, described = kinds[kind]

    assert answers == [expected for _, expected in KINDS[kind]]
    assert set(described) == {"input_data", "params"}
    if kind in DESCRIBED:
        assert described["input_data"] == DESCRIBED[kind]
