"""An engine in memory, and the documents of a small endpoint."""

from __future__ import annotations

import io
import posixpath
import re
import tarfile
import tempfile
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from localep.engine.base import (
    BuildFolder,
    Container,
    EngineDetails,
    EngineInfo,
    Image,
    Machine,
    RegistryImage,
    Usage,
)
from localep.engine.gpu_request import GpuSupport
from localep.errors import GpuRefused, NameTaken, PullFailed
from localep.gateway.runtime import LOAD_KEYS, RELOAD
from localep.operations.checked import load_checked_files
from localep.operations.locks import Locks
from localep.operations.names import Names
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle, Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from localep.engine.base import BuildRequest, ContainerRequest, Progress
    from localep.engine.gpu_request import GpuRequest


@dataclass
class FakeEngine:
    """Containers, volumes and networks without a Docker engine.

    ``calls`` names what was changed, in order; what is said to a gateway's HAProxy begins with
    ``haproxy``. Every image of localep's own is there; of others those of ``images`` are, with
    the programs that ``programs`` names and the paths of ``paths``; ``registry`` has what can be
    pulled, or an error in its place; ``keys`` are those that were loaded last.
    """

    calls: list[str] = field(default_factory=list)
    is_local: bool = True
    containers: dict[str, Container] = field(default_factory=dict)
    requests: dict[str, ContainerRequest] = field(default_factory=dict)
    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    links: dict[tuple[str, str], str] = field(default_factory=dict)
    volumes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    networks: list[str] = field(default_factory=list)
    images: dict[str, Image] = field(default_factory=dict)
    programs: dict[str, list[str]] = field(default_factory=dict)
    paths: dict[str, list[str]] = field(default_factory=dict)
    registry: dict[str, Image | PullFailed] = field(default_factory=dict)
    builds: list[BuildRequest] = field(default_factory=list)
    sent: list[dict[str, bytes]] = field(default_factory=list)
    servers: dict[str, str] = field(default_factory=dict)
    loaded: dict[str, str] = field(default_factory=dict)
    keys: str = ""
    gpu_support: GpuSupport = field(default_factory=GpuSupport)
    gpu_refusals: dict[GpuRequest, GpuRefused] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    machine_found: Machine = field(default_factory=lambda: Machine(64, 512 * 1024**3))

    def info(self) -> EngineInfo:
        return EngineInfo("1.41", self.is_local, "127.0.0.1" if self.is_local else "far.example")

    def machine(self) -> Machine:
        return self.machine_found

    def usage(self, identity: str) -> Usage | None:
        return None

    def details(self) -> EngineDetails:
        return EngineDetails("28.5.2", "1.51", "/var/lib/docker", "buildx")

    def gpus(self) -> GpuSupport:
        return self.gpu_support

    def labelled_images(self, labels: Mapping[str, str]) -> list[tuple[str, Mapping[str, str]]]:
        return [
            (reference, image.labels)
            for reference, image in self.images.items()
            if labels.items() <= image.labels.items()
        ]

    def find_image(self, reference: str) -> Image | None:
        name = reference.removeprefix("sha256:")
        if name in self.images:
            return self.images[name]
        own = name.startswith(("localep/base", "localep/env"))
        return Image(f"sha256:{name}", {}, 1000) if own else None

    def platform(self) -> str:
        return "linux/amd64"

    def pull_image(self, reference: str, progress: Progress, platform: str = "") -> Image:
        image = self._of_registry(reference)
        self.images[reference] = image
        return image

    def ask_registry(self, reference: str) -> RegistryImage:
        return RegistryImage((self._of_registry(reference).platform,))

    def import_image(self, archive: Path, reference: str, labels: Mapping[str, str]) -> Image:
        raise NotImplementedError

    def build_image(self, request: BuildRequest, progress: Progress) -> Image:
        self.builds.append(request)
        if isinstance(request.context, BuildFolder):
            files = sorted(request.context.path.glob("*"))
            self.sent.append({file.name: file.read_bytes() for file in files if file.is_file()})
        built = Image(f"sha256:{request.reference}", {}, 1000)
        return self.images.setdefault(request.reference, built)

    def tag_image(self, identity: str, reference: str) -> None:
        self.images[reference] = Image(identity, {}, 1000)

    def find_program(self, image: str, names: Sequence[str]) -> str | None:
        return next((name for name in names if name in self.programs.get(image, [])), None)

    def holds(self, image: str, path: str) -> bool:
        return path in self.paths.get(image, [])

    def list_containers(self, labels: Mapping[str, str]) -> list[Container]:
        return [
            found for found in self.containers.values() if labels.items() <= found.labels.items()
        ]

    def inspect_container(self, identity: str) -> Container | None:
        return self.containers.get(identity)

    def create_container(self, request: ContainerRequest) -> str:
        if any(found.name == request.name for found in self.containers.values()):
            raise NameTaken(f"{request.name} is there already.")
        identity = f"id of {request.name}"
        self.calls.append(f"create {request.name}")
        self.requests[identity] = request
        image = self.find_image(request.image)
        self.containers[identity] = Container(
            identity,
            request.name,
            image.identity if image is not None else request.image,
            "created",
            request.labels,
            0,
            command=tuple(request.command or ()),
        )
        self.files[identity] = {}
        return identity

    def start_container(self, identity: str) -> None:
        self.calls.append(f"start {self.containers[identity].name}")
        gpus = self.requests[identity].gpus
        if gpus in self.gpu_refusals:
            raise self.gpu_refusals[gpus]
        addresses = {self.requests[identity].network: f"10.0.0.{next(self.numbers)}"}
        self.containers[identity] = replace(
            self.containers[identity], status="running", addresses=addresses
        )

    def stop_container(self, identity: str, timeout: int) -> None:
        raise NotImplementedError

    def remove_container(self, identity: str) -> None:
        if identity in self.containers:
            self.calls.append(f"remove {self.containers.pop(identity).name}")

    def restart_always(self, identity: str) -> None:
        self.calls.append(f"restart always {self.containers[identity].name}")

    def copy_in(self, identity: str, folder: str, archive: bytes | IO[bytes]) -> None:
        stream = io.BytesIO(archive) if isinstance(archive, bytes) else archive
        with tarfile.open(fileobj=stream) as tar:
            for member in tar.getmembers():
                path = f"{folder.rstrip('/')}/{member.name}"
                if member.issym():
                    self.links[identity, path] = member.linkname
                elif member.isfile() and (content := tar.extractfile(member)):
                    self.files[identity][path] = content.read()

    def copy_out(self, identity: str, path: str) -> bytes | None:
        return self.files[identity].get(path)

    def copy_tree(self, identity: str, path: str, archive: IO[bytes]) -> bool:
        found = dict(self.files[identity])
        for mount in self.requests[identity].mounts:
            host = Path(mount.source)
            for file in [host, *host.rglob("*")]:
                if file.is_file():
                    name = file.relative_to(host).as_posix()
                    found[f"{mount.target}/{name}".removesuffix("/.")] = file.read_bytes()
        inside = {name: found[name] for name in sorted(found) if f"{name}/".startswith(f"{path}/")}
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for name, content in inside.items():
                member = tarfile.TarInfo(posixpath.relpath(name, posixpath.dirname(path)))
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return bool(inside)

    def file_of_image(self, image: str, path: str) -> bytes | None:
        return self.files.get(image, {}).get(path)

    def read_link(self, identity: str, path: str) -> str | None:
        return self.links.get((identity, path))

    def execute(self, identity: str, command: Sequence[str]) -> tuple[int, str]:
        if command == RELOAD:
            self.calls.append("haproxy loads its configuration anew")
            self.loaded[identity] = self._settings(identity)
            return 0, ""
        if command == LOAD_KEYS:
            self.calls.append("haproxy loads its keys")
            self.keys = self.files[identity]["/etc/haproxy/keys.map"].decode()
            return 0, ""
        return 0, "\n".join(self._haproxy(identity, line) for line in command[-1].split("; "))

    def logs(
        self, identity: str, *, lines: int | None = None, follow: bool = False
    ) -> Iterator[bytes]:
        yield f"the log of {self.containers[identity].name}\n".encode()

    def ensure_network(
        self, name: str, labels: Mapping[str, str], *, internal: bool = False
    ) -> None:
        if name not in self.networks:
            self.networks.append(name)

    def connect_network(self, name: str, identity: str) -> None:
        self.calls.append(f"connect {self.containers[identity].name} to {name}")

    def remove_network(self, name: str) -> None:
        if name in self.networks:
            self.calls.append(f"remove the network {name}")
            self.networks.remove(name)

    def create_volume(self, name: str, labels: Mapping[str, str]) -> None:
        self.volumes[name] = labels

    def list_volumes(self, labels: Mapping[str, str]) -> list[str]:
        return [name for name, found in self.volumes.items() if labels.items() <= found.items()]

    def remove_volume(self, name: str) -> None:
        self.calls.append(f"remove the volume {name}")
        del self.volumes[name]

    def _of_registry(self, reference: str) -> Image:
        nobody = PullFailed(f"The image {reference} could not be pulled.", cause="No registry.")
        found = self.registry.get(reference, nobody)
        if isinstance(found, PullFailed):
            raise found
        return found

    def _haproxy(self, gateway: str, command: str) -> str:
        """HAProxy's answer; it resolves the containers' names at once, and serves nobody."""
        words = command.split()
        if command == "show info":
            return self.loaded.setdefault(gateway, self._settings(gateway))
        if words[:2] == ["show", "stat"]:
            return "# pxname,svname,scur\ndeployment,a1,0\ndeployment,b1,0\n"
        if words[:2] == ["show", "servers"]:
            rows = [f"deployment {name} {self._resolve(name)} 5001" for name in self.servers]
            return "\n".join(("1", "# be_name srv_name srv_addr srv_port", *rows, ""))
        if "fqdn" in words:
            self.servers[words[2].removeprefix("deployment/")] = words[-1]
        self.calls.append(f"haproxy {command}")
        return ""

    def _settings(self, gateway: str) -> str:
        """What HAProxy tells of the configuration that lies there now."""
        configuration = self.files[gateway]["/etc/haproxy/haproxy.cfg"].decode()
        (name,) = re.findall(r"^ +node (\S+)$", configuration, re.MULTILINE)
        return f"node: {name}\n"

    def _resolve(self, server: str) -> str:
        for identity, request in self.requests.items():
            if self.servers.get(server) in request.aliases and identity in self.containers:
                return next(iter(self.containers[identity].addresses.values()), "-")
        return "-"


@dataclass
class Listener:
    """A reporter that keeps what it is told."""

    told: list[str]

    def status(self, message: str) -> None:
        self.told.append(f"status: {message}")

    def step(self, message: str) -> None:
        self.told.append(f"step: {message}")

    def line(self, text: str) -> None:
        self.told.append(f"line: {text}")

    def warn(self, message: str) -> None:
        self.told.append(f"warning: {message}")

    def note(self, message: str) -> None:
        self.told.append(f"note: {message}")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def calls(engine: FakeEngine) -> list[str]:
    """What was changed in the engine, in order."""
    return engine.calls


@pytest.fixture
def told() -> list[str]:
    """What the reporter was told."""
    return []


@pytest.fixture
def place(engine: FakeEngine, told: list[str], tmp_path: Path) -> Workplace:
    locks = Locks(tmp_path / "locks")
    locks.folder.mkdir()
    (locks.folder / "owner").write_text("me")
    return Workplace(engine, Listener(told), Names(), "this-command", locks)


@pytest.fixture
def new_place(place: Workplace) -> Callable[[str], Workplace]:
    """The workplace of a further command on the same engine."""

    def make(command: str) -> Workplace:
        return replace(place, command=command)

    return make


@pytest.fixture(autouse=True)
def numbered_revisions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Revisions are r1, r2 ... in the place of random ones."""
    numbers = count(1)
    monkeypatch.setattr(
        "localep.operations.rollout.secrets.token_hex", lambda _: f"r{next(numbers)}"
    )


@pytest.fixture(autouse=True)
def archives(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[IO[bytes]]]:
    """Every archive of code that was made.

    One that is left open would warn in whatever test runs when it is collected, so all are
    closed here; the tests that care look before.
    """
    made: list[IO[bytes]] = []
    original = tempfile.SpooledTemporaryFile

    def make(max_size: int) -> IO[bytes]:
        made.append(original(max_size=max_size))
        return made[-1]

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", make)
    yield made
    for archive in made:
        archive.close()


@pytest.fixture(autouse=True)
def ready_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every deployment is ready at once, as there is no server that could be asked."""
    monkeypatch.setattr("localep.operations.rollout.wait_until_ready", lambda *_: None)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of an endpoint `hello` and its deployment `blue`."""
    folder = tmp_path / "project"
    (folder / "code").mkdir(parents=True)
    (folder / "code" / "score.py").write_text("def init(): pass\ndef run(data): return data\n")
    (folder / "endpoint.yml").write_text("name: hello\n")
    (folder / "deployment.yml").write_text(
        "name: blue\n"
        "endpoint_name: hello\n"
        "instance_type: Standard_DS3_v2\n"
        "instance_count: 1\n"
        "code_configuration: {code: code, scoring_script: score.py}\n"
    )
    return folder


@pytest.fixture
def load(project: Path) -> Callable[..., Bundle]:
    """Reads documents of the project as a command line would: ``load("endpoint.yml", "a=1")``."""

    def read(*names: str) -> Bundle:
        files = [project / name for name in names if "=" not in name]
        overrides = tuple(name for name in names if "=" in name)
        return load_checked_files(files, Selection(overrides=overrides))

    return read
