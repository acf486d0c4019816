from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localep.engine.builders.log import BuildLog, shortened
from localep.errors import BuildFailed
from localep.exit_codes import ExitCode

if TYPE_CHECKING:
    from localep.engine.base import Progress

REFERENCE = "localep/env:0123456789abcdef"
REMEDY = "The step's last lines say what went wrong; correct the conda file."
INSTALL = (
    "[stage-0 4/4] RUN --mount=type=cache,id=localep-uv,target=/root/.cache/uv     "
    "--mount=type=secret,id=localep-ca     localep-build uv pip install --quiet"
)


@pytest.fixture
def log(progress: Progress) -> BuildLog:
    return BuildLog(progress)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        (
            "[1/3] FROM hub.example/library/debian",
            "[1/3] FROM hub.example/library/debian",
        ),
        (INSTALL, "[stage-0 4/4] RUN localep-build uv pip install --quiet"),
        ("Step 2/3 : RUN a  &&     b\t&& c", "Step 2/3 : RUN a && b && c"),
        ("x" * 100, "x" * 100),
        ("x" * 101, "x" * 97 + "..."),
    ],
)
def test_a_step_s_name_is_shortened_to_what_is_its_own(name: str, short: str) -> None:
    assert shortened(name) == short


def test_a_step_is_told_once_by_its_short_name(log: BuildLog, told: list[tuple[str, str]]) -> None:
    log.begin("a", INSTALL)
    log.begin("a", INSTALL)
    log.begin("b", INSTALL)

    step = ("step", "[stage-0 4/4] RUN localep-build uv pip install --quiet")
    assert told == [step, step]


@pytest.mark.parametrize(
    "name",
    [
        "[internal] load build definition from Dockerfile",
        "exporting to image",
        "exporting layers",
        "importing cache manifest from example.com/cache",
        "writing image sha256:abc",
        "naming to registry.example/localep/env:1",
    ],
)
def test_the_builder_s_own_work_is_not_told(
    log: BuildLog, told: list[tuple[str, str]], name: str
) -> None:
    log.begin("a", name)

    assert told == []


def test_lines_are_told_once_they_are_whole(log: BuildLog, told: list[tuple[str, str]]) -> None:
    log.output("a", "first\nsec")
    assert told == [("line", "first")]

    log.output("b", "of another step\n")
    log.output("a", "ond\n\n  third  \n")

    assert told == [
        ("line", "first"),
        ("line", "of another step"),
        ("line", "second"),
        ("line", "  third"),
    ]


def test_colours_and_carriage_returns_at_a_line_s_end_are_stripped(
    log: BuildLog, told: list[tuple[str, str]]
) -> None:
    log.output("a", "\x1b[1;31merror\x1b[0m: \x1b[36mno\x1b[39m version\r\n\x1b[0m\n")

    assert told == [("line", "error: no version")]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("10%\r 50%\r100%\n", "100%"),
        ("\r\n\ra\rb\r\n", "b"),
        ("\x1b[2K\x1b[1A\x1b[?25lup\x1b[0K\n", "up"),
        ("\x1b]0;a title\x07text\x1b]8;;http://x\x1b\\link\n", "textlink"),
        ("bell\x07, back\x08space, null\x00, \x1bMreverse\n", "bell, backspace, null, reverse"),
        ("a\tb\n", "a\tb"),
        ("x" * 1000 + "\n", "x" * 1000),
        ("x" * 1001 + "\n", "x" * 997 + "..."),
        ("x" * 1000_000 + "\n", "x" * 997 + "..."),
    ],
    ids=range(9),
)
@pytest.mark.parametrize("pieces", [1, 3])
def test_a_line_is_told_as_a_terminal_would_show_it(
    log: BuildLog, told: list[tuple[str, str]], written: str, shown: str, pieces: int
) -> None:
    size = -(-len(written) // pieces)
    for start in range(0, len(written), size):
        log.output("a", written[start : start + size])

    assert [text for kind, text in told if kind == "line"] == [shown]


def test_a_progress_bar_is_shown_while_it_moves(log: BuildLog, told: list[tuple[str, str]]) -> None:
    for percent in range(0, 101, 50):
        log.output("a", f"\r\x1b[32m{percent}%")
    log.output("a", "\n")

    assert told == [("status", "0%"), ("status", "50%"), ("status", "100%"), ("line", "100%")]


def test_a_program_that_never_ends_its_line_takes_no_memory(log: BuildLog) -> None:
    for _ in range(1000):
        log.output("a", "." * 1000)
        log.output("b", "\r" + "=" * 999)

    assert sum(len(rest) for rest in log.unfinished.values()) <= 2002


def test_a_failure_names_the_command_and_its_exit_code_and_shows_the_last_30_lines(
    log: BuildLog,
) -> None:
    log.begin("a", INSTALL)
    log.begin("b", "[other 1/1] RUN true")
    log.output("a", "".join(f"line {number}\n" for number in range(1, 36)))
    log.output("b", "a line of another step\n")
    log.output("a", "the last, not ended")
    log.fail("a", 'process "/bin/sh -c localep-build" did not complete: exit code: 2')

    failure = log.failure(REFERENCE, "The client ended with status 1.")

    assert type(failure) is BuildFailed
    assert failure.exit_code is ExitCode.ENVIRONMENT
    assert failure.message == f"The image {REFERENCE} could not be built."
    assert failure.cause == (
        "A step ended with exit code 2: [stage-0 4/4] RUN localep-build uv pip install --quiet"
    )
    assert failure.remedy == REMEDY
    assert failure.details == (
        *(f"line {number}" for number in range(7, 36)),
        "the last, not ended",
    )


def test_a_long_command_is_named_whole_in_a_failure(log: BuildLog) -> None:
    command = f"[2/2] RUN {'x' * 200}"
    log.begin("a", command)
    log.fail("a", f"The command '{command}' returned a non-zero code: 137")

    failure = log.failure(REFERENCE, "")

    assert failure.cause == f"A step ended with exit code 137: {command}"
    assert failure.details == ()


def test_a_failure_without_an_exit_code_gives_the_error_as_it_is(log: BuildLog) -> None:
    log.begin("a", "[1/2] FROM example.com/missing:1")
    log.fail("a", "example.com/missing:1: not found")

    assert log.failure(REFERENCE, "").cause == "example.com/missing:1: not found"


def test_a_failure_of_no_known_step_gives_the_error_as_it_is(log: BuildLog) -> None:
    log.output("a", "a line\n")
    log.fail(None, "failed to solve: exit code: 1")

    failure = log.failure(REFERENCE, "The client ended with status 1.")

    assert failure.cause == "failed to solve: exit code: 1"
    assert failure.details == ()


def test_a_failure_that_the_log_does_not_tell_of_has_the_fallback_s_cause(log: BuildLog) -> None:
    log.begin("a", "[1/1] RUN true")
    log.output("a", "a line\n")

    failure = log.failure(REFERENCE, "ERROR: cannot connect to the engine")

    assert failure.message == f"The image {REFERENCE} could not be built."
    assert failure.cause == "ERROR: cannot connect to the engine"
    assert failure.details == ()


def test_the_first_failing_step_counts(log: BuildLog) -> None:
    log.fail(None, "the build failed")
    log.fail("a", "the first step's error")
    log.fail("b", "the second step's error")
    log.fail(None, "the build failed again")

    assert (log.failed_step, log.error) == ("a", "the first step's error")
