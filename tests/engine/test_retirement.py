"""A former deployment that cannot be removed: what the user is told, and what helps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.engine import Localep, write_script
from support.engine_proxy import EngineProxy, Fault, engine_proxy
from support.waiting import wait_for

from localep.gateway import runtime

SCRIPT = "def init(): pass\ndef run(raw_data): return 'new'\n"


@pytest.fixture
def proxy(created: Localep) -> Iterator[EngineProxy]:
    """What stands between the command line and the engine."""
    with engine_proxy(created.engine) as proxy:
        created.environ["DOCKER_HOST"] = proxy.address
        yield proxy
        del created.environ["DOCKER_HOST"]


def deployments(localep: Localep) -> list[str]:
    """The names of the deployment's containers."""
    found = localep.engine.list_containers(localep.names.labels(role="deployment"))
    return [container.name for container in found]


def loaded(localep: Localep) -> str | None:
    """Which settings HAProxy has."""
    command = runtime.shell_command(runtime.SHOW_SETTINGS)
    gateway = localep.names.gateway("hello")
    return runtime.loaded_settings(localep.engine.execute(gateway, command)[1])


def test_a_container_that_the_engine_does_not_remove_is_named_with_what_removes_it(
    created: Localep, hello: Path, proxy: EngineProxy
) -> None:
    (former,) = deployments(created)
    write_script(hello, SCRIPT)
    proxy.break_at("DELETE /containers/", Fault.REFUSE)

    answer = created.run("update")

    assert (answer.status, answer.stderr) == (
        0,
        "Warning: The new deployment takes the requests, but the former one could not be removed, "
        "and may go on holding memory: The Docker engine could not remove a container. the engine "
        "stumbled. `localep update -n hello` removes it, even where nothing has changed, and so "
        f"does `docker rm -f {former}`.\n",
    )
    assert created.invoke({}) == "new"
    assert former in deployments(created)

    created("update", "-n", "hello")

    assert former not in deployments(created)
    assert created.invoke({}) == "new"


def test_settings_that_the_gateway_has_not_loaded_are_told_with_what_loads_them(
    created: Localep, hello: Path, proxy: EngineProxy
) -> None:
    old = loaded(created)
    write_script(hello, SCRIPT)
    refuse = "POST /containers/[^/]*/exec"
    proxy.before("GET /volumes", lambda: proxy.break_at(refuse, Fault.REFUSE))

    answer = created.run("update", "--set", "deployment.request_settings.max_queue_wait_ms=700")

    gateway = created.names.gateway("hello")
    assert (answer.status, answer.stderr) == (
        0,
        "Warning: The new deployment takes the requests, but the gateway has not loaded all of "
        "its settings: The Docker engine could not run a command in a container. the engine "
        f"stumbled. It does as it starts: `docker restart {gateway}`.\n",
    )
    assert loaded(created) == old

    created.engine.api.restart(gateway, timeout=1)

    # Nobody listens while it starts.
    wait_for(lambda: loaded(created) not in {old, None})
    assert created.invoke({}) == "new"
