"""A Spark DataFrame as a parameter: Java and pyspark come with pip's list."""

from __future__ import annotations

from support.sample_endpoint import SampleEndpoint
from support.sample_requests import Server, agreed, get, post, post_json

SAMPLE = "openapi-spark"

EXAMPLE = {"shop": "north", "pieces": 3, "price": 9.5}
SERVICE_INPUT = {
    "type": "object",
    "properties": {
        "sales": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "shop": {"type": "string"},
                    "pieces": {"type": "integer", "format": "int64"},
                    "price": {"type": "number", "format": "double"},
                },
            },
        }
    },
    "example": {"sales": [EXAMPLE]},
}


def test_what_is_sent_becomes_a_dataframe(endpoint: SampleEndpoint) -> None:
    answer = endpoint.localep("invoke", "-r", "openapi-spark/sample-request.json")

    assert answer == '[{"shop": "north", "revenue": 28.5}, {"shop": "south", "revenue": 30.5}]'


def test_the_example_of_the_openapi_document_works(
    endpoint: SampleEndpoint, served: Server
) -> None:
    document = agreed(get("/swagger.json?version=3"), endpoint, served)
    described = document.json()["components"]["schemas"]

    assert described["ServiceInput"] == SERVICE_INPUT
    answer = agreed(post_json(SERVICE_INPUT["example"]), endpoint, served)
    assert (answer.status, answer.json()) == (200, described["ServiceOutput"]["example"])


def test_rows_that_are_none_of_the_table_are_refused(endpoint: SampleEndpoint) -> None:
    # What inference-schema refuses is an error of the script to the server, what the server
    # itself refuses is not.
    wrong = {**EXAMPLE, "pieces": "three"}
    answers = [
        endpoint.send(request)
        for request in (
            post_json({"sales": [wrong]}),
            post_json({"sales": [{"shop": "north"}]}),
            post_json({"sale": []}),
            post(b'{"sales": []}', "text/plain"),
        )
    ]

    assert [answer.status for answer in answers] == [500, 500, 400, 415]
