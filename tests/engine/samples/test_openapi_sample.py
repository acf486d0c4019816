"""Typed parameters: the OpenAPI documents made of them, and what the server refuses."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from support.sample_endpoint import SampleEndpoint
from support.sample_requests import Request, Server, agreed, get, post, post_json

SAMPLE = "openapi"

PEOPLE = [{"name": "Ada", "age": 36}, {"name": "Grace", "age": 45}]
MEASUREMENTS = [[1.6, 64], [1.7, 59.2]]
INPUTS = {"people": PEOPLE, "measurements": MEASUREMENTS, "title": "two"}
FAILED = (
    b'{"message": "An unexpected error occurred in scoring script. Check the logs for more info."}'
)

# What is asked, the server's own status, and the message or the results.
CASES: dict[str, tuple[Request, int, bytes]] = {
    "good": (
        post_json({"Inputs": INPUTS, "GlobalParameters": 2}),
        200,
        b'{"Results": [{"name": "Ada", "index": 25.0}, {"name": "Grace", "index": 20.48}]}',
    ),
    "good with a character set": (
        post(
            b'{"Inputs": {"people": [{"name": "J\xc3\xb3n", "age": 1}], "measurements": [[1, 9]],'
            b' "title": "\xc3\xa9"}, "GlobalParameters": 0}',
            "application/json; charset=utf-8",
        ),
        200,
        b'{"Results": [{"name": "J\\u00f3n", "index": 9.0}]}',
    ),
    "good as JSON of another kind": (
        post(
            b'{"Inputs": {"people": [], "measurements": [], "title": ""}, "GlobalParameters": 0}',
            "application/cloudevents+json",
        ),
        500,  # no row has no columns, so its shape is another one
        FAILED,
    ),
    "bad JSON": (
        post(b'{"Inputs": '),
        400,
        b'{"message": "POST body could not be decoded as JSON: '
        b'Expecting value: line 1 column 12 (char 11)"}',
    ),
    "empty": (
        post(b""),
        400,
        b'{"message": "POST body is empty. Expecting a JSON dictionary."}',
    ),
    "a list": (
        post_json([INPUTS, 2]),
        400,
        b'{"message": "POST body should be a JSON dictionary."}',
    ),
    "a missing parameter": (
        post_json({"Inputs": INPUTS}),
        400,
        b'{"message": "A value is not provided for the \'GlobalParameters\' parameter."}',
    ),
    "a missing parameter of GET": (
        get("/score?GlobalParameters=2"),
        400,
        b'{"message": "A value is not provided for the \'Inputs\' parameter."}',
    ),
    "a wrong content type": (
        post(b'{"Inputs": {}, "GlobalParameters": 2}', "text/plain"),
        415,
        b'{"message": "Expects Content-Type to be application/json"}',
    ),
    "a missing part of a parameter": (
        post_json({"Inputs": {"people": PEOPLE, "title": ""}, "GlobalParameters": 2}),
        500,
        FAILED,
    ),
    "a wrong shape of an array": (
        post_json({"Inputs": {**INPUTS, "measurements": [[1, 2, 3]]}, "GlobalParameters": 2}),
        500,
        FAILED,
    ),
    "a wrong type of a column": (
        post_json(
            {"Inputs": {**INPUTS, "people": [{"name": "A", "age": "?"}]}, "GlobalParameters": 2}
        ),
        500,
        FAILED,
    ),
    "a wrong type of a number": (
        post_json({"Inputs": INPUTS, "GlobalParameters": "two"}),
        500,
        FAILED,
    ),
    "a version of OpenAPI that is none": (
        get("/swagger.json?version=9"),
        404,
        b'{"message": "Swagger version [9] is not valid. Supported versions: [2, 3, 3.1]."}',
    ),
}

SERVICE_INPUT = {
    "type": "object",
    "properties": {
        "Inputs": {
            "type": "object",
            "required": ["people", "measurements", "title"],
            "properties": {
                "people": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["name", "age"],
                        "properties": {
                            "name": {"type": "string"},
                            "age": {"type": "integer", "format": "int64"},
                        },
                    },
                    "format": "pandas.DataFrame:records",
                },
                "measurements": {
                    "type": "array",
                    "items": {"type": "array", "items": {"type": "number", "format": "double"}},
                    "format": "numpy.ndarray",
                },
                "title": {"type": "string"},
            },
        },
        "GlobalParameters": {"type": "integer", "format": "int64"},
    },
    "example": {
        "Inputs": {
            "people": PEOPLE,
            "measurements": MEASUREMENTS,
            "title": "visitors",
        },
        "GlobalParameters": 1,
    },
}
SERVICE_OUTPUT = {
    "type": "object",
    "required": ["Results"],
    "properties": {
        "Results": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "index"],
                "properties": {
                    "name": {"type": "string"},
                    "index": {"type": "number", "format": "double"},
                },
            },
        }
    },
    "example": {"Results": [{"name": "Ada", "index": 25.0}]},
}


@pytest.mark.parametrize("case", CASES)
def test_the_server_answers(endpoint: SampleEndpoint, served: Server, case: str) -> None:
    request, status, body = CASES[case]

    answer = agreed(request, endpoint, served)

    assert answer.summary == (status, "application/json", body)
    assert answer.seen == (200 if status == 200 else 424)


@pytest.mark.parametrize(
    ("case", "failed", "ran"),
    [
        ("good", "False", {"x-ms-run-fn-exec-ms": "<ms>"}),
        ("bad JSON", "False", {}),
        ("a missing part of a parameter", "True", {}),
    ],
)
def test_the_headers_are_the_servers(
    endpoint: SampleEndpoint, case: str, failed: str, ran: dict[str, str]
) -> None:
    request, _, body = CASES[case]

    headers = dict(endpoint.send(request).headers)

    assert headers.pop("x-ms-server-version").startswith("azmlinfsrv/")
    assert headers == {
        "content-length": str(len(body)),
        "content-type": "application/json",
        "server": "gunicorn",
        "x-ms-request-id": "<uuid>",
        "x-ms-run-function-failed": failed,
        "x-request-id": "<uuid>",
        **ran,
    }


@pytest.mark.parametrize(
    ("version", "kind", "schemas"),
    [
        ("2", {"swagger": "2.0"}, ("definitions",)),
        ("3", {"openapi": "3.0.3"}, ("components", "schemas")),
    ],
)
def test_the_openapi_document_describes_every_parameter(
    endpoint: SampleEndpoint, version: str, kind: dict[str, str], schemas: tuple[str, ...]
) -> None:
    uri = urlsplit(endpoint.localep("show", "--query", "openapi_uri", "-o", "tsv").strip())
    assert f"http://{uri.netloc}" == endpoint.base

    answer = endpoint.send(get(f"{uri.path}?version={version}"))

    assert (answer.seen, answer["content-type"]) == (200, "application/json")
    document = answer.json()
    assert document.items() >= kind.items()
    assert {path: list(methods) for path, methods in document["paths"].items()} == {
        "/": ["get"],
        "/score": ["post"],
        "/swagger.json": ["get"],
    }
    reference = "#/" + "/".join(schemas)
    score = json.dumps(document["paths"]["/score"])
    assert f'{{"$ref": "{reference}/ServiceInput"}}' in score
    assert f'{{"$ref": "{reference}/ServiceOutput"}}' in score
    for name in schemas:
        document = document[name]
    assert document == {
        "ServiceInput": SERVICE_INPUT,
        "ServiceOutput": SERVICE_OUTPUT,
        "ErrorResponse": {"type": "object", "properties": {"message": {"type": "string"}}},
    }


def test_version_2_is_what_the_openapi_uri_gives(endpoint: SampleEndpoint) -> None:
    without = endpoint.send(get("/swagger.json"))

    assert without.summary == endpoint.send(get("/swagger.json?version=2")).summary
    assert Server(endpoint.base, None).send(get("/swagger.json")).seen == 401


def test_the_example_is_a_request_that_works(endpoint: SampleEndpoint) -> None:
    example = endpoint.send(get("/swagger.json")).json()["definitions"]["ServiceInput"]["example"]

    assert endpoint.localep.invoke(example) == {
        "Results": [{"name": "Ada", "index": 25.0}, {"name": "Grace", "index": 20.5}]
    }


def test_the_samples_own_request_works(endpoint: SampleEndpoint) -> None:
    answer = endpoint.localep("invoke", "-r", "openapi/sample-request.json")

    assert json.loads(answer)["Results"][2] == {"name": "Mary", "index": 22.86}


def test_invoke_says_what_the_server_refused(endpoint: SampleEndpoint) -> None:
    answer = endpoint.localep.run("invoke", "-r", "-", stdin='{"Inputs": {}}')

    assert (answer.status, answer.stdout, answer.stderr) == (
        7,
        '{"message": "A value is not provided for the \'GlobalParameters\' parameter."}',
        "Error: The endpoint answered 424 Failed Dependency.\n"
        "Cause: The container answered 400 (input-shape). "
        "A value is not provided for the 'GlobalParameters' parameter.\n"
        "Remedy: Change the body of the request.\n",
    )
