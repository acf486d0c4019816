"""The engine's default network, as this machine is on it."""

from __future__ import annotations

from localep.engine.client import DockerEngine


def host_address(engine: DockerEngine) -> str:
    """This machine's address for containers and builds."""
    network = engine.api.inspect_network("bridge")
    return str(network["IPAM"]["Config"][0].get("Gateway", "172.17.0.1"))
