"""Containers of a Docker engine."""

from __future__ import annotations

import base64
import json
import tarfile
import tempfile
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Any, Literal

import docker
import docker.errors
from docker.types import LogConfig
from docker.types import Mount as DockerMount

from localep.engine.base import Container, ContainerRequest, HealthCheck, Mount, Usage
from localep.engine.cgroups import READ_COUNTERS, read_counters
from localep.engine.errors import engine_errors, is_conflict, is_not_found
from localep.engine.gpu import device_request
from localep.errors import EngineError
from localep.interrupts import held_back

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Started again after a crash and with the engine. Not "unless-stopped": an engine that was killed
# stops what it finds running as it starts, and then takes it for stopped by somebody (20.10).
_RESTART: Any = {"Name": "always"}
# A full disk shall not keep anybody from looking at an endpoint, or deleting it.
_IN_MEMORY = 1024 * 1024
_NANOSECONDS = 1_000_000_000
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
                use_config_proxy=True,  # as `docker run` does
                working_dir=request.working_dir,
                labels=dict(request.labels),
                ports=list(request.publish),
                host_config=self._host_config(request),
                networking_config=self.api.create_networking_config(networks),
                platform=request.platform or None,
                healthcheck=_health_check(request.health) if request.health else None,
            )
        return str(created["Id"])

    def start_container(self, identity: str) -> None:
        """Start a created container. Raises PortTaken or GpuRefused."""
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
            if not self._pack(identity, path, spool):
                return None
            spool.seek(0)
            with tarfile.open(fileobj=spool) as archive:
                member = archive.next()
                if member is None or not member.isfile():
                    return None
                content = archive.extractfile(member)
                return content.read() if content is not None else None

    def copy_tree(self, identity: str, path: str, archive: IO[bytes]) -> bool:
        """Write a file or folder of a container, mounts included, as a tar archive.

        The names in it begin with the last part of ``path``. False where there is none.
        """
        with engine_errors("copy files out of a container"):
            return self._pack(identity, path, archive)

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
            with self._unstarted(image) as container:
                for name in names:
                    if any(self._is_there(container, f"{d}/{name}") for d in path.split(":")):
                        return name
        return None

    def holds(self, image: str, path: str) -> bool:
        """Whether there is a file or folder at a path of an image."""
        with engine_errors("look into an image"), self._unstarted(image) as container:
            return self._is_there(container, path)

    def file_of_image(self, image: str, path: str) -> bytes | None:
        """The content of a file of an image, None where there is none."""
        with engine_errors("look into an image"), self._unstarted(image) as container:
            return self.copy_out(container, path)

    def logs(
        self, identity: str, *, lines: int | None = None, follow: bool = False
    ) -> Iterator[bytes]:
        """A container's output, the last ``lines`` lines or all, as chunks of bytes."""
        tail: int | Literal["all"] = "all" if lines is None else lines
        with engine_errors("give a container's log"):
            yield from self.api.logs(identity, stream=True, follow=follow, tail=tail)

    def usage(self, identity: str) -> Usage | None:
        """What a container needs of the machine, None where it does not run."""
        with suppress(EngineError):  # it does not run
            # An image without grep answers with a complaint.
            counted = read_counters(self.execute(identity, READ_COUNTERS)[1])
            if counted is not None:
                return counted
        with engine_errors("measure a container"):
            try:
                found = self.api.stats(identity, stream=False, one_shot=True)
            except docker.errors.NotFound:
                return None
        return _usage(found)

    @contextmanager
    def _unstarted(self, image: str) -> Iterator[str]:
        """A container of an image that never runs: the way to the image's files."""
        created = self.api.create_container(image, command=["true"])
        try:
            yield str(created["Id"])
        finally:
            self.api.remove_container(created["Id"], force=True, v=True)

    def _pack(self, identity: str, path: str, archive: IO[bytes]) -> bool:
        try:
            chunks, _ = self.api.get_archive(identity, path)
        except docker.errors.NotFound:
            return False
        for chunk in chunks:
            archive.write(chunk)
        return True

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
            dns=list(request.dns) or None,
            dns_opt=list(request.dns_options) or None,
            cap_drop=["ALL"] if request.unprivileged else None,
            security_opt=["no-new-privileges"] if request.unprivileged else None,
            log_config=_log_config(request.log_limit),
            nano_cpus=round(request.limits.cpus * 1e9) if request.limits.cpus else None,
            mem_limit=request.limits.memory,
            memswap_limit=request.limits.memory,
            shm_size=request.limits.shm,
            device_requests=[device_request(request.gpus)] if request.gpus else None,
            group_add=list(request.groups) or None,
        )


def _health_check(check: HealthCheck) -> dict[str, Any]:
    return {
        "test": ["CMD", *check.command],
        "interval": int(check.period * _NANOSECONDS),
        "timeout": int(check.timeout * _NANOSECONDS),
        "start_period": int(check.start_period * _NANOSECONDS),
        "retries": check.failure_threshold,
    }


def _mount(mount: Mount) -> DockerMount:
    kind: Literal["volume", "bind"] = "volume" if mount.is_volume else "bind"
    return DockerMount(mount.target, mount.source, type=kind, read_only=mount.read_only)


def _log_config(limit: int | None) -> LogConfig | None:
    """Two files in turn; None leaves it to the engine's own settings."""
    if limit is None:
        return None
    sizes = {"max-size": str(limit), "max-file": "2"}
    return LogConfig(type=LogConfig.types.JSON, config=sizes)


def _usage(stats: dict[str, Any]) -> Usage | None:
    memory = stats["memory_stats"]
    if "usage" not in memory:
        return None
    # As `docker stats` counts it; the two versions of cgroups have names of their own.
    details = memory.get("stats", {})
    cached = details.get("total_inactive_file", details.get("inactive_file", 0))
    nanoseconds = stats["cpu_stats"]["cpu_usage"]["total_usage"]
    return Usage(memory["usage"] - cached, nanoseconds / 1e9, memory.get("max_usage"))


def _from_listing(entry: dict[str, Any]) -> Container:
    return Container(
        identity=entry["Id"],
        name=entry["Names"][0].lstrip("/"),
        image=entry["ImageID"],
        status=entry["State"],
        labels=entry["Labels"],
        created=float(entry["Created"]),
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
        command=(entry["Path"], *entry["Args"]),
        memory_limit=entry["HostConfig"]["Memory"] or None,
        oom_killed=entry["State"]["OOMKilled"],
        started=_moment(entry["State"]["StartedAt"]),
        created=_moment(entry["Created"]),
    )


def _moment(text: str) -> float | None:
    """Seconds since 1970 out of ``2026-01-31T09:05:07.250000000Z``; None for the year 1."""
    moment = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return moment.timestamp() if moment.year > 1 else None


def _addresses(networks: dict[str, Any]) -> dict[str, str]:
    return {name: network["IPAddress"] for name, network in networks.items()}
