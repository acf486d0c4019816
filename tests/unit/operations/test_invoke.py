"""The request that `invoke` sends, and what it makes of the answer."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from localep.errors import UsageError
from localep.exit_codes import ExitCode
from localep.operations.invoke import InvokeResult, read_request


@pytest.mark.parametrize(
    ("name", "body", "content_type"),
    [
        ("request.json", b'{"data": [1]}', "application/json"),
        ("request.json", b"not JSON at all", "application/json"),
        ("cat.png", b"\x89PNG\r\n", "image/png"),
        ("cat.jpg", b"\xff\xd8", "image/jpeg"),
        ("rows.csv", b"1,2\n", "text/csv"),
        ("note.txt", b'"a JSON string"', "text/plain"),
        ("request", b'{"data": [1]}', "application/json"),
        ("request", b"  [1, 2]\n", "application/json"),
        ("request", b"\xff\xd8\xff", "application/octet-stream"),
        ("request", b"", "application/octet-stream"),
        ("request.unheard-of", b"{}", "application/json"),
        ("request.json.gz", b"\x1f\x8b\x08", "application/octet-stream"),
    ],
)
def test_the_content_type_follows_the_files_name_and_else_its_content(
    tmp_path: Path, name: str, body: bytes, content_type: str
) -> None:
    file = tmp_path / name
    file.write_bytes(body)

    assert read_request(str(file)) == (body, content_type)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b'{"data": [1]}', "application/json"), (b"\x00\x01", "application/octet-stream")],
)
def test_the_body_may_come_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, body: bytes, content_type: str
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(body)))

    assert read_request("-") == (body, content_type)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = str(tmp_path / "nope.json")

    with pytest.raises(UsageError) as caught:
        read_request(file)

    assert caught.value.message == f"The request file {file} cannot be read."
    assert caught.value.cause == "No such file or directory."
    assert caught.value.remedy == "Check the path given with --request-file."


def test_a_folder_is_no_request(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_request(str(tmp_path))

    assert caught.value.cause == "Is a directory."


@pytest.mark.parametrize("status", [200, 201, 204, 302])
def test_an_answer_below_400_is_no_error(status: int) -> None:
    assert InvokeResult("hello", status, "OK", b"{}").error() is None


@pytest.mark.parametrize(
    ("status", "reason", "headers", "cause", "remedy"),
    [
        (401, "Unauthorized", {}, None, "The endpoint's key changed meanwhile; try again."),
        (404, "Not Found", {}, None, "See `localep show -n hello` for its deployment and traffic."),
        (
            408,
            "Request Timeout",
            {},
            None,
            "Raise request_settings.request_timeout_ms (at most 180000), or make run() faster.",
        ),
        (
            424,
            "Failed Dependency",
            {"ms-azureml-model-error-statuscode": "500"},
            "The scoring container answered 500.",
            "See `localep get-logs -n hello` for what the scoring script says.",
        ),
        (
            424,
            "Failed Dependency",
            {"ms-azureml-model-error-reason": "model_not_ready"},
            None,
            "See `localep get-logs -n hello` for what the scoring script says.",
        ),
        (
            429,
            "Too Many Requests",
            {},
            None,
            "Raise request_settings.max_concurrent_requests_per_instance, or send fewer at once.",
        ),
        (400, "Bad Request", {}, None, "See `localep get-logs -n hello`."),
        (500, "Internal Server Error", {}, None, "See `localep get-logs -n hello`."),
    ],
)
def test_every_status_from_400_on_tells_what_to_do(
    status: int, reason: str, headers: dict[str, str], cause: str | None, remedy: str
) -> None:
    error = InvokeResult("hello", status, reason, b"", headers).error()

    assert error is not None
    assert error.message == f"The endpoint answered {status} {reason}."
    assert (error.cause, error.remedy, error.details) == (cause, remedy, ())
    assert error.exit_code is ExitCode.ENDPOINT_ERROR
