from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.waiting import wait_for

from localep.engine.base import BuildFolder, BuildRequest
from localep.engine.builders.buildkit import BuildKit
from localep.errors import BuildFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from localep.engine.base import Progress

    InstallClient = Callable[[str, str], str]

# Records what a client is given, and writes a word that is not for the log.
TELL = """
for argument in "$@"; do
    echo "$argument"
    case "$argument" in
        id=*) /bin/cat "${argument#*,src=}" >"$RECORDS/${argument%%,*}" ;;
    esac
done >"$RECORDS/arguments"
echo "$DOCKER_BUILDKIT,$BUILDKIT_PROGRESS" >"$RECORDS/variables"
/bin/cat >"$RECORDS/context.tar"
echo "not for the log"
"""
CONTEXT = {"Dockerfile": "FROM debian\nRUN é\n", "templates/run.sh": "exec\n"}
REQUEST = BuildRequest(
    reference="localep/env:0123456789abcdef",
    context=CONTEXT,
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
    first, second = (int(text.rpartition("/")[2]) for text in arguments if "src=" in text)
    assert arguments == [
        "buildx",
        "build",
        "--load",
        "--tag",
        "localep/env:0123456789abcdef",
        f"--progress={style}",
        "--secret",
        f"id=localep-ca,src=/dev/fd/{first}",
        "--secret",
        f"id=localep-settings,src=/dev/fd/{second}",
        "-",
    ]
    assert read(records / "id=localep-ca") == ["PEM"]
    assert read(records / "id=localep-settings") == ["export X=1"]
    with tarfile.open(records / "context.tar") as context:
        members = {member.name: (member.mode, member.size) for member in context.getmembers()}
        dockerfile = context.extractfile("Dockerfile")
        assert dockerfile is not None
        assert dockerfile.read().decode() == CONTEXT["Dockerfile"]
    assert members == {"Dockerfile": (0o644, 19), "templates/run.sh": (0o644, 5)}
    assert read(records / "variables") == ["1,"]


def test_secrets_can_be_read_again_and_may_be_larger_than_a_variable(
    install_client: InstallClient, records: Path, progress: Progress
) -> None:
    bundle = "x" * 300_000
    script = 'cat="/bin/cat ${8#*,src=}"; $cat >"$RECORDS/1"; $cat >"$RECORDS/2"'
    client = install_client("bin", script)
    request = BuildRequest("x:1", {"Dockerfile": ""}, "", secrets={"a": "", "localep-ca": bundle})

    BuildKit((client, "build"), raw_json=False).build(request, progress)

    assert [(records / name).read_text() for name in "12"] == [bundle, bundle]


def test_nothing_of_a_build_is_ever_in_a_folder(
    install_client: InstallClient,
    records: Path,
    progress: Progress,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    client = install_client("bin", f'/bin/ls -A "{place}" >"$RECORDS/listing"')

    BuildKit((client, "build"), raw_json=True).build(REQUEST, progress)

    assert read(records / "listing") == []


def test_a_build_may_do_without_the_cache(
    install_client: InstallClient, records: Path, progress: Progress
) -> None:
    client = install_client("bin", 'echo "$*" >"$RECORDS/arguments"')
    request = BuildRequest("x:1", {"Dockerfile": "FROM debian\n"}, "", no_cache=True)

    BuildKit((client, "build"), raw_json=False).build(request, progress)

    [arguments] = read(records / "arguments")
    assert arguments.split(" ")[:-1] == ["build", "--tag", "x:1", "--progress=plain", "--no-cache"]


def test_a_client_is_told_of_a_platform(
    install_client: InstallClient, records: Path, progress: Progress
) -> None:
    client = install_client("bin", 'echo "$*" >"$RECORDS/arguments"')
    request = BuildRequest("x:1", {"Dockerfile": "FROM debian\n"}, "", platform="linux/arm64")

    BuildKit((client, "build"), raw_json=False).build(request, progress)

    [arguments] = read(records / "arguments")
    assert arguments.endswith(" --platform linux/arm64 -")


def test_a_folder_of_the_users_is_named_to_the_client_which_reads_it_itself(
    install_client: InstallClient, records: Path, progress: Progress, tmp_path: Path
) -> None:
    client = install_client("bin", TELL)
    folder = BuildFolder(tmp_path / "my image", "docker/Dockerfile.gpu")
    request = BuildRequest("x:1", folder, no_cache=True)

    BuildKit((client, "buildx", "build"), raw_json=True).build(request, progress)

    assert read(records / "arguments") == [
        *("buildx", "build", "--tag", "x:1", "--progress=rawjson", "--no-cache"),
        *("--file", f"{tmp_path}/my image/docker/Dockerfile.gpu", f"{tmp_path}/my image"),
    ]
    assert (records / "context.tar").read_bytes() == b""


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


def test_an_interrupt_ends_a_client_that_does_not_listen(
    install_client: InstallClient, progress: Progress, tmp_path: Path
) -> None:
    # As a docker client before 23 does. The test hangs for this minute where it is not ended.
    script = f"trap '' TERM; echo $$ >{tmp_path}/pid; echo '#6 [1/1] RUN x' >&2; /bin/sleep 60"
    client = install_client("bin", script)

    class Impatient:
        def status(self, message: str) -> None: ...

        def step(self, message: str) -> None:
            raise KeyboardInterrupt

        def line(self, text: str) -> None: ...

    with pytest.raises(KeyboardInterrupt):
        BuildKit((client, "build"), raw_json=False).build(REQUEST, Impatient())

    session = int((tmp_path / "pid").read_text())
    wait_for(lambda: not processes_of(session))  # a killed process is gone a moment later


def test_a_client_ends_with_a_localep_that_is_killed(
    install_client: InstallClient, tmp_path: Path
) -> None:
    client = install_client("bin", "/bin/sleep 60 & echo $$ >&2; wait")
    code = f"""
import sys
from localep.engine.builders.process import client_process
with open("{tmp_path}/input", "w+b") as stdin, \\
        client_process(["{client}"], stdin, (), {{}}) as process:
    print(process.stderr.readline().decode(), flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as localep:
        assert localep.stdout is not None
        pid = int(localep.stdout.readline())
        assert len(processes_of(pid)) == 2

        localep.kill()

    wait_for(lambda: not processes_of(pid))


def processes_of(session: int) -> list[str]:
    """The processes of a session that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, _, _, number = rest.split()[:4]
        if int(number) == session and state != "Z":
            found.append(name)
    return found
