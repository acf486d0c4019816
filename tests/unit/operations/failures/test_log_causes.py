"""What `get-logs` says of a log's causes after it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.engine import Silent

from localep.operations.create import CreateOptions, create
from localep.operations.failures.logs import (
    RequestNotes,
    causes_in_log,
    first_hidden_line,
    with_word_of_logs,
)
from localep.operations.failures.traffic import Recognised
from localep.operations.logs import get_logs
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle

HERE = Path(__file__).parent
STARTS = yaml.safe_load((HERE / "run_logs.yml").read_text(encoding="utf-8"))
HIDDEN = (
    "logs-dropped: line 5 of score.py logs what the server does not show. Add a logging.json to "
    "the folder of the script, or use `print`."
)
SCRIPT = b"""import logging

def init():
    global model
    logging.info("loaded")

def run(raw_data): ...
"""


def read(name: str) -> str:
    return HERE.joinpath("logs", f"{name}.log").read_text(encoding="utf-8")


def test_every_cause_is_named_once_with_how_often_it_was_met() -> None:
    assert causes_in_log(read("requests")) == [
        "worker-timeout, once in this log: A request takes longer than the server lets a worker "
        "be. Split the work.",
        "native-crash, 2 times in this log: A worker ended with exit code 5. "
        "Look for os._exit in the script and in what it imports.",
        "not-serialisable, 4 times in this log: run() returned date, which is not JSON. "
        "Convert it, for instance with `.tolist()`.",
        "run-raises, 2 times in this log: run() raises an error. Correct what the traceback names.",
    ]
    assert causes_in_log(read("schema")) == [
        "input-shape, once in this log: The request has not the form that run() is decorated "
        "with. Change the body of the request.",
        "run-raises, once in this log: run() raises an error. Correct what the traceback names.",
    ]


def test_a_start_by_the_liveness_probe_is_told_and_nothing_that_follows_from_it() -> None:
    assert causes_in_log(read("liveness_restart")) == [
        "probe-starved, once in this log: The liveness probe failed, and the container was "
        "started anew. Raise WORKER_COUNT, or the probe's timeout."
    ]


def test_a_server_that_is_not_ready_again_is_told() -> None:
    (log,) = (entry["log"] for entry in STARTS if entry["name"] == "module: sklearn")

    assert causes_in_log(log) == [
        "import-error, once in this log: The script imports a package that the environment "
        "lacks. Add scikit-learn to the list under `pip:` in the conda file."
    ]


def test_a_model_of_another_version_is_told() -> None:
    # As scikit-learn 1.6.1 wrote it.
    warning = (
        "/opt/env/lib/python3.11/site-packages/sklearn/base.py:380: InconsistentVersionWarning: "
        "Trying to unpickle estimator LogisticRegression from version 1.0.2 when using version "
        "1.6.1. This might lead to breaking code or invalid results. Use at your own risk.\n"
    )

    assert causes_in_log(warning * 2 + read("stopped_when_ready")) == [
        "unpickle-version, once in this log: A model was saved by scikit-learn 1.0.2, and 1.6.1 "
        "has loaded it. Pin the versions that the model was trained with."
    ]


def test_a_server_at_work_has_no_cause() -> None:
    assert causes_in_log(read("stopped_when_ready")) == []
    assert causes_in_log("") == []


RAISED = Recognised("run-raises", "The container answered 500 to 7 requests.", "Correct it.")
CRASHED = Recognised("native-crash", "One request ended with its process.", "Look for it.")
REFUSED = Recognised("auth", "1 request had no valid key or token.", "Send a key.")


def test_of_failures_in_the_container_the_logs_know_more() -> None:
    found = with_word_of_logs([CRASHED, RAISED, REFUSED], [read("requests"), ""])

    assert found[:3] == [CRASHED, RAISED, REFUSED]
    assert [(one.id, one.evidence) for one in found[3:]] == [
        (
            "worker-timeout",
            "By the logs, once: A request takes longer than the server lets a worker be.",
        ),
        ("not-serialisable", "By the logs, 4 times: run() returned date, which is not JSON."),
    ]
    assert found[3].remedy == "Split the work."


def test_what_the_logs_explain_otherwise_is_not_guessed() -> None:
    _, _, last = read("requests").partition("asked sleep")

    (timed_out,) = with_word_of_logs([CRASHED], [last])

    assert timed_out.id == "worker-timeout"


def test_a_request_that_ended_with_its_container_is_no_crash() -> None:
    starved = Recognised("probe-starved", "The liveness probe failed.", "Raise WORKER_COUNT.")

    assert with_word_of_logs([CRASHED, starved], [read("liveness_restart")]) == [starved]


@pytest.mark.parametrize("known", [[], [REFUSED], [RAISED, REFUSED]])
def test_where_logs_tell_nothing_the_gateway_has_the_word(known: list[Recognised]) -> None:
    assert with_word_of_logs(known, [read("stopped_when_ready")]) == known


def test_no_log_is_read_where_no_request_failed_in_the_container() -> None:
    logs = (read(name) for name in ["there is none"])

    assert with_word_of_logs([REFUSED], logs) == [REFUSED]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (SCRIPT, 5),
        (b"import logging as l\nl.info('x')\n", None),
        (b"import logging\nlog = logging.getLogger('x')\ndef run(d):\n    log.debug(d)\n", 4),
        (b"from logging import getLogger\nlog = getLogger()\nlog.info('x')\n", 3),
        (b"import logging\nlogging.warning('x')\n", None),
        (b"import logging\nlogging.basicConfig(level=20)\nlogging.info('x')\n", None),
        (b"import logging\nlogging.getLogger().addHandler(h)\nlogging.info('x')\n", None),
        (b"other.info('x')\n", None),
        (b"def run(:\n", None),
        (b"\0", None),
        (b"", None),
    ],
)
def test_the_first_line_that_logs_in_vain_is_found(source: bytes, line: int | None) -> None:
    assert first_hidden_line(source) == line


def test_a_request_that_fails_is_named_as_the_log_goes_by() -> None:
    requests = RequestNotes()

    noted = [note for line in read("requests").splitlines() if (note := requests.note(line))]

    assert [note.partition(":")[0] for note in noted] == [
        *["not-serialisable"] * 4,
        "run-raises",
        "native-crash",
        "run-raises",
        "native-crash",
        "worker-timeout",
    ]
    assert noted[0] == (
        "not-serialisable: run() returned date, which is not JSON. "
        "Convert it, for instance with `.tolist()`."
    )


@pytest.mark.parametrize("log", ["workers_exit", "workers_crash", "init_raises_from_another_error"])
def test_of_a_start_that_fails_nothing_is_named_as_it_goes_by(log: str) -> None:
    requests = RequestNotes()

    assert not any(requests.note(line) for line in read(log).splitlines())


class Listener(Silent):
    """Keeps what is noted."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


@pytest.fixture
def shown(
    place: Workplace,
    load: Callable[..., Bundle],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., list[str]]:
    """What `get-logs` notes of an endpoint whose container has this log and these files."""
    create(place, load("endpoint.yml", "deployment.yml"), CreateOptions(port=8085))
    listener = Listener()
    heard = replace(place, reporter=listener)
    (container,) = place.engine.list_containers(place.names.labels(role="deployment"))
    spec: dict[str, Any] = json.loads(container.labels["localep.spec"])

    def show(log: bytes, files: dict[str, bytes], *, follow: bool = False) -> list[str]:
        def logs(_: str, *, lines: int, follow: bool) -> Iterator[bytes]:
            yield log[:9]
            yield log[9:]

        def copy_out(_: str, path: str) -> bytes | None:
            return files.get(path.removeprefix(f"{spec['code_folder']}/"))

        monkeypatch.setattr(place.engine, "logs", logs)
        monkeypatch.setattr(place.engine, "copy_out", copy_out)
        chunks = get_logs(heard, "hello", None, lines=100, follow=follow)
        assert b"".join(chunks) == log
        return listener.notes

    return show


def test_the_log_comes_first_and_the_notes_after_it(shown: Callable[..., list[str]]) -> None:
    log = read("schema").encode()

    notes = shown(log, {"score.py": SCRIPT})

    assert notes == [*causes_in_log(log.decode()), HIDDEN]


def test_with_a_logging_json_the_scripts_log_is_shown(shown: Callable[..., list[str]]) -> None:
    assert shown(b"", {"score.py": SCRIPT, "logging.json": b"{}"}) == []


def test_who_follows_a_log_gets_no_notes(shown: Callable[..., list[str]]) -> None:
    assert shown(read("schema").encode(), {"score.py": SCRIPT}, follow=True) == []
