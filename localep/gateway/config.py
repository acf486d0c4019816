"""The files of a gateway, and the command that runs it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from localep.gateway.state import PUBLIC_LINK, STATE_FILE, Readiness
from localep.resources import read_resource, render_template

if TYPE_CHECKING:
    from localep.gateway.state import Backend, GatewayState

PORT = 8080
USER = "haproxy"
CONFIG_FOLDER = "/etc/haproxy"
SOCKET_FOLDER = "/run/haproxy"
SOCKET = f"{SOCKET_FOLDER}/admin.sock"
# A socket without a file, for the gateway's own way back to itself.
RELAY = "abns@localep-relay"
SCRATCH = {SOCKET_FOLDER: "uid=990,gid=990,mode=0700"}
COMMAND = ("haproxy", "-W", "-db", "-f", f"{CONFIG_FOLDER}/haproxy.cfg")
# Of the access log, at least; a request takes half a kilobyte.
LOG_BYTES = 10_000_000
PROBE_HEADER = "x-localep-probe"
# Opens the way past the front end's rules for one request; its value is the probe's token.
DIRECT_HEADER = "x-localep-direct"
# Asks how many instances take requests; anybody may, as the answer is no more than a number.
READY_HEADER = "x-localep-ready"
# The gateway's own name on the network, for servers that stand for no container.
IDLE_HOST = "localep-gateway"

KEYS_MAP = f"{CONFIG_FOLDER}/keys.map"
LIMITS_MAP = f"{CONFIG_FOLDER}/limits.map"
NAMES_MAP = f"{CONFIG_FOLDER}/names.map"
PROBE_MAP = f"{CONFIG_FOLDER}/probe.map"
GROUPS = ("a", "b")

# The user haproxy of Dockerfile.base.
_UID = 990
# HAProxy asks for the names of its servers when it starts: one that is not there costs no more.
VARIABLES = {"RES_OPTIONS": "timeout:1 attempts:1"}


@dataclass(frozen=True)
class Settings:
    """What HAProxy learns from its configuration alone, and only by loading it anew."""

    allows_options: bool
    is_direct: bool
    requires_key: bool
    payload_limit: int | None
    max_queue_wait_ms: int
    readiness: Readiness
    places: int

    @property
    def retries(self) -> int:
        """How often a request that reached nobody is given to another instance."""
        return 1 if self.places > 1 else 0

    @property
    def digest(self) -> str:
        """A name for these settings."""
        text = json.dumps([asdict(self), _template_digest()])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Server:
    """A server of HAProxy; ``alias`` is None where no container stands behind it."""

    name: str
    alias: str | None


def settings_of(state: GatewayState, expected: Backend | None = None) -> Settings:
    """The settings that a state asks for, or a deployment that is expected where it has none."""
    backend = state.backend or expected
    return Settings(
        allows_options=state.allows_options,
        is_direct=state.is_direct,
        requires_key=state.requires_key,
        payload_limit=state.payload_limit,
        max_queue_wait_ms=backend.max_queue_wait_ms if backend else 500,
        # Its route is in a map: a new deployment's may be another while the former one's ends.
        readiness=replace(backend.readiness if backend else Readiness(), port=0, path=""),
        places=state.places,
    )


def group(slot: str, places: int) -> list[str]:
    """The names of the servers of a slot."""
    return [f"{slot}{number}" for number in range(1, places + 1)]


def gateway_files(state: GatewayState, expected: Backend | None = None) -> dict[str, str]:
    """The gateway's files by absolute path; all of them are for its user's eyes only.

    ``expected`` is a deployment that is about to come, whose settings may be there before it.
    """
    configuration = render_template(
        "haproxy.cfg.j2",
        backend=state.backend,
        config_folder=CONFIG_FOLDER,
        direct_header=DIRECT_HEADER,
        idle_host=IDLE_HOST,
        keys_map=KEYS_MAP,
        limits_map=LIMITS_MAP,
        names_map=NAMES_MAP,
        port=PORT,
        probe_header=PROBE_HEADER,
        probe_map=PROBE_MAP,
        ready_header=READY_HEADER,
        relay=RELAY,
        servers=_servers(state),
        settings=settings_of(state, expected),
        socket=SOCKET,
    )
    return {
        f"{CONFIG_FOLDER}/haproxy.cfg": configuration,
        f"{CONFIG_FOLDER}/gateway.lua": read_resource("templates/gateway.lua"),
        KEYS_MAP: "".join(f"{key} {expiry}\n" for key, expiry in what_opens(state).items()),
        f"{CONFIG_FOLDER}/probe.lst": f"{state.probe_token}\n",
        LIMITS_MAP: "".join(f"{name} {value}\n" for name, value in limits(state).items()),
        NAMES_MAP: f"deployment {deployment_name(state)}\n",
        PROBE_MAP: f"path {readiness_path(state)}\n",
        STATE_FILE: state.to_json(),
    }


def what_opens(state: GatewayState) -> dict[str, int]:
    """The keys or tokens that open the endpoint, and when each expires; 0 is never."""
    if state.auth_mode == "key":
        return {state.primary_key: 0, state.secondary_key: 0}
    return state.tokens


def _servers(state: GatewayState) -> list[Server]:
    """Both groups; the deployment's instances stand in that of its slot."""
    backend = state.backend
    names = [name for slot in GROUPS for name in group(slot, state.places)]
    aliases = backend.aliases if backend else ()
    places = dict(zip(group(backend.slot, len(aliases)), aliases, strict=True)) if backend else {}
    return [Server(name, places.get(name)) for name in names]


@cache
def _template_digest() -> str:
    text = read_resource("templates/haproxy.cfg.j2") + read_resource("templates/gateway.lua")
    return hashlib.sha256(text.encode()).hexdigest()


def readiness_path(state: GatewayState) -> str:
    """The path that the readiness probe asks for."""
    return state.backend.readiness.path if state.backend else "/"


def limits(state: GatewayState) -> dict[str, int]:
    """The numbers that the gateway looks up at every request."""
    backend = state.backend
    return {
        "share": state.share,
        "in_flight": backend.limit if backend else 0,
        "timeout_ms": backend.request_timeout_ms if backend else 0,
    }


def deployment_name(state: GatewayState) -> str:
    """The deployment that a request may ask for by name, ``.`` where there is none."""
    return state.backend.deployment if state.backend else "."


def gateway_archive(state: GatewayState, expected: Backend | None = None) -> bytes:
    """gateway_files and the link with the public state, as a tar archive for ``/``."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, text in gateway_files(state, expected).items():
            content = text.encode()
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size = len(content)
            member.mode = 0o600
            member.uid = member.gid = _UID
            archive.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo(PUBLIC_LINK.lstrip("/"))
        link.type = tarfile.SYMTYPE
        link.linkname = state.public_link() or "/"
        archive.addfile(link)
    return stream.getvalue()
