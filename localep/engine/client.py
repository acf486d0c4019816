"""The Docker engine behind the interface of engine.base."""

from __future__ import annotations

import docker.errors

from localep.engine.address import EngineAddress, connect, find_address
from localep.engine.base import EngineInfo
from localep.engine.containers import ContainerCalls
from localep.engine.errors import unreachable
from localep.engine.images import ImageCalls
from localep.engine.networks import NetworkCalls
from localep.errors import Interrupted


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
