"""Scripts that do not get ready are told of as with Docker, but for the paths."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.engine import write_script
from support.failing_scripts import (
    CODE,
    DEATHS,
    FAILURES,
    HELPER,
    SCRIPT_THAT_HANGS,
    death_text,
    hanging_text,
    script_that_dies,
)
from support.serving import Serve


def told_of(serve: Serve, hello: Path, script: str, *arguments: str) -> str:
    """What is told of a script that does not get ready."""
    write_script(hello, script)
    options = ("--isolated", "--no-reload", *arguments)
    with serve.started("-f", "hello/deployment.yml", *options) as serving:
        assert serving.process.wait(30) == 6
    return serving.told


def here(text: str, hello: Path) -> str:
    """A text of the container's, with the paths of this machine."""
    return text.replace(CODE, str(hello / "code"))


@pytest.mark.parametrize(("script", "expected"), FAILURES)
def test_the_users_own_traceback_is_shown(
    serve: Serve, hello: Path, scratch: Path, script: str, expected: str
) -> None:
    (hello / "code" / "helper.py").write_text(HELPER)

    assert told_of(serve, hello, script) == here(expected, hello)


@pytest.mark.parametrize(("line", "how", "details", "remedy"), DEATHS)
def test_a_worker_that_keeps_dying_is_given_up(
    serve: Serve, hello: Path, scratch: Path, line: str, how: str, details: str, remedy: str
) -> None:
    told = told_of(serve, hello, script_that_dies(line))

    assert told == here(death_text(how, details, remedy), hello)


def test_an_init_that_hangs_ends_at_the_time_out(serve: Serve, hello: Path, scratch: Path) -> None:
    assert told_of(serve, hello, SCRIPT_THAT_HANGS, "--timeout", "2") == hanging_text(2)
