from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localep.engine.base import BuildRequest
from localep.engine.builders.buildkit import BuildKit
from localep.errors import BuildFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from localep.engine.base import Progress

    InstallClient = Callable[[str, str], str]

# Tells on its error stream what a client is given; the last argument is the context's folder.
TELL = """
for last in "$@"; do
    echo "$last"
done >"$RECORDS/arguments"
echo "$DOCKER_BUILDKIT,$BUILDKIT_PROGRESS" >"$RECORDS/variables"
cd "$last"
for file in Dockerfile templates/run.sh ../secrets/*; do
    echo "== ${file#../}"
    while read -r line; do echo "$line"; done <"$file"
done >"$RECORDS/files"
echo "not for the log"
"""
REQUEST = BuildRequest(
    reference="localep/env:0123456789abcdef",
    context={"Dockerfile": "FROM debian\nRUN é\n", "templates/run.sh": "exec\n"},
    plain_dockerfile="FROM debian\nCOPY secrets/ /run/secrets/\n",
    secrets={"localep-ca": "PEM\n", "localep-settings": "export X=1\n"},
)


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "records"
    folder.mkdir()
    monkeypatch.setenv("RECORDS", str(folder))
    # What the user prefers must not change the log that is read.
    monkeypatch.setenv("BUILDKIT_PROGRESS", "tty")
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    return folder


def read(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(("raw_json", "style"), [(True, "rawjson"), (False, "plain")])
def test_the_client_is_given_the_context_and_the_secrets(
    install_client: InstallClient, records: Path, progress: Progress, raw_json: bool, style: str
) -> None:
    client = install_client("bin", TELL)

    BuildKit((client, "buildx", "build", "--load"), raw_json).build(REQUEST, progress)

    arguments = read(records / "arguments")
    context = arguments[-1]
    folder = context.removesuffix("/context")
    assert arguments == [
        "buildx",
        "build",
        "--load",
        "--tag",
        "localep/env:0123456789abcdef",
        f"--progress={style}",
        "--secret",
        f"id=localep-ca,src={folder}/secrets/localep-ca",
        "--secret",
        f"id=localep-settings,src={folder}/secrets/localep-settings",
        f"{folder}/context",
    ]
    assert read(records / "files") == [
        "== Dockerfile",
        "FROM debian",
        "RUN é",
        "== templates/run.sh",
        "exec",
        "== secrets/localep-ca",
        "PEM",
        "== secrets/localep-settings",
        "export X=1",
    ]
    assert read(records / "variables") == ["1,"]


def test_nothing_of_a_build_is_left_on_disk(
    install_client: InstallClient,
    records: Path,
    progress: Progress,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    client = install_client("bin", TELL)

    BuildKit((client, "build"), raw_json=True).build(REQUEST, progress)

    assert read(records / "arguments")[-1].startswith(f"{place}/localep-build-")
    assert list(place.iterdir()) == []


def test_a_build_may_do_without_the_cache(
    install_client: InstallClient, records: Path, progress: Progress
) -> None:
    client = install_client("bin", 'echo "$*" >"$RECORDS/arguments"')
    request = BuildRequest("x:1", {"Dockerfile": "FROM debian\n"}, "", no_cache=True)

    BuildKit((client, "build"), raw_json=False).build(request, progress)

    [arguments] = read(records / "arguments")
    assert arguments.split(" ")[:-1] == ["build", "--tag", "x:1", "--progress=plain", "--no-cache"]


def test_a_log_is_told_while_the_client_runs(
    install_client: InstallClient, progress: Progress, told: list[tuple[str, str]]
) -> None:
    client = install_client("bin", "echo '#6 [1/1] RUN x\n#6 0.1 a line' >&2")

    BuildKit((client, "build"), raw_json=False).build(REQUEST, progress)

    assert told == [("step", "[1/1] RUN x"), ("line", "a line")]


def test_a_failing_step_is_the_cause(install_client: InstallClient, progress: Progress) -> None:
    log = "#6 [1/1] RUN x\n#6 0.1 a line\n#6 ERROR: process x: exit code: 9\nERROR: failed"
    client = install_client("bin", f"echo '{log}' >&2; exit 1")

    with pytest.raises(BuildFailed) as caught:
        BuildKit((client, "build"), raw_json=False).build(REQUEST, progress)

    assert caught.value.message == "The image localep/env:0123456789abcdef could not be built."
    assert caught.value.cause == "A step ended with exit code 9: [1/1] RUN x"
    assert caught.value.details == ("a line",)


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        ("echo 'ERROR: no such driver' >&2; exit 1", "ERROR: no such driver"),
        ("exit 125", "The client ended with status 125."),
    ],
)
@pytest.mark.parametrize("raw_json", [True, False])
def test_a_client_that_fails_without_a_step_gives_its_last_word(
    install_client: InstallClient, progress: Progress, script: str, cause: str, raw_json: bool
) -> None:
    client = install_client("bin", script)

    with pytest.raises(BuildFailed) as caught:
        BuildKit((client, "build"), raw_json).build(REQUEST, progress)

    assert caught.value.cause == cause
    assert caught.value.details == ()


def test_an_interrupt_ends_the_client(install_client: InstallClient, progress: Progress) -> None:
    # The test hangs for this minute where the client is not ended.
    client = install_client("bin", "echo '#6 [1/1] RUN x' >&2; exec /bin/sleep 60")

    class Impatient:
        def status(self, message: str) -> None: ...

        def step(self, message: str) -> None:
            raise KeyboardInterrupt

        def line(self, text: str) -> None: ...

    with pytest.raises(KeyboardInterrupt):
        BuildKit((client, "build"), raw_json=False).build(REQUEST, Impatient())
