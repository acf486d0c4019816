"""The image that a deployment names: here, pulled, refused, or of another Python."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.engine import Localep
from support.image_registry import image_registry
from support.image_registry import push as push_away

from localep.engine.client import DockerEngine

AS_BEFORE = "One warning as before; `localep validate` shows it.\n"
BY_OPTION = " (--set environment.image)"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry on this machine's loopback: ``host:port``."""
    with image_registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture
def pushed(engine: DockerEngine, registry: str, base_image: str) -> Iterator[str]:
    """An image with Python that is in the registry and not here."""
    reference = f"{registry}/team/python:1"
    push(engine, base_image, reference)
    yield reference
    engine.api.remove_image(reference, force=True)


def push(engine: DockerEngine, image: str, reference: str) -> None:
    repository, _, tag = reference.rpartition(":")
    created = engine.api.create_container(image, command=["true"], labels={"copy": "yes"})
    try:
        # A layer of its own makes it another image than localep's base.
        engine.api.put_archive(created["Id"], "/", _empty_folder("team"))
        engine.api.commit(created["Id"], repository=repository, tag=tag)
    finally:
        engine.api.remove_container(created["Id"])
    push_away(engine, reference)


def _empty_folder(name: str) -> bytes:
    import io
    import tarfile

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.type = tarfile.DIRTYPE
        archive.addfile(member)
    return stream.getvalue()


def told_of_the_registry(hello: Path, image: str, place: str = "") -> str:
    """The warning that the cloud has no such registry; ``place`` is where the image is named."""
    return (
        f"Warning: {hello}/deployment.yml{place}: environment.image: the cloud cannot pull from "
        f"{image.partition('/')[0]}. Push the image to a registry that the endpoint may read.\n"
    )


def test_an_image_is_pulled_and_used(localep: Localep, hello: Path, pushed: str) -> None:
    answer = localep.run(
        "create", "-f", "hello/deployment.yml", f"--set=environment.image={pushed}"
    )

    assert answer.status == 0, answer.stderr
    told = told_of_the_registry(hello, pushed, BY_OPTION)
    assert answer.stderr.startswith(f"{told}Pulling {pushed}\nBuilding the environment\n")
    assert localep.invoke({"name": "you"}) == {"greeting": "Hello, you!"}
    status, _ = localep.engine.execute(localep.container(), ["ls", "-d", "/team"])
    assert status == 0

    again = localep.run("update", "--set", "environment_variables.GREETING=Bye")
    assert (again.status, again.stderr) == (0, AS_BEFORE)


def test_an_image_without_the_wanted_python_is_stood_in_for(
    localep: Localep, hello: Path, pushed: str, base_image: str
) -> None:
    conda = hello / "conda.yml"
    conda.write_text(conda.read_text().replace("python=3.11", "python=3.12"))

    answer = localep.run(
        *("create", "-f", "hello/deployment.yml", f"--set=environment.image={pushed}"),
        *("--python", "3.11"),
    )
    assert answer.status == 0, answer.stderr
    assert "Warning: The conda file asks for python=3.12; Python 3.11 is used instead." in (
        answer.stderr.splitlines()
    )

    refused = localep.run(
        *("create", "-n", "other", "-f", "hello/deployment.yml", "--solver", "pypi"),
        f"--set=environment.image={pushed}",
    )
    assert (refused.status, refused.stderr) == (
        5,
        f"{told_of_the_registry(hello, pushed, BY_OPTION)}"
        "Error: The conda file asks for python=3.12.\n"
        f"Cause: {base_image} has Python 3.11.\n"
        "Remedy: Use --python 3.11 to run with that one all the same, "
        "or change the conda file to python=3.11.\n",
    )


def test_an_image_that_cannot_be_had_is_stood_in_for(
    localep: Localep, hello: Path, registry: str, base_image: str
) -> None:
    missing = f"{registry}/team/no-such-image:{localep.names.namespace}"
    refusal = (
        f"The image {missing} could not be pulled. "
        "The registry has no such image, or hides it from those who are not logged in."
    )

    first = localep.run(
        "create", "-f", "hello/deployment.yml", f"--set=environment.image={missing}"
    )
    assert first.status == 0, first.stderr
    assert f"Warning: {refusal} {base_image} stands in for it." in first.stderr.splitlines()

    # The registry is asked once.
    again = localep.run("update", "--set", "environment_variables.GREETING=Bye")
    assert (again.status, again.stderr) == (
        0,
        f"{AS_BEFORE}Warning: The image {missing} is not here. {base_image} stands in for it.\n",
    )

    strict = localep.run("update", "--strict-image")
    assert (strict.status, strict.stderr) == (
        5,
        f"{AS_BEFORE}"
        f"Pulling {missing}\n"
        f"Error: The image {missing} cannot be used.\n"
        f"Cause: {refusal}\n"
        "Remedy: Leave out --strict-image to run on localep's own base image instead.\n",
    )
    assert localep.invoke({"name": "you"}) == {"greeting": "Bye, you!"}


def test_an_image_with_the_server_in_it_needs_no_build(
    localep: Localep, hello: Path, engine: DockerEngine
) -> None:
    built = localep.json("build", "-f", "hello/deployment.yml")["id"]
    reference = f"team/complete:{localep.names.namespace}"
    engine.tag_image(built, reference)
    deployment = hello / "deployment.yml"
    deployment.write_text(deployment.read_text().replace("  conda_file: conda.yml\n", ""))
    try:
        localep("create", "-f", "hello/deployment.yml", f"--set=environment.image={reference}")

        (shown,) = localep.json("show")["deployments"]
        assert shown["image"] == reference
        assert localep.invoke({"name": "you"}) == {"greeting": "Hello, you!"}
    finally:
        localep("delete", "--yes")
        engine.api.remove_image(reference)
