"""What every operation works with: the engine, the names, and the one who is told."""

from __future__ import annotations

import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from localep.engine.base import ContainerRequest, Progress
from localep.errors import EngineError, NetworkMissing
from localep.operations.locks import Locks, locks_of_user
from localep.operations.names import Names, names_of_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.engine.base import Engine


class Reporter(Progress, Protocol):
    """Who is told of long work while it goes on, and of what is doubtful."""

    def warn(self, message: str) -> None:
        """Something that works here and may not work in the cloud, or not as asked."""

    def note(self, message: str) -> None:
        """Something worth knowing."""


@dataclass
class Undo:
    """Whether a failure still undoes what a command made."""

    is_off: bool = False

    def commit(self) -> None:
        """From here on, what was made stays."""
        self.is_off = True


@dataclass(frozen=True)
class Workplace:
    """One command's view of the engine.

    ``command`` marks all that this command makes, so that a failure can undo just that.
    """

    engine: Engine
    reporter: Reporter
    names: Names = field(default_factory=names_of_user)
    command: str = field(default_factory=lambda: secrets.token_hex(8))
    locks: Locks = field(default_factory=locks_of_user)

    def labels(self, **more: str) -> dict[str, str]:
        """The labels of something that this command makes."""
        return self.names.labels(command=self.command, owner=self.locks.owner(), **more)

    @contextmanager
    def undone_on_failure(self) -> Iterator[Undo]:
        """Remove all that this command made where the block ends in an error or interrupt.

        The block calls ``commit`` on what it is given where there is no way back any more.
        """
        undo = Undo()
        try:
            yield undo
        except BaseException:
            if not undo.is_off:
                # The first error is the one to tell; what stays is removed by the next command.
                with suppress(EngineError):
                    self._remove_all_mine()
            raise

    def _remove_all_mine(self) -> None:
        mine = self.names.labels(command=self.command)
        for container in self.engine.list_containers(mine):
            self.engine.remove_container(container.identity)
        for volume in self.engine.list_volumes(mine):
            self.engine.remove_volume(volume)
        self.leave_network()

    def join_network(self, name: str | None = None) -> None:
        """Make a network of the namespace unless it is there; without a name, the shared one."""
        name = name or self.names.network
        internal = name == self.names.internal_network
        # The engine lets two commands at once make two networks of one name.
        with self.locks.in_turn(self.names.namespace):
            self.engine.ensure_network(name, self.names.labels(), internal=internal)

    def create_container(self, request: ContainerRequest) -> str:
        """Create a container on a network of the namespace; its id. Raises NameTaken."""
        try:
            return self.engine.create_container(request)
        except NetworkMissing:  # the command that deleted the last endpoint took it along
            self.join_network(request.network)
            return self.engine.create_container(request)

    def start_container(self, identity: str, network: str | None = None) -> None:
        """Start a container on its network, the shared one by default. Raises PortTaken."""
        try:
            self.engine.start_container(identity)
        except NetworkMissing:
            self.join_network(network)
            self.engine.start_container(identity)

    def connect_container(self, identity: str, network: str) -> None:
        """Have a container join a network of the namespace, too."""
        try:
            self.engine.connect_network(network, identity)
        except NetworkMissing:
            self.join_network(network)
            self.engine.connect_network(network, identity)

    def leave_network(self) -> None:
        """Remove the networks where no endpoint is left in the namespace."""
        with self.locks.in_turn(self.names.namespace):
            if not self.engine.list_containers(self.names.labels()):
                self.engine.remove_network(self.names.network)
                self.engine.remove_network(self.names.internal_network)
