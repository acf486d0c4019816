"""Why a request failed, out of its answer and of what the server logged of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from localep.operations.failures.answers import Failed, why_request_failed
from localep.operations.request_log import Answered, lines_of_request

LOGS = Path(__file__).with_name("logs")
# Both servers were asked one thing after the other, three tenths of a second apart; when, in
# milliseconds after the first second of the log, is told of each.
REQUESTS = ("requests", 1_795_288_212_000)
SCHEMA = ("schema", 1_795_288_227_000)
PRINTED = "It had printed:"


def explained(
    log: tuple[str, int], status: int | None, length: int | None, at: tuple[int, int], body: str
) -> tuple[str, str, str, tuple[str, ...]]:
    """The id, the cause and the remedy of a request, and the lines that show it."""
    name, second = log
    text = (LOGS / f"{name}.log").read_text(encoding="utf-8")
    answered = Answered("/score", status, length, second + at[0], second + at[1])
    lines = lines_of_request(text, answered)
    why = why_request_failed(
        Failed(424, status, "model_error", body=body.encode(), lines=lines, timeout_ms=5000)
    )
    assert why is not None
    return why.found.id, why.cause, why.found.remedy, why.details


@pytest.mark.parametrize(
    ("log", "status", "length", "at", "body", "told"),
    [
        pytest.param(
            REQUESTS,
            500,
            83,
            (1294, 1299),
            "",
            (
                "not-serialisable",
                "run() returned date, which is not JSON (not-serialisable). "
                "TypeError: Object of type date is not JSON serializable",
                "Convert it, for instance with `.tolist()`.",
                (),
            ),
            id="a value",
        ),
        pytest.param(
            REQUESTS,
            500,
            83,
            (1599, 1607),
            "",
            (
                "not-serialisable",
                "run() returned a dictionary with a key that is a tuple, which JSON cannot have "
                "(not-serialisable). TypeError: keys must be str, int, float, bool or None, not "
                "tuple",
                "Convert it, for instance with `.tolist()`.",
                (),
            ),
            id="a key",
        ),
        pytest.param(
            REQUESTS,
            500,
            83,
            (1908, 1931),
            "",
            (
                "not-serialisable",
                "run() returned what JSON cannot hold (not-serialisable). "
                "ValueError: Circular reference detected",
                "Convert it, for instance with `.tolist()`.",
                (),
            ),
            id="a list of itself",
        ),
        pytest.param(
            REQUESTS,
            500,
            92,
            (2537, 2541),
            "",
            (
                "run-raises",
                "run() failed (run-raises). KeyError: 'weights'",
                "Correct what the traceback names.",
                (
                    "Traceback (most recent call last):",
                    '  File "/var/azureml-app/code/score.py", line 28, in run',
                    '    return {}["weights"]',
                    "KeyError: 'weights'",
                ),
            ),
            id="an error",
        ),
        pytest.param(
            REQUESTS,
            404,
            16,
            (2841, 2844),
            "no such customer",
            (
                "status-hidden",
                "run() answered 404 itself (status-hidden).",
                "Tell errors in the body of a 200, or read the status from the headers.",
                (),
            ),
            id="a status of its own",
        ),
        pytest.param(
            REQUESTS,
            None,
            None,
            (3144, 3154),
            "",
            (
                "native-crash",
                "The worker that had the request ended with exit code 5 (native-crash).",
                "Look for os._exit in the script and in what it imports.",
                (PRINTED, "  asked exit"),
            ),
            id="os._exit",
        ),
        pytest.param(
            REQUESTS,
            500,
            0,
            (5654, 5663),
            "",
            (
                "run-raises",
                "run() failed (run-raises). SystemExit: 3",
                "Correct what the traceback names.",
                (
                    "Traceback (most recent call last):",
                    '  File "/var/azureml-app/code/score.py", line 34, in run',
                    "    raise SystemExit(3)",
                    "SystemExit: 3",
                ),
            ),
            id="sys.exit",
        ),
        pytest.param(
            REQUESTS,
            None,
            None,
            (5963, 5971),
            "",
            (
                "native-crash",
                "The worker that had the request ended with SIGSEGV (native-crash).",
                "Look for a binary package that does not fit this Python or this processor.",
                (
                    "Fatal Python error: Segmentation fault",
                    '  File "/usr/local/lib/python3.11/ctypes/__init__.py", line 519 in string_at',
                    '  File "/var/azureml-app/code/score.py", line 36 in run',
                    PRINTED,
                    "  asked crash",
                ),
            ),
            id="a crash",
        ),
        pytest.param(
            REQUESTS,
            500,
            0,
            (8471, 11074),
            "",
            (
                "worker-timeout",
                "run() took longer than WORKER_TIMEOUT, and the server ended its worker "
                "(worker-timeout).",
                "Split the work.",
                (
                    "Traceback (most recent call last):",
                    '  File "/var/azureml-app/code/score.py", line 38, in run',
                    "    time.sleep(9)",
                    "SystemExit: 1",
                ),
            ),
            id="the worker's time",
        ),
        pytest.param(
            SCHEMA,
            400,
            64,
            (364, 366),
            '{"message": "A value is not provided for the \'data\' parameter."}',
            (
                "input-shape",
                "The container answered 400 (input-shape). "
                "A value is not provided for the 'data' parameter.",
                "Change the body of the request.",
                (),
            ),
            id="a name that is missing",
        ),
        pytest.param(
            SCHEMA,
            500,
            92,
            (666, 670),
            "",
            (
                "input-shape",
                "The request has not the form that run() is decorated with (input-shape). "
                "run() failed. ValueError: Invalid input data type to parse. "
                "Expected: <class 'list'> but got <class 'str'>",
                "Change the body of the request.",
                (
                    "Traceback (most recent call last):",
                    '  File "/opt/env/lib/python3.11/site-packages/inference_schema/'
                    'schema_decorators.py", line 64, in decorator_input',
                    "    kwargs[param_name] = _deserialize_input_argument(kwargs[param_name], "
                    "param_type, param_name)",
                    '  File "/opt/env/lib/python3.11/site-packages/inference_schema/'
                    'schema_decorators.py", line 341, in _deserialize_input_argument',
                    '    raise ValueError("Invalid input data type to parse. Expected: {0} but got '
                    '{1}".format(',
                    "ValueError: Invalid input data type to parse. Expected: <class 'list'> but "
                    "got <class 'str'>",
                ),
            ),
            id="another type",
        ),
        pytest.param(
            SCHEMA,
            415,
            58,
            (1274, 1278),
            '{"message": "Expects Content-Type to be application/json"}',
            (
                "input-shape",
                "The container answered 415 (input-shape). "
                "Expects Content-Type to be application/json",
                "Change the body of the request.",
                (),
            ),
            id="another content type",
        ),
    ],
)
def test_the_log_of_a_request_tells_its_cause(
    log: tuple[str, int],
    status: int | None,
    length: int | None,
    at: tuple[int, int],
    body: str,
    told: tuple[str, str, str, tuple[str, ...]],
) -> None:
    assert explained(log, status, length, at, body) == told


@pytest.mark.parametrize("status", [None, 500])
def test_a_request_that_ends_with_its_container_tells_the_probe(status: int | None) -> None:
    second = 1_795_306_665_000

    told = explained(("liveness_restart", second), status, None, (4000, 7230), "")

    assert told == (
        "probe-starved",
        "The liveness probe failed during the request, and the container was started anew "
        "(probe-starved).",
        "Raise WORKER_COUNT, or the probe's timeout.",
        (),
    )


def test_of_the_scripts_own_json_the_traceback_is_shown() -> None:
    _, _, _, details = explained(REQUESTS, 500, 92, (2231, 2235), "")

    assert '  File "/var/azureml-app/code/score.py", line 26, in run' in details


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (
            {"status": 401, "body": b"key_auth_access_denied"},
            ("auth", "The key or token was refused: key_auth_access_denied (auth)."),
        ),
        (
            {"status": 404, "body": b"No traffic goes to the deployment."},
            ("no-traffic", "No traffic goes to the deployment (no-traffic)."),
        ),
        (
            {"status": 408, "timeout_ms": 3000},
            (
                "run-too-slow",
                "run() took longer than request_timeout_ms, which is 3000 (run-too-slow).",
            ),
        ),
        (
            {"status": 413, "sent_bytes": 2_000_000, "payload_limit": 1_500_000},
            (
                "payload-size",
                "The request has 2000000 bytes; the limit is 1500000 (payload-size).",
            ),
        ),
        (
            {"status": 429, "limit": 2, "queue_wait_ms": 500},
            (
                "too-many-pending",
                "2 requests were in flight, which is all that the deployment takes, or this one "
                "waited for longer than 500 ms (too-many-pending).",
            ),
        ),
        (
            {"status": 424, "kills": 1, "lines": ["Worker (pid:9) was sent SIGKILL!"]},
            (
                "memory-at-start",
                "The server was out of memory, and the system ended the process that had the "
                "request (memory-at-start).",
            ),
        ),
        (
            {"status": 424, "model_status": 404, "is_own_server": True},
            ("route-not-200", "The scoring route answered 404 (route-not-200)."),
        ),
        (
            {
                "status": 424,
                "model_status": 503,
                "is_own_server": True,
                "seconds_ready": 4.2,
                "lines": ["loading"],
            },
            (
                "ready-too-early",
                "The container answered 503 (ready-too-early). It has run for 4 s.",
            ),
        ),
        (
            {
                "status": 424,
                "model_status": 503,
                "is_own_server": True,
                "seconds_ready": 61.0,
            },
            ("run-raises", "The container answered 503 (run-raises)."),
        ),
        (
            {"status": 424, "model_status": 422, "is_own_server": True},
            ("input-shape", "The container answered 422 (input-shape)."),
        ),
        (
            {"status": 424, "model_status": 201},
            ("status-hidden", "The container answered 201 (status-hidden)."),
        ),
        (
            {
                "status": 424,
                "model_status": 400,
                "body": b'{"message": "input_data cannot be read: no."}',
                "lines": ["I [9] azmlinfsrv - run() output is HTTP Response"],
            },
            (
                "input-shape",
                "The container answered 400 (input-shape). input_data cannot be read: no.",
            ),
        ),
    ],
)
def test_the_answer_tells_the_cause(known: dict[str, Any], told: tuple[str, str]) -> None:
    why = why_request_failed(Failed(**known))

    assert why is not None
    assert (why.found.id, why.cause) == told


@pytest.mark.parametrize(
    "known",
    [
        {"status": 424, "reason": "model_not_ready"},
        {"status": 404, "body": b"The endpoint has no deployment."},
        {"status": 400},
        {"status": 502},
    ],
)
def test_where_nothing_tells_a_cause_there_is_none(known: dict[str, Any]) -> None:
    assert why_request_failed(Failed(**known)) is None


def test_of_a_server_that_logs_otherwise_the_last_lines_are_those_of_the_request() -> None:
    log = "".join(f"line {number}\n" for number in range(30))

    assert lines_of_request(log, Answered("/score", 500, None, 0, 1)) == [
        f"line {number}" for number in range(10, 30)
    ]


def test_of_two_workers_the_lines_of_one_are_taken() -> None:
    def record(moment: int, worker: int, text: str) -> str:
        return f"2026-11-21 19:10:15,{moment:03} I [{worker}] {text}\n"

    log = (
        record(0, 7, "azmlinfsrv - Worker with pid 7 ready for serving traffic")
        + record(1, 8, "azmlinfsrv - Worker with pid 8 ready for serving traffic")
        + record(10, 7, "azmlinfsrv.print - of seven")
        + record(11, 8, "azmlinfsrv.print - of eight")
        + record(20, 8, "azmlinfsrv - POST /score 500 9.000ms 92")
        + record(21, 7, "azmlinfsrv - POST /score 500 9.500ms 92")
        + record(22, 7, "gunicorn.access - 127.0.0.1")
    )
    second = 1_795_288_215_000

    of_seven = lines_of_request(log, Answered("/score", 500, 92, second + 10, second + 22))

    assert [line[24:] for line in of_seven] == [
        "I [7] azmlinfsrv.print - of seven",
        "I [7] azmlinfsrv - POST /score 500 9.500ms 92",
    ]
