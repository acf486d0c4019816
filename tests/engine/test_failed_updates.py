"""A failed update never costs the working deployment, whatever it fails of."""

from __future__ import annotations

import json
import re
import secrets
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests
from support.engine import Answer, Localep, copy_sample, write_script
from support.engine_proxy import EngineProxy, Fault, engine_proxy
from support.failing_scripts import CRASHED, RAISED
from support.fixtures import own_command_line

from localep.engine.client import DockerEngine
from localep.rules.causes import cause

GOOD = "def init(): pass\ndef run(raw_data): return {answer!r}\n"
NOT_READY = "The deployment did not get ready."


@dataclass
class Client:
    """Asks the endpoint all the time; ``others`` are answers that are not those of ``wanted``."""

    uri: str
    key: str
    wanted: str
    total: int = 0
    others: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Authorization": f"Bearer {self.key}"}
            while not self.stop.is_set():
                try:
                    answer = session.post(self.uri, json={}, headers=headers, timeout=20)
                    outcome = f"{answer.status_code} {answer.text}"
                except requests.RequestException as error:
                    outcome = repr(error)
                self.total += 1
                if outcome != f'200 "{self.wanted}"':
                    self.others.append(outcome)
                self.stop.wait(0.005)


@contextmanager
def asked_all_the_time(localep: Localep, wanted: str) -> Iterator[Client]:
    uri, key = localep.json("show")["scoring_uri"], localep.json("get-credentials")["primaryKey"]
    client = Client(uri, key, wanted)
    thread = threading.Thread(target=client.run)
    thread.start()
    try:
        yield client
    finally:
        client.stop.set()
        thread.join()


@pytest.fixture(scope="module")
def endpoint(
    engine: DockerEngine, base_image: str, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Localep]:
    """An endpoint with a model that all of these tests share."""
    with own_command_line(engine, tmp_path_factory.mktemp("failed")) as command:
        hello = copy_sample(samples / "hello", command.folder)
        with (hello / "deployment.yml").open("a") as deployment:
            deployment.write("model: {path: model.txt}\n")
        (hello / "model.txt").write_text("weights")
        write_script(hello, GOOD.format(answer="version 0"))
        command("create", "-f", "hello/deployment.yml")
        yield command


@pytest.fixture
def hello(endpoint: Localep) -> Path:
    return endpoint.folder / "hello"


@pytest.fixture
def running(endpoint: Localep, hello: Path) -> Iterator[Localep]:
    """The endpoint, which answers all the time as before; a good update works afterwards."""
    version = endpoint.invoke({})
    container = endpoint.container()
    kept = {path: path.read_bytes() for path in hello.rglob("*") if path.is_file()}
    write_script(hello, GOOD.format(answer="better"))
    with asked_all_the_time(endpoint, version) as client:
        yield endpoint
    assert client.total > 0
    assert client.others == []
    assert endpoint.container() == container
    assert len(endpoint.engine.list_containers(endpoint.names.labels())) == 2

    for path, content in kept.items():
        path.write_bytes(content)
    following = f"version {int(version.split()[1]) + 1}"
    write_script(hello, GOOD.format(answer=following))
    endpoint("update", "-f", "hello/deployment.yml")

    assert endpoint.invoke({}) == following
    assert endpoint.json("show")["last_operation"] == {
        "name": "update",
        "state": "Succeeded",
        "error": None,
    }


@pytest.fixture
def proxy(endpoint: Localep) -> Iterator[EngineProxy]:
    """What stands between the command line and the engine."""
    with engine_proxy(endpoint.engine) as proxy:
        endpoint.environ["DOCKER_HOST"] = proxy.address
        yield proxy
        del endpoint.environ["DOCKER_HOST"]


def assert_recorded(localep: Localep, error: str) -> None:
    """The failure is shown, and the deployment that goes on is shown as running."""
    shown = localep.json("show")
    operation = shown["last_operation"]
    assert (operation["name"], operation["state"]) == ("update", "Failed")
    assert re.fullmatch(error, operation["error"])
    assert shown["provisioning_state"] == "Succeeded"
    (deployment,) = shown["deployments"]
    assert (deployment["provisioning_state"], deployment["status"]) == ("Failed", "running")


def test_an_environment_that_cannot_be_built(running: Localep, hello: Path) -> None:
    package = "localep-no-such-package-4711"
    before = environments(running)
    (hello / "conda.yml").write_text(
        f"dependencies: [python=3.11, {{pip: [azureml-inference-server-http, {package}]}}]\n"
    )

    answer = running.run("update", "-f", "hello/deployment.yml")

    assert (answer.status, answer.stdout) == (5, "")
    _, error, told = answer.stderr.rpartition("Error: ")
    told = error + told
    assert re.match(
        r"Error: The image localep/env:\w+ could not be built\.\n"
        rf"Cause: No index has {package} \(package-not-found; the cloud says `No matching "
        r"distribution`\)\. A step ended with exit code 1: .*RUN localep-build uv pip install "
        r"--exact .*\n",
        told,
    )
    assert f"{package} was not found in the package registry" in told
    assert told.endswith(f"Remedy: {cause('package-not-found').remedy}\n")
    assert_recorded(
        running,
        rf"The image localep/env:\w+ could not be built\. No index has {package} .*",
    )
    assert environments(running) == before


def environments(localep: Localep) -> set[str]:
    """The names of all environments' images."""
    found = localep.engine.api.images("localep/env")
    return {name for image in found for name in image["RepoTags"] or ()}


def test_an_image_that_cannot_be_pulled(running: Localep) -> None:
    image = "registry.invalid/no/such:1"
    answer = running.run("update", "--strict-image", "--set", f"environment.image={image}")

    assert (answer.status, answer.stdout) == (5, "")
    said = answer.stderr.splitlines()
    assert said[-3:] == [
        f"Error: The image {image} cannot be used.",
        f"Cause: The image {image} could not be pulled. Its registry did not answer.",
        "Remedy: Leave out --strict-image to run on localep's own base image instead.",
    ]
    assert_recorded(
        running,
        f"The image {image} cannot be used. "
        f"The image {image} could not be pulled. Its registry did not answer.",
    )


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        ("POST /containers/[^/]*/start", "start a container"),
        ("POST /containers/create", "create the container .*"),
    ],
)
def test_a_container_that_the_engine_refuses(
    running: Localep, proxy: EngineProxy, request_: str, what: str
) -> None:
    proxy.break_at(request_, Fault.REFUSE)

    answer = running.run("update")

    assert (answer.status, answer.stdout) == (4, "")
    assert re.fullmatch(
        rf"Error: The Docker engine could not {what}\.\n"
        r"Cause: the engine stumbled\.\n"
        r"Remedy: See the engine's own log for more\.\n",
        answer.stderr,
    )
    assert_recorded(running, rf"The Docker engine could not {what}\. the engine stumbled\.")


def test_a_model_that_goes_while_the_container_is_made(
    running: Localep, hello: Path, proxy: EngineProxy
) -> None:
    proxy.before("POST /containers/create", (hello / "model.txt").unlink)

    answer = running.run("update")

    assert (answer.status, answer.stdout) == (4, "")
    error, cause, _ = answer.stderr.splitlines()
    assert error.startswith("Error: The Docker engine could not create the container ")
    assert "bind source path does not exist" in cause
    assert_recorded(running, r"The Docker engine could not create .* does not exist.*")


def test_an_init_that_raises(running: Localep, hello: Path) -> None:
    write_script(hello, "def init(): raise ValueError('broken')\ndef run(raw_data): pass\n")

    answer = running.run("update")

    assert (answer.status, answer.stdout) == (6, "")
    assert answer.stderr.startswith(
        f"Error: {NOT_READY}\nCause: init() failed ({RAISED}). ValueError: broken\n"
    )
    assert_recorded(running, rf"{NOT_READY} init\(\) failed \({RAISED}\). ValueError: broken")


def test_an_init_that_takes_too_long(running: Localep, hello: Path) -> None:
    write_script(
        hello,
        "import threading\ndef init(): threading.Event().wait()\ndef run(raw_data): pass\n",
    )

    answer = running.run("update", "--timeout", "2")

    assert (answer.status, answer.stdout) == (6, "")
    assert answer.stderr.startswith(f"Error: {NOT_READY}\nCause: It did not answer within 2 s; ")
    assert_recorded(running, rf"{NOT_READY} It did not answer within 2 s; .*")


def test_a_script_that_ends_the_server(running: Localep, hello: Path) -> None:
    write_script(hello, "import os\ndef init(): os._exit(7)\ndef run(raw_data): pass\n")

    answer = running.run("update")

    assert (answer.status, answer.stdout) == (6, "")
    assert_recorded(running, rf"{NOT_READY} Its server's worker died 3 times in a row .*")


def test_a_custom_container_that_answers_elsewhere(running: Localep, samples: Path) -> None:
    sample = copy_sample(samples / "custom-container", running.folder / secrets.token_hex(4))
    routes = {"port": 8502, "path": "/ready"}
    image = running.json("build", "-f", str(sample / "deployment.yml"))["image"]
    try:
        answer = running.run(
            *("update", "-n", "hello", "-f", str(sample / "deployment.yml"), "--timeout", "2"),
            *("--set", f"environment.inference_config.readiness_route={json.dumps(routes)}"),
        )
    finally:
        running.engine.api.remove_image(image, force=True)

    cause = "Within 2 s, GET /ready at port 8502 found nobody who listens there "
    cause += f"(port-mismatch; {CRASHED})."
    assert (answer.status, answer.stdout, answer.stderr) == (
        6,
        "",
        f"Error: {NOT_READY}\n"
        f"Cause: {cause}\n"
        "  3 words, listening on port 8501\n"
        "Remedy: Correct the port of `readiness_route` under `inference_config`, and have the "
        "server listen on every address (0.0.0.0).\n",
    )
    assert_recorded(running, re.escape(f"{NOT_READY} {cause}"))


@pytest.mark.parametrize(
    ("request_", "fault"),
    [
        ("POST /containers/create", Fault.LOSE),
        ("PUT /containers/[^/]*/archive", Fault.DROP),
        ("POST /containers/[^/]*/start", Fault.LOSE),
        ("POST /exec/[^/]*/start", Fault.DROP),
        ("POST /containers/[^/]*/update", Fault.LOSE),
    ],
)
def test_a_connection_to_the_engine_that_breaks(
    running: Localep, proxy: EngineProxy, request_: str, fault: Fault
) -> None:
    proxy.break_at(request_, fault)

    answer = running.run("update")

    assert proxy.faults != []
    assert (answer.status, answer.stdout) == (4, "")
    error, *rest = answer.stderr.splitlines()
    assert rest == [
        "Cause: The connection to it broke.",
        "Remedy: See with `docker info` that it runs, then try again.",
    ]
    assert_recorded(running, f"{re.escape(error[7:])} The connection to it broke.")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_it_waits(
    running: Localep, hello: Path, proxy: EngineProxy, number: signal.Signals
) -> None:
    write_script(
        hello,
        "import threading\ndef init(): threading.Event().wait()\ndef run(raw_data): pass\n",
    )
    waits = threading.Event()
    proxy.before("POST /exec/[^/]*/start", waits.set)
    process = running.popen("update")
    assert waits.wait(30)

    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)

    assert Answer(process.returncode, stdout, stderr) == Answer(130, "", "Interrupted.\n")
    assert_recorded(running, r"Interrupted\.")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("-f", "hello/broken.yml"), "broken.yml:2:1 is not valid YAML."),
        (("--set", "model.path=gone.txt"), "The YAML has one error."),
        (("--set", "instance_count=many"), "The YAML has one error."),
    ],
    ids=["no YAML", "a model that is not there", "a wrong value"],
)
def test_a_document_that_is_wrong_changes_nothing(
    running: Localep, hello: Path, arguments: tuple[str, ...], told: str
) -> None:
    (hello / "broken.yml").write_text("name: [\n")
    before = running.lasting()

    answer = running.run("update", *arguments)

    assert (answer.status, answer.stdout) == (3, "")
    assert answer.stderr.splitlines()[0].endswith(told)
    assert running.lasting() == before
