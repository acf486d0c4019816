"""Images from a lock: the same packages at every build, and none where it no longer fits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from support.conda_channel import (
    Interpreter,
    binary_package,
    find_interpreter,
    noarch_package,
    write_channel,
)
from support.engine import Localep

from localep.conda.lock_file import read_lock_file
from localep.environment.dockerfile import PACKAGES_FILE

SERVER = "azureml-inference-server-http"
DEPLOYMENT = "hello/deployment.yml"


def test_two_builds_from_one_lock_hold_the_same(
    localep: Localep, hello: Path, discarded: list[str]
) -> None:
    interpreter = find_interpreter()
    channel = localep.folder / "channel"
    publish(channel, interpreter)
    ask_for(hello, channel, interpreter, "six==1.17.0")

    locked = localep.json("lock", "-f", DEPLOYMENT)

    lock = read_lock_file(hello / "conda-lock.yml")
    assert locked["path"] == str(lock.path)
    expected = {(one.name, one.version, "conda") for one in lock.conda["linux-64"]}
    assert expected == {
        ("python", interpreter.version, "conda"),
        ("mascot", "2.0", "conda"),
        ("tool", "2.0", "conda"),
    }
    expected |= {(one.name, one.version, "pypi") for one in lock.pip["linux-64"]}
    # The server is in it, though the conda file does not ask for it; what conda brings is not.
    names = {name for name, *_ in expected}
    assert {"six", SERVER} <= names
    assert locked["packages"] == {"linux-64": {"conda": 3, "pip": len(expected) - 3}}

    first = build(localep, discarded)
    for index in channel.rglob("repodata.json"):
        index.unlink()  # nobody has to solve anything
    second = build(localep, discarded)

    assert first["image"] == second["image"]
    assert first["id"] != second["id"]
    found = [packages_of(localep, built["id"]) for built in (first, second)]
    assert found[0] == found[1]
    assert {
        (canonicalize_name(one["name"]), one["version"], one["source"]) for one in found[0]
    } == expected


def test_a_lock_that_no_longer_fits_is_refused(localep: Localep, hello: Path) -> None:
    conda = hello / "conda.yml"
    localep("lock", "-f", DEPLOYMENT)
    assert localep.json("lock", "-f", DEPLOYMENT, "--check")["fits"]
    conda.write_text(conda.read_text() + "      - six\n")

    for arguments in (["create", "-f", "hello/endpoint.yml"], ["build"]):
        answer = localep.run(*arguments, "-f", DEPLOYMENT)

        assert (answer.status, answer.stdout) == (5, "")
        assert answer.stderr.endswith(
            f"Error: {hello}/conda-lock.yml no longer fits conda.yml.\n"
            "Cause: six was added.\n"
            "Remedy: Write it anew with `localep lock`, or remove it.\n"
        )
    assert localep.left_behind() == []


def publish(channel: Path, interpreter: Interpreter) -> None:
    """A channel with a program, a package of Python's, and the interpreter."""
    mascot = noarch_package("mascot", "2.0", {"mascot.py": "AGE = 2\n"})
    write_channel(channel, [interpreter.packed(), binary_package("tool", "2.0"), mascot])


def ask_for(hello: Path, channel: Path, interpreter: Interpreter, pip: str) -> None:
    """A conda file whose pip asks for a package of conda's, too."""
    (hello / "conda.yml").write_text(
        f"channels: ['{channel.as_uri()}']\n"
        f"dependencies: [python={interpreter.minor}, tool, mascot, {{pip: [{pip}, mascot]}}]\n"
    )


def build(localep: Localep, discarded: list[str]) -> Any:
    built = localep.json("build", "-f", DEPLOYMENT, "--no-cache")
    discarded.append(built["id"])
    return built


def packages_of(localep: Localep, image: str) -> Any:
    return json.loads(localep.engine.file_of_image(image, PACKAGES_FILE) or b"null")
