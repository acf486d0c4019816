"""What localep asks of a container engine, in its own words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO


@dataclass(frozen=True)
class EngineInfo:
    """Which engine answers, and whether it sees this machine's files and loopback ports."""

    version: str
    is_local: bool
    host: str


@dataclass(frozen=True)
class Image:
    """An image of the engine: its id (``sha256:...``), labels, size in bytes, and platform.

    ``platform`` is what it runs on, as ``linux/amd64``, and empty where the engine does not tell.
    """

    identity: str
    labels: Mapping[str, str]
    size: int
    platform: str = ""


@dataclass(frozen=True)
class BuildFolder:
    """A user's own build context: its folder, and the Dockerfile relative to it.

    .dockerignore is obeyed as the builders do.
    """

    path: Path
    dockerfile: str


@dataclass(frozen=True)
class BuildRequest:
    """One image build.

    ``context`` are the files by name, "Dockerfile" among them, or a folder of the user's;
    ``plain_dockerfile`` is the Dockerfile for a builder without mounts; ``secrets`` reach the
    steps that mount them by name and never a layer; ``secrets_are_private`` tells that at least
    one holds credentials.
    """

    reference: str
    context: Mapping[str, str] | BuildFolder
    plain_dockerfile: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict)
    secrets_are_private: bool = False
    no_cache: bool = False


@dataclass(frozen=True)
class Mount:
    """A folder or file of the host, or a volume by name, seen at ``target``."""

    source: str
    target: str
    is_volume: bool = False
    read_only: bool = True


@dataclass(frozen=True)
class ContainerRequest:
    """A container to be created.

    ``command`` is the whole command, whatever entry point the image has; None runs the image's
    own. ``user`` is ``uid:gid`` or a name of the image's own; ``publish`` maps a container port to
    an address and port of the host; ``scratch`` are folders held in memory, with their mount
    options; ``unprivileged`` drops every capability and the way to new ones.
    """

    name: str
    image: str
    command: Sequence[str] | None
    labels: Mapping[str, str]
    network: str
    aliases: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    working_dir: str | None = None
    mounts: Sequence[Mount] = ()
    publish: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    scratch: Mapping[str, str] = field(default_factory=dict)
    unprivileged: bool = True


@dataclass(frozen=True)
class Container:
    """A container as the engine lists it.

    ``status`` is the engine's word: created, running, restarting, exited ...; ``error`` says
    why it could not be started; ``addresses`` are its addresses by network.
    """

    identity: str
    name: str
    image: str
    status: str
    labels: Mapping[str, str]
    exit_code: int | None = None
    error: str = ""
    restart_count: int = 0
    addresses: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_running(self) -> bool:
        """Whether its process runs now."""
        return self.status == "running"


class Progress(Protocol):
    """Where long work tells of itself while it goes on."""

    def status(self, message: str) -> None:
        """What is waited for at the moment, worth a word only to somebody who looks on."""

    def step(self, message: str) -> None:
        """A new step begins."""

    def line(self, text: str) -> None:
        """A line of output of the step."""


class Engine(Protocol):
    """A container engine.

    Every method raises EngineError (or a kind of it) where the engine refuses or is away.
    """

    def info(self) -> EngineInfo:
        """Which engine this is."""

    def find_image(self, reference: str) -> Image | None:
        """The image of this name or id, None where the engine has none."""

    def pull_image(self, reference: str, progress: Progress) -> Image:
        """Fetch an image from its registry. Raises PullFailed."""

    def import_image(self, archive: Path, reference: str, labels: Mapping[str, str]) -> Image:
        """Make an image of a root file system in a tar file."""

    def build_image(self, request: BuildRequest, progress: Progress) -> Image:
        """Build an image. Raises BuildFailed."""

    def tag_image(self, identity: str, reference: str) -> None:
        """Give an image a further name."""

    def find_program(self, image: str, names: Sequence[str]) -> str | None:
        """The first of these programs that lies on the PATH of an image, None for none."""

    def list_containers(self, labels: Mapping[str, str]) -> list[Container]:
        """The containers with all of these labels, running or not."""

    def inspect_container(self, identity: str) -> Container | None:
        """One container by name or id, None where there is none."""

    def create_container(self, request: ContainerRequest) -> str:
        """Create a container and return its id. Raises NameTaken."""

    def start_container(self, identity: str) -> None:
        """Start a created container. Raises PortTaken."""

    def stop_container(self, identity: str, timeout: int) -> None:
        """Ask a container to end, and end it after ``timeout`` seconds."""

    def remove_container(self, identity: str) -> None:
        """Remove a container, running or not, with its anonymous volumes; none there is fine."""

    def restart_always(self, identity: str) -> None:
        """Have the engine start a container again after a crash, and with the engine itself."""

    def copy_in(self, identity: str, folder: str, archive: bytes | IO[bytes]) -> None:
        """Unpack a tar archive into a folder of a container."""

    def copy_out(self, identity: str, path: str) -> bytes | None:
        """The content of a file of a container, None where there is none."""

    def read_link(self, identity: str, path: str) -> str | None:
        """Where a symbolic link of a container leads, None where there is none."""

    def execute(self, identity: str, command: Sequence[str]) -> tuple[int, str]:
        """Run a command inside a running container; its exit status and output."""

    def logs(
        self, identity: str, *, lines: int | None = None, follow: bool = False
    ) -> Iterator[bytes]:
        """A container's output, the last ``lines`` lines or all, as chunks of bytes."""

    def ensure_network(self, name: str, labels: Mapping[str, str]) -> None:
        """Create a network unless it is there."""

    def remove_network(self, name: str) -> None:
        """Remove a network; one that is in use or not there is left alone."""

    def create_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Create a named volume."""

    def list_volumes(self, labels: Mapping[str, str]) -> list[str]:
        """The names of the volumes with all of these labels."""

    def remove_volume(self, name: str) -> None:
        """Remove a named volume; none there is fine."""
