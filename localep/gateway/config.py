"""The files of a gateway, and the command that runs it."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

from localep.gateway.state import PUBLIC_LINK, STATE_FILE
from localep.resources import render_template

if TYPE_CHECKING:
    from localep.gateway.state import GatewayState

PORT = 8080
USER = "haproxy"
CONFIG_FOLDER = "/etc/haproxy"
SOCKET_FOLDER = "/run/haproxy"
SOCKET = f"{SOCKET_FOLDER}/admin.sock"
SCRATCH = {SOCKET_FOLDER: "uid=990,gid=990,mode=0700"}
COMMAND = ("haproxy", "-W", "-db", "-f", f"{CONFIG_FOLDER}/haproxy.cfg")
PROBE_HEADER = "x-localep-probe"
# Opens the way past the front end's rules for one request; its value is the probe's token.
DIRECT_HEADER = "x-localep-direct"
# The gateway's own name on the network, for servers that stand for no container.
IDLE_HOST = "localep-gateway"

LIMITS_MAP = f"{CONFIG_FOLDER}/limits.map"
NAMES_MAP = f"{CONFIG_FOLDER}/names.map"

# The user haproxy of Dockerfile.base.
_UID = 990


def gateway_files(state: GatewayState) -> dict[str, str]:
    """The gateway's files by absolute path; all of them are for its user's eyes only."""
    configuration = render_template(
        "haproxy.cfg.j2",
        backend=state.backend,
        allows_options=state.allows_options,
        config_folder=CONFIG_FOLDER,
        direct_header=DIRECT_HEADER,
        is_direct=state.is_direct,
        idle_host=IDLE_HOST,
        limits_map=LIMITS_MAP,
        names_map=NAMES_MAP,
        port=PORT,
        probe_header=PROBE_HEADER,
        socket=SOCKET,
    )
    return {
        f"{CONFIG_FOLDER}/haproxy.cfg": configuration,
        f"{CONFIG_FOLDER}/keys.lst": "".join(
            f"Bearer {key}\n" for key in (state.primary_key, state.secondary_key)
        ),
        f"{CONFIG_FOLDER}/probe.lst": f"{state.probe_token}\n",
        LIMITS_MAP: "".join(f"{name} {value}\n" for name, value in limits(state).items()),
        NAMES_MAP: f"deployment {deployment_name(state)}\n",
        STATE_FILE: state.to_json(),
    }


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


def gateway_archive(state: GatewayState) -> bytes:
    """gateway_files and the link with the public state, as a tar archive for ``/``."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, text in gateway_files(state).items():
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
