"""Fixtures for tests against the real engine; nothing of a test is left behind."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.engine import Localep, Silent, copy_sample
from support.serving import Serve

from localep.engine.client import DockerEngine, connect_engine
from localep.operations.environments.base_image import ensure_base
from localep.operations.names import Names
from localep.operations.workplace import Workplace


@pytest.fixture(scope="session")
def engine() -> DockerEngine:
    return connect_engine()


@pytest.fixture(scope="session")
def base_image(engine: DockerEngine) -> str:
    """The base image, built once where it is not there."""
    return ensure_base(Workplace(engine, Silent())).reference


@contextmanager
def own_command_line(engine: DockerEngine, folder: Path) -> Iterator[Localep]:
    """A command line in a folder and a namespace; its endpoints are gone after the context."""
    command = Localep(engine, Names(f"test-{secrets.token_hex(4)}"), folder)
    try:
        yield command
    finally:
        command.delete_all()


@pytest.fixture
def localep(engine: DockerEngine, base_image: str, tmp_path: Path) -> Iterator[Localep]:
    """A command line whose endpoints are gone after the test."""
    with own_command_line(engine, tmp_path) as command:
        yield command


@pytest.fixture
def hello(localep: Localep, samples: Path) -> Path:
    """A copy of the sample `hello` that asks no registry for an image."""
    return copy_sample(samples / "hello", localep.folder)


@pytest.fixture
def created(localep: Localep, hello: Path) -> Localep:
    """The command line after it has created the endpoint `hello`."""
    localep("create", "-f", "hello/endpoint.yml", "-f", "hello/deployment.yml")
    return localep


@pytest.fixture(scope="session")
def serve_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache with the environments of `localep serve --isolated`, each made once."""
    return tmp_path_factory.mktemp("serve-cache")


@pytest.fixture
def serve(serve_cache: Path, tmp_path: Path) -> Serve:
    """Starts `localep serve` in the test's folder, without Docker."""
    return Serve(tmp_path, serve_cache)
