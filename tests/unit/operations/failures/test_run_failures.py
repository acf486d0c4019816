"""What is read off the logs of servers that did not get ready."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from localep.operations.failures.runs import (
    known_cause,
    patterns,
    read_text,
    why_script_failed,
)
from localep.operations.failures.server_log import script_failure
from localep.operations.failures.starts import ended_before_ready
from localep.operations.failures.table import FoundCause
from localep.rules.causes import all_causes, cause
from localep.rules.libraries import debian_package

LOGS = yaml.safe_load(Path(__file__).with_name("run_logs.yml").read_text(encoding="utf-8"))
# What no log here tells: it takes a GPU's packages, another engine's image or an older server.
QUOTED = {
    "ImportError: libcudart.so.12: cannot open shared object file: No such file or directory": (
        "gpu-absent",
        "libcudart.so.12 comes with a GPU's driver or with CUDA, and is not there",
    ),
    "AssertionError: Torch not compiled with CUDA enabled": (
        "gpu-absent",
        "The script wants a GPU, and its torch is one for CPUs",
    ),
    "exec /bin/sh: exec format error": (
        "image-architecture",
        "Its image is for another processor than this engine's",
    ),
    "ModuleNotFoundError: No module named 'azureml.contrib'": ("contrib-missing", ""),
    "socket.gaierror: [Errno -3] Temporary failure in name resolution": (
        "needs-internet",
        "The script asked another machine for something, and did not get there",
    ),
    '  File "/usr/lib/python3.11/socket.py", line 836, in create_connection\n'
    "    sock.connect(sa)\n"
    "TimeoutError: timed out": (
        "needs-internet",
        "The script asked another machine for something, and no answer came",
    ),
    "TimeoutError: [Errno 110] Connection timed out": (
        "needs-internet",
        "The script asked another machine for something, and no answer came",
    ),
    "httpx.ConnectTimeout: timed out": (
        "needs-internet",
        "The script asked another machine for something, and no answer came",
    ),
}
CRASHED = "User container has crashed or terminated: Liveness probe failed … 502"


@pytest.mark.parametrize("entry", LOGS, ids=lambda entry: cast("str", entry["name"]))
def test_the_cause_is_read_off_a_log(entry: dict[str, Any]) -> None:
    failure = script_failure(entry["log"])
    assert failure is not None

    found = why_script_failed(failure, "score.py")

    assert (found.id, found.says, found.remedy) == (
        entry["cause"],
        entry.get("says", ""),
        entry["remedy"],
    )


@pytest.mark.parametrize(("text", "told"), QUOTED.items(), ids=lambda value: str(value)[:40])
def test_the_cause_is_read_off_words_that_are_quoted(text: str, told: tuple[str, str]) -> None:
    found = read_text(text, "start")

    assert found is not None
    assert (found.id, found.says) == told


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (
            "3600000",
            ("run-raises", "run() raised a TimeoutError, and the server does not show where"),
        ),
        (
            "700",
            (
                "run-too-slow",
                "run() took longer than SCORING_TIMEOUT_MS, which is 700, or raised a TimeoutError "
                "itself",
            ),
        ),
    ],
)
def test_a_time_out_is_the_servers_own_only_where_its_limit_is_set(
    limit: str, told: tuple[str, str]
) -> None:
    error = (
        "azureml_inference_server_http.server.user_script.UserScriptTimeout: Script failed to "
        f"finish execution within the allocated time: {limit}ms"
    )

    found = read_text(error, "request")

    assert found is not None
    assert (found.id, found.says) == told


def test_every_row_has_a_log_and_a_cause_of_the_catalogue() -> None:
    known = {item.id for item in all_causes()}
    seen = {entry["cause"] for entry in LOGS} | {told[0] for told in QUOTED.values()}

    for row in patterns("start"):
        assert row.cause in known
        assert row.cause in seen, row.cause


def test_what_is_special_to_the_inference_server_is_not_said_of_an_own_one() -> None:
    error = "ModuleNotFoundError: No module named 'waitress'"

    assert read_text(error, "start") == FoundCause(
        "import-error",
        "",
        "Add the package that has waitress to the list under `pip:` in the conda file, "
        "or the module to the code folder.",
        CRASHED,
        "waitress",
    )
    assert read_text(error, "own") is None


def test_what_setuptools_no_longer_has_is_not_looked_for_in_its_last_release() -> None:
    found = read_text("ModuleNotFoundError: No module named 'pkg_resources'", "start")

    assert found is not None
    assert found.remedy == "Add setuptools<81 to the list under `pip:` in the conda file."


def test_the_clouds_words_are_those_of_the_catalogue_or_of_most_starts() -> None:
    assert known_cause("init-raises").mark == "(init-raises; the cloud says `UserScriptInitFailed`)"
    assert known_cause("native-crash").mark == f"(native-crash; the cloud says `{CRASHED}`)"


def test_of_a_request_the_cloud_says_what_the_endpoint_answers() -> None:
    assert known_cause("run-too-slow", step="request").mark == "(run-too-slow)"


@pytest.mark.parametrize(
    ("library", "remedy"),
    [
        (
            "libGL.so.1",
            "Install libgl1 with apt in a Dockerfile; it has libGL.so.1. "
            "Or take opencv-python-headless, if it is for OpenCV.",
        ),
        ("libofsomebody.so.7", cause("native-library").remedy),
    ],
)
def test_a_library_is_named_with_its_package(library: str, remedy: str) -> None:
    error = f"ImportError: {library}: cannot open shared object file: No such file or directory"

    found = read_text(error, "own")

    assert found is not None
    assert (found.id, found.what, found.remedy) == ("native-library", library, remedy)
    assert debian_package("libgomp.so.1") == "libgomp1"


def test_an_error_says_what_happened_why_and_what_the_cloud_says() -> None:
    (log,) = (entry["log"] for entry in LOGS if entry["name"] == "abi: pandas")

    error = ended_before_ready(log, "score.py", 3)

    assert error.code == "abi-mismatch"
    assert error.cause == (
        "A compiled package was made for another numpy than the one that is installed "
        f"(abi-mismatch; the cloud says `{CRASHED}`). The scoring script could not be imported. "
        "ValueError: numpy.dtype size changed, may indicate binary incompatibility. "
        "Expected 96 from C header, got 88 from PyObject"
    )
    assert error.remedy == "Pin `numpy<2`, or raise the other packages."
    assert error.details[0] == "Traceback (most recent call last):"
    assert error.details[-1] == "The server ended with exit code 3."


def test_a_server_that_fails_itself_is_not_called_a_script() -> None:
    (log,) = (entry["log"] for entry in LOGS if entry["name"] == "server: flask==1.0.4")

    assert ended_before_ready(log, "score.py", 1).cause == (
        "A pinned package is of another release than the inference server takes (server-conflict; "
        f"the cloud says `{CRASHED}`). The server failed. "
        "ImportError: cannot import name 'Markup' from 'jinja2' "
        "(/opt/env/lib/python3.10/site-packages/jinja2/__init__.py)"
    )
