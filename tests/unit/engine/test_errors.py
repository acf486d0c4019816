from __future__ import annotations

import docker.errors
import pytest
import requests
import requests.exceptions
import urllib3.exceptions

from localep.engine.errors import (
    engine_errors,
    is_conflict,
    is_not_found,
    pull_failed,
    unreachable,
)
from localep.errors import (
    DiskFull,
    EngineError,
    NameTaken,
    NetworkMissing,
    PortTaken,
    PullFailed,
    PullReason,
    UsageError,
)
from localep.exit_codes import ExitCode

FREE_SPACE = "Free disk space, for example with `docker system prune`."
NAME = "Another command may be at work on the same endpoint; look with `localep list`."
NETWORKS = "Remove networks that nobody uses: `docker network prune`."
PORT = "Choose another with --port, or leave it out."
SEE_LOG = "See the engine's own log for more."
START = "Start Docker, or point DOCKER_HOST at an engine that runs."


def refused(status: int, explanation: str | None) -> docker.errors.APIError:
    response = requests.Response()
    response.status_code = status
    response.reason = {404: "Not Found", 409: "Conflict"}.get(status, "Internal Server Error")
    response.url = "http+docker://localhost/v1.47/containers/create"
    return docker.errors.APIError("an HTTP error", response=response, explanation=explanation)


def translated(error: Exception) -> EngineError:
    with pytest.raises(EngineError) as caught, engine_errors("start a container"):
        raise error
    assert caught.value.__cause__ is error
    assert caught.value.exit_code is ExitCode.ENGINE
    return caught.value


@pytest.mark.parametrize(
    ("status", "message", "kind", "remedy"),
    [
        pytest.param(
            409,
            'Conflict. The container name "/localep-a" is already in use by container "0123abcd". '
            "You have to remove (or rename) that container to be able to reuse that name.",
            NameTaken,
            NAME,
            id="name",
        ),
        pytest.param(
            500,
            "driver failed programming external connectivity on endpoint localep-a (0123): "
            "Bind for 127.0.0.1:5001 failed: port is already allocated",
            PortTaken,
            PORT,
            id="port of another container",
        ),
        pytest.param(
            500,
            "failed to set up container networking: driver failed programming external "
            "connectivity on endpoint localep-a (0123): Bind for 127.0.0.1:5001 failed: "
            "port is already allocated",
            PortTaken,
            PORT,
            id="port of another container, Docker 28",
        ),
        pytest.param(
            500,
            "driver failed programming external connectivity on endpoint localep-a (0123): Error "
            "starting userland proxy: listen tcp4 127.0.0.1:5001: bind: address already in use",
            PortTaken,
            PORT,
            id="port of a process",
        ),
        pytest.param(
            500,
            "failed to set up container networking: driver failed programming external "
            "connectivity on endpoint localep-a (0123): failed to bind host port for "
            "127.0.0.1:5001:172.18.0.2:5001/tcp: address already in use",
            PortTaken,
            PORT,
            id="port of a process, Docker 28",
        ),
        pytest.param(
            500,
            "driver failed programming external connectivity on endpoint localep-a (0123): Error "
            "starting userland proxy: listen tcp4 8.8.8.8:5001: bind: cannot assign requested "
            "address",
            EngineError,
            "Give --host an address of this machine, such as 127.0.0.1 or 0.0.0.0.",
            id="address of another machine",
        ),
        pytest.param(
            404,
            "network localep not found",
            NetworkMissing,
            "Another command removed it; try again.",
            id="network that was removed",
        ),
        pytest.param(
            500,
            "ports are not available: exposing port TCP 127.0.0.1:5001 -> 127.0.0.1:0: listen tcp "
            "127.0.0.1:5001: bind: permission denied",
            PortTaken,
            PORT,
            id="port under Docker Desktop",
        ),
        pytest.param(
            500,
            "Ports are not available: exposing port TCP 0.0.0.0:5001 -> 0.0.0.0:0: listen tcp "
            "0.0.0.0:5001: bind: Only one usage of each socket address (protocol/network "
            "address/port) is normally permitted.",
            PortTaken,
            PORT,
            id="port under Docker Desktop, capital",
        ),
        pytest.param(
            500,
            "write /var/lib/docker/tmp/docker-import-1/root.tar: no space left on device",
            DiskFull,
            FREE_SPACE,
            id="disk",
        ),
        pytest.param(
            500,
            "could not find an available, non-overlapping IPv4 address pool among the defaults to "
            "assign to the network",
            EngineError,
            NETWORKS,
            id="networks",
        ),
        pytest.param(
            400,
            "all predefined address pools have been fully subnetted",
            EngineError,
            NETWORKS,
            id="networks, Docker 27",
        ),
        pytest.param(
            500,
            "unknown or invalid runtime name: nvidia",
            EngineError,
            SEE_LOG,
            id="another",
        ),
    ],
)
def test_a_refusal_becomes_an_error_of_its_kind_with_a_remedy(
    status: int, message: str, kind: type[EngineError], remedy: str
) -> None:
    error = translated(refused(status, f"{message}\nand more"))

    assert type(error) is kind
    assert error.message == "The Docker engine could not start a container."
    assert error.cause == (message if message.endswith(".") else f"{message}.")
    assert error.remedy == remedy
    assert error.details == ()


def test_a_refusal_without_an_explanation_shows_what_docker_says() -> None:
    error = translated(refused(500, None))

    assert type(error) is EngineError
    assert error.cause == (
        "500 Server Error for http+docker://localhost/v1.47/containers/create: "
        "Internal Server Error."
    )
    assert error.remedy == SEE_LOG


def test_a_refusal_that_says_nothing_says_so() -> None:
    error = translated(docker.errors.APIError("", explanation=" \n"))

    assert error.cause == "It gave no reason."


@pytest.mark.parametrize(
    "error",
    [
        requests.exceptions.ReadTimeout(
            "UnixHTTPConnectionPool(host='localhost', port=None): Read timed out."
        ),
        requests.exceptions.ConnectionError("('Connection aborted.', BrokenPipeError(32, 'x'))"),
        requests.exceptions.ChunkedEncodingError("Response ended prematurely"),
        urllib3.exceptions.ProtocolError("Connection broken: IncompleteRead(0 bytes read)"),
        ConnectionResetError(104, "Connection reset by peer"),
    ],
)
def test_a_broken_connection_is_an_error_of_the_engine(error: Exception) -> None:
    seen = translated(error)

    assert type(seen) is EngineError
    assert seen.message == "The Docker engine could not start a container."
    assert seen.cause == "The connection to it broke."
    assert seen.remedy == "See with `docker info` that it runs, then try again."


def test_an_engine_that_goes_away_is_unreachable() -> None:
    error = translated(
        docker.errors.DockerException(
            "Error while fetching server API version: ('Connection aborted.', "
            "FileNotFoundError(2, 'No such file or directory'))"
        )
    )

    assert error.message == "No Docker engine answers."
    assert error.cause == "None listens here."


def test_localep_s_own_errors_and_bugs_pass_as_they_are() -> None:
    for error in (UsageError("It cannot be."), PullFailed("No."), ValueError("a bug")):
        with pytest.raises(type(error)) as caught, engine_errors("start a container"):
            raise error
        assert caught.value is error


@pytest.mark.parametrize(
    ("text", "message", "cause", "remedy"),
    [
        pytest.param(
            "Error while fetching server API version: ('Connection aborted.', "
            "PermissionError(13, 'Permission denied'))",
            "The Docker engine may not be used.",
            "This user has no permission on the engine's socket.",
            "Join the group docker (`sudo usermod -aG docker $USER`, then log in again).",
            id="permission",
        ),
        pytest.param(
            "Error while fetching server API version: ('Connection aborted.', "
            "FileNotFoundError(2, 'No such file or directory'))",
            "No Docker engine answers.",
            "None listens here.",
            START,
            id="no socket",
        ),
        pytest.param(
            "Error while fetching server API version: ('Connection aborted.', "
            "ConnectionRefusedError(111, 'Connection refused'))",
            "No Docker engine answers.",
            "None listens here.",
            START,
            id="nobody at the socket",
        ),
        pytest.param(
            "Error while fetching server API version: HTTPConnectionPool(host='127.0.0.1', "
            "port=2375): Max retries exceeded with url: /version (Caused by NewConnectionError("
            "'Failed to establish a new connection: [Errno 111] Connection refused'))",
            "No Docker engine answers.",
            "None listens here.",
            START,
            id="nobody at the port",
        ),
        pytest.param(
            "Error while fetching server API version: HTTPSConnectionPool(host='build.example.com',"
            " port=2376): Read timed out.\nand more",
            "No Docker engine answers.",
            "Error while fetching server API version: HTTPSConnectionPool("
            "host='build.example.com', port=2376): Read timed out.",
            START,
            id="another",
        ),
        pytest.param(
            "Invalid bind address format: engine",
            "No Docker engine answers.",
            "Invalid bind address format: engine.",
            START,
            id="address",
        ),
    ],
)
def test_why_no_engine_is_reached_is_told_with_what_to_do(
    text: str, message: str, cause: str, remedy: str
) -> None:
    error = unreachable(docker.errors.DockerException(text))

    assert type(error) is EngineError
    assert (error.message, error.cause, error.remedy) == (message, cause, remedy)


NO_SUCH_IMAGE = "The registry has no such image, or hides it from those who are not logged in."
LOGIN = "The registry asks for a login."
PLATFORM = "It is there for another platform only."
OTHER_PLATFORMS = "The registry has it for other platforms only."
NO_ANSWER = "Its registry did not answer."


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (
            "manifest for example.com/model:9 not found: manifest unknown: manifest unknown",
            NO_SUCH_IMAGE,
        ),
        (
            'failed to resolve reference "registry.example/library/model:9": '
            "registry.example/library/model:9: not found",
            NO_SUCH_IMAGE,
        ),
        (
            "pull access denied for model, repository does not exist or may require 'docker "
            "login': denied: requested access to the resource is denied",
            NO_SUCH_IMAGE,
        ),
        (
            'Head "https://example.com/v2/model/manifests/9": unauthorized: authentication '
            "required, visit https://aka.ms/acr/authorization for more information",
            LOGIN,
        ),
        ('Head "https://other.example/v2/org/model/manifests/9": denied: denied', LOGIN),
        ('Head "http://127.0.0.1:5000/v2/org/model/manifests/9": no basic auth credentials', LOGIN),
        (
            "image with reference example.com/model:9 was found but does not match the specified "
            "platform: wanted linux/amd64, actual: linux/arm64",
            PLATFORM,
        ),
        (
            "no matching manifest for linux/amd64 in the manifest list entries",
            OTHER_PLATFORMS,
        ),
        (
            "failed to authorize: failed to fetch anonymous token: unexpected status from GET "
            "request to https://other.example/token?service=other.example: 401 Unauthorized",
            LOGIN,
        ),
        (
            'Get "https://registry.example/v2/": dial tcp: lookup registry.example on '
            "127.0.0.53:53: no such host",
            NO_ANSWER,
        ),
        (
            'Get "https://third.example/v2/": net/http: request canceled while waiting for '
            "connection (Client.Timeout exceeded while awaiting headers)",
            NO_ANSWER,
        ),
        ('Get "https://127.0.0.1:5000/v2/": dial tcp: connect: connection refused', NO_ANSWER),
    ],
    ids=[
        "no manifest",
        "containerd finds nothing",
        "no access to the repository",
        "login, Azure",
        "login, GitHub",
        "login, a registry of one's own",
        "platform, engine 20.10",
        "platform, a list of manifests",
        "login, containerd",
        "no such host",
        "timeout",
        "connection refused",
    ],
)
def test_a_failed_pull_says_what_kept_the_image(message: str, cause: str) -> None:
    error = pull_failed("example.com/model:9", f"{message}\nand more")

    assert type(error) is PullFailed
    assert error.exit_code is ExitCode.ENGINE
    assert error.message == "The image example.com/model:9 could not be pulled."
    assert error.cause == cause
    assert error.remedy == "Pull it by hand to see more: `docker pull`."
    assert error.details == (f"{message}.",)


@pytest.mark.parametrize(
    "message",
    [
        "toomanyrequests: You have reached your pull rate limit. You may increase the limit by "
        "authenticating and upgrading: https://www.docker.com/increase-rate-limit",
        "write /var/lib/docker/tmp/GetImageBlob123: no space left on device",
    ],
    ids=["rate limit", "disk"],
)
def test_a_registry_that_did_answer_is_not_said_to_be_silent(message: str) -> None:
    assert pull_failed("example.com/model:9", message).cause != NO_ANSWER


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("manifest unknown: manifest unknown", "missing"),
        ("no basic auth credentials", "login"),
        ("no matching manifest for linux/amd64 in the manifest list entries", "platform"),
        ("dial tcp 127.0.0.1:9: connect: connection refused", "other"),
    ],
)
def test_the_reason_of_a_failed_pull_is_told_to_programs(message: str, reason: PullReason) -> None:
    assert pull_failed("example.com/model:9", message).reason == reason


def test_a_missing_object_is_told_from_one_in_use() -> None:
    missing = refused(404, "No such container: localep-a")
    assert is_not_found(missing)
    assert not is_conflict(missing)
    for status in (403, 409):
        conflict = refused(status, "has active endpoints")
        assert is_conflict(conflict)
        assert not is_not_found(conflict)
    broken = refused(500, "broken")
    assert not is_not_found(broken)
    assert not is_conflict(broken)
