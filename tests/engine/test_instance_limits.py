"""Limits on the real engine: what a container may take, and what is told when it wants more."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.engine import Localep, copy_sample, write_script
from support.fixtures import own_command_line
from support.waiting import wait_for

from localep.engine.base import ContainerRequest, Limits
from localep.engine.client import DockerEngine

MIB = 1024**2
LIMITS = ["--memory", "256M", "--cpus", "0.5", "--shm-size", "96M"]
FILES = ["-f", "hello/endpoint.yml", "-f", "hello/deployment.yml"]

# Hashing leaves Python's lock alone, so that two threads take two CPUs where they may.
SERVING = """\
import hashlib
import json
import os
import threading
import time

held = []


def init():
    print("ready")


def burn(seconds):
    block = b"x" * (1 << 20)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        hashlib.sha256(block).digest()


def run(raw_data):
    asked = json.loads(raw_data)
    if "mib" in asked:
        held.append(bytearray(asked["mib"] << 20))
    if "burn" in asked:
        begun, used = time.monotonic(), time.process_time()
        threads = [threading.Thread(target=burn, args=(asked["burn"],)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {"cpus": (time.process_time() - used) / (time.monotonic() - begun)}
    disk = os.statvfs("/dev/shm")
    return {"held": len(held), "shm": disk.f_blocks * disk.f_frsize}
"""
GREEDY = """\
def init():
    print("loading")
    globals()["held"] = bytearray(600 << 20)


def run(raw_data):
    return {}
"""


@pytest.fixture(scope="module")
def limited(
    engine: DockerEngine, base_image: str, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Localep]:
    """An endpoint with little of everything."""
    with own_command_line(engine, tmp_path_factory.mktemp("limits")) as command:
        write_script(copy_sample(samples / "hello", command.folder), SERVING)
        answer = command.run("create", *FILES, *LIMITS)
        assert (answer.status, answer.stderr) == (0, "")
        yield command


def deployment(localep: Localep, verb: str = "show") -> Any:
    return localep.json(verb)["deployments"][0]


def test_the_limits_are_shown_and_stay(limited: Localep) -> None:
    limits = {"cpus": 0.5, "memory_bytes": 256 * MIB, "shm_bytes": 96 * MIB}

    assert deployment(limited)["limits"] == limits
    assert deployment(limited, "update")["limits"] == limits
    assert "limits               0.5 CPUs, 256 MiB of memory, 96 MiB of shared memory" in (
        limited("show").splitlines()
    )


def test_the_container_has_no_swap_beside_its_memory(
    limited: Localep, engine: DockerEngine
) -> None:
    host = engine.api.inspect_container(limited.container())["HostConfig"]

    assert (host["Memory"], host["MemorySwap"]) == (256 * MIB, 256 * MIB)


def test_two_threads_get_no_more_than_half_a_cpu(limited: Localep) -> None:
    before = throttled(limited)

    used = limited.invoke({"burn": 1})["cpus"]

    assert 0 < used < 0.75
    assert throttled(limited) > before


def throttled(localep: Localep) -> int:
    """How often the kernel has held the container back, with either version of its groups."""
    files = ("/sys/fs/cgroup/cpu/cpu.stat", "/sys/fs/cgroup/cpu.stat")
    _, text = localep.engine.execute(localep.container(), ["grep", "-hs", "^nr_throttled", *files])
    return int(text.split()[1])


def test_the_shared_memory_has_the_size_that_was_asked_for(limited: Localep) -> None:
    assert limited.invoke({})["shm"] == 96 * MIB


def test_a_worker_that_wants_more_memory_is_told_of_everywhere(limited: Localep) -> None:
    before = deployment(limited)["memory"]
    quiet = limited.run("get-logs")

    answer = limited.post({"mib": 600})

    wait_for(lambda: limited.post().status_code == 200)  # the worker was started again
    after = deployment(limited)["memory"]
    usage = limited.json("stats")["instances"][0]["usage"]
    log = limited.run("get-logs")
    assert before["processes_killed"] == 0
    assert 0 < before["used_bytes"] <= before["peak_bytes"] < 200 * MIB
    assert quiet.stderr == ""
    assert answer.status_code == 424
    assert after["limit_bytes"] == 256 * MIB
    assert (after["processes_killed"], after["peak_bytes"] > 250 * MIB) == (1, True)
    assert after["used_bytes"] < 200 * MIB
    assert usage["memory_limit_bytes"] == 256 * MIB
    assert (usage["cpu_limit"], usage["processes_killed"]) == (0.5, 1)
    assert "Perhaps out of memory?" in log.stdout
    assert log.stderr == (
        "Warning: The system ended a process of the deployment for want of memory, at the limit "
        "of 256 MiB (memory-at-start).\n"
    )
    assert "(256 MiB at most); out of memory: 1 process was ended" in limited("show")
    assert "(256 MiB at most); out of memory: 1 process was ended" in limited("stats")


def test_a_model_that_does_not_fit_ends_the_start_at_once(localep: Localep, hello: Path) -> None:
    write_script(hello, GREEDY)

    answer = localep.run("create", *FILES, "--memory", "256M")

    assert (answer.status, answer.stdout) == (6, "")
    assert answer.stderr == (
        "Error: The deployment did not get ready.\n"
        "Cause: It was out of memory in init(): its limit is 256 MiB, its peak was 256 MiB, and "
        "the system ended a process of it (memory-at-start; the cloud says `OutOfQuota`).\n"
        "  Last lines of its output:\n"
        "    loading\n"
        "Remedy: Standard_F2s_v2 has 4 GiB, which may do in the cloud; here give more with "
        "--memory, or load less in init().\n"
    )
    assert localep.left_behind() == []


@pytest.fixture
def container(engine: DockerEngine, base_image: str) -> Iterator[ContainerRequest]:
    """A container of little memory, removed after the test."""
    request = ContainerRequest(
        name=f"localep-test-limits-{secrets.token_hex(4)}",
        image=base_image,
        command=("sleep", "60"),
        labels={},
        network="bridge",
        limits=Limits(memory=32 * MIB),
    )
    yield request
    engine.remove_container(request.name)


def test_a_container_whose_own_process_was_ended_says_so(
    engine: DockerEngine, container: ContainerRequest
) -> None:
    command = ("python3", "-c", "bytearray(64 << 20)")
    identity = engine.create_container(replace(container, command=command))

    engine.start_container(identity)

    def ended() -> bool:
        found = engine.inspect_container(identity)
        return found is not None and found.status == "exited"

    wait_for(ended)
    found = engine.inspect_container(identity)
    assert found is not None
    assert (found.oom_killed, found.exit_code, found.memory_limit) == (True, 137, 32 * MIB)
    assert engine.usage(identity) is None


@pytest.mark.parametrize("path", ["/usr/bin:/bin", "/nowhere"], ids=["grep", "no grep"])
def test_the_memory_is_told_whatever_the_image_has(
    engine: DockerEngine, container: ContainerRequest, path: str
) -> None:
    command = ("/usr/bin/sleep", "60")
    request = replace(container, command=command, environment={"PATH": path})
    identity = engine.create_container(request)
    engine.start_container(identity)

    usage = engine.usage(identity)

    assert usage is not None
    assert 0 < usage.memory < 16 * MIB
    assert usage.cpu_seconds > 0
    assert usage.kills == (0 if "bin" in path else None)
