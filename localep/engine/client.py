"""The Docker engine behind the interface of engine.base."""

from __future__ import annotations

from typing import TYPE_CHECKING

import docker.errors

from localep.engine.address import EngineAddress, connect, find_address
from localep.engine.base import EngineDetails, EngineInfo, Machine
from localep.engine.builders import choose_builder
from localep.engine.containers import ContainerCalls
from localep.engine.errors import engine_errors, unreachable
from localep.engine.gpu import gpu_support
from localep.engine.images import ImageCalls
from localep.engine.networks import NetworkCalls
from localep.errors import Interrupted

if TYPE_CHECKING:
    from localep.engine.gpu_request import GpuSupport


class DockerEngine(ContainerCalls, ImageCalls, NetworkCalls):
    """A Docker engine, reached as the docker client would reach it."""

    def __init__(self, api: docker.APIClient, address: EngineAddress) -> None:
        self.api = api
        self.address = address

    def info(self) -> EngineInfo:
        """Which engine this is."""
        return EngineInfo(
            version=self.api.api_version,
            is_local=self.address.is_local,
            host=self.address.host,
        )

    def details(self) -> EngineDetails:
        """What is worth knowing of the engine where something goes wrong."""
        with engine_errors("tell of itself"):
            found = self.api.info()
        return EngineDetails(
            version=found["ServerVersion"],
            api=self.api.api_version,
            folder=found["DockerRootDir"],
            builder=choose_builder(self.api, self.address).kind,
        )

    def gpus(self) -> GpuSupport:
        """What the engine tells of GPUs."""
        with engine_errors("tell of its GPUs"):
            return gpu_support(self.api.info())

    def machine(self) -> Machine:
        """What the engine's machine has."""
        with engine_errors("tell of its machine"):
            found = self.api.info()
        return Machine(
            processors=found["NCPU"],
            memory=found["MemTotal"],
            limits_cpus=found.get("CpuCfsQuota", True) and found.get("CpuCfsPeriod", True),
            limits_memory=found.get("MemoryLimit", True),
        )


def connect_engine() -> DockerEngine:
    """Reach the engine. Raises EngineError where none answers."""
    try:
        address = find_address()
        return DockerEngine(connect(address), address)
    except (docker.errors.DockerException, OSError) as error:
        # docker-py turns whatever is raised while it asks for the version into an error of its own.
        if isinstance(error.__context__, Interrupted):
            raise error.__context__ from None
        raise unreachable(error) from error
