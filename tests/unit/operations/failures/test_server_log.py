"""What the inference server's log says of a failure.

The logs beside this file are those of azureml-inference-server-http 1.5.1 and gunicorn 27.0.1.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from localep.operations.failures.server_log import (
    ScriptFailure,
    crash_report,
    ends_by_probe,
    script_failure,
    script_output,
    script_stage,
    worker_deaths,
)

TRACEBACK = "Traceback (most recent call last):"
CAUSED = "The above exception was the direct cause of the following exception:"
MEANWHILE = "During handling of the above exception, another exception occurred:"


def read(name: str) -> str:
    return Path(__file__).with_name("logs").joinpath(f"{name}.log").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("log", "failure"),
    [
        pytest.param(
            "init_raises_from_another_error",
            ScriptFailure(
                "init() failed.",
                "RuntimeError: model is not there",
                (
                    TRACEBACK,
                    '  File "/var/azureml-app/code/helper.py", line 4, in load',
                    '    open("/no/such/"+p)',
                    "FileNotFoundError: [Errno 2] No such file or directory: '/no/such/x'",
                    "",
                    CAUSED,
                    "",
                    TRACEBACK,
                    '  File "/var/azureml-app/code/init.py", line 3, in init',
                    '    helper.load("x")',
                    '  File "/var/azureml-app/code/helper.py", line 6, in load',
                    '    raise RuntimeError("model is not there") from e',
                    "RuntimeError: model is not there",
                ),
            ),
            id="an error that another one caused",
        ),
        pytest.param(
            "init_raises_while_handling_an_error",
            ScriptFailure(
                "init() failed.",
                "ValueError: invalid literal for int() with base 10: 'x'",
                (
                    TRACEBACK,
                    '  File "/var/azureml-app/code/during.py", line 3, in init',
                    '    {}["model"]',
                    "    ~~^^^^^^^^^",
                    "KeyError: 'model'",
                    "",
                    MEANWHILE,
                    "",
                    TRACEBACK,
                    '  File "/var/azureml-app/code/during.py", line 5, in init',
                    '    int("x")',
                    "ValueError: invalid literal for int() with base 10: 'x'",
                ),
            ),
            id="an error in the handling of another",
        ),
        pytest.param(
            "init_calls_sys_exit",
            ScriptFailure(
                "init() failed.",
                "SystemExit: 4",
                (
                    TRACEBACK,
                    '  File "/var/azureml-app/code/sysexit.py", line 2, in init',
                    "    def init(): sys.exit(4)",
                    "                ^^^^^^^^^^^",
                    "SystemExit: 4",
                ),
            ),
            id="sys.exit",
        ),
        pytest.param(
            "init_raises_without_a_message",
            ScriptFailure(
                "init() failed.",
                "RuntimeError",
                (
                    TRACEBACK,
                    '  File "/var/azureml-app/code/nested.py", line 2, in init',
                    "    f()",
                    '  File "/var/azureml-app/code/nested.py", line 4, in f',
                    "    raise RuntimeError()",
                    "RuntimeError",
                ),
            ),
            id="an error without a message",
        ),
        pytest.param(
            "init_raises_with_several_lines",
            ScriptFailure(
                "init() failed.",
                "ValueError: first line",
                (
                    TRACEBACK,
                    '  File "/var/azureml-app/code/multi.py", line 3, in init',
                    '    raise ValueError("first line\\nsecond line: more\\n\\n  third")',
                    "ValueError: first line",
                    "second line: more",
                    "",
                    "  third",
                ),
            ),
            id="an error whose message has several lines",
        ),
        pytest.param(
            "init_raises_in_four_workers",
            ScriptFailure(
                "init() failed.",
                "RuntimeError",
                (
                    TRACEBACK,
                    '  File "/var/azureml-app/code/nested.py", line 2, in init',
                    "    f()",
                    '  File "/var/azureml-app/code/nested.py", line 4, in f',
                    "    raise RuntimeError()",
                    "RuntimeError",
                ),
            ),
            id="the same error in four workers, and the server stumbles over them",
        ),
        pytest.param(
            "init_raises_and_the_server_stops_the_others",
            ScriptFailure(
                "init() failed.",
                "RuntimeError",
                (
                    TRACEBACK,
                    '  File "/var/azureml-app/code/nested.py", line 2, in init',
                    "    f()",
                    '  File "/var/azureml-app/code/nested.py", line 4, in f',
                    "    raise RuntimeError()",
                    "RuntimeError",
                ),
            ),
            id="the same error in four workers that the server stops",
        ),
        pytest.param(
            "import_misses_a_module",
            ScriptFailure(
                "The scoring script could not be imported.",
                "ModuleNotFoundError: No module named 'not_there_at_all'",
                (
                    TRACEBACK,
                    '  File "/var/azureml-app/code/importerr.py", line 1, in <module>',
                    "    import not_there_at_all",
                    "ModuleNotFoundError: No module named 'not_there_at_all'",
                ),
            ),
            id="a missing module",
        ),
        pytest.param(
            "import_raises",
            ScriptFailure(
                "The scoring script could not be imported.",
                "ValueError: invalid literal for int() with base 10: 'seven'",
                (
                    TRACEBACK,
                    '  File "/var/azureml-app/code/top.py", line 1, in <module>',
                    '    VALUE = int("seven")',
                    "            ^^^^^^^^^^^^",
                    "ValueError: invalid literal for int() with base 10: 'seven'",
                ),
            ),
            id="an error at the top of the script",
        ),
        pytest.param(
            "syntax_error",
            ScriptFailure(
                "The scoring script could not be imported.",
                "SyntaxError: invalid syntax",
                (
                    TRACEBACK,
                    '  File "/var/azureml-app/code/syntax.py", line 1',
                    "    def init(:",
                    "             ^",
                    "SyntaxError: invalid syntax",
                ),
            ),
            id="a syntax error",
        ),
        pytest.param(
            "syntax_error_in_a_helper",
            ScriptFailure(
                "The scoring script could not be imported.",
                "SyntaxError: expected ':'",
                (
                    TRACEBACK,
                    '  File "/var/azureml-app/code/syshelp.py", line 1, in <module>',
                    "    import broken",
                    '  File "/var/azureml-app/code/broken.py", line 2',
                    "    if x",
                    "        ^",
                    "SyntaxError: expected ':'",
                ),
            ),
            id="a syntax error in what the script imports",
        ),
        pytest.param(
            "run_is_missing",
            ScriptFailure(
                "The scoring script is not complete.",
                "User script at /var/azureml-app/code/norun.py does not have a run() function "
                "defined.",
                (),
            ),
            id="no run()",
        ),
        pytest.param(
            "run_takes_any_arguments",
            ScriptFailure(
                "The scoring script is not complete.",
                "run() cannot accept positional-only arguments, *args, or **kwargs.",
                (),
            ),
            id="a run() that the server cannot call",
        ),
        pytest.param(
            "init_prints_a_traceback_and_raises",
            ScriptFailure(
                "init() failed.",
                "RuntimeError: no licence",
                (
                    TRACEBACK,
                    '  File "/var/azureml-app/code/printed.py", line 8, in init',
                    '    raise RuntimeError("no licence")',
                    "RuntimeError: no licence",
                ),
            ),
            id="a traceback that the script printed before",
        ),
        pytest.param(
            "init_raises_and_a_thread_later",
            ScriptFailure(
                "init() failed.",
                "RuntimeError: no licence",
                (
                    TRACEBACK,
                    '  File "/var/azureml-app/code/thread.py", line 5, in init',
                    '    raise RuntimeError("no licence")',
                    "RuntimeError: no licence",
                ),
            ),
            id="a thread that dies after init",
        ),
        pytest.param("workers_exit", None, id="os._exit"),
        pytest.param("workers_are_killed", None, id="killed for memory"),
        pytest.param("workers_crash", None, id="a crash"),
        pytest.param("stopped_when_ready", None, id="no failure"),
        pytest.param(
            "init_prints_a_traceback_and_goes_on", None, id="a traceback that was printed alone"
        ),
    ],
)
def test_the_failure_is_the_scripts_own(log: str, failure: ScriptFailure | None) -> None:
    assert script_failure(read(log)) == failure


def test_of_a_group_of_errors_the_group_is_told_without_the_servers_frames() -> None:
    failure = script_failure(read("init_raises_a_group"))

    assert failure is not None
    assert failure.stage == "init() failed."
    assert failure.error == "ExceptionGroup: two went wrong (2 sub-exceptions)"
    assert [line for line in failure.traceback if "azureml_inference_server_http" in line] == []


@pytest.mark.parametrize(
    ("log", "deaths"),
    [
        ("workers_exit", ["exit code 7"] * 3),
        ("workers_are_killed", ["SIGKILL"] * 3),
        ("workers_crash", ["SIGSEGV"] * 3),
        ("workers_exit_silently", ["exit code 0"] * 3),
        ("liveness_restart", ["SIGKILL"]),
        ("init_calls_sys_exit", ["exit code 3"]),
        ("syntax_error", ["exit code 3"]),
    ],
)
def test_every_worker_that_died_is_counted(log: str, deaths: list[str]) -> None:
    assert worker_deaths(read(log)) == deaths


@pytest.mark.parametrize(
    ("log", "deaths"),
    [
        ("stopped_when_ready", []),
        ("init_raises_and_the_server_stops_the_others", ["exit code 3"]),
    ],
)
def test_workers_that_the_server_itself_stops_did_not_die(log: str, deaths: list[str]) -> None:
    assert worker_deaths(read(log)) == deaths


def test_the_workers_of_each_start_are_counted_by_themselves() -> None:
    restarted, silent = read("liveness_restart"), read("workers_exit_silently")
    # Where the last lines alone are read, they may begin within a start.
    _, _, tail = restarted.partition("\nWorker Count: 1\n")
    # What a server prints may come late where its output is buffered.
    late = silent.replace("Worker Count: 1\n", "") + "Worker Count: 1\n"

    assert worker_deaths(restarted + silent) == ["SIGKILL", *["exit code 0"] * 3]
    assert worker_deaths(silent + restarted) == [*["exit code 0"] * 3, "SIGKILL"]
    assert worker_deaths(tail) == ["SIGKILL"]
    assert worker_deaths(late) == ["exit code 0"] * 3


def test_a_worker_that_has_served_its_number_of_requests_did_not_die() -> None:
    log = read("workers_exit_silently")
    again = "2026-11-21 12:00:00,000 I [7] gunicorn.error - Autorestarting worker after current "

    assert worker_deaths(f"{log}{again}request.\n") == ["exit code 0"] * 2


def test_what_the_liveness_probe_has_ended_is_counted() -> None:
    assert ends_by_probe(read("liveness_restart") * 2) == 2
    assert ends_by_probe(read("workers_are_killed")) == 0


@pytest.mark.parametrize("log", ["", "\n", "Initializing logger\n", "Traceback\n"])
def test_a_log_without_a_traceback_tells_of_no_failure(log: str) -> None:
    assert script_failure(log) is None
    assert worker_deaths(log) == []


@pytest.mark.parametrize(
    ("log", "stage"),
    [
        ("import_raises", "import"),
        ("run_is_missing", "import"),
        ("init_calls_sys_exit", "init()"),
        ("workers_exit", "init()"),
        ("workers_exit_silently", "init()"),
        ("stopped_when_ready", "ready"),
    ],
)
def test_the_stage_is_that_of_the_last_worker_that_came_to_the_script(log: str, stage: str) -> None:
    assert script_stage(read(log)) == stage


def test_a_server_that_is_only_starting_is_at_no_stage() -> None:
    log = read("stopped_when_ready")

    assert script_stage("") is None
    assert script_stage(log[: log.index("Initializing logger")]) is None


@pytest.mark.parametrize(
    ("log", "output"),
    [
        pytest.param("stopped_when_ready", ["ready"], id="printed"),
        pytest.param("init_raises_without_a_message", [], id="nothing"),
        pytest.param("import_raises", [], id="nothing but the server's"),
        pytest.param(
            "workers_exit_silently",
            [
                "loading",
                "the weights",
                "/var/azureml-app/code/quiet.py:6: UserWarning: old format",
                '  warnings.warn("old format")',
                "on stderr",
            ],
            id="the last worker's, on stdout and stderr",
        ),
        pytest.param(
            "init_prints_a_traceback_and_raises",
            [
                TRACEBACK,
                '  File "/var/azureml-app/code/printed.py", line 4, in init',
                '    {}["model"]',
                "    ~~^^^^^^^^^",
                "KeyError: 'model'",
                "going on without it",
            ],
            id="a traceback that it printed, not the one that ended it",
        ),
        pytest.param("workers_crash", [], id="a crash is no output"),
    ],
)
def test_the_output_is_the_scripts_own(log: str, output: list[str]) -> None:
    assert script_output(read(log)) == output


def test_a_record_of_the_scripts_own_logger_is_its_output() -> None:
    record = "2026-11-21 09:36:56,092 W [9] model.loader - slow disk\n"
    log = read("stopped_when_ready").replace("Initializing logger\n", record)

    assert script_output(log) == [record.strip(), "ready"]


def test_of_long_output_the_last_lines_are_told() -> None:
    many = "".join(f"line {number}\n" for number in range(100))
    log = read("stopped_when_ready").replace("Initializing logger\n", many)

    output = script_output(log)

    assert len(output) == 20
    assert output[-2:] == ["line 99", "ready"]


def test_a_crash_is_reported_without_the_servers_frames() -> None:
    assert crash_report(read("workers_crash")) == [
        "Fatal Python error: Segmentation fault",
        '  File "/var/azureml-app/code/segv.py", line 2 in init',
    ]
    assert crash_report(read("workers_exit")) == []


def test_a_log_that_breaks_off_in_a_traceback_tells_what_is_there() -> None:
    whole = read("init_raises_without_a_message")
    cut = whole[: whole.index("RuntimeError\n")]

    assert script_failure(cut) == ScriptFailure(
        "init() failed.",
        "",
        (
            TRACEBACK,
            '  File "/var/azureml-app/code/nested.py", line 2, in init',
            "    f()",
            '  File "/var/azureml-app/code/nested.py", line 4, in f',
            "    raise RuntimeError()",
        ),
    )
