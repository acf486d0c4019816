"""What is said of a server that ends, keeps dying, or does not answer in time.

The logs beside this file are those of azureml-inference-server-http 1.5.1 and gunicorn 27.0.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest
import requests

from localep.engine.base import Container, Engine, Usage
from localep.errors import DeploymentNotReady
from localep.operations.failures.starts import NOBODY_LISTENS
from localep.operations.layout import SERVER_ROUTES
from localep.operations.readiness import Patience, Probe, wait_until_ready
from localep.operations.sizes import GIB
from localep.spec.model import Route

MEMORY = (
    "The system ends what takes too much memory. Load less in init(), or give Docker more memory."
)
BINARY = "Look for a binary package that does not fit this Python or this processor."
EXIT = "Look for os._exit in the script and in what it imports."
CORRECT = "Correct score.py and try again."
LOGS = Path(__file__).parent / "failures" / "logs"

RUNNING = Container("1", "server", "image", "running", {})


@dataclass(frozen=True)
class Server:
    """A container with a log, as the engine would show it."""

    log: str
    found: Container | None = RUNNING
    needs: Usage | None = None

    def usage(self, _: str) -> Usage | None:
        return self.needs

    def inspect_container(self, _: str) -> Container | None:
        return self.found

    def logs(self, _: str, *, lines: int | None) -> Iterator[bytes]:
        yield self.log.encode()

    def execute(self, _: str, __: Sequence[str]) -> tuple[int, str]:
        return 0, ""


@dataclass(frozen=True)
class Door(Probe):
    """A probe that never reaches the server, or always does."""

    address: str = ""
    token: str = ""
    route: Route = SERVER_ROUTES.readiness_route
    answer: int | None = None

    def status(self, session: requests.Session) -> int | None:
        return self.answer


def read(name: str) -> str:
    return (LOGS / f"{name}.log").read_text(encoding="utf-8")


def failure(log: str, exit_code: int | None = None, timeout: float = 5.0) -> DeploymentNotReady:
    """The error of a server with this log, that runs or has ended."""
    server = Server(log)
    if exit_code is not None:
        server = Server(log, replace(RUNNING, status="exited", exit_code=exit_code))
    with pytest.raises(DeploymentNotReady) as caught:
        wait_until_ready(cast(Engine, server), "1", Door(), Patience(timeout), "score.py")
    assert caught.value.message == "The deployment did not get ready."
    return caught.value


def test_a_server_that_answers_is_ready() -> None:
    wait_until_ready(cast(Engine, Server("")), "1", Door(answer=200), Patience(5), "score.py")


@pytest.mark.parametrize(
    ("status", "headers", "told"),
    [
        (200, {}, 200),
        (200, {"x-localep-probe": "answered"}, 200),
        (404, {"x-localep-probe": "answered"}, 404),
        (503, {"x-localep-probe": "answered"}, 503),
        (503, {}, NOBODY_LISTENS),
        (504, {}, None),
    ],
)
def test_the_containers_answers_are_told_from_the_gateways(
    monkeypatch: pytest.MonkeyPatch, status: int, headers: dict[str, str], told: int | None
) -> None:
    asked: list[tuple[str, object]] = []

    def get(_: requests.Session, url: str, **options: object) -> requests.Response:
        asked.append((url, options["headers"]))
        answer = requests.Response()
        answer.status_code = status
        answer.headers.update(headers)
        return answer

    monkeypatch.setattr(requests.Session, "get", get)
    probe = Probe("http://127.0.0.1:8085", "token", Route(8501, "/ready"))

    assert probe.status(requests.Session()) == told
    assert asked == [("http://127.0.0.1:8085/ready", {"x-localep-probe": "token"})]


CRASHED = "the cloud says `User container has crashed or terminated: Liveness probe failed … 502`"


def test_a_container_that_somebody_removed_is_told() -> None:
    with pytest.raises(DeploymentNotReady) as caught:
        wait_until_ready(cast(Engine, Server("", None)), "1", Door(), Patience(5), "score.py")

    assert caught.value.message == "The deployment's container is gone."


@pytest.mark.parametrize(
    ("log", "cause", "remedy", "end"),
    [
        (
            "init_raises_without_a_message",
            "init() failed (init-raises; the cloud says `UserScriptInitFailed`). RuntimeError",
            CORRECT,
            ["RuntimeError", "The server ended with exit code 3."],
        ),
        (
            "init_prints_a_traceback_and_raises",
            "init() failed (init-raises; the cloud says `UserScriptInitFailed`). "
            "RuntimeError: no licence",
            CORRECT,
            [
                "      ~~^^^^^^^^^",
                "  KeyError: 'model'",
                "  going on without it",
                "The server ended with exit code 3.",
            ],
        ),
        (
            "syntax_error",
            "The scoring script could not be imported (syntax-error; the cloud says "
            "`syntax errors in scoring script`). SyntaxError: invalid syntax",
            "Correct the line and try again.",
            ["SyntaxError: invalid syntax", "The server ended with exit code 3."],
        ),
        (
            "import_misses_a_module",
            f"The scoring script could not be imported (import-error; {CRASHED}). "
            "ModuleNotFoundError: No module named 'not_there_at_all'",
            "Add the package that has not_there_at_all to the list under `pip:` in the conda "
            "file, or the module to the code folder.",
            ["The server ended with exit code 3."],
        ),
    ],
)
def test_a_traceback_comes_with_output_exit_code_and_remedy(
    log: str, cause: str, remedy: str, end: list[str]
) -> None:
    error = failure(read(log), exit_code=3)

    assert (error.cause, error.remedy) == (cause, remedy)
    assert list(error.details[-len(end) :]) == end


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (
            "FileNotFoundError: [Errno 2] No such file or directory: 'model.pkl'",
            "Start from AZUREML_MODEL_DIR for the model and from `__file__` for what lies beside "
            "the script.",
        ),
        ("MemoryError", "Load less in init(), or give Docker more memory."),
        ("TabError: inconsistent use of tabs", "Correct the line and try again."),
    ],
)
def test_the_remedy_is_that_of_the_error(error: str, remedy: str) -> None:
    log = read("init_raises_without_a_message").replace("\nRuntimeError\n", f"\n{error}\n")

    assert failure(log, exit_code=3).remedy == remedy


@pytest.mark.parametrize(
    ("log", "how", "remedy"),
    [
        ("workers_exit", "(exit code 7), without a message", EXIT),
        ("workers_exit_silently", "(exit code 0), without a message", EXIT),
        ("workers_are_killed", "(SIGKILL), without a message", MEMORY),
        ("workers_crash", "(SIGSEGV)", BINARY),
    ],
)
def test_a_worker_that_keeps_dying_is_given_up_with_a_guess_at_the_reason(
    log: str, how: str, remedy: str
) -> None:
    error = failure(read(log))

    assert error.code == "native-crash"
    assert error.cause == (
        f"Its server's worker died 3 times in a row in init() {how} (native-crash; {CRASHED})."
    )
    assert error.remedy == remedy


def test_a_worker_that_keeps_crashing_shows_where() -> None:
    assert failure(read("workers_crash")).details == (
        "Fatal Python error: Segmentation fault",
        '  File "/var/azureml-app/code/segv.py", line 2 in init',
    )


def test_a_worker_that_dies_twice_gets_another_chance() -> None:
    log = read("workers_exit")
    twice = log[: log.rindex("exited with code 7")]

    assert failure(twice, timeout=0.8).cause == (
        "It did not answer within 0.8 s; init() is still at work (init-too-slow)."
    )


def test_a_worker_that_ends_the_server_without_a_word_is_told() -> None:
    log = read("workers_exit")
    once = log[: log.index("exited with code 7")] + "exited with code 3.\n"

    error = failure(once, exit_code=3)

    assert error.cause == (
        "Its server's worker ended in init() with exit code 3, without a message "
        f"(native-crash; {CRASHED})."
    )
    assert (error.remedy, error.details) == (EXIT, ())


@pytest.mark.parametrize(
    ("exit_code", "ended", "remedy"),
    [
        (2, "exit code 2", "See the last lines of its log above."),
        (137, "SIGKILL", MEMORY),
        (139, "SIGSEGV", BINARY),
        (200, "exit code 200", "See the last lines of its log above."),
    ],
)
def test_of_a_container_that_ends_for_itself_the_log_is_shown(
    exit_code: int, ended: str, remedy: str
) -> None:
    error = failure("one\ntwo\n", exit_code=exit_code)

    assert (error.cause, error.remedy) == (f"Its container ended with {ended}.", remedy)
    assert error.details == ("one", "two")


LIMITED = replace(
    RUNNING, labels={"localep.spec": '{"instance_type": "Standard_F2s_v2"}'}, memory_limit=4 * GIB
)


def out_of_memory(server: Server, script: str | None = "score.py") -> DeploymentNotReady:
    with pytest.raises(DeploymentNotReady) as caught:
        wait_until_ready(cast(Engine, server), "1", Door(), Patience(0.8), script)
    return caught.value


def test_a_worker_that_the_kernel_ended_is_told_the_first_time() -> None:
    log = read("workers_are_killed")
    once = log[: log.index("SIGKILL") + len("SIGKILL!")]

    error = out_of_memory(Server(once, LIMITED, Usage(GIB, 1, 4 * GIB, 1)))

    assert error.cause == (
        "It was out of memory in init(): its limit is 4 GiB, its peak was 4 GiB, and the system "
        "ended a process of it (memory-at-start; the cloud says `OutOfQuota`)."
    )
    assert error.remedy == (
        "Take an instance type with more memory, such as Standard_DS2_v2 (7 GiB) or "
        "Standard_D2as_v4 (8 GiB) or Standard_DS3_v2 (14 GiB), or load less in init()."
    )


def test_workers_that_load_the_same_are_told_of() -> None:
    log = read("workers_are_killed").replace("Worker Count: 1", "Worker Count: 3")

    assert out_of_memory(Server(log, LIMITED, Usage(GIB, 1, None, 1))).remedy == (
        "Take an instance type with more memory, such as Standard_DS2_v2 (7 GiB) or "
        "Standard_D2as_v4 (8 GiB) or Standard_DS3_v2 (14 GiB), or load less in init(), or take "
        "fewer workers than 3 (WORKER_COUNT), each of which loads it."
    )


@pytest.mark.parametrize(
    ("limit", "cause", "remedy"),
    [
        (
            GIB // 2,
            "its limit is 512 MiB",
            "Standard_F2s_v2 has 4 GiB, which may do in the cloud; here give more with --memory, "
            "or load less in init().",
        ),
        (None, "the machine had no more", "Give Docker more memory, or load less in init()."),
        (
            6000 * GIB,
            "its limit is 6000 GiB",
            "No instance type has more memory: load less in init().",
        ),
    ],
)
@pytest.mark.parametrize("script", ["score.py", None])
def test_a_container_that_was_ended_for_want_of_memory_is_told(
    limit: int | None, cause: str, remedy: str, script: str | None
) -> None:
    ended = replace(LIMITED, status="exited", exit_code=137, oom_killed=True, memory_limit=limit)

    error = out_of_memory(Server("loading\n", ended), script)

    assert error.cause == (
        f"It was out of memory: {cause}, and the system ended a process of it "
        "(memory-at-start; the cloud says `OutOfQuota`)."
    )
    assert (error.remedy, error.details) == (remedy, ("loading",))


def test_a_server_that_waits_for_a_process_that_was_ended_is_told_at_the_time_out() -> None:
    error = out_of_memory(Server("", LIMITED, Usage(GIB, 1, 4 * GIB, 1)), None)

    assert error.cause is not None
    assert error.cause.startswith("It was out of memory: its limit is 4 GiB")


def test_a_worker_that_was_killed_by_somebody_else_was_not_out_of_memory() -> None:
    error = out_of_memory(Server(read("workers_are_killed"), LIMITED, Usage(GIB, 1, GIB, 0)))

    assert error.cause == (
        "Its server's worker died 3 times in a row in init() (SIGKILL), without a message "
        f"(native-crash; {CRASHED})."
    )


def own_servers_failure(server: Server, answer: int | None = None) -> DeploymentNotReady:
    """The error of a custom container that does not get ready."""
    door = Door(route=Route(8501, "/ready"), answer=answer)
    with pytest.raises(DeploymentNotReady) as caught:
        wait_until_ready(cast(Engine, server), "1", door, Patience(0.05), None)
    assert caught.value.message == "The deployment did not get ready."
    return caught.value


@pytest.mark.parametrize(
    ("answer", "code", "cause", "remedy"),
    [
        (
            None,
            "route-not-200",
            "GET /ready at port 8501 did not answer",
            "Give it more time with --timeout, or correct `readiness_route`.",
        ),
        (
            404,
            "route-not-200",
            "GET /ready at port 8501 answered 404",
            "Give it more time with --timeout, or correct `readiness_route`.",
        ),
        (
            503,
            "route-not-200",
            "GET /ready at port 8501 answered 503",
            "Give it more time with --timeout, or correct `readiness_route`.",
        ),
        (
            NOBODY_LISTENS,
            "port-mismatch",
            "GET /ready at port 8501 found nobody who listens there",
            "Correct the port of `readiness_route` under `inference_config`, and have the server "
            "listen on every address (0.0.0.0).",
        ),
    ],
)
def test_at_the_time_out_of_a_custom_container_its_route_is_told(
    answer: int | None, code: str, cause: str, remedy: str
) -> None:
    error = own_servers_failure(Server("one\ntwo\n"), answer)

    assert error.cause == f"Within 0.05 s, {cause} ({code}; {CRASHED})."
    assert (error.code, error.remedy) == (code, remedy)
    assert error.details == ("one", "two")


def test_of_a_custom_container_that_ends_the_log_is_shown() -> None:
    # What would be a failure of the inference server is no more than a log here.
    log = read("init_raises_without_a_message")
    server = Server(log, replace(RUNNING, status="exited", exit_code=3))

    error = own_servers_failure(server)

    assert error.cause == f"Its container ended with exit code 3 (entrypoint; {CRASHED})."
    assert (error.code, error.remedy) == ("entrypoint", "See the last lines of its log above.")
    assert error.details == tuple(log.splitlines()[-30:])


def test_of_a_custom_container_that_ends_without_a_word_the_catalogue_tells_what_to_do() -> None:
    error = own_servers_failure(Server("", replace(RUNNING, status="exited", exit_code=0)))

    assert error.cause == f"Its container ended with exit code 0 (entrypoint; {CRASHED})."
    assert error.remedy == "Let the image run one process that does not end."


def test_of_a_custom_container_its_log_tells_what_it_lacks() -> None:
    log = "ImportError: libGL.so.1: cannot open shared object file: No such file or directory\n"

    error = own_servers_failure(Server(log, replace(RUNNING, status="exited", exit_code=1)))

    assert error.cause == (
        f"The image lacks the system's library libGL.so.1 (native-library; {CRASHED}). "
        "Its container ended with exit code 1."
    )
    assert (error.code, error.details) == ("native-library", (log.rstrip(),))


@pytest.mark.parametrize(
    ("log", "up_to", "still", "details"),
    [
        (
            "stopped_when_ready",
            "Users's init has",
            "init() is still at work (init-too-slow)",
            ["  ready"],
        ),
        (
            "stopped_when_ready",
            "Found user script",
            "the scoring script is still being imported (init-too-slow)",
            [],
        ),
        ("stopped_when_ready", "Worker exiting", "the server is up, but busy", ["  ready"]),
    ],
)
def test_at_the_time_out_it_is_told_how_far_the_server_is(
    log: str, up_to: str, still: str, details: list[str]
) -> None:
    text = read(log)
    text = text[: text.rindex("\n", 0, text.index(up_to)) + 1]

    error = failure(text, timeout=0.05)

    assert error.cause == f"It did not answer within 0.05 s; {still}."
    assert error.remedy == "Give it more time with --timeout, or make init() faster."
    assert list(error.details) == (["Last lines of its output:", *details] if details else [])


def test_at_the_time_out_of_a_server_that_has_not_come_up_the_log_is_shown() -> None:
    error = failure("one\ntwo\n", timeout=0.05)

    assert error.cause == "It did not answer within 0.05 s; the server has not come up."
    assert error.details == ("one", "two")
