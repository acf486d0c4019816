"""What comes back by itself: after the engine, the machine, or a process of an endpoint ended."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.engine import Localep, copy_sample, write_script
from support.second_engine import SecondEngine
from support.waiting import wait_for

from localep.engine.address import EngineAddress
from localep.engine.client import DockerEngine
from localep.operations.names import Names

GREETING = {"greeting": "Hello, you!"}


@pytest.fixture(scope="module")
def there(
    machine: SecondEngine, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Localep:
    """A command line on the second engine with three endpoints.

    `hello` is as it was created, `updated` has another deployment than its first, and `lost`
    has a model whose folder is gone.
    """
    folder = tmp_path_factory.mktemp("there")
    hello = copy_sample(samples / "hello", folder)
    model = folder / "model"
    model.mkdir()
    with machine.inside(), closing(machine.connect().api) as api:
        engine = DockerEngine(api, EngineAddress(machine.host))
        command = Localep(engine, Names("test"), folder, {"DOCKER_HOST": machine.host})
        command("create", "-f", "hello/deployment.yml")
        command("create", "-n", "lost", "-f", "hello/deployment.yml", f"--set=model.path={model}")
        shutil.rmtree(model)
        command("create", "-n", "updated", "-f", "hello/deployment.yml")
        write_script(hello, "def init(): pass\ndef run(raw_data): return 'updated'\n")
        command("update", "-n", "updated")
    return command


def stop_but_for_its_containers(machine: SecondEngine) -> None:
    machine.options = ("--live-restore",)
    machine.power_off()
    machine.start()
    machine.stop()


@pytest.mark.parametrize(
    "end",
    [
        SecondEngine.stop,
        SecondEngine.kill,
        SecondEngine.power_off,
        stop_but_for_its_containers,
    ],
)
def test_endpoints_come_back_with_the_engine(
    machine: SecondEngine,
    there: Localep,
    end: Callable[[SecondEngine], None],
) -> None:
    names = ("hello", "updated")
    with machine.inside():
        before = {name: there.lasting("-n", name) for name in names}
        keys = {name: there.json("get-credentials", "-n", name) for name in names}

    end(machine)
    machine.start()

    with machine.inside():
        wait_for_answer(there, GREETING, "-n", "hello")
        wait_for_answer(there, "updated", "-n", "updated")
        assert {name: there.lasting("-n", name) for name in names} == before
        assert {name: there.json("get-credentials", "-n", name) for name in names} == keys
        lost = there.json("show", "-n", "lost")
        assert lost["provisioning_state"] == "Succeeded"
        (deployment,) = lost["deployments"]
        assert (deployment["provisioning_state"], deployment["status"]) == ("Failed", "exited")
        assert re.search("mount.*no such file or directory", deployment["error"])
        wait_for(lambda: answer_of_the_lost(there) == (7, "The deployment does not run."))


def answer_of_the_lost(there: Localep) -> tuple[int, str]:
    """How its gateway answers; with nothing on standard output until it runs."""
    answer = there.run("invoke", "-n", "lost", "-r", "-", stdin="{}")
    assert answer.stdout or "Nothing came from" in answer.stderr
    return answer.status, answer.stdout


def test_a_worker_that_dies_is_respawned_with_the_same_code(created: Localep, hello: Path) -> None:
    write_script(hello, "def init(): pass\ndef run(raw_data): return 'unreleased'\n")
    before = workers(created)
    assert before
    for process in before:
        os.kill(process, signal.SIGKILL)

    wait_for_answer(created, GREETING)

    assert workers(created).isdisjoint(before)
    assert status_of(created) == "Succeeded"


@pytest.mark.parametrize("role", ["deployment", "gateway"])
def test_a_container_that_dies_is_started_again(created: Localep, hello: Path, role: str) -> None:
    write_script(hello, "def init(): pass\ndef run(raw_data): return 'unreleased'\n")
    shown, keys = created.lasting(), created.json("get-credentials")
    main = inspect(created, role)["State"]["Pid"]
    os.kill(main, signal.SIGKILL)

    wait_for(lambda: inspect(created, role)["RestartCount"] == 1)
    wait_for_answer(created, GREETING)

    assert inspect(created, role)["State"]["Pid"] != main
    assert created.lasting() == shown
    assert created.json("get-credentials") == keys


def wait_for_answer(localep: Localep, expected: object, *arguments: str) -> None:
    """Wait until an invocation is answered; none may be answered otherwise."""

    def answered() -> bool:
        answer = localep.run("invoke", "-r", "-", *arguments, stdin=json.dumps({"name": "you"}))
        if answer.status != 0:
            return False
        assert json.loads(answer.stdout) == expected
        return True

    wait_for(answered)


def workers(localep: Localep) -> set[int]:
    """The processes of a deployment that its server has started."""
    main = inspect(localep, "deployment")["State"]["Pid"]
    top = localep.engine.api.top(localep.container(), "-o pid")
    return {int(number) for (number,) in top["Processes"]} - {main}


def inspect(localep: Localep, role: str) -> dict[str, Any]:
    found: dict[str, Any] = localep.engine.api.inspect_container(localep.container(role))
    return found


def status_of(localep: Localep) -> object:
    (deployment,) = localep.json("show")["deployments"]
    return deployment["provisioning_state"]
