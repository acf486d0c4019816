"""Ctrl-C and SIGTERM at any moment: all or nothing."""

from __future__ import annotations

import random
import signal
import subprocess
from pathlib import Path

import pytest
from support.engine import Localep, write_script

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def interrupt(process: subprocess.Popen[str], number: signal.Signals, seconds: float) -> int:
    """Send a signal after a while and wait for the end."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert "Traceback" not in stderr
    return process.returncode


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupted_create_leaves_an_endpoint_or_nothing(
    localep: Localep, hello: Path, number: signal.Signals
) -> None:
    chance = random.Random(number)
    for _ in range(6):
        process = localep.popen("create", "-f", "hello/deployment.yml")
        status = interrupt(process, number, chance.uniform(0.15, 1.3))

        assert status in {0, 130}
        if localep.json("list"):
            assert localep.invoke({"name": "you"}) == {"greeting": "Hello, you!"}
            localep("delete", "--yes")
        assert localep.left_behind() == []


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupted_update_leaves_one_deployment_that_answers(
    created: Localep, hello: Path, number: signal.Signals
) -> None:
    chance = random.Random(number)
    versions = {"Hello, you!"}
    for turn in range(6):
        write_script(
            hello, f"def init(): pass\ndef run(raw_data): return {{'greeting': 'turn {turn}'}}\n"
        )
        versions.add(f"turn {turn}")
        status = interrupt(created.popen("update"), number, chance.uniform(0.15, 1.3))

        assert status in {0, 130}
        assert created.invoke({"name": "you"})["greeting"] in versions
        assert len(created.engine.list_containers(created.names.labels())) == 2
    write_script(hello, "def init(): pass\ndef run(raw_data): return 'last'\n")
    created("update")
    assert created.invoke({}) == "last"
