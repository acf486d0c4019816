"""What is written where, in every form."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from localep.cli.output import Format, Output, print_table
from localep.errors import BuildFailed, LocalepError, UsageError

HELLO = {
    "name": "hello",
    "scoring_uri": "http://127.0.0.1:8085/score",
    "traffic": {"blue": 100},
    "model": None,
    "deployments": [{"name": "blue", "instance_count": 1}],
}
OTHER = {
    "name": "größer",
    "scoring_uri": "http://127.0.0.1:8086/score",
    "traffic": {},
    "model": "/p/model.pkl",
    "deployments": [],
}


@pytest.fixture(autouse=True)
def first_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """No output was made before, and none stays."""
    monkeypatch.setattr(Output, "_current", None)


def never() -> Iterator[str]:
    raise AssertionError("nobody asked for lines to be read by people")


def written(
    capsys: pytest.CaptureFixture[str], form: Format, data: Any, query: str | None = None
) -> str:
    Output(form, query).result(data, never)
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_people_read_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Output().result(HELLO, lambda: ["Created hello.", "  scoring URI  http://..."])

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("Created hello.\n  scoring URI  http://...\n", "")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ([HELLO], json.dumps([HELLO], indent=2) + "\n"),
        ("größer", '"größer"\n'),
        ([], "[]\n"),
        (None, "null\n"),
        (True, "true\n"),
    ],
)
def test_json(capsys: pytest.CaptureFixture[str], data: Any, text: str) -> None:
    assert written(capsys, Format.JSON, data) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            HELLO,
            "name: hello\n"
            "scoring_uri: http://127.0.0.1:8085/score\n"
            "traffic:\n"
            "  blue: 100\n"
            "model: null\n"
            "deployments:\n"
            "- name: blue\n"
            "  instance_count: 1\n",
        ),
        ("größer", "größer\n"),
        ([], "[]\n"),
        (None, "null\n"),
        (3, "3\n"),
        (["a", "b"], "- a\n- b\n"),
    ],
)
def test_yaml(capsys: pytest.CaptureFixture[str], data: Any, text: str) -> None:
    assert written(capsys, Format.YAML, data) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("http://127.0.0.1:8085/score", "http://127.0.0.1:8085/score\n"),
        (3, "3\n"),
        (None, "\n"),
        (True, "true\n"),
        ([], ""),
        (["a", "b"], "a\nb\n"),
        ([["a", 1, None], ["größer", 2, "x"]], "a\t1\t\ngrößer\t2\tx\n"),
        (
            HELLO,
            'hello\thttp://127.0.0.1:8085/score\t{"blue": 100}\t\t'
            '[{"name": "blue", "instance_count": 1}]\n',
        ),
        (
            [{"name": "hello", "state": "Succeeded"}, {"name": "other", "state": "Failed"}],
            "hello\tSucceeded\nother\tFailed\n",
        ),
    ],
)
def test_tsv(capsys: pytest.CaptureFixture[str], data: Any, text: str) -> None:
    assert written(capsys, Format.TSV, data) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            [HELLO, OTHER],
            "name    scoring_uri                  model\n"
            "hello   http://127.0.0.1:8085/score\n"
            "größer  http://127.0.0.1:8086/score  /p/model.pkl\n",
        ),
        (
            HELLO,
            "name   scoring_uri                  model\nhello  http://127.0.0.1:8085/score\n",
        ),
        ([{"a": 1}, {"b": "[bold]x[/bold]"}], "a  b\n1\n   [bold]x[/bold]\n"),
        ("hello", "result\nhello\n"),
        (["hello", "other"], "result\nhello\nother\n"),
        ([["hello", 1], ["other", None]], "Column1  Column2\nhello    1\nother\n"),
        ([], ""),
    ],
)
def test_a_table_has_what_fits_into_a_line(
    capsys: pytest.CaptureFixture[str], data: Any, text: str
) -> None:
    assert written(capsys, Format.TABLE, data) == text


def test_a_table_is_as_wide_as_it_must_be_where_nobody_looks(
    capsys: pytest.CaptureFixture[str],
) -> None:
    long = "x" * 500

    print_table(["NAME", "URI"], [["hello", long], ["other", ""]])

    assert capsys.readouterr().out == f"NAME   URI\nhello  {long}\nother\n"


@pytest.mark.parametrize("query", [None, "name"])
def test_nothing_is_written_where_nothing_is_wanted(
    capsys: pytest.CaptureFixture[str], query: str | None
) -> None:
    assert written(capsys, Format.NONE, HELLO, query) == ""


@pytest.mark.parametrize(
    ("form", "query", "text"),
    [
        (Format.TSV, "scoring_uri", "http://127.0.0.1:8085/score\n"),
        (Format.TSV, "[name, traffic.blue]", "hello\n100\n"),
        (Format.TSV, "nope", "\n"),
        (Format.JSON, "deployments[].name", '[\n  "blue"\n]\n'),
        (Format.YAML, "traffic", "blue: 100\n"),
        (Format.TABLE, "deployments", "name  instance_count\nblue  1\n"),
        (Format.TABLE, "{Name: name, Uri: scoring_uri}", None),
        (Format.HUMAN, "name", '"hello"\n'),
    ],
)
def test_a_query_chooses_a_part(
    capsys: pytest.CaptureFixture[str], form: Format, query: str, text: str | None
) -> None:
    expected = text or "Name   Uri\nhello  http://127.0.0.1:8085/score\n"

    assert written(capsys, form, HELLO, query) == expected


@pytest.mark.parametrize("query", ["[", "a b", "nope(name)", "join(name)", "length(`3`)"])
def test_a_query_that_makes_no_sense_is_refused(
    capsys: pytest.CaptureFixture[str], query: str
) -> None:
    with pytest.raises(UsageError) as caught:
        Output(Format.JSON, query).result(HELLO, never)

    assert caught.value.message == f"--query {query} is not a JMESPath expression."
    assert caught.value.cause
    assert "\n" not in caught.value.cause
    assert caught.value.remedy == "See jmespath.org for the language."
    assert capsys.readouterr().out == ""


def test_bytes_are_written_as_they_are(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    Output().raw(b"\x00\xff no line end")

    assert capfdbinary.readouterr().out == b"\x00\xff no line end"


@pytest.mark.parametrize(
    ("is_terminal", "body", "written"),
    [
        (False, b"{}", b"{}"),
        (False, b"{}\n", b"{}\n"),
        (True, b"{}", b"{}\n"),
        (True, b"{}\n", b"{}\n"),
        (True, b"", b"\n"),
    ],
)
def test_the_body_of_an_answer_ends_its_line_on_a_terminal_alone(
    capfdbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
    is_terminal: bool,
    body: bytes,
    written: bytes,
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)

    Output().body(body)

    assert capfdbinary.readouterr().out == written


def test_what_is_told_beside_the_result_goes_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = Output(Format.JSON)
    output.warn("It may not work in the cloud.")
    output.note("Something worth knowing.")
    output.status("Waiting ...")
    output.step("Building the environment")
    output.line("Collecting [x]")
    output.end_progress()

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (
        "",
        "Warning: It may not work in the cloud.\n"
        "Something worth knowing.\n"
        "Building the environment\n"
        "  Collecting [x]\n",
    )


ERROR = BuildFailed(
    "The build failed.",
    cause="pip ended with 1.",
    remedy="Correct the list.",
    details=["Collecting nope", "ERROR: No matching distribution"],
)


@pytest.mark.parametrize("form", [form for form in Format if form is not Format.JSON])
def test_an_error_for_people(capsys: pytest.CaptureFixture[str], form: Format) -> None:
    Output(form).error(ERROR)

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (
        "",
        "Error: The build failed.\n"
        "Cause: pip ended with 1.\n"
        "  Collecting nope\n"
        "  ERROR: No matching distribution\n"
        "Remedy: Correct the list.\n",
    )


def test_an_error_that_says_what_failed_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Output().error(LocalepError("It failed."))

    assert capsys.readouterr().err == "Error: It failed.\n"


@pytest.mark.parametrize("output", [(Format.JSON, None), (Format.HUMAN, "name")])
def test_an_error_for_programs(
    capsys: pytest.CaptureFixture[str], output: tuple[Format, str | None]
) -> None:
    Output(*output).error(ERROR)

    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err) == {
        "error": {
            "type": "BuildFailed",
            "message": "The build failed.",
            "cause": "pip ended with 1.",
            "remedy": "Correct the list.",
            "details": ["Collecting nope", "ERROR: No matching distribution"],
            "exit_code": 5,
        }
    }


def test_errors_go_to_the_output_of_the_command_that_runs() -> None:
    assert Output.current().form is Format.HUMAN

    output = Output(Format.JSON)

    assert Output.current() is output
