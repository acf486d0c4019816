"""What is written where, in every form."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from localep.cli.output import Format, Output
from localep.errors import BuildFailed, Interrupted, LocalepError, UsageError

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
            "name   scoring_uri\nhello  http://127.0.0.1:8085/score\n",
        ),
        ({"model": None, "code": None}, "model  code\n\n"),
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


@pytest.mark.parametrize(
    ("query", "message", "cause"),
    [
        ("[", "is not a JMESPath expression", "Incomplete expression."),
        (
            "a b",
            "is not a JMESPath expression",
            'Unexpected token: b: Parse error at column 2, token "b" (UNQUOTED_IDENTIFIER).',
        ),
        ("%", "is not a JMESPath expression", "Unknown token %."),
        ("[].{a: nope(name)}", "cannot be answered", "JMESPath has no function nope()."),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_before_anything_is_done(
    query: str, message: str, cause: str
) -> None:
    with pytest.raises(UsageError) as caught:
        Output(Format.JSON, query)

    assert (caught.value.message, caught.value.cause, caught.value.remedy) == (
        f"--query {query} {message}.",
        cause,
        "See jmespath.org for the language.",
    )


@pytest.mark.parametrize(
    ("query", "cause"),
    [
        ("join(name)", "Expected 2 arguments for function join(), received 1."),
        ("length(`3`)", "length() takes string or array or object, and got number."),
        ("sort_by(deployments, &x)", "sort_by() takes string or number, and got null."),
    ],
)
def test_a_query_that_does_not_fit_the_result_is_refused(
    capsys: pytest.CaptureFixture[str], query: str, cause: str
) -> None:
    with pytest.raises(UsageError) as caught:
        Output(Format.JSON, query).result(HELLO, never)

    assert (caught.value.message, caught.value.cause, caught.value.remedy) == (
        f"--query {query} does not fit the result.",
        cause,
        "The command itself is done; `-o json` shows what its results look like.",
    )
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


def tell_everything(output: Output) -> None:
    output.warn("It may not work in the cloud.")
    output.note("Something worth knowing.")
    output.status("Waiting ...")
    output.step("Building the environment")
    output.line("Collecting [x] größer")
    output.end_progress()


@pytest.mark.parametrize("form", [form for form in Format if form is not Format.JSON])
def test_what_is_told_beside_the_result_goes_to_standard_error(
    capsys: pytest.CaptureFixture[str], form: Format
) -> None:
    tell_everything(Output(form))

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (
        "",
        "Warning: It may not work in the cloud.\n"
        "Something worth knowing.\n"
        "Building the environment\n"
        "  Collecting [x] größer\n",
    )


@pytest.mark.parametrize("output", [(Format.JSON, None), (Format.HUMAN, "name")])
def test_programs_read_it_line_by_line(
    capsys: pytest.CaptureFixture[str], output: tuple[Format, str | None]
) -> None:
    tell_everything(Output(*output))

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (
        "",
        '{"warning": "It may not work in the cloud."}\n'
        '{"note": "Something worth knowing."}\n'
        '{"step": "Building the environment"}\n'
        '{"line": "Collecting [x] größer"}\n',
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
    assert (captured.out, captured.err) == (
        "",
        '{"error": {"type": "BuildFailed", "message": "The build failed.", '
        '"cause": "pip ended with 1.", "remedy": "Correct the list.", '
        '"details": ["Collecting nope", "ERROR: No matching distribution"], "exit_code": 5}}\n',
    )


def test_an_interrupt_is_no_news_to_people(capsys: pytest.CaptureFixture[str]) -> None:
    Output().error(Interrupted("Interrupted.", remedy="Run it again."))

    assert capsys.readouterr().err == "Interrupted.\n"


def test_an_interrupt_is_an_error_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    Output(Format.JSON).error(Interrupted("Interrupted.", remedy="Run it again."))

    assert json.loads(capsys.readouterr().err)["error"] == {
        "type": "Interrupted",
        "message": "Interrupted.",
        "cause": None,
        "remedy": "Run it again.",
        "details": [],
        "exit_code": 130,
    }


def test_a_reader_of_messages_who_left_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())

    tell_everything(Output())


def test_errors_go_to_the_output_of_the_command_that_runs() -> None:
    assert Output.current() is None

    output = Output(Format.JSON)

    assert Output.current() is output
    Output.forget()
    assert Output.current() is None


LETTERS = {"name": "größer", "list": ["あ\udcff", 1]}


@pytest.mark.parametrize(
    ("form", "text"),
    [
        (Format.JSON, None),
        (Format.YAML, 'name: "gr\\xF6\\xDFer"\nlist:\n- "\\u3042\\uDCFF"\n- 1\n'),
        (Format.TSV, 'gr\\xf6\\xdfer\t["\\u3042\\udcff", 1]\n'),
        (Format.TABLE, "name\ngr\\xf6\\xdfer\n"),
    ],
)
def test_an_encoding_that_lacks_letters_loses_none(
    monkeypatch: pytest.MonkeyPatch, form: Format, text: str | None
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "ascii", "backslashreplace"))

    Output(form).result(LETTERS, never)

    written = raw.getvalue().decode("ascii")
    if text is None:
        assert json.loads(written) == LETTERS
    else:
        assert written == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("a\tb\nc", "a\tb\nc\n"),
        (["a\tb", "c\nd\re"], "a\\tb\nc\\nd\\re\n"),
        ([{"x": "a\tb", "y": "c"}], "a\\tb\tc\n"),
    ],
)
def test_a_cell_of_tsv_ends_no_row(
    capsys: pytest.CaptureFixture[str], data: Any, text: str
) -> None:
    assert written(capsys, Format.TSV, data) == text
