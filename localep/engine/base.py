"""What localep asks of a container engine, in its own words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO

    from localep.engine.gpu_request import GpuRequest, GpuSupport


@dataclass(frozen=True)
class EngineInfo:
    """Which engine answers, and whether it sees this machine's files and loopback ports."""

    version: str
    is_local: bool
    host: str


@dataclass(frozen=True)
class EngineDetails:
    """What is worth knowing of an engine where something goes wrong.

    ``folder`` is where it keeps images and containers, ``builder`` what builds images: buildx,
    buildkit or classic.
    """

    version: str
    api: str
    folder: str
    builder: str


@dataclass(frozen=True)
class Machine:
    """What the engine's machine has: processors, and bytes of memory.

    An engine without the kernel's help cannot limit what a container takes of them.
    """

    processors: int
    memory: int
    limits_cpus: bool = True
    limits_memory: bool = True


@dataclass(frozen=True)
class Image:
    """An image of the engine: its id (``sha256:...``), labels, size in bytes, and platform.

    ``platform`` is what it runs on, as ``linux/amd64``, and empty where the engine does not tell;
    ``digests`` are its names in registries (``repository@sha256:...``), ``layers`` the digests
    of its layers from the lowest up, ``user`` whom it runs as, empty for root; ``variables`` are
    those of its environment.
    """

    identity: str
    labels: Mapping[str, str]
    size: int
    platform: str = ""
    digests: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    user: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


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
    ``files`` are further files of the context, by name, that lie on this machine;
    ``plain_dockerfile`` is the Dockerfile for a builder without mounts; ``secrets`` reach the
    steps that mount them by name and never a layer; ``secrets_are_private`` tells that at least
    one holds credentials. ``platform`` is what the image shall run on (``linux/arm64``), empty
    for the engine's own.
    """

    reference: str
    context: Mapping[str, str] | BuildFolder
    plain_dockerfile: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict)
    secrets_are_private: bool = False
    no_cache: bool = False
    platform: str = ""
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class RegistryImage:
    """What the registry of an image tells of it: the platforms that it is there for."""

    platforms: tuple[str, ...]


@dataclass(frozen=True)
class Mount:
    """A folder or file of the host, or a volume by name, seen at ``target``."""

    source: str
    target: str
    is_volume: bool = False
    read_only: bool = True


@dataclass(frozen=True)
class HealthCheck:
    """A command that the engine runs in a container again and again.

    ``period`` is the pause between two runs, ``timeout`` how long one may take; the first
    failures count only once ``start_period`` is over. In seconds.
    """

    command: Sequence[str]
    period: float
    timeout: float
    start_period: float
    failure_threshold: int


@dataclass(frozen=True)
class Limits:
    """What a container may take: CPUs, bytes of memory with no swap beside it, and bytes of them
    as shared memory (/dev/shm). None is no limit; for shared memory, the engine's own.
    """

    cpus: float | None = None
    memory: int | None = None
    shm: int | None = None


@dataclass(frozen=True)
class ContainerRequest:
    """A container to be created.

    ``command`` is the whole command, whatever entry point the image has; None runs the image's
    own. ``user`` is ``uid:gid`` or a name of the image's own; ``publish`` maps a container port to
    an address and port of the host; ``scratch`` are folders held in memory, with their mount
    options; ``unprivileged`` drops every capability and the way to new ones; ``platform`` is the
    image's, empty for the engine's own. ``log_limit`` is how many bytes of its log are kept at
    least, and twice as many at most; None keeps all. ``dns`` are the servers that names outside
    the network are asked of, in the place of the engine's own, ``dns_options`` how (see
    resolv.conf).
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
    platform: str = ""
    log_limit: int | None = None
    health: HealthCheck | None = None
    dns: Sequence[str] = ()
    dns_options: Sequence[str] = ()
    limits: Limits = field(default_factory=Limits)
    gpus: GpuRequest | None = None
    groups: Sequence[int] = ()


@dataclass(frozen=True)
class Usage:
    """What a container needs: bytes of memory now, without files that were read once, and the
    seconds of CPU time since its start.

    ``peak`` is the most memory that it ever had, with files that it read; ``kills`` is how many
    of its processes the kernel ended for want of memory. None where nobody counted.
    """

    memory: int
    cpu_seconds: float
    peak: int | None = None
    kills: int | None = None


@dataclass(frozen=True)
class Container:
    """A container as the engine lists it.

    ``status`` is the engine's word: created, running, restarting, exited ...; ``error`` says
    why it could not be started; ``addresses`` are its addresses by network. ``command`` is what
    it runs, with the entry point. ``memory_limit`` is in bytes, None for none; ``oom_killed``
    tells that a container which ended was out of memory; ``started`` is when it was started last.
    The engine's list does not tell these four. ``created`` and ``started`` are seconds since 1970.
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
    command: tuple[str, ...] = ()
    memory_limit: int | None = None
    oom_killed: bool = False
    started: float | None = None
    created: float | None = None

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

    def machine(self) -> Machine:
        """What the engine's machine has."""

    def details(self) -> EngineDetails:
        """What is worth knowing of the engine where something goes wrong."""

    def gpus(self) -> GpuSupport:
        """What the engine tells of GPUs."""

    def labelled_images(self, labels: Mapping[str, str]) -> list[tuple[str, Mapping[str, str]]]:
        """The named images with all of these labels: a name and the labels of each."""

    def platform(self) -> str:
        """What the engine runs by itself, as ``linux/amd64``."""

    def find_image(self, reference: str) -> Image | None:
        """The image of this name or id, None where the engine has none."""

    def pull_image(self, reference: str, progress: Progress, platform: str = "") -> Image:
        """Fetch an image from its registry, for a platform or the engine's. Raises PullFailed."""

    def ask_registry(self, reference: str) -> RegistryImage:
        """What the registry has of an image; nothing of it is fetched. Raises PullFailed."""

    def import_image(self, archive: Path, reference: str, labels: Mapping[str, str]) -> Image:
        """Make an image of a root file system in a tar file."""

    def build_image(self, request: BuildRequest, progress: Progress) -> Image:
        """Build an image. Raises BuildFailed."""

    def tag_image(self, identity: str, reference: str) -> None:
        """Give an image a further name."""

    def find_program(self, image: str, names: Sequence[str]) -> str | None:
        """The first of these programs that lies on the PATH of an image, None for none."""

    def holds(self, image: str, path: str) -> bool:
        """Whether there is a file or folder at a path of an image."""

    def file_of_image(self, image: str, path: str) -> bytes | None:
        """The content of a file of an image, None where there is none."""

    def list_containers(self, labels: Mapping[str, str]) -> list[Container]:
        """The containers with all of these labels, running or not."""

    def inspect_container(self, identity: str) -> Container | None:
        """One container by name or id, None where there is none."""

    def create_container(self, request: ContainerRequest) -> str:
        """Create a container and return its id. Raises NameTaken."""

    def start_container(self, identity: str) -> None:
        """Start a created container. Raises PortTaken or GpuRefused."""

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

    def copy_tree(self, identity: str, path: str, archive: IO[bytes]) -> bool:
        """Write a file or folder of a container, mounts included, as a tar archive.

        The names in it begin with the last part of ``path``. False where there is none.
        """

    def read_link(self, identity: str, path: str) -> str | None:
        """Where a symbolic link of a container leads, None where there is none."""

    def execute(self, identity: str, command: Sequence[str]) -> tuple[int, str]:
        """Run a command inside a running container; its exit status and output."""

    def logs(
        self, identity: str, *, lines: int | None = None, follow: bool = False
    ) -> Iterator[bytes]:
        """A container's output, the last ``lines`` lines or all, as chunks of bytes."""

    def usage(self, identity: str) -> Usage | None:
        """What a container needs of the machine, None where it does not run or tell."""

    def ensure_network(
        self, name: str, labels: Mapping[str, str], *, internal: bool = False
    ) -> None:
        """Create a network unless it is there; from an internal one nothing reaches out."""

    def connect_network(self, name: str, identity: str) -> None:
        """Have a container join a network, too; one that is in it already is fine."""

    def remove_network(self, name: str) -> None:
        """Remove a network; one that is in use or not there is left alone."""

    def create_volume(self, name: str, labels: Mapping[str, str]) -> None:
        """Create a named volume."""

    def list_volumes(self, labels: Mapping[str, str]) -> list[str]:
        """The names of the volumes with all of these labels."""

    def remove_volume(self, name: str) -> None:
        """Remove a named volume; none there is fine."""
