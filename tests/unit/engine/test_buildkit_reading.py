from __future__ import annotations

import base64
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from localep.engine.builders.buildkit import read_plain, read_raw_json
from localep.engine.builders.log import BuildLog

if TYPE_CHECKING:
    from localep.engine.base import Progress

REFERENCE = "localep/env:0123456789abcdef"
FROM = "[1/2] FROM hub.example/library/debian:bookworm-slim"
RUN = "[2/2] RUN --mount=type=secret,id=localep-ca localep-build uv pip install"
ERROR = (
    'process "/bin/sh -c localep-build uv pip install" did not complete successfully: exit code: 2'
)


@pytest.fixture
def log(progress: Progress) -> BuildLog:
    return BuildLog(progress)


def vertex(digest: str, name: str, **more: str) -> dict[str, Any]:
    return {"vertexes": [{"digest": f"sha256:{digest}", "name": name, **more}]}


def output(digest: str, data: bytes, stream: int = 1) -> dict[str, Any]:
    entry = {
        "vertex": f"sha256:{digest}",
        "stream": stream,
        "data": base64.b64encode(data).decode(),
        "timestamp": "2024-03-01T10:00:01.5Z",
    }
    return {"logs": [entry]}


def compact(*objects: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(item, separators=(',', ':'))}\n" for item in objects)


def pretty(*objects: dict[str, Any]) -> str:
    return "".join(f"{json.dumps(item, indent=2)}\n" for item in objects)


STARTED = {"started": "2024-03-01T10:00:00.1Z"}
ENDED = {**STARTED, "completed": "2024-03-01T10:00:02.1Z"}
BUILD = (
    vertex("0", "[internal] load build definition from Dockerfile", **STARTED),
    {
        "statuses": [
            {
                "id": "transferring dockerfile:",
                "vertex": "sha256:0",
                "current": 38,
                "timestamp": "2024-03-01T10:00:00.2Z",
                "started": "2024-03-01T10:00:00.1Z",
            }
        ]
    },
    vertex("1", FROM),
    vertex("2", RUN),
    vertex("1", FROM, **ENDED),
    vertex("2", RUN, **STARTED),
    output("2", b"Resolved 12 pack"),
    output("2", b"ages {in 1s}\n  \xc3\x97 No solu"),
    output("2", b"tion found\n", 2),
)
FAILURE = vertex("2", RUN, **ENDED, error=ERROR)
TOLD = [
    ("step", FROM),
    ("step", "[2/2] RUN localep-build uv pip install"),
    ("line", "Resolved 12 packages {in 1s}"),
    ("line", "  \N{MULTIPLICATION SIGN} No solution found"),
]


@pytest.mark.parametrize("written", [compact, pretty])
def test_a_json_log_is_told_as_steps_and_lines(
    log: BuildLog, told: list[tuple[str, str]], written: Any
) -> None:
    assert read_raw_json(log, io.StringIO(written(*BUILD))) == ""

    assert told == TOLD
    assert (log.failed_step, log.error) == (None, None)


@pytest.mark.parametrize("written", [compact, pretty])
def test_a_json_log_of_a_failed_build_says_which_step_failed_and_why(
    log: BuildLog, told: list[tuple[str, str]], written: Any
) -> None:
    text = (
        f"{written(*BUILD, FAILURE)}"
        "Dockerfile:2\n"
        "--------------------\n"
        "   1 |     FROM debian:bookworm-slim\n"
        "   2 | >>> RUN localep-build uv pip install\n"
        "--------------------\n"
        f"ERROR: failed to solve: {ERROR}\n"
    )

    last_line = read_raw_json(log, io.StringIO(text))

    assert told == TOLD
    assert last_line == f"ERROR: failed to solve: {ERROR}"
    failure = log.failure(REFERENCE, last_line)
    assert failure.cause == (
        "A step ended with exit code 2: [2/2] RUN localep-build uv pip install"
    )
    assert failure.details == ("Resolved 12 packages {in 1s}", TOLD[-1][1])


@pytest.mark.parametrize("written", [compact, pretty])
def test_an_error_before_any_step_is_the_last_line_of_a_json_log(
    log: BuildLog, written: Any
) -> None:
    text = (
        "WARNING: current commit information was not captured\n"
        f"{written(BUILD[0])}"
        "ERROR: failed to solve: debian:missing: not found\n"
        "\n"
    )

    last_line = read_raw_json(log, io.StringIO(text))

    assert last_line == "ERROR: failed to solve: debian:missing: not found"
    assert log.failure(REFERENCE, last_line).cause == last_line


def test_steps_that_were_cancelled_for_another_s_failure_did_not_fail(log: BuildLog) -> None:
    cancelled = (
        vertex("1", FROM, **ENDED, error="context canceled"),
        vertex("3", "[x] RUN y", **ENDED, error='process "y": context canceled: context canceled'),
    )

    read_raw_json(log, io.StringIO(compact(*cancelled, FAILURE)))

    assert (log.failed_step, log.error) == ("sha256:2", ERROR)


def test_one_json_object_may_tell_of_several_steps_and_lines(
    log: BuildLog, told: list[tuple[str, str]]
) -> None:
    status = {
        "vertexes": [*vertex("1", FROM, **STARTED)["vertexes"]],
        "logs": [*output("1", b"one\n")["logs"], *output("1", b"two\n")["logs"]],
        "warnings": None,
    }

    read_raw_json(log, io.StringIO(pretty(status)))

    assert told == [("step", FROM), ("line", "one"), ("line", "two")]


def test_a_cached_step_is_told_once_it_started(log: BuildLog, told: list[tuple[str, str]]) -> None:
    read_raw_json(log, io.StringIO(compact(vertex("1", FROM), vertex("2", RUN, **ENDED))))

    assert told == [("step", "[2/2] RUN localep-build uv pip install")]


def test_a_character_may_be_split_between_two_json_objects(
    log: BuildLog, told: list[tuple[str, str]]
) -> None:
    parts = (output("2", b"caf\xc3"), output("2", b"\xa9\n"))

    read_raw_json(log, io.StringIO(compact(*parts)))

    assert told == [("line", "café")]


def test_bytes_that_are_no_text_are_replaced(log: BuildLog, told: list[tuple[str, str]]) -> None:
    read_raw_json(log, io.StringIO(compact(output("2", b"caf\xe9!\n"))))

    assert told == [("line", "caf\N{REPLACEMENT CHARACTER}!")]


@pytest.mark.parametrize(
    "text",
    [
        "{not JSON}\nERROR: no\n",
        "ERROR: no\n{not JSON}\n",
        '{"vertexes": \n}\nERROR: no\n',
    ],
)
def test_what_only_begins_like_json_is_no_bug(log: BuildLog, text: str) -> None:
    last_line = read_raw_json(log, io.StringIO(text))

    assert last_line == text.splitlines()[-1]
    assert (log.failed_step, log.error) == (None, None)


def test_a_plain_log_is_told_as_steps_and_lines(log: BuildLog, told: list[tuple[str, str]]) -> None:
    text = """\
#0 building with "default" instance using docker driver

#1 [internal] load build definition from Dockerfile
#1 transferring dockerfile: 38B done
#1 DONE 0.0s

#4 [1/3] FROM hub.example/library/debian:bookworm-slim@sha256:aaaa
#4 resolve hub.example/library/debian:bookworm-slim@sha256:aaaa 0.0s done
#4 sha256:bbbb 12.58MB / 29.13MB 0.3s
#4 extracting sha256:bbbb 1.2s done
#4 CACHED

#5 [2/3] COPY requirements.txt /opt/localep/requirements.txt
#5 DONE 0.1s

#6 [3/3] RUN --mount=type=secret,id=localep-ca localep-build uv pip install
#6 0.412 Resolved 12 packages in 1s
#6 0.413
#6 ...

#7 [other 1/1] RUN true
#7 DONE 0.2s

#6 [3/3] RUN --mount=type=secret,id=localep-ca localep-build uv pip install
#6 12.10  + flask==3.0.3
#6 DONE 12.5s

#8 exporting to image
#8 exporting layers 0.1s done
#8 writing image sha256:cccc done
#8 naming to registry.example/localep/env:0123456789abcdef done
#8 DONE 0.1s
"""

    assert read_plain(log, io.StringIO(text)) == ""

    assert told == [
        ("step", "[1/3] FROM hub.example/library/debian:bookworm-slim@sha256:aaaa"),
        ("step", "[2/3] COPY requirements.txt /opt/localep/requirements.txt"),
        ("step", "[3/3] RUN localep-build uv pip install"),
        ("line", "Resolved 12 packages in 1s"),
        ("step", "[other 1/1] RUN true"),
        ("line", " + flask==3.0.3"),
    ]
    assert (log.failed_step, log.error) == (None, None)


# As buildx 0.12 writes it, and as a docker client 20.10 does.
BUILDX_FAILURE = f"""\
#6 [2/2] RUN --mount=type=secret,id=localep-ca localep-build uv pip install
#6 0.412 No solution found
#6 ERROR: {ERROR}
------
 > [2/2] RUN --mount=type=secret,id=localep-ca localep-build uv pip install:
0.412 No solution found
------
Dockerfile:2
--------------------
   1 |     FROM debian:bookworm-slim
   2 | >>> RUN localep-build uv pip install
--------------------
ERROR: failed to solve: {ERROR}
"""
CLIENT_ERROR = "executor failed running [/bin/sh -c localep-build uv pip install]: exit code: 2"
CLIENT_FAILURE = f"""\
#6 [2/2] RUN --mount=type=secret,id=localep-ca localep-build uv pip install
#6 sha256:dddd
#6 0.412 No solution found
#6 ERROR: {CLIENT_ERROR}
------
 > [2/2] RUN --mount=type=secret,id=localep-ca localep-build uv pip install:
#6 0.412 No solution found
------
{CLIENT_ERROR}
"""


@pytest.mark.parametrize(
    ("text", "error", "last_line"),
    [
        pytest.param(BUILDX_FAILURE, ERROR, f"ERROR: failed to solve: {ERROR}", id="buildx"),
        pytest.param(CLIENT_FAILURE, CLIENT_ERROR, CLIENT_ERROR, id="client"),
    ],
)
def test_a_plain_log_of_a_failed_build_says_which_step_failed_and_why(
    log: BuildLog, text: str, error: str, last_line: str
) -> None:
    assert read_plain(log, io.StringIO(text)) == last_line

    assert (log.failed_step, log.error) == ("6", error)
    failure = log.failure(REFERENCE, last_line)
    assert failure.cause == (
        "A step ended with exit code 2: [2/2] RUN localep-build uv pip install"
    )


def test_the_lines_of_a_failed_step_are_shown_once(log: BuildLog) -> None:
    read_plain(log, io.StringIO(BUILDX_FAILURE))
    assert log.failure(REFERENCE, "").details == ("No solution found",)


def test_the_lines_that_an_older_client_repeats_are_shown_once(log: BuildLog) -> None:
    read_plain(log, io.StringIO(CLIENT_FAILURE))
    assert log.failure(REFERENCE, "").details == ("No solution found",)


def test_an_error_before_any_step_is_the_last_line_of_a_plain_log(log: BuildLog) -> None:
    text = "#0 building\nERROR: Cannot connect to the Docker daemon at unix:///x.sock.\n\n"

    last_line = read_plain(log, io.StringIO(text))

    assert last_line == "ERROR: Cannot connect to the Docker daemon at unix:///x.sock."
    assert (log.failed_step, log.error) == (None, None)
