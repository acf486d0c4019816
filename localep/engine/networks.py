"""Networks and volumes of a Docker engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import docker
import docker.errors

from localep.engine.errors import engine_errors, is_conflict, is_not_found
from localep.interrupts import held_back

if TYPE_CHECKING:
    from collections.abc import Mapping


# The host itself is not in the network; no address of it can be reached from there.
_WITHOUT_HOST = {"com.docker.network.bridge.inhibit_ipv4": "true"}


class NetworkCalls:
    """What localep does with networks and volumes; see engine.base.Engine."""

    api: docker.APIClient

    def ensure_network(
        self, name: str, labels: Mapping[str, str], *, internal: bool = False
    ) -> None:
        """Create a network unless it is there; from an internal one nothing reaches out."""
        with engine_errors(f"create the network {name}"), held_back():
            found = self.api.networks(names=[name])  # any name that this one is part of
            if any(network["Name"] == name for network in found):
                return
            try:
                self.api.create_network(
                    name,
                    driver="bridge",
                    labels=dict(labels),
                    check_duplicate=True,
                    internal=internal,
                    options=_WITHOUT_HOST if internal else None,
                )
            except docker.errors.APIError as error:
                if not is_conflict(error):
                    raise

    def connect_network(self, name: str, identity: str) -> None:
        """Have a container join a network, too; one that is in it already is fine."""
        with engine_errors(f"connect a container to the network {name}"), held_back():
            try:
                self.api.connect_container_to_network(identity, name)
            except docker.errors.APIError as error:
                if not is_conflict(error):
                    raise

    def remove_network(self, name: str) -> None:
        """Remove a network; one that is in use or not there is left alone."""
        with engine_errors(f"remove the network {name}"):
            try:
                self.api.remove_network(name)
            except docker.errors.APIError as error:
                if not (is_conflict(error) or is_not_found(error)):
                    raise

    def create_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Create a named volume."""
        with engine_errors(f"create the volume {name}"), held_back():
            self.api.create_volume(name, labels=dict(labels))

    def list_volumes(self, labels: Mapping[str, str]) -> list[str]:
        """The names of the volumes with all of these labels."""
        wanted = [f"{name}={value}" for name, value in labels.items()]
        with engine_errors("list its volumes"):
            found = self.api.volumes(filters={"label": wanted})["Volumes"] or []
        return [volume["Name"] for volume in found]

    def remove_volume(self, name: str) -> None:
        """Remove a named volume; none there is fine."""
        with engine_errors(f"remove the volume {name}"):
            try:
                self.api.remove_volume(name)
            except docker.errors.APIError as error:
                if not is_not_found(error):
                    raise
