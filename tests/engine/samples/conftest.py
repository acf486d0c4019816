"""For each module of tests: the sample that it names in SAMPLE, as an endpoint and served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bridge import host_address
from support.engine import copy_sample
from support.fixtures import own_command_line
from support.sample_endpoint import SampleEndpoint, server_of
from support.sample_requests import Server
from support.serving import Serve
from support.wheels import served_wheels

from localep.engine.client import DockerEngine


@pytest.fixture(scope="module")
def endpoint(
    engine: DockerEngine,
    base_image: str,
    samples: Path,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[SampleEndpoint]:
    """The endpoint of the sample; it stays for all tests of the module."""
    name = request.module.SAMPLE
    with own_command_line(engine, tmp_path_factory.mktemp(name)) as localep:
        folder = copy_sample(samples / name, localep.folder)
        localep("create", "-f", f"{name}/endpoint.yml", "-f", f"{name}/deployment.yml")
        server = server_of(localep)
        yield SampleEndpoint(server.base, server.key, localep, folder)


@pytest.fixture(scope="module")
def served(
    serve_cache: Path,
    samples: Path,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Server]:
    """The sample as `localep serve` runs it, without Docker."""
    name = request.module.SAMPLE
    folder = tmp_path_factory.mktemp(name)
    copy_sample(samples / name, folder)
    with Serve(folder, serve_cache)("-f", f"{name}/deployment.yml", "--no-reload") as serving:
        yield Server(serving.base, None)


@pytest.fixture(scope="module")
def cpu_wheels(engine: DockerEngine) -> Iterator[None]:
    """Where pip knows a folder with PyTorch for CPUs, the build takes that, and not 5 GB more."""
    with served_wheels(host_address(engine)) as addresses, pytest.MonkeyPatch.context() as patch:
        if addresses is not None:
            patch.setenv("PIP_FIND_LINKS", addresses)
        yield
