"""Which engine to talk to: DOCKER_HOST, else the docker client's context, else the default."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import docker
import docker.utils
from docker.constants import DEFAULT_UNIX_SOCKET
from docker.errors import DockerException
from docker.tls import TLSConfig

from localep.errors import EngineError


@dataclass(frozen=True)
class EngineAddress:
    """Where the engine listens; ``context`` is the docker client's name for it, if it has one."""

    url: str | None = None
    tls: TLSConfig | None = None
    context: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether the engine shares this machine's files and loopback addresses."""
        return self.url is None or self.url.startswith(("unix:", "npipe:", "http+unix:"))

    @property
    def host(self) -> str:
        """The host on which published ports are reached."""
        hostname = None if self.is_local else urlsplit(self.url or "").hostname
        return hostname or "127.0.0.1"


def find_address() -> EngineAddress:
    """The engine that a docker client started here would talk to. Raises EngineError."""
    if os.environ.get("DOCKER_HOST"):
        settings = docker.utils.kwargs_from_env()
        return EngineAddress(settings.get("base_url"), settings.get("tls"))
    name = os.environ.get("DOCKER_CONTEXT") or _configured_context()
    if name in {None, "", "default"}:
        return EngineAddress()
    address = _context(name)
    if address is None:
        raise EngineError(
            f"There is no docker context {name}.",
            cause="DOCKER_CONTEXT or the docker client's configuration names it.",
            remedy="List them with `docker context ls`.",
        )
    return address


def connect(address: EngineAddress) -> docker.APIClient:
    """A client that has spoken with the engine. Raises docker-py's own errors."""
    scheme, _, path = (address.url or DEFAULT_UNIX_SOCKET).partition("://")
    if scheme in {"unix", "http+unix"}:
        _knock(path)
    return docker.APIClient(
        base_url=address.url, tls=address.tls or False, version="auto", use_ssh_client=True
    )


def _knock(path: str) -> None:
    """Raise DockerException where nobody listens; docker-py would leave its socket open."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError as error:
            raise DockerException(f"{type(error).__name__}: {error}") from error


def _config_folder() -> Path:
    return Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")


def _context(name: str) -> EngineAddress | None:
    """The context of this name as the docker client keeps it, None where there is none.

    docker-py's own reader looks beside config.json alone, which `docker context create` does
    not write.
    """
    folder = _config_folder() / "contexts"
    identity = hashlib.sha256(name.encode()).hexdigest()
    try:
        text = (folder / "meta" / identity / "meta.json").read_text(encoding="utf-8")
        endpoint = json.loads(text)["Endpoints"]["docker"]
        url, verify = endpoint.get("Host"), not endpoint.get("SkipTLSVerify", False)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineError(
            f"The docker context {name} cannot be read.",
            cause=f"{type(error).__name__}: {error}.",
            remedy=f"See `docker context inspect {name}`.",
        ) from error
    files = {path.stem: str(path) for path in (folder / "tls" / identity / "docker").glob("*.pem")}
    tls = None
    if {"ca", "cert", "key"} <= set(files):
        tls = TLSConfig(
            client_cert=(files["cert"], files["key"]), ca_cert=files["ca"], verify=verify
        )
    return EngineAddress(url, tls, name)


def _configured_context() -> str | None:
    try:
        config = json.loads((_config_folder() / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    name = config.get("currentContext") if isinstance(config, dict) else None
    return name if isinstance(name, str) else None
