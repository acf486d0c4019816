"""Conda files for real: their Python and packages from channels, or from PyPI in their place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bridge import host_address
from support.conda_channel import (
    Interpreter,
    binary_package,
    find_interpreter,
    noarch_package,
    served_channel,
    write_channel,
)
from support.engine import Localep, Silent, write_script

from localep.engine.base import BuildRequest
from localep.engine.client import DockerEngine

TOKEN, LOGIN = "t0ken-of-the-channel", "reader:pass-of-the-reader"
# Nothing answers there.
NOWHERE = "http://127.0.0.1:9"
SCRIPT = """
import subprocess, sys
import greeting

def init():
    global located
    located = subprocess.run(["locator"], capture_output=True, text=True).stdout

def run(data):
    return [sys.version.split()[0], sys.prefix, greeting.WORD, located]
"""


@pytest.fixture(scope="session")
def interpreter() -> Interpreter:
    return find_interpreter()


@pytest.fixture(scope="session")
def channel(interpreter: Interpreter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A channel with a Python that is, if possible, not the base image's."""
    folder = tmp_path_factory.mktemp("channel")
    greetings = [
        noarch_package("greeting", number, {"greeting.py": f"WORD = 'hello {number}'\n"})
        for number in ("1.0", "2.0")
    ]
    locator = binary_package("locator", "1.2", ["greeting <2"])
    write_channel(folder, [interpreter.packed(), *greetings, locator])
    return folder


@pytest.fixture
def bridge(engine: DockerEngine) -> str:
    """This machine's address in the engine's own network, which builds reach."""
    return host_address(engine)


@pytest.fixture
def alone(discarded: list[str], localep: Localep) -> Iterator[Localep]:
    """A command line without settings of conda; the images that it makes are removed."""
    (localep.folder / ".condarc").write_text(f"channel_alias: {NOWHERE}\n")
    localep.environ |= {"CONDARC": str(localep.folder / ".condarc")}
    yield localep
    for container in localep.engine.list_containers(localep.names.labels(role="deployment")):
        found = localep.engine.find_image(container.image)
        assert found is not None
        discarded.append(found.identity)


def write_conda(sample: Path, channel: str, *packages: str) -> None:
    listed = [*packages, {"pip": ["azureml-inference-server-http"]}]
    data = {"channels": [channel], "dependencies": listed}
    (sample / "conda.yml").write_text(json.dumps(data))


def create(localep: Localep, *arguments: str) -> str:
    """Create the endpoint; what was told meanwhile."""
    answer = localep.run(
        "create", "-f", "hello/endpoint.yml", "-f", "hello/deployment.yml", *arguments
    )
    assert answer.status == 0, answer.stderr
    return answer.stderr


def test_the_python_and_packages_of_a_private_channel_run(
    alone: Localep,
    hello: Path,
    channel: Path,
    interpreter: Interpreter,
    bridge: str,
    engine: DockerEngine,
) -> None:
    write_script(hello, SCRIPT)
    with served_channel(channel, bridge, token=TOKEN, login=LOGIN) as server:
        address = server.address_with_token.replace("//", f"//{LOGIN}@")
        write_conda(hello, address, f"python={interpreter.minor}", "locator")

        told = create(alone, "--solver", "conda")

        asked = len(server.asked)
        assert alone.json("build", "-f", "hello/deployment.yml", "--solver", "conda")["built"] is (
            False
        )
        assert len(server.asked) == asked  # nobody is asked about what is there
    image = alone.engine.list_containers(alone.names.labels(role="deployment"))[0].image
    assert alone.invoke({}) == [
        interpreter.version,
        "/opt/localep/env",
        "hello 1.0",
        "locator 1.2 in /opt/localep/env\n",
    ]
    # Neither what would be pushed nor what was told holds the credentials.
    pushed = b"".join(engine.api.get_image(image))
    history = str(engine.api.history(image))  # type: ignore[no-untyped-call]
    assert b"locator 1.2 in /opt/localep/env" in pushed  # what is in it can be seen
    for secret in (TOKEN, LOGIN.partition(":")[2]):
        assert secret.encode() not in pushed
        assert secret not in history + told


def test_a_channel_that_builds_do_not_reach_is_sent_to_an_image_without_python(
    alone: Localep,
    hello: Path,
    channel: Path,
    interpreter: Interpreter,
    engine: DockerEngine,
    discarded: list[str],
) -> None:
    dockerfile = "FROM localep/base:latest\nRUN rm -r /usr/bin/python3* /opt/localep; touch /mine\n"
    own = f"localep-test/{alone.names.namespace}:1"
    engine.build_image(BuildRequest(own, {"Dockerfile": dockerfile}, dockerfile), Silent())
    discarded.append(own)
    deployment = hello / "deployment.yml"
    deployment.write_text(deployment.read_text().replace("localep/base:latest", own))
    write_script(hello, SCRIPT.replace("located = ", "located = open('/mine').read() + "))
    with served_channel(channel, token=TOKEN) as server:
        write_conda(hello, server.address_with_token, f"python={interpreter.minor}", "locator")
        create(alone)

    assert alone.invoke({})[2:] == ["hello 1.0", "locator 1.2 in /opt/localep/env\n"]
    image = alone.engine.list_containers(alone.names.labels(role="deployment"))[0].image
    history = engine.api.history(image)  # type: ignore[no-untyped-call]
    assert TOKEN not in str(history)
    assert "COPY packages" not in str(history)  # they stay in a stage of their own


def test_pypi_stands_in_where_no_channel_answers(alone: Localep, hello: Path) -> None:
    write_script(
        hello, "import tabulate\ndef init(): pass\ndef run(_): return tabulate.__version__"
    )
    write_conda(hello, "conda-forge", "python=3.11", "tabulate=0.9.0", "openssl")

    first = create(alone)
    warning = (
        "Warning: Taken from PyPI in the place of conda's channels: tabulate==0.9.0.*. "
        "Left out, as wheels and Python bring what they need of it: openssl.\n"
    )

    assert alone.invoke({}) == "0.9.0"
    assert first.count("Warning: ") == 1
    assert warning in first
    silent = f"The conda channel {NOWHERE}/conda-forge does not answer. 127.0.0.1: Connection"
    assert silent in first
    again = alone.run("build", "-f", "hello/deployment.yml")
    assert (again.status, again.stderr) == (0, warning)  # and nobody is asked again
    refused = alone.run("build", "-f", "hello/deployment.yml", "--solver", "conda")
    assert refused.status == 5
    assert f"Error: The conda channel {NOWHERE}/conda-forge does not answer.\n" in refused.stderr


def test_packages_of_the_old_server_that_stop_the_build_are_taken_out(
    alone: Localep, hello: Path
) -> None:
    old = "azureml-inference-server-http==0.0.1"
    (hello / "conda.yml").write_text(
        json.dumps({"dependencies": ["python=3.11", {"pip": [old, "tabulate==0.9.0"]}]})
    )
    warning = (
        f"Warning: Taken out of pip's list, as they cannot be installed any more: {old}. "
        "azureml-inference-server-http is installed instead.\n"
    )

    told = create(alone)

    assert alone.invoke({"name": "you"}) == {"greeting": "Hello, you!"}
    assert warning in told
    again = alone.run("build", "-f", "hello/deployment.yml")
    assert (again.status, again.stderr) == (0, warning)
