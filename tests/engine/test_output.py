"""What every verb writes, in every form, to pipes and to terminals."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from support.engine import RARE_PROBES, Answer, Localep, copy_sample
from support.fixtures import own_command_line
from support.terminal import Session, in_terminal

from localep.engine.base import ContainerRequest
from localep.engine.client import DockerEngine
from localep.gateway import config
from localep.gateway.state import Operation, new_state
from localep.operations import names

FORMS = ["human", "table", "json", "yaml", "tsv", "none"]
URI = "http://127.0.0.1:12345"
KEY, OTHER_KEY = "K" * 43, "O" * 43
IMAGE = "localep/env:0123456789abcdef"
IDENTITY = "sha256:" + "f" * 64
DEPLOYMENT = {
    "name": "blue",
    "endpoint_name": "hello",
    "provisioning_state": "Succeeded",
    "status": "running",
    "error": None,
    "instance_type": "Standard_F2s_v2",
    "instance_count": 1,
    "image": IMAGE,
    "requested_image": "localep/base:latest",
    "model": None,
    "code": "FOLDER/größe/hello/code",
    "scoring_script": "score.py",
    "request_settings": {
        "request_timeout_ms": 5000,
        "max_concurrent_requests_per_instance": 1,
    },
    "limits": {"cpus": 2.0, "memory_bytes": 4 * 1024**3, "shm_bytes": None},
    "egress_public_network_access": "enabled",
    "start": {"seconds": 1.0, "allowed_seconds": 10 + 29 * 3600 + 2, "probe": "liveness_probe"},
}
ENDPOINT = {
    "name": "hello",
    "provisioning_state": "Succeeded",
    "scoring_uri": f"{URI}/score",
    "openapi_uri": f"{URI}/swagger.json",
    "auth_mode": "key",
    "traffic": {"blue": 100},
    "location": "local",
    "front_end": None,
    "error": None,
    "last_operation": {"name": "create", "state": "Succeeded", "error": None},
    "deployments": [DEPLOYMENT],
}
# What is installed is left out: it changes from day to day.
ENVIRONMENT: dict[str, object] = {
    "image": IMAGE,
    "id": IDENTITY,
    "base": {"image": "localep/base:latest", "id": IDENTITY, "repo_digest": None},
    "lock": None,
    "packages": [],
}
# What is used is left out, too.
MEMORY = {
    "limit_bytes": 4 * 1024**3,
    "used_bytes": 1,
    "peak_bytes": 1,
    "processes_killed": 0,
}
INSTANCES = {
    "wanted": 1,
    "ready": 1,
    "containers": [
        {
            "name": "localep.test-hello-blue-r1",
            "status": "running",
            "restarts": 0,
            "liveness_restarts": 0,
            "liveness": None,
        }
    ],
}
LOOKED_AT = {**DEPLOYMENT, "instances": INSTANCES}
SHOWN = ENDPOINT | {"deployments": [{**LOOKED_AT, "memory": MEMORY}]}
WITH_ENVIRONMENT = ENDPOINT | {
    "deployments": [{**LOOKED_AT, "environment": ENVIRONMENT, "memory": MEMORY}],
}
ENDPOINT_TABLE = f"""\
name   provisioning_state  scoring_uri                   openapi_uri                          \
auth_mode  location
hello  Succeeded           {URI}/score  {URI}/swagger.json  key        local
"""
DETAILS = f"""\
name                 hello
state                Succeeded
scoring URI          {URI}/score
OpenAPI URI          {URI}/swagger.json
authentication       key
traffic              blue 100 %
last operation       create: Succeeded

deployment           blue
state                Succeeded, running
instances            1 of 1 ready
instance type        Standard_F2s_v2
image                {IMAGE} (for localep/base:latest)
code                 FOLDER/größe/hello/code
scoring script       score.py
request timeout      5000 ms
concurrent requests  1
limits               2 CPUs, 4 GiB of memory
memory               N MiB of 4 GiB (N MiB at most)
"""
CREATED = f"Created hello, deployment blue: ready after N s.\n  scoring URI  {URI}/score\n"
CONTEXT = "context/Dockerfile\ncontext/finish_environment.py\ncontext/requirements.txt\n"
LOG = [
    "TIME I [PID] azmlinfsrv - POST /score 200 N ms 39",
    'TIME I [PID] gunicorn.access - IP - - [TIME] "POST /score HTTP/1.1" 200 39 "-" "CLIENT"',
]


def data(value: object) -> dict[str, str]:
    """A result in the forms that show all of it."""
    rows = value if isinstance(value, list) else [value]
    cells = [row.values() if isinstance(row, dict) else [row] for row in rows]
    return {
        "json": json.dumps(value, indent=2, ensure_ascii=False) + "\n",
        "yaml": yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=10_000),
        "tsv": "".join("\t".join(map(tsv_cell, row)) + "\n" for row in cells),
        "none": "",
    }


def tsv_cell(value: object) -> str:
    if isinstance(value, (dict, list, bool)):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


RESULTS: dict[str, dict[str, str]] = {
    "show": data(SHOWN)
    | {form: data(WITH_ENVIRONMENT)[form] for form in ("json", "yaml")}
    | {"human": DETAILS, "table": ENDPOINT_TABLE},
    "list": data([ENDPOINT])
    | {
        "human": "NAME   STATE      DEPLOYMENT  STATUS   SCORING URI\n"
        f"hello  Succeeded  blue        running  {URI}/score\n",
        "table": ENDPOINT_TABLE,
    },
    "get-credentials": data({"primaryKey": KEY, "secondaryKey": OTHER_KEY})
    | {
        "human": f"primary key          {KEY}\nsecondary key        {OTHER_KEY}\n",
        "table": f"primaryKey{'':35}secondaryKey\n{KEY}  {OTHER_KEY}\n",
    },
    "update": data(ENDPOINT)
    | {
        "human": "hello is as the YAML says already; nothing changed.\n",
        "table": ENDPOINT_TABLE,
    },
    "invoke -r request.json": data({"greeting": "Hello, größe!"})
    | {
        "human": '{"greeting": "Hello, gr\\u00f6\\u00dfe!"}',
        "table": "greeting\nHello, größe!\n",
    },
    "build -f größe/hello/deployment.yml": data({"image": IMAGE, "id": IDENTITY, "built": False})
    | {
        "human": f"Here already: {IMAGE}\n",
        "table": f"image                         id{'':71}built\n{IMAGE}  {IDENTITY}  false\n",
    },
    "render -f größe/hello/deployment.yml --to context": data(
        ["context/Dockerfile", "context/finish_environment.py", "context/requirements.txt"]
    )
    | {
        "human": CONTEXT,
        "table": f"result\n{CONTEXT}",
    },
}
QUERIES = {
    "show --query name": '"hello"\n',
    "show --query name -o tsv": "hello\n",
    "show --query deployments[0].model -o tsv": "\n",
    "show --query nope": "null\n",
    "list --query [].[name,traffic.blue] -o tsv": "hello\t100\n",
    "list --query [].{Name:name,State:provisioning_state} -o table": (
        "Name   State\nhello  Succeeded\n"
    ),
    "update --query deployments[].name -o yaml": "- blue\n",
    "invoke -r request.json --query greeting -o tsv": "Hello, größe!\n",
    "get-credentials --query primaryKey -o tsv": f"{KEY}\n",
    "build -f größe/hello/deployment.yml --query built": "false\n",
    'render -f größe/hello/deployment.yml --query "requirements.txt" -o tsv': (
        "azureml-inference-server-http\n\n"
    ),
}


class Shown:
    """The command line with one endpoint that all tests of this module look at."""

    def __init__(self, localep: Localep) -> None:
        self.localep = localep
        keys = localep.json("get-credentials")
        self._secrets = {keys["primaryKey"]: KEY, keys["secondaryKey"]: OTHER_KEY}

    def masked(self, text: str) -> str:
        """A text without what differs from run to run; what is aligned keeps its width."""
        for secret, name in self._secrets.items():
            text = text.replace(secret, name)
        return mask(text, self.localep.folder)

    def answers(self, lines: list[str]) -> dict[str, Answer]:
        """Run command lines side by side, with colours forced where anything forces them."""
        coloured = replace(self.localep, environ={"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"})
        changing = any(line.startswith("update") for line in lines)  # one command at a time
        with ThreadPoolExecutor(1 if changing else 4) as pool:
            results = pool.map(lambda line: coloured.run(*line.split(" ")), lines)
            return {
                line: Answer(answer.status, self.masked(answer.stdout), answer.stderr)
                for line, answer in zip(lines, results, strict=True)
            }


def mask(text: str, folder: Path) -> str:
    replacements = (
        (re.escape(str(folder)), "FOLDER"),
        (r"127\.0\.0\.1:\d{5}", "127.0.0.1:12345"),
        (r"localep/env:[0-9a-f]{16}", IMAGE),
        (r"sha256:[0-9a-f]{64}", IDENTITY),
        (r"\d+\.\d s\b", "N s"),
        (r"\d{4}-\d\d-\d\d [\d:,]+|\d\d/\w{3}/\d{4}:[\d:]+ \+0000", "TIME"),
        (r" \d+(\.\d+){3} ", " IP "),
        (r" I \[\d+\]", " I [PID]"),
        (r'"packages": \[(?s:.+?)\n +\]', '"packages": []'),
        (r"packages:\n( +- name: .+\n +version: .+\n +source: pypi\n)+", "packages: []\n"),
        (r"((?:used|peak)_bytes\"?: )\d+", r"\g<1>1"),
        (r"[\d.]+ MiB", "N MiB"),
        (r"(seconds\"?: )\d+\.\d+", r"\g<1>1.0"),
        (r"localep\.test-\w+-hello-blue-\w{8}", "localep.test-hello-blue-r1"),
        (r"\d+\.\d+ms", "N ms"),
        (r"python-requests/[\d.]+", "CLIENT"),
    )
    for pattern, replacement in replacements:
        text = re.sub(pattern, replacement, text)
    return text


def terminal(localep: Localep, columns: int, *arguments: str, **variables: str) -> Session:
    """Run a command line in a terminal."""
    return in_terminal(
        [sys.executable, "-m", "localep", *arguments],
        columns=columns,
        folder=localep.folder,
        environment=localep.environment() | {"TERM": "xterm-256color"} | variables,
    )


@pytest.fixture(scope="module")
def place(
    engine: DockerEngine, base_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Localep]:
    with own_command_line(engine, tmp_path_factory.mktemp("output")) as localep:
        yield localep


@pytest.fixture(scope="module")
def creation(place: Localep, samples: Path) -> Session:
    """`create` in a terminal of 100 columns."""
    copy_sample(samples / "hello", place.folder / "größe")
    (place.folder / "request.json").write_text('{"name": "größe"}', encoding="utf-8")
    files = ("-f", "größe/hello/endpoint.yml", "-f", "größe/hello/deployment.yml")
    place("build", "-f", "größe/hello/deployment.yml")
    return terminal(place, 100, "create", *files, *RARE_PROBES)


@pytest.fixture(scope="module")
def shown(place: Localep, creation: Session) -> Shown:
    assert creation.status == 0, creation.written
    return Shown(place)


@pytest.fixture(scope="module")
def answers(shown: Shown) -> dict[str, Answer]:
    lines = [*(f"{verb} -o {form}" for verb in RESULTS for form in FORMS), *QUERIES]
    updates = [line for line in lines if line.startswith("update")]
    return shown.answers(updates) | shown.answers(sorted({*lines} - {*updates}))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("verb", RESULTS)
def test_a_result(answers: dict[str, Answer], verb: str, form: str) -> None:
    answer = answers[f"{verb} -o {form}"]

    assert (answer.status, answer.stdout, answer.stderr) == (0, RESULTS[verb][form], "")


@pytest.mark.parametrize("line", QUERIES)
def test_a_part_of_a_result(answers: dict[str, Answer], line: str) -> None:
    answer = answers[line]

    assert (answer.status, answer.stdout, answer.stderr) == (0, QUERIES[line], "")


def test_a_log(shown: Shown) -> None:
    shown.localep("invoke", "-r", "request.json")
    forms = data(LOG) | {"human": "\n".join([*LOG, ""]), "table": "\n".join(["result", *LOG, ""])}
    lines = {f"get-logs --lines 2 -o {form}": text for form, text in forms.items()}

    answers = shown.answers([*lines, "get-logs -l 2 --query [0]"])

    assert answers == {
        **{line: Answer(0, text, "") for line, text in lines.items()},
        "get-logs -l 2 --query [0]": Answer(0, f'"{LOG[0]}"\n', ""),
    }


def test_what_is_created_and_deleted(shown: Shown) -> None:
    file = "größe/hello/endpoint.yml"
    names_of_forms = {form: f"empty-{form}" for form in FORMS}

    created = shown.answers(
        [f"create -f {file} -n {name} -o {form}" for form, name in names_of_forms.items()]
    )
    deleted = shown.answers(
        [f"delete --yes -n {name} -o {form}" for form, name in names_of_forms.items()]
    )

    for form, made, gone in zip(FORMS, created.values(), deleted.values(), strict=True):
        name = names_of_forms[form]
        columns = "provisioning_state  scoring_uri                   openapi_uri"
        makings = data(ENDPOINT | {"name": name, "traffic": {}, "deployments": []}) | {
            "human": f"Created {name}: no deployment yet (N s).\n  scoring URI  {URI}/score\n",
            "table": f"name         {columns}{'':26}auth_mode  location\n"
            f"{name}  Succeeded           {URI}/score  {URI}/swagger.json  key        local\n",
        }
        endings = data({"endpoint": name, "deployment": None}) | {
            "human": f"Deleted {name}.\n",
            "table": f"endpoint\n{name}\n",
        }
        assert made == Answer(0, makings[form], "")
        assert gone == Answer(0, endings[form], "")


def test_the_base_image(shown: Shown) -> None:
    # One after the other: of steps that two builds share at one time BuildKit tells one less.
    human, machine = (shown.answers([line])[line] for line in ("base build", "base build -o json"))
    assert human.status == machine.status == 0
    assert re.fullmatch(r"Built localep/base:[0-9a-f]{12} \(\d+ MB\)\.\n", human.stdout)
    assert set(json.loads(machine.stdout)) == {"image", "id", "size"}
    told = [json.loads(line) for line in machine.stderr.splitlines()]
    assert {kind for line in told for kind in line} <= {"step", "line", "note"}
    # Both have looked at the same steps, in whatever order BuildKit tells them.
    assert sorted(text.strip() for line in told for text in line.values()) == sorted(
        line.strip() for line in human.stderr.splitlines()
    )


def test_a_build_that_fails_tells_programs_line_by_line(shown: Shown) -> None:
    hello = shown.localep.folder / "größe" / "hello"
    text = (hello / "conda.yml").read_text()
    (hello / "broken.yml").write_text(
        text.replace("azureml-inference-server-http", "localep-no-such-package==1.0")
    )
    line = "build -f größe/hello/deployment.yml -o json --set environment.conda_file=broken.yml"

    answer = shown.answers([line])[line]

    *told, last = [json.loads(line) for line in answer.stderr.splitlines()]
    assert (answer.status, answer.stdout) == (5, "")
    assert {kind for line in told for kind in line} >= {"warning", "step"}
    assert all(len(line) == 1 and set(line) <= {"warning", "note", "step", "line"} for line in told)
    assert {"step": "Building the environment"} in told
    assert last["error"]["type"] == "BuildFailed"
    assert "localep-no-such-package" in "\n".join(last["error"]["details"])
    assert last["error"]["remedy"]


# Terminals


def test_progress_is_shown_while_it_lasts_and_leaves_the_result_alone(
    creation: Session, shown: Shown
) -> None:
    assert "Starting endpoint hello" in creation.written
    assert "\x1b[?25l" in creation.written
    assert creation.cursor_is_visible
    assert shown.masked(creation.screen) == CREATED


@pytest.mark.parametrize("columns", [40, 100])
def test_details_are_the_same_in_a_terminal(shown: Shown, columns: int) -> None:
    session = terminal(shown.localep, columns, "show")

    assert (session.status, session.cursor_is_visible) == (0, True)
    assert shown.masked(session.screen) == DETAILS
    assert "\x1b" not in session.written


def test_a_table_that_does_not_fit_loses_nothing(shown: Shown) -> None:
    wide = terminal(shown.localep, 100, "list")
    narrow = terminal(shown.localep, 40, "list")
    middle = terminal(shown.localep, 60, "list")

    assert shown.masked(wide.screen) == RESULTS["list"]["human"]
    assert shown.masked(narrow.screen) == (
        "NAME         hello\n"
        "STATE        Succeeded\n"
        "DEPLOYMENT   blue\n"
        "STATUS       running\n"
        f"SCORING URI  {URI}/score\n"
    )
    first, *rest = middle.screen.splitlines()
    assert first == "NAME   STATE      DEPLOYMENT  STATUS   SCORING URI"
    assert shown.masked("".join(line[39:] for line in rest)) == f"{URI}/score"
    assert all(session.status == 0 for session in (wide, narrow, middle))


@pytest.mark.parametrize("columns", [1, 10, 40, 100])
def test_every_form_stands_any_width(shown: Shown, columns: int) -> None:
    lines = [("show", "-o", "table"), ("get-credentials", "-o", "table"), ("get-credentials",)]

    with ThreadPoolExecutor(3) as pool:
        sessions = list(pool.map(lambda line: terminal(shown.localep, columns, *line), lines))

    assert [session.status for session in sessions] == [0, 0, 0]
    assert KEY in shown.masked(re.sub(r"\s", "", sessions[2].screen))
    assert "Traceback" not in "".join(session.written for session in sessions)


def make_and_remove(shown: Shown, name: str, columns: int, **variables: str) -> Session:
    """An endpoint without a deployment: its creation has a progress display, too."""
    file = "größe/hello/endpoint.yml"
    session = terminal(shown.localep, columns, "create", "-f", file, "-n", name, **variables)
    shown.localep("delete", "--yes", "-n", name)
    return session


def test_a_narrow_terminal_is_left_clean(shown: Shown) -> None:
    session = make_and_remove(shown, "a-rather-long-name-of-32-letters", 40)

    assert session.status == 0
    assert "Starting endpoint a-rather-long-name-" in session.written
    assert "name-of-32" not in session.written.partition("Created")[0]  # it would not fit a line
    assert shown.masked(session.screen) == (
        "Created a-rather-long-name-of-32-letters: no deployment yet (N s).\n"
        f"  scoring URI  {URI}/score\n"
    )


def test_no_colour_where_none_is_wanted(shown: Shown) -> None:
    session = make_and_remove(shown, "colourless", 80, NO_COLOR="1")

    assert session.status == 0
    assert "Starting endpoint colourless" in session.written
    assert not re.search(r"\x1b\[[0-9;]*m", session.written.replace("\x1b[0m", ""))


@pytest.mark.parametrize("kind", ["dumb", ""])
def test_a_terminal_that_cannot_move_its_cursor_gets_lines(shown: Shown, kind: str) -> None:
    session = make_and_remove(shown, "on-paper", 80, TERM=kind)

    assert (session.status, "\x1b" in session.written) == (0, False)
    assert shown.masked(session.screen) == (
        f"Created on-paper: no deployment yet (N s).\n  scoring URI  {URI}/score\n"
    )


QUESTION = "Delete hello? [y/N]: "


@pytest.mark.parametrize(
    ("typed", "status", "screen"),
    [
        (
            b"n\n",
            2,
            f"{QUESTION}n\nError: Nothing was deleted.\nCause: The answer was not yes.\n"
            "Remedy: Answer y, or say --yes.\n",
        ),
        (
            b"\x04",
            2,
            f"{QUESTION.rstrip()}\nError: Nothing was deleted.\nCause: The answer was not yes.\n"
            "Remedy: Answer y, or say --yes.\n",
        ),
        (b"\x03", 130, f"{QUESTION}^C\nInterrupted.\n"),
    ],
    ids=["no", "end of file", "Ctrl-C"],
)
def test_the_question_before_a_deletion(
    shown: Shown, typed: bytes, status: int, screen: str
) -> None:
    session = in_terminal(
        [sys.executable, "-m", "localep", "delete"],
        columns=80,
        folder=shown.localep.folder,
        environment=shown.localep.environment() | {"TERM": "xterm"},
        answer=(QUESTION, typed),
    )

    assert session.status == status
    assert session.screen == screen
    assert [endpoint["name"] for endpoint in shown.localep.json("list")] == ["hello"]


def test_programs_are_not_asked(shown: Shown) -> None:
    session = terminal(shown.localep, 200, "delete", "-o", "json")

    assert session.status == 2
    assert json.loads(session.screen)["error"]["message"] == (
        "Nobody can be asked whether to delete hello."
    )


# Encodings


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "latin-1"},
    ],
)
def test_letters_that_the_locale_lacks_end_nothing(shown: Shown, variables: dict[str, str]) -> None:
    localep = replace(shown.localep, environ=variables)
    shown.localep("invoke", "-r", "request.json")

    details = run_bytes(localep, "show", "-o", "json")
    log = run_bytes(localep, "get-logs", "--lines", "5")
    wrong = localep.run("create", "-f", "großes ä.yml", "-o", "json")

    assert json.loads(details)["deployments"][0]["code"].endswith("größe/hello/code")
    assert "greeting größe" in log.decode("utf-8")
    assert wrong.status == 3
    assert json.loads(wrong.stderr)["error"]["exit_code"] == 3


def run_bytes(localep: Localep, *arguments: str) -> bytes:
    result = subprocess.run(
        [sys.executable, "-m", "localep", *arguments],
        cwd=localep.folder,
        env=localep.environment(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert result.stderr == b""
    return result.stdout


# Many endpoints


@pytest.fixture
def many(localep: Localep, engine: DockerEngine, base_image: str) -> Iterator[list[str]]:
    """Fifty endpoints as cheap as they come: gateways that were created and never started."""
    engine.ensure_network(localep.names.network, localep.names.labels())
    there = [f"endpoint-{number:02}" for number in range(50)]

    def make(name: str) -> None:
        state = new_state("key", Operation("create", "Succeeded"))
        labels = localep.names.labels(
            role=names.GATEWAY_ROLE, endpoint=name, address="127.0.0.1:12345"
        )
        container = engine.create_container(
            ContainerRequest(
                name=localep.names.gateway(name),
                image=base_image,
                command=config.COMMAND,
                labels=labels,
                network=localep.names.network,
            )
        )
        engine.copy_in(container, "/", config.gateway_archive(state))

    def remove(name: str) -> None:
        engine.remove_container(localep.names.gateway(name))

    with ThreadPoolExecutor(4) as pool:
        try:
            list(pool.map(make, reversed(there)))
            yield there
        finally:
            list(pool.map(remove, there))
            engine.remove_network(localep.names.network)


def test_fifty_endpoints_are_listed(localep: Localep, many: list[str]) -> None:
    lines = [f"{name}  Failed{'':22}{URI}/score" for name in many]

    assert localep("list").splitlines() == [
        "NAME         STATE   DEPLOYMENT  STATUS  SCORING URI",
        *lines,
    ]
    assert localep("list", "--query", "[].name", "-o", "tsv").splitlines() == many
    several = localep.run("show")
    assert several.status == 2
    assert several.stderr.splitlines()[0] == "Error: There are several endpoints."


@pytest.mark.parametrize(
    ("host", "uri"),
    [("localhost", r"http://127\.0\.0\.1:\d+/score"), ("::1", r"http://\[::1\]:\d+/score")],
)
def test_the_address_to_answer_on(shown: Shown, host: str, uri: str) -> None:
    file = "größe/hello/endpoint.yml"
    made = shown.localep.json("create", "-f", file, "-n", "addressed", "--host", host)
    shown.localep("delete", "--yes", "-n", "addressed")

    assert re.fullmatch(uri, made["scoring_uri"])


def test_an_address_of_another_machine_is_refused(shown: Shown) -> None:
    answer = shown.localep.run(
        "create", "-f", "größe/hello/endpoint.yml", "-n", "elsewhere", "--host", "192.0.2.1"
    )

    assert answer == Answer(
        2,
        "",
        "Error: No port can be opened on 192.0.2.1.\n"
        "Cause: Cannot assign requested address.\n"
        "Remedy: Give --host an address of this machine, such as 127.0.0.1 or 0.0.0.0.\n",
    )
