"""`localep doctor`, on the real engine and on one with stand-ins for GPUs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from support.engine import Localep
from support.second_engine import UNREACHABLE, SecondEngine

from localep.engine.address import EngineAddress
from localep.engine.client import DockerEngine
from localep.operations.names import Names

CHECKS = ["engine", "builder", "base image", "disk", "certificates", "index", "GPUs"]


def test_a_machine_that_runs_the_tests_is_well(localep: Localep) -> None:
    told = localep.json("doctor")

    found = {finding["check"]: finding for finding in told["findings"]}
    assert (told["is_well"], list(found)) == (True, CHECKS)
    assert found["index"]["severity"] == "ok"
    version = localep.engine.api.version()["Version"]
    assert found["engine"]["message"].startswith(f"Docker {version} (API ")
    lines = localep("doctor").splitlines()
    assert [line[9:23].strip() for line in lines if line[:1].strip()] == CHECKS
    assert localep.left_behind() == []


def test_the_way_to_gpus_is_tried(machine: SecondEngine, tmp_path: Path) -> None:
    with machine.inside(), closing(machine.connect().api) as api:
        engine = DockerEngine(api, EngineAddress(machine.host))
        environ = {"DOCKER_HOST": machine.host, "UV_DEFAULT_INDEX": UNREACHABLE}
        localep = Localep(engine, Names("test-doctor"), tmp_path, environ)

        told = localep.json("doctor")

        assert localep.left_behind() == []
    assert told["findings"][-1] == {
        "check": "GPUs",
        "severity": "ok",
        "message": "They are given by the runtime nvidia: the engine has it registered.",
        "remedy": None,
        "fix": None,
    }
