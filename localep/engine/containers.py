"""Containers of a Docker engine."""

from __future__ import annotations

import base64
import json
import tarfile
import tempfile
from typing import IO, TYPE_CHECKING, Any, Literal

import docker
import docker.errors
from docker.types import Mount as DockerMount

from localep.engine.base import Container, ContainerRequest, Mount
from localep.engine.errors import engine_errors, is_conflict, is_not_found
from localep.interrupts import held_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Started again after a crash and with the engine. Not "unless-stopped": an engine that was killed
# stops what it finds running as it starts, and then takes it for stopped by somebody (20.10).
_RESTART: Any = {"Name": "always"}
# A full disk shall not keep anybody from looking at an endpoint, or deleting it.
_IN_MEMORY = 1024 * 1024
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ContainerCalls:
    """What localep does with containers; see engine.base.Engine for the meaning of each."""

    api: docker.APIClient

    def list_containers(self, labels: Mapping[str, str]) -> list[Container]:
        """The containers with all of these labels, running or not."""
        wanted = [f"{name}={value}" for name, value in labels.items()]
        with engine_errors("list its containers"):
            found = self.api.containers(all=True, filters={"label": wanted})
        return [_from_listing(entry) for entry in found]

    def inspect_container(self, identity: str) -> Container | None:
        """One container by name or id, None where there is none."""
        with engine_errors("look at a container"):
            try:
                return _from_inspection(self.api.inspect_container(identity))
            except docker.errors.NotFound:
                return None

    def create_container(self, request: ContainerRequest) -> str:
        """Create a container and return its id. Raises NameTaken."""
        # docker-py's type hints say otherwise, but its code takes a mapping of networks here.
        networks: Any = {
            request.network: self.api.create_endpoint_config(aliases=list(request.aliases) or None)
        }
        # The engine finishes what it was asked even where nobody waits for the answer.
        with engine_errors(f"create the container {request.name}"), held_back():
            created = self.api.create_container(
                request.image,
                entrypoint=list(request.command[:1]) if request.command else None,
                command=list(request.command[1:]) if request.command else None,
                name=request.name,
                user=request.user,
                environment=dict(request.environment),
                working_dir=request.working_dir,
                labels=dict(request.labels),
                ports=list(request.publish),
                host_config=self._host_config(request),
                networking_config=self.api.create_networking_config(networks),
            )
        return str(created["Id"])

    def start_container(self, identity: str) -> None:
        """Start a created container. Raises PortTaken."""
        with engine_errors("start a container"), held_back():
            self.api.start(identity)

    def stop_container(self, identity: str, timeout: int) -> None:
        """Ask a container to end, and end it after ``timeout`` seconds."""
        with engine_errors("stop a container"):
            self.api.stop(identity, timeout=timeout)

    def remove_container(self, identity: str) -> None:
        """Remove a container, running or not, with its anonymous volumes; none there is fine."""
        with engine_errors("remove a container"), held_back():
            try:
                self.api.remove_container(identity, v=True, force=True)
            except docker.errors.APIError as error:
                # 409: another command is removing it at this moment.
                if not (is_not_found(error) or is_conflict(error)):
                    raise

    def restart_always(self, identity: str) -> None:
        """Have the engine start a container again after a crash, and with the engine itself."""
        with engine_errors("set a restart policy"):
            self.api.update_container(identity, restart_policy=_RESTART)

    def copy_in(self, identity: str, folder: str, archive: bytes | IO[bytes]) -> None:
        """Unpack a tar archive into a folder of a container."""
        with engine_errors("copy files into a container"):
            self.api.put_archive(identity, folder, archive)

    def copy_out(self, identity: str, path: str) -> bytes | None:
        """The content of a file of a container, None where there is none."""
        with (
            engine_errors("copy a file out of a container"),
            tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool,
        ):
            try:
                chunks, _ = self.api.get_archive(identity, path)
            except docker.errors.NotFound:
                return None
            for chunk in chunks:
                spool.write(chunk)
            spool.seek(0)
            with tarfile.open(fileobj=spool) as archive:
                member = archive.next()
                content = archive.extractfile(member) if member is not None else None
                return content.read() if content is not None else None

    def read_link(self, identity: str, path: str) -> str | None:
        """Where a symbolic link of a container leads, None where there is none."""
        # docker-py has no call for this: the engine tells of a path without packing it.
        url = f"{self.api.base_url}/v{self.api.api_version}/containers/{identity}/archive"
        with engine_errors("look at a file of a container"):
            answer = self.api.head(url, params={"path": path}, timeout=self.api.timeout)
        if not answer.ok:
            return None
        status = json.loads(base64.b64decode(answer.headers["X-Docker-Container-Path-Stat"]))
        return str(status["linkTarget"]) or None

    def execute(self, identity: str, command: Sequence[str]) -> tuple[int, str]:
        """Run a command inside a running container; its exit status and output."""
        with engine_errors("run a command in a container"):
            created = self.api.exec_create(identity, list(command))
            output = self.api.exec_start(created["Id"])
            status = self.api.exec_inspect(created["Id"])["ExitCode"]
        return int(status), output.decode("utf-8", errors="replace")

    def find_program(self, image: str, names: Sequence[str]) -> str | None:
        """The first of these programs that lies on the PATH of an image, None for none."""
        with engine_errors("look into an image"):
            found = self.api.inspect_image(image)  # type: ignore[no-untyped-call]
            variables = found["Config"].get("Env") or []
            path = next((text[5:] for text in variables if text.startswith("PATH=")), _DEFAULT_PATH)
            created = self.api.create_container(image, command=["true"])
            try:
                for name in names:
                    if any(self._is_there(created["Id"], f"{d}/{name}") for d in path.split(":")):
                        return name
            finally:
                self.api.remove_container(created["Id"], force=True, v=True)
        return None

    def logs(
        self, identity: str, *, lines: int | None = None, follow: bool = False
    ) -> Iterator[bytes]:
        """A container's output, the last ``lines`` lines or all, as chunks of bytes."""
        tail: int | Literal["all"] = "all" if lines is None else lines
        with engine_errors("give a container's log"):
            yield from self.api.logs(identity, stream=True, follow=follow, tail=tail)

    def _is_there(self, identity: str, path: str) -> bool:
        try:
            chunks, _ = self.api.get_archive(identity, path)
        except docker.errors.NotFound:
            return False
        chunks.close()
        return True

    def _host_config(self, request: ContainerRequest) -> Any:  # noqa: ANN401 - docker-py's dict
        ports: dict[int | str, Any] = dict(request.publish.items())
        return self.api.create_host_config(
            mounts=[_mount(mount) for mount in request.mounts],
            port_bindings=ports,
            tmpfs=dict(request.scratch) or None,
            cap_drop=["ALL"] if request.unprivileged else None,
            security_opt=["no-new-privileges"] if request.unprivileged else None,
        )


def _mount(mount: Mount) -> DockerMount:
    kind: Literal["volume", "bind"] = "volume" if mount.is_volume else "bind"
    return DockerMount(mount.target, mount.source, type=kind, read_only=mount.read_only)


def _from_listing(entry: dict[str, Any]) -> Container:
    return Container(
        identity=entry["Id"],
        name=entry["Names"][0].lstrip("/"),
        image=entry["ImageID"],
        status=entry["State"],
        labels=entry["Labels"],
        addresses=_addresses(entry["NetworkSettings"]["Networks"]),
    )


def _from_inspection(entry: dict[str, Any]) -> Container:
    return Container(
        identity=entry["Id"],
        name=entry["Name"].lstrip("/"),
        image=entry["Image"],
        status=entry["State"]["Status"],
        labels=entry["Config"]["Labels"] or {},
        exit_code=entry["State"]["ExitCode"],
        error=entry["State"]["Error"],
        restart_count=entry["RestartCount"],
        addresses=_addresses(entry["NetworkSettings"]["Networks"]),
    )


def _addresses(networks: dict[str, Any]) -> dict[str, str]:
    return {name: network["IPAddress"] for name, network in networks.items()}
