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


def test_a_file_that_is_not_where_the_script_looks_is_told_with_those_that_are(
    serve: Serve, hello: Path, scratch: Path
) -> None:
    (hello / "model").mkdir()
    (hello / "model" / "reg.pkl").write_bytes(b"")
    script = (
        "import os\n"
        "def init(): open(os.path.join(os.environ['AZUREML_MODEL_DIR'], 'reg.pkl'))\n"
        "def run(raw_data): pass\n"
    )

    told = told_of(serve, hello, script, "--set", "model.path=model", "--set", "model.name=reg")

    assert "Cause: init() failed (model-file-missing; " in told
    assert told.endswith(
        "/azureml-models/reg/1):\n"
        "    model/\n"
        "      reg.pkl\n"
        'Remedy: Nearest to it is os.path.join(os.environ["AZUREML_MODEL_DIR"], "model", '
        '"reg.pkl").\n'
    )


def test_a_request_that_fails_is_named(serve: Serve, hello: Path) -> None:
    write_script(hello, "def init(): pass\ndef run(raw_data): return {raw_data}\n")

    with serve("-f", "hello/deployment.yml", "--no-reload") as serving:
        assert serving.post({}).status_code == 500
        serving.wait_until_told("not-serialisable: ")

    assert serving.told.endswith(
        "not-serialisable: run() returned set, which is not JSON. "
        "Convert it, for instance with `.tolist()`.\n"
    )
