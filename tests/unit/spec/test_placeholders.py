"""Placeholders of every form that public files have."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from localep.errors import UsageError
from localep.spec.documents import parse_document
from localep.spec.loader import read_documents
from localep.spec.placeholders import fill, left_in, parse_variables

# The text, the name of the variable, and the option that the remedy shows.
FORMS = [
    ("<X>", "X", "X=value"),
    ("<my-endpoint-name>", "my-endpoint-name", "my-endpoint-name=value"),
    ("<your model name>", "your model name", "'your model name=value'"),
    ("<% WORKER_COUNT %>", "WORKER_COUNT", "WORKER_COUNT=value"),
    ("<%X%>", "X", "X=value"),
    ("<%= X %>", "X", "X=value"),
    ("$X_1", "X_1", "X_1=value"),
    ("${X}", "X", "X=value"),
    ("$endpointName", "endpointName", "endpointName=value"),
    ('"{{X}}"', "X", "X=value"),
    ('"{{ X }}"', "X", "X=value"),
]


@pytest.mark.parametrize(("text", "name", "option"), FORMS)
def test_a_placeholder_is_named_with_the_option_that_fills_it(
    text: str, name: str, option: str
) -> None:
    yaml = f"name: orders\ndescription: {text}\n"
    (told,) = read_documents([parse_document(yaml, Path("/a.yml"))]).findings.items

    assert (told.severity.value, told.code) == ("warning", "placeholder-left")
    shown = text.strip('"')
    assert told.message == (
        f"description: {shown} looks like a placeholder that was not filled in."
    )
    assert told.remedy == f"Fill it with --var {option}."
    filled = fill(yaml, parse_variables([f"{name}=of Kiel"]))
    assert filled == yaml.replace(shown, "of Kiel")


@pytest.mark.parametrize(
    "text",
    [
        "${{azureml://connections/a/credentials/b}}",
        "a < b and c > d",
        "5 $ each",
        "pa$word",
        "$5",
        "<>",
        "100 % <%",
        "{X}",
        "https://example.org/?q=%20x",
        "x = $1 and $2",
    ],
)
def test_what_only_looks_like_one_is_not_named(text: str) -> None:
    assert list(left_in({"a": [text]})) == []


def test_each_placeholder_of_a_value_is_named_once() -> None:
    value = "azureml:<your model name>:<version>/<your model name>"

    assert list(left_in({"models": [value]})) == [
        (("models", 0), "<your model name>"),
        (("models", 0), "<version>"),
    ]


def test_a_placeholder_without_a_name_is_to_be_replaced_by_hand() -> None:
    yaml = "name: orders\ndescription: '{{ a | b }}'\n"
    (told,) = read_documents([parse_document(yaml, Path("/a.yml"))]).findings.items

    assert told.remedy == "Put the value in its place."


def test_the_others_stay_and_keys_are_no_placeholders() -> None:
    text = "$schema: a\nc: {{A}} <B> <% B %>\nd: azureml:$B:$B_1\ne: $B-blue.txt\n"

    variables = {"B": "b", "schema": "s"}
    assert fill(text, variables) == "$schema: a\nc: {{A}} b b\nd: azureml:b:$B_1\ne: b-blue.txt\n"
    assert fill(text, {}) == text


@pytest.mark.parametrize(
    "piece",
    ["{{", "{{ ", "{{a", "<%", "<% ", "<%a", "<a ", "<a", "${", "${a", "$a", "$A", "a", " "],
)
def test_a_long_text_takes_no_longer_than_its_length(piece: str) -> None:
    text = "$" + piece * (300_000 // len(piece)) + ":"
    began = time.process_time()

    assert list(left_in({"a": text})) == [] or "$A" in text
    assert fill(text, {"b": "c"}) == text

    assert time.process_time() - began < 5  # 0.1; a pattern that goes back takes minutes


@pytest.mark.parametrize("pair", ["X", "=a", "1X=a", "a  b=c", "a b =c", ""])
def test_what_names_no_placeholder_is_refused(pair: str) -> None:
    with pytest.raises(UsageError, match=r"fills no placeholder\.$"):
        parse_variables([pair])
