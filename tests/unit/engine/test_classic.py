from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import docker.errors
import pytest
import requests

from localep.engine.base import BuildFolder, BuildRequest
from localep.engine.builders.classic import Classic
from localep.environment.dockerfile import build_context, without_mounts
from localep.environment.plan import BaseImage, EnvironmentPlan
from localep.errors import BuildFailed, EnvironmentFailure, Interrupted
from localep.exit_codes import ExitCode

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

    from localep.engine.base import Progress

CONTEXT = build_context(
    EnvironmentPlan(BaseImage("localep/base:1a2b", "sha256:aaa", "3.11"), ("flask",))
)
REQUEST = BuildRequest(
    reference="localep/env:0123456789abcdef",
    context=CONTEXT,
    plain_dockerfile=without_mounts(CONTEXT["Dockerfile"]),
    secrets={"localep-ca": "PEM é\n", "localep-settings": "export X=1\n"},
)
SUCCESS: list[dict[str, Any]] = [
    {"stream": "Step 1/3 : FROM localep/base:1a2b\n"},
    {"stream": " ---> 0123456789ab\n"},
    {"stream": "Step 2/3 : COPY requirements.txt /opt/localep/requirements.txt\n"},
    {"stream": " ---> Using cache\n"},
    {"stream": " ---> 123456789abc\n"},
    {"stream": "Step 3/3 : RUN localep-build   uv pip install\n"},
    {"stream": " ---> Running in fedcba987654\n"},
    {"stream": "\x1b[91mResolved 12 pack"},
    {"stream": "ages\n\x1b[0m"},
    {"stream": " + flask==3.0.3\n"},
    {"stream": "Removing intermediate container fedcba987654\n"},
    {"stream": " ---> 23456789abcd\n"},
    {"aux": {"ID": "sha256:23456789abcd"}},
    {"stream": "Successfully built 23456789abcd\n"},
    {"stream": "Successfully tagged localep/env:0123456789abcdef\n"},
]


class FakeAnswer:
    is_closed = False

    def close(self) -> None:
        self.is_closed = True


class FakeApi:
    """An engine that tells of a build; what is an error among the events is raised."""

    def __init__(self, *events: dict[str, Any] | BaseException) -> None:
        self.events = events
        self.options: list[dict[str, Any]] = []
        self.members: dict[str, str | None] = {}
        self.modes: dict[str, int] = {}
        self.hooks: dict[str, list[Any]] = {"response": []}
        self.answer = FakeAnswer()
        self.names: dict[str, list[str]] = {}
        self.removed: list[str] = []

    def build(
        self, *, fileobj: io.BytesIO | None = None, **options: Any
    ) -> Iterator[dict[str, Any]]:
        self.options.append(options)
        if fileobj is not None:
            self._unpack(fileobj)
        for hook in self.hooks["response"]:
            hook(self.answer, stream=True, timeout=60)
        return self._tell()

    def _unpack(self, fileobj: io.BytesIO) -> None:
        with tarfile.open(fileobj=fileobj) as archive:
            for member in archive.getmembers():
                content = archive.extractfile(member)
                self.members[member.name] = content.read().decode() if content else None
                self.modes[member.name] = member.mode

    def _tell(self) -> Iterator[dict[str, Any]]:
        for event in self.events:
            if isinstance(event, BaseException):
                raise event
            yield event

    def inspect_image(self, image: str) -> dict[str, Any]:
        return {"RepoTags": self.names.get(image)}

    def remove_image(self, image: str) -> None:
        self.removed.append(f"image {image}")

    def remove_container(self, container: str, *, force: bool, v: bool) -> None:
        assert force
        assert v
        assert self.answer.is_closed
        self.removed.append(f"container {container}")
        raise docker.errors.NotFound("the engine was faster")


def classic(api: FakeApi) -> Classic:
    return Classic(cast("docker.APIClient", api))


def test_the_context_holds_a_dockerfile_without_mounts_and_the_secrets(
    progress: Progress,
) -> None:
    api = FakeApi(*SUCCESS)

    classic(api).build(REQUEST, progress)

    assert api.members == {
        "Dockerfile": REQUEST.plain_dockerfile,
        "finish_environment.py": CONTEXT["finish_environment.py"],
        "requirements.txt": "flask\n",
        "secrets": None,
        "secrets/localep-ca": "PEM é\n",
        "secrets/localep-settings": "export X=1\n",
    }
    assert "--mount" not in REQUEST.plain_dockerfile
    assert "\nCOPY secrets/ /run/secrets/\n" in REQUEST.plain_dockerfile
    # The user of an image need not be root.
    assert api.modes == {
        "Dockerfile": 0o644,
        "finish_environment.py": 0o644,
        "requirements.txt": 0o644,
        "secrets": 0o755,
        "secrets/localep-ca": 0o644,
        "secrets/localep-settings": 0o644,
    }


def test_the_folder_of_the_secrets_is_there_without_secrets(progress: Progress) -> None:
    api = FakeApi()

    classic(api).build(BuildRequest("x:1", {"Dockerfile": "FROM a\n"}, "FROM b\n"), progress)

    assert api.members == {"Dockerfile": "FROM b\n", "secrets": None}


@pytest.mark.parametrize("no_cache", [True, False])
def test_the_engine_is_asked_to_build_and_to_clean_up(progress: Progress, no_cache: bool) -> None:
    api = FakeApi(*SUCCESS)
    request = BuildRequest("x:1", {"Dockerfile": "FROM a\n"}, "FROM a\n", no_cache=no_cache)

    classic(api).build(request, progress)

    assert api.options == [
        {
            "custom_context": True,
            "tag": "x:1",
            "nocache": no_cache,
            "platform": None,
            "rm": True,
            "forcerm": True,
            "decode": True,
        }
    ]


def test_the_engine_is_asked_to_build_for_a_platform(progress: Progress) -> None:
    api = FakeApi(*SUCCESS)

    classic(api).build(replace(REQUEST, platform="linux/arm64"), progress)

    assert api.options[0]["platform"] == "linux/arm64"


def test_a_dockerfile_that_the_engine_cannot_read_fails_the_build(progress: Progress) -> None:
    answer = requests.Response()
    answer.status_code = 400
    words = "dockerfile parse error line 3: unknown instruction: RUNN"
    error = docker.errors.APIError("400 Client Error", response=answer, explanation=words)

    with pytest.raises(BuildFailed) as caught:
        classic(FakeApi(error)).build(REQUEST, progress)

    assert (caught.value.cause, caught.value.log) == (words, (words,))


def test_a_folder_of_the_users_is_packed_by_the_client_with_its_own_dockerignore(
    progress: Progress,
) -> None:
    api = FakeApi(*SUCCESS)
    folder = BuildFolder(Path("/project/image"), "docker/Dockerfile.gpu")

    classic(api).build(BuildRequest("x:1", folder), progress)

    assert api.options == [
        {
            "path": "/project/image",
            "dockerfile": "docker/Dockerfile.gpu",
            "tag": "x:1",
            "nocache": False,
            "platform": None,
            "rm": True,
            "forcerm": True,
            "decode": True,
        }
    ]
    assert api.members == {}


def test_steps_and_their_lines_are_told_without_the_builder_s_own(
    progress: Progress, told: list[tuple[str, str]]
) -> None:
    classic(FakeApi(*SUCCESS)).build(REQUEST, progress)

    assert told == [
        ("step", "Step 1/3 : FROM localep/base:1a2b"),
        ("step", "Step 2/3 : COPY requirements.txt /opt/localep/requirements.txt"),
        ("step", "Step 3/3 : RUN localep-build uv pip install"),
        ("line", "Resolved 12 packages"),
        ("line", " + flask==3.0.3"),
    ]


def test_a_failing_step_is_named_with_its_last_lines(progress: Progress) -> None:
    message = "The command '/bin/sh -c localep-build uv pip install' returned a non-zero code: 2"
    api = FakeApi(
        {"stream": "Step 1/2 : FROM localep/base:1a2b\n"},
        {"stream": "a line of the first step\n"},
        {"stream": "Step 2/2 : RUN localep-build uv pip install\n"},
        *({"stream": f"line {number}\n"} for number in range(1, 36)),
        {"stream": "Removing intermediate container fedcba987654\n"},
        {"errorDetail": {"code": 2, "message": message}, "error": message},
    )

    with pytest.raises(BuildFailed) as caught:
        classic(api).build(REQUEST, progress)

    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    assert caught.value.message == "The image localep/env:0123456789abcdef could not be built."
    assert caught.value.cause == (
        "A step ended with exit code 2: Step 2/2 : RUN localep-build uv pip install"
    )
    assert caught.value.details == tuple(f"line {number}" for number in range(6, 36))
    assert caught.value.log == (*(f"line {number}" for number in range(1, 36)), message)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("dockerfile parse error line 1: unknown instruction: FRM\n",) * 2,
        ("\n", "The engine gave no reason."),
    ],
)
def test_an_error_before_any_step_is_the_cause(progress: Progress, error: str, cause: str) -> None:
    with pytest.raises(BuildFailed) as caught:
        classic(FakeApi({"error": error})).build(REQUEST, progress)

    assert caught.value.cause == cause.strip()
    assert caught.value.details == ()


def test_secrets_with_credentials_are_refused_with_what_to_install(progress: Progress) -> None:
    api = FakeApi(*SUCCESS)
    request = BuildRequest("x:1", {"Dockerfile": "FROM a\n"}, "FROM a\n", secrets_are_private=True)

    with pytest.raises(EnvironmentFailure) as caught:
        classic(api).build(request, progress)

    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    assert caught.value.message == (
        "The package settings hold credentials, which this builder would leave in the image."
    )
    assert caught.value.cause == "Only the engine's classic builder was found."
    assert caught.value.remedy == (
        "Install BuildKit for the docker client: the package docker-buildx or docker-buildx-plugin."
    )
    assert api.options == []


def stream(*lines: str) -> list[dict[str, Any]]:
    return [{"stream": f"{line}\n"} for line in lines]


BEGUN = stream("Step 1/4 : FROM localep/base:1a2b", " ---> aaaaaaaaaaaa")
FOUND = stream("Step 2/4 : WORKDIR /x", " ---> Using cache", " ---> bbbbbbbbbbbb")
MADE = stream(
    "Step 3/4 : RUN one",
    " ---> Running in 111111111111",
    "one",
    "Removing intermediate container 111111111111",
    " ---> cccccccccccc",
)
RUNNING = stream("Step 4/4 : RUN two", " ---> Running in 222222222222")
CONTAINER, LAYER = "container 222222222222", "image cccccccccccc"


@pytest.mark.parametrize(
    ("events", "removed"),
    [
        pytest.param(BEGUN, [], id="never the base"),
        pytest.param(BEGUN + FOUND, [], id="nor what was there before"),
        pytest.param(BEGUN + RUNNING, [CONTAINER], id="the step's container"),
        pytest.param(BEGUN + MADE + RUNNING, [CONTAINER, LAYER], id="the last layer"),
        pytest.param(BEGUN + MADE + FOUND + RUNNING, [CONTAINER, LAYER], id="and a found one"),
    ],
)
def test_a_build_that_is_interrupted_leaves_nothing(
    progress: Progress, events: list[dict[str, Any]], removed: list[str]
) -> None:
    api = FakeApi(*events, Interrupted("Interrupted."))

    with pytest.raises(Interrupted):
        classic(api).build(REQUEST, progress)

    assert api.answer.is_closed
    assert api.removed == removed
    assert api.hooks == {"response": []}


def test_a_build_that_fails_leaves_nothing(progress: Progress) -> None:
    api = FakeApi(*BEGUN, *MADE, *RUNNING, {"error": "returned a non-zero code: 2"})

    with pytest.raises(BuildFailed):
        classic(api).build(REQUEST, progress)

    assert api.removed == [CONTAINER, LAYER]


def test_a_layer_that_somebody_named_is_kept(progress: Progress) -> None:
    api = FakeApi(*BEGUN, *MADE, {"error": "no"})
    api.names["cccccccccccc"] = ["team/model:1"]

    with pytest.raises(BuildFailed):
        classic(api).build(REQUEST, progress)

    assert api.removed == ["container 111111111111"]


def test_an_image_that_was_built_stays(progress: Progress) -> None:
    api = FakeApi(*SUCCESS)

    classic(api).build(REQUEST, progress)

    assert api.removed == []
    assert api.answer.is_closed
