"""An engine that goes away in the middle of a command: an error, and a way on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.engine import Localep, write_script
from support.engine_proxy import EngineProxy, Fault, engine_proxy


@pytest.fixture
def proxy(localep: Localep) -> Iterator[EngineProxy]:
    """What stands between the command line and the engine."""
    with engine_proxy(localep.engine) as proxy:
        localep.environ["DOCKER_HOST"] = proxy.address
        yield proxy
        del localep.environ["DOCKER_HOST"]


@pytest.mark.parametrize(
    "request_",
    [
        "GET /containers/json",
        "POST /containers/create.*gateway",
        "PUT /containers/.*/archive",
        "POST /containers/.*/start",
        "POST /exec/.*/start",
        "POST /containers/.*/update",
    ],
)
def test_an_engine_that_dies_during_create(
    localep: Localep, hello: Path, proxy: EngineProxy, request_: str
) -> None:
    proxy.break_at(request_, Fault.DIE)

    answer = localep.run("create", "-f", "hello/deployment.yml")

    assert proxy.faults != []
    assert (answer.status, answer.stdout) == (4, "")
    error, *rest = answer.stderr.splitlines()
    # The first error is told, and not that the cleaning up failed, too. The address of the new
    # container is looked up beside the wait for it, and may be what breaks first.
    done = "list" if request_.startswith("GET") else "create|copy|start|run|set|look at"
    assert re.fullmatch(rf"Error: The Docker engine could not ({done}) .*\.", error)
    assert rest == [
        "Cause: The connection to it broke.",
        "Remedy: See with `docker info` that it runs, then try again.",
    ]
    gone = localep.run("list")
    assert (gone.status, gone.stdout, gone.stderr) == (
        4,
        "",
        "Error: No Docker engine answers.\n"
        "Cause: None listens here.\n"
        "Remedy: Start Docker, or point DOCKER_HOST at an engine that runs.\n",
    )

    proxy.open()
    localep("create", "-f", "hello/deployment.yml")

    assert localep.invoke({"name": "you"}) == {"greeting": "Hello, you!"}
    assert len(localep.engine.list_containers(localep.names.labels())) == 2


@pytest.mark.parametrize("fault", [Fault.DROP, Fault.LOSE, Fault.REFUSE])
@pytest.mark.parametrize("request_", ["POST /containers/create", "POST /containers/.*/start"])
def test_an_engine_that_stumbles_during_create(
    localep: Localep, hello: Path, proxy: EngineProxy, request_: str, fault: Fault
) -> None:
    proxy.break_at(request_, fault)

    answer = localep.run("create", "-f", "hello/deployment.yml")

    assert (answer.status, answer.stdout) == (4, "")
    cause = "the engine stumbled" if fault is Fault.REFUSE else "The connection to it broke"
    assert f"Cause: {cause}.\n" in answer.stderr
    assert localep.left_behind() == []


def test_an_engine_that_dies_during_delete(created: Localep, proxy: EngineProxy) -> None:
    proxy.break_at("DELETE /containers/", Fault.DIE, nth=2)

    answer = created.run("delete", "--yes")

    assert (answer.status, answer.stdout, answer.stderr) == (
        4,
        "",
        "Error: The Docker engine could not remove a container.\n"
        "Cause: The connection to it broke.\n"
        "Remedy: See with `docker info` that it runs, then try again.\n",
    )
    proxy.open()
    created("delete", "--yes")
    assert created.left_behind() == []


def test_an_engine_that_dies_during_update(
    created: Localep, hello: Path, proxy: EngineProxy
) -> None:
    write_script(hello, "def init(): pass\ndef run(raw_data): return 'new'\n")
    proxy.break_at("POST /exec/.*/start", Fault.DIE, nth=2)

    answer = created.run("update")

    assert (answer.status, answer.stdout) == (4, "")
    assert answer.stderr.endswith("Remedy: See with `docker info` that it runs, then try again.\n")
    proxy.open()
    assert created.invoke({"name": "you"}) == {"greeting": "Hello, you!"}
    created("update")
    assert created.invoke({}) == "new"
    assert len(created.engine.list_containers(created.names.labels())) == 2
