from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from localep.spec.documents import parse_document
from localep.spec.fields import Fields
from localep.spec.findings import Findings, Severity
from localep.spec.variables import plain_text, read_environment_variables

SOURCE = Path("/project/a.yml")


def read(variables: str) -> tuple[dict[str, str], list[str]]:
    document = parse_document(f"environment_variables: {variables}\n", SOURCE)
    fields = Fields(document, Findings())
    values = read_environment_variables(fields)
    assert {item.severity for item in fields.findings.items} <= {Severity.WARNING}
    return values, [f"{item.code}: {item}" for item in fields.findings.items]


# What the cloud's client sends for each (azure-ai-ml 1.35.2), but for null, which it sends as such.
@pytest.mark.parametrize(
    ("spelled", "text"),
    [
        ("plain text", "plain text"),
        ("''", ""),
        ("'1'", "1"),
        ("1", "1"),
        ("1_000", "1000"),
        ("017", "15"),
        ("0o17", "0o17"),
        ("0x1F", "31"),
        ("12:30:45", "45045"),
        ("9223372036854775808", "9223372036854775808"),
        ("1.50", "1.5"),
        ("1.0", "1.0"),
        ("-0.0", "-0.0"),
        ("1e3", "1e3"),
        ("1.0e+30", "1e+30"),
        (".inf", "inf"),
        (".nan", "nan"),
        ("true", "True"),
        ("No", "False"),
        ("on", "True"),
        ("[1, x, true]", "[1, 'x', True]"),
        ("{f: 1}", "{'f': 1}"),
        ("2020-01-01", "2020-01-01"),
        ("2020-01-01T10:00:00", "2020-01-01T10:00:00Z"),
        ("2020-01-01 10:00:00.5", "2020-01-01T10:00:00.500000Z"),
        ("2020-01-01T10:00:00+02:00", "2020-01-01T08:00:00Z"),
        ("[2020-01-01T10:00:00]", "['2020-01-01T10:00:00Z']"),
        ("{a: [!!binary aGk=]}", "{'a': ['aGk=']}"),
        ("!!binary /+8=", "/+8="),
        ("null", ""),
        ("~", ""),
        ("", ""),
    ],
)
def test_a_variable_is_the_string_that_the_cloud_makes_of_it(spelled: str, text: str) -> None:
    assert read(f"{{A: {spelled}}}") == ({"A": text}, [])


def test_variables_may_share_values_by_anchor() -> None:
    assert read("{A: &port 8080, B: *port}") == ({"A": "8080", "B": "8080"}, [])


@pytest.mark.parametrize("name", ["ON", "no", "Yes", "1", "1.5", "~", "2024-01-31"])
def test_a_name_that_is_no_string_to_yaml_is_warned_of(name: str) -> None:
    assert read(f"{{{name}: x}}") == (
        {name: "x"},
        [
            f"odd-key: {SOURCE}:1:{27 + len(name)}: environment_variables.{name}: {name} is no "
            "string to YAML, and the variable has another name in the cloud. "
            f"Put it in quotes: '{name}'."
        ],
    )


def test_a_quoted_name_is_a_string() -> None:
    assert read("{'ON': x, Y: 1, N: 2}") == ({"ON": "x", "Y": "1", "N": "2"}, [])


@pytest.mark.parametrize("variables", ["[A=1]", "A=1", "5"])
def test_what_is_no_mapping_is_refused(variables: str) -> None:
    document = parse_document(f"environment_variables: {variables}\n", SOURCE)
    fields = Fields(document, Findings())
    assert read_environment_variables(fields) == {}
    assert [item.code for item in fields.findings.items] == ["type"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"\xff", "/w=="),
        (date(2020, 1, 1), "2020-01-01"),
        (datetime(2020, 1, 1, 10, tzinfo=timezone(timedelta(hours=-1))), "2020-01-01T11:00:00Z"),
        (1.5, "1.5"),
    ],
)
def test_what_json_has_no_form_for_is_text(value: object, text: str) -> None:
    assert plain_text(value) == text
