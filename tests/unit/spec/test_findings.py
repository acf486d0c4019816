from __future__ import annotations

from pathlib import Path

import pytest
from unit.spec.spec_files import told

from localep.errors import SpecError
from localep.exit_codes import ExitCode
from localep.spec.documents import Document, parse_document
from localep.spec.findings import Finding, Findings, Severity, Topic


@pytest.fixture
def document() -> Document:
    return parse_document("name: orders\ntags:\n  team: vision\n", Path("/app/endpoint.yml"))


def test_an_error_speaks_of_the_document(document: Document) -> None:
    findings = Findings()
    findings.error(document, ("name",), "name-rule", "is too long.", "Shorten it.")
    assert findings.items == [
        Finding(
            Severity.ERROR,
            Topic.DOCUMENT,
            "name-rule",
            "/app/endpoint.yml:1:7",
            "name: is too long.",
            "Shorten it.",
        )
    ]


def test_a_warning_speaks_of_the_document_and_stops_nothing(document: Document) -> None:
    findings = Findings()
    findings.warning(document, ("tags", "team"), "duplicate-key", "is given twice.")
    findings.raise_errors()
    assert (findings.warnings, findings.items) == (
        (
            Finding(
                Severity.WARNING,
                Topic.DOCUMENT,
                "duplicate-key",
                "/app/endpoint.yml:3:9",
                "tags.team: is given twice.",
                None,
            ),
        ),
        list(findings.warnings),
    )


def test_what_is_absent_is_an_error_of_the_machine(document: Document) -> None:
    findings = Findings()
    findings.absent(document, ("tags", 0, "path"), "missing-local-path", "is not there.")
    assert findings.items == [
        Finding(
            Severity.ERROR,
            Topic.MACHINE,
            "missing-local-path",
            "/app/endpoint.yml:3:3",
            "tags.0.path: is not there.",
            None,
        )
    ]
    assert findings.warnings == ()


@pytest.mark.parametrize(
    ("remedy", "line"),
    [
        pytest.param("Do this.", "/app/endpoint.yml:1:1: `name` is missing. Do this.", id="with"),
        pytest.param(None, "/app/endpoint.yml:1:1: `name` is missing.", id="without"),
    ],
)
def test_a_finding_is_one_line_with_or_without_a_remedy(
    document: Document, remedy: str | None, line: str
) -> None:
    findings = Findings()
    findings.error(document, (), "missing-key", "`name` is missing.", remedy)
    assert [str(item) for item in findings.items] == [line]


def test_no_finding_raises_nothing() -> None:
    findings = Findings()
    findings.raise_errors()
    assert (findings.items, findings.warnings) == ([], ())


def test_one_error_is_raised_as_one(document: Document) -> None:
    findings = Findings()
    findings.error(document, ("name",), "type", "should be a string.")
    with pytest.raises(SpecError) as caught:
        findings.raise_errors()
    assert told(caught.value) == (
        "The YAML has one error.",
        None,
        "Correct the places named above and try again.",
        ("/app/endpoint.yml:1:7: name: should be a string.",),
    )
    assert caught.value.exit_code is ExitCode.SPEC


def test_of_many_errors_the_first_are_raised(document: Document) -> None:
    findings = Findings()
    for number in range(203):
        findings.error(document, ("name",), "type", f"error {number}.")
    with pytest.raises(SpecError) as caught:
        findings.raise_errors()
    assert caught.value.message == "The YAML has 203 errors."
    assert caught.value.details[199:] == (
        "/app/endpoint.yml:1:7: name: error 199.",
        "3 more errors are not shown.",
    )


def test_errors_are_raised_together_in_their_order_and_without_the_warnings(
    document: Document,
) -> None:
    findings = Findings()
    findings.error(document, ("tags",), "type", "second place.")
    findings.warning(document, ("name",), "duplicate-key", "only a warning.")
    findings.absent(document, ("name",), "missing-local-path", "first place.", "Look there.")
    with pytest.raises(SpecError) as caught:
        findings.raise_errors()
    assert told(caught.value) == (
        "The YAML has 2 errors.",
        None,
        "Correct the places named above and try again.",
        (
            "/app/endpoint.yml:3:3: tags: second place.",
            "/app/endpoint.yml:1:7: name: first place. Look there.",
        ),
    )
