"""Fixtures for tests against the real engine; nothing of a test is left behind."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.engine import Localep, Silent, copy_sample

from localep.engine.client import DockerEngine, connect_engine
from localep.operations.base_image import ensure_base
from localep.operations.names import Names
from localep.operations.workplace import Workplace


@pytest.fixture(scope="session")
def engine() -> DockerEngine:
    return connect_engine()


@pytest.fixture(scope="session")
def base_image(engine: DockerEngine) -> str:
    """The base image, built once where it is not there."""
    return ensure_base(Workplace(engine, Silent())).reference


@pytest.fixture
def localep(engine: DockerEngine, base_image: str, tmp_path: Path) -> Iterator[Localep]:
    """A command line whose endpoints are gone after the test."""
    command = Localep(engine, Names(f"test-{secrets.token_hex(4)}"), tmp_path)
    yield command
    for endpoint in command.json("list"):
        command("delete", "--yes", "--name", endpoint["name"])
    assert command.left_behind() == []


@pytest.fixture
def hello(localep: Localep, samples: Path) -> Path:
    """A copy of the sample `hello` that asks no registry for an image."""
    return copy_sample(samples / "hello", localep.folder)


@pytest.fixture
def created(localep: Localep, hello: Path) -> Localep:
    """The command line after it has created the endpoint `hello`."""
    localep("create", "-f", "hello/endpoint.yml", "-f", "hello/deployment.yml")
    return localep
