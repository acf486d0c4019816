"""Wrong and unusual input: the cause and the remedy are named, and nothing is left behind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.engine import Answer, Localep

ONE_ERROR = "Error: The YAML has one error.\n"
CORRECT = "Remedy: Correct the places named above and try again.\n"
PATHS_START = "Paths start from the folder of the YAML file."
CHECK = "Remedy: Check its permissions."
IS_ROOT = os.getuid() == 0


@pytest.fixture(autouse=True)
def scratch(localep: Localep) -> Iterator[Path]:
    """The folder for temporary files; none stays there."""
    folder = localep.folder / "scratch"
    folder.mkdir()
    localep.environ["TMPDIR"] = str(folder)
    yield folder
    assert list(folder.iterdir()) == []


def refused(localep: Localep, *arguments: str, status: int) -> str:
    """What a command that must fail says, and that it leaves nothing."""
    answer = localep.run(*arguments)
    assert (answer.status, answer.stdout) == (status, "")
    assert localep.left_behind() == []
    return answer.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(
            b"",
            "{file} is empty.\n"
            "Cause: There is no YAML document in it.\n"
            "Remedy: Write the endpoint or deployment into it.\n",
            id="empty",
        ),
        pytest.param(
            b"name: [\n",
            "{file}:2:1 is not valid YAML.\n"
            "Cause: Did not find expected node content.\n"
            "Remedy: Correct the line; placeholders such as {{{{X}}}} must be filled in before.\n",
            id="not YAML",
        ),
        pytest.param(
            b"\x89PNG\r\n\x1a\n\x00",
            "{file} is not a text file.\nCause: Byte 0 is not UTF-8.\nRemedy: Save it as UTF-8.\n",
            id="binary",
        ),
        pytest.param(
            b"name\x00: x\n",
            "{file} is not valid YAML.\n"
            "Cause: Unacceptable character #x0000: control characters are not allowed.\n"
            "Remedy: Correct the line; placeholders such as {{{{X}}}} must be filled in before.\n",
            id="binary that is text, too",
        ),
        pytest.param(
            b"- a\n- b\n",
            "{file} is not an endpoint or deployment document.\n"
            "Cause: Its top level is a list, not a mapping of keys to values.\n"
            "Remedy: Put keys such as `name:` at the top level.\n",
            id="list",
        ),
        pytest.param(
            None,
            "{file} is a folder.\nRemedy: Name the YAML file inside it with -f.\n",
            id="folder",
        ),
    ],
)
def test_a_document_that_is_none(
    localep: Localep, tmp_path: Path, content: bytes | None, told: str
) -> None:
    file = tmp_path / "bad.yml"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)

    stderr = refused(localep, "create", "-f", str(file), status=3)

    assert stderr == f"Error: {told.format(file=file)}"


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        (
            "code_configuration.code=nowhere",
            "there is no folder at {folder}/nowhere. " + PATHS_START,
        ),
        (
            "code_configuration.scoring_script=nothing.py",
            "there is no file nothing.py in {folder}/code. "
            "The path of the script starts from the code folder.",
        ),
        (
            "model.path=nothing.pkl",
            "there is no file or folder at {folder}/nothing.pkl. " + PATHS_START,
        ),
        (
            "environment.conda_file=nothing.yml",
            "there is no file at {folder}/nothing.yml. " + PATHS_START,
        ),
    ],
)
def test_what_a_document_names_is_not_there(
    localep: Localep, hello: Path, setting: str, told: str
) -> None:
    stderr = refused(localep, "create", "-f", "hello/deployment.yml", "--set", setting, status=3)

    path, _, _ = setting.partition("=")
    where = f"{hello}/deployment.yml (--set {path}): {path}"
    assert stderr == f"{ONE_ERROR}  {where}: {told.format(folder=hello)}\n{CORRECT}"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(
            "dependencies: [\n",
            "{file}:2:1 is not valid YAML.\n"
            "Cause: Did not find expected node content.\n"
            "Remedy: Correct the line; placeholders such as {{{{X}}}} must be filled in before.\n",
            id="not YAML",
        ),
        pytest.param(
            "",
            "{file} is empty.\n"
            "Cause: There is no YAML document in it.\n"
            "Remedy: Write `dependencies:` and what belongs to it into the file.\n",
            id="empty",
        ),
        pytest.param(
            "- python=3.11\n",
            "{file} is not a conda file.\n"
            "Cause: Its top level is a list, not a mapping of keys to values.\n"
            "Remedy: Put keys such as `dependencies:` at the top level.\n",
            id="list",
        ),
        pytest.param(
            "dependencies: python=3.11\n",
            "{file} is not a conda file.\n"
            "Cause: `dependencies` is not a list.\n"
            "Remedy: Write `dependencies:` as a list of packages, "
            "with `- pip:` and a list in it.\n",
            id="no list of dependencies",
        ),
    ],
)
def test_a_conda_file_that_is_none(localep: Localep, hello: Path, content: str, told: str) -> None:
    file = hello / "conda.yml"
    file.write_text(content)

    stderr = refused(localep, "create", "-f", "hello/deployment.yml", status=3)

    assert stderr == f"Error: {told.format(file=file)}"


def test_a_request_that_cannot_be_read(localep: Localep, hello: Path) -> None:
    for name, cause in (("gone.json", "No such file or directory"), ("hello", "Is a directory")):
        assert refused(localep, "invoke", "-r", name, status=2) == (
            f"Error: The request file {name} cannot be read.\n"
            f"Cause: {cause}.\n"
            "Remedy: Check the path given with --request-file.\n"
        )


@pytest.mark.parametrize(
    "verb",
    ["invoke -r hello/sample-request.json", "get-logs", "show", "get-credentials", "update",
     "delete --yes"],
)  # fmt: skip
@pytest.mark.usefixtures("hello")
def test_an_endpoint_that_is_not_there(localep: Localep, verb: str) -> None:
    assert refused(localep, *verb.split(), "-n", "nosuch", status=8) == (
        "Error: There is no endpoint nosuch.\n"
        "Cause: There is none at all.\n"
        "Remedy: Create one: localep create -f endpoint.yml -f deployment.yml\n"
    )


@pytest.mark.parametrize("name", ["ab", "a_b", "1st", "a-", "a b", "", "ünter", "a" * 33])
def test_a_name_that_the_cloud_would_refuse(localep: Localep, hello: Path, name: str) -> None:
    (hello / "endpoint.yml").write_text(f"name: {json.dumps(name)}\n")

    assert refused(localep, "create", "-f", "hello/endpoint.yml", status=3) == (
        f"{ONE_ERROR}  {hello}/endpoint.yml:1:7: name: {name!r} is not a valid name. "
        f"Use 3 to 32 letters, digits and single dashes, beginning with a letter.\n{CORRECT}"
    )
    assert refused(localep, "create", "-f", "hello/deployment.yml", "-n", name, status=2) == (
        f"Error: No endpoint can be named {name!r}.\n"
        "Cause: The name given with -n is not one that the cloud takes.\n"
        "Remedy: Use 3 to 32 letters, digits and single dashes, beginning with a letter.\n"
    )


def test_a_port_that_another_program_has(localep: Localep, hello: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
        stderr = refused(
            localep, "create", "-f", "hello/deployment.yml", "--port", str(port), status=4
        )

    error, cause, remedy = stderr.splitlines()
    assert error == f"Error: Port {port} is in use."
    assert cause.endswith("address already in use.")
    assert remedy == "Remedy: Choose another with --port, or leave it out to have one chosen."


def test_a_full_disk_under_the_temporary_files(
    localep: Localep, hello: Path, scratch: Path
) -> None:
    with (hello / "code" / "weights.bin").open("wb") as weights:
        weights.truncate(16 * 1024 * 1024)
    # A disk of this process alone; it is gone when the process ends.
    script = 'mount -t tmpfs -o size=4m none "$TMPDIR" && exec "$@"'
    own = () if IS_ROOT else ("--map-root-user",)
    command = [sys.executable, "-m", "localep", "create", "-f", "hello/deployment.yml"]
    result = subprocess.run(
        ["unshare", "--mount", *own, "sh", "-c", script, "sh", *command],
        cwd=localep.folder,
        env=localep.environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.returncode, result.stdout, result.stderr) == (
        4,
        "",
        f"Error: There is no place for a copy of {hello}/code.\n"
        f"Cause: {scratch} is full.\n"
        "Remedy: Free disk space there, or have TMPDIR name a folder on another disk.\n",
    )
    assert localep.left_behind() == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "deployment.yml",
            f"Error: {{path}} cannot be read.\nCause: Permission denied.\n{CHECK}\n",
        ),
        ("conda.yml", f"Error: {{path}} cannot be read.\nCause: Permission denied.\n{CHECK}\n"),
        (
            "code/score.py",
            f"Error: {{path}} cannot be read.\nCause: Permission denied.\n"
            f"{CHECK[:-1]}, or name it in .amlignore if it is not needed.\n",
        ),
        (
            "code",
            f"{ONE_ERROR}  {{folder}}/deployment.yml:6:19: code_configuration.scoring_script: "
            f"{{path}}/score.py is out of reach for this user. "
            f"Check the permissions of the folders that it lies in.\n{CORRECT}",
        ),
    ],
)
def test_a_file_that_this_user_may_not_read(
    localep: Localep, hello: Path, name: str, told: str
) -> None:
    path = hello / name
    mode = path.stat().st_mode
    path.chmod(0)

    answer = as_ordinary_user(localep, "create", "-f", str(hello / "deployment.yml"))

    path.chmod(mode)
    assert (answer.status, answer.stdout) == (3, "")
    assert answer.stderr == told.format(path=path, folder=hello)
    assert localep.left_behind() == []


def test_a_request_that_this_user_may_not_read(localep: Localep, hello: Path) -> None:
    (hello / "sample-request.json").chmod(0)

    answer = as_ordinary_user(localep, "invoke", "-r", "hello/sample-request.json")

    assert (answer.status, answer.stdout) == (2, "")
    assert answer.stderr == (
        "Error: The request file hello/sample-request.json cannot be read.\n"
        "Cause: Permission denied.\n"
        "Remedy: Check the path given with --request-file.\n"
    )


def as_ordinary_user(localep: Localep, *arguments: str) -> Answer:
    """Run a command for which the permissions of files count, as they do not for root."""
    sets = ("bounding-set", "inh-caps")
    without = ["setpriv", *(f"--{name}=-dac_override,-dac_read_search" for name in sets)]
    result = subprocess.run(
        [*(without if IS_ROOT else []), sys.executable, "-m", "localep", *arguments],
        cwd=localep.folder,
        env=localep.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Answer(result.returncode, result.stdout, result.stderr)


def test_unusual_paths_and_files_work(localep: Localep, hello: Path) -> None:
    folder = hello.rename(hello.parent / "größe 日本")
    code = (folder / "code").rename(folder / "my cöde")
    script = code / "sub folder" / "scöre it.py"
    script.parent.mkdir()
    (code / "score.py").unlink()
    script.write_text(
        "import getpass, os, pathlib\n"
        "def init(): pass\n"
        "def run(raw_data):\n"
        "    assert os.getuid() == 0 or getpass.getuser() == 'localep'\n"
        "    code, model = pathlib.Path('..'), pathlib.Path(os.environ['AZUREML_MODEL_DIR'])\n"
        "    files = [path for path in sorted(code.rglob('*.*')) if path.suffix != '.pyc']\n"
        "    texts = {str(path.name): path.read_text() for path in files[:2]}\n"
        "    return [os.getuid(), len(files), texts, [p.read_text() for p in model.iterdir()]]\n"
    )
    (folder / "môdel of mine.txt").write_text("weights")
    (folder / "outside.txt").write_text("from outside")
    (code / "1 out.txt").symlink_to("../outside.txt")
    (code / "2 in.txt").symlink_to("sub folder/scöre it.py")
    (code / "gone.txt").symlink_to("/no/such/file")
    (code / "circle").symlink_to("circle")
    (code / "up").symlink_to(".")
    os.mkfifo(code / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(code / "socket"))
    owner = os.getuid()
    if IS_ROOT:  # somebody else's files, which the container's user can read all the same
        owner = 12345
        for path in (code, *code.rglob("*")):
            os.chown(path, owner, owner, follow_symlinks=False)
    script.chmod(0o600)
    code.chmod(0o700)

    localep(
        *("create", "-f", f"{folder.name}/deployment.yml"),
        *("--set", f"code_configuration.code={code.name}"),
        *("--set", "code_configuration.scoring_script=sub folder/scöre it.py"),
        *("--set", "model.path=môdel of mine.txt"),
    )

    uid, count, texts, models = localep.invoke({})
    assert (uid, models) == (owner, ["weights"])
    assert texts == {"1 out.txt": "from outside", "2 in.txt": script.read_text()}
    assert count == 3


def test_a_name_in_upper_case_works(localep: Localep, hello: Path) -> None:
    localep("create", "-f", "hello/endpoint.yml", "-n", "A-B9")

    assert localep.json("show", "-n", "A-B9")["name"] == "A-B9"


def test_an_error_in_run_is_the_answer(localep: Localep, hello: Path) -> None:
    (hello / "code" / "score.py").write_text(
        "def init(): pass\ndef run(raw_data): raise ValueError('bad row')\n"
    )
    localep("create", "-f", "hello/deployment.yml")

    answer = localep.run("invoke", "-r", "hello/sample-request.json")

    assert answer == Answer(
        7,
        '{"message": "An unexpected error occurred in scoring script. '
        'Check the logs for more info."}',
        "Error: The endpoint answered 424 Failed Dependency.\n"
        "Cause: run() failed (run-raises). ValueError: bad row\n"
        "  Traceback (most recent call last):\n"
        '    File "/var/azureml-app/code/score.py", line 2, in run\n'
        "      def run(raw_data): raise ValueError('bad row')\n"
        "                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  ValueError: bad row\n"
        "Remedy: Correct what the traceback names.\n",
    )
    assert "ValueError: bad row" in localep("get-logs", "-n", "hello")
