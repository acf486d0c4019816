"""A registry of images on this machine's loopback, and images small enough for it."""

from __future__ import annotations

import base64
import json
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from support.engine import Silent

from localep.engine.base import BuildFolder, BuildRequest
from localep.engine.client import DockerEngine

USER, PASSWORD = "reader", "t0p-secret-password"
# PASSWORD by bcrypt, the one kind that the registry reads.
_LOGIN = "$2b$04$GM4K39y3Pmn4hYeDc49Q7elG1SSnEe4mCYW9H77ukTP97USYeT7Ie"
# The beginning of a program for 64-bit ARM.
_PROGRAM = b"\x7fELF\x02\x01\x01" + bytes(9)
_PROGRAM += struct.pack("<HHIQQQIHHHHHH", 2, 183, 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0)
_PROGRAM += struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 120, 120, 4096)


@contextmanager
def image_registry(folder: Path, *, wants_login: bool = False) -> Iterator[str]:
    """Serve a registry until the context ends; ``host:port``."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    configuration = folder / "config.yml"
    text = (
        f"version: 0.1\nlog: {{level: error}}\nhttp: {{addr: '{address}'}}\n"
        f"storage: {{filesystem: {{rootdirectory: '{folder / 'data'}'}}}}\n"
    )
    if wants_login:
        (folder / "htpasswd").write_text(f"{USER}:{_LOGIN}\n")
        text += f"auth: {{htpasswd: {{realm: tests, path: '{folder / 'htpasswd'}'}}}}\n"
    configuration.write_text(text)
    with subprocess.Popen(
        ["docker-registry", "serve", str(configuration)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            while True:
                assert process.poll() is None, "docker-registry ended"
                try:
                    requests.get(f"http://{address}/v2/", timeout=1)
                    break
                except requests.ConnectionError:
                    continue
            yield address
        finally:
            process.terminate()


def docker_config(folder: Path, address: str, password: str = PASSWORD) -> Path:
    """A folder for DOCKER_CONFIG with the login of a registry in it."""
    folder.mkdir()
    login = base64.b64encode(f"{USER}:{password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {address: {"auth": login}}}))
    return folder


def docker_config_with_helper(folder: Path, address: str) -> tuple[Path, Path]:
    """A folder for DOCKER_CONFIG that names a helper for the login, and the helper's folder."""
    programs = folder / "programs"
    programs.mkdir(parents=True)
    helper = programs / "docker-credential-localep-test"
    answer = json.dumps({"ServerURL": address, "Username": USER, "Secret": PASSWORD})
    helper.write_text(f"#!/bin/sh\nread -r _\necho '{answer}'\n")
    helper.chmod(0o755)
    helpers = {"credHelpers": {address: "localep-test"}}
    (folder / "config.json").write_text(json.dumps(helpers))
    return folder, programs


def build_small_image(
    engine: DockerEngine, folder: Path, reference: str, platform: str = ""
) -> None:
    """An image with one program for another processor than this engine's, and nothing else."""
    context = folder / "small"
    context.mkdir(exist_ok=True)
    (context / "sh").write_bytes(_PROGRAM)
    (context / "sh").chmod(0o755)
    (context / "Dockerfile").write_text('FROM scratch\nCOPY sh /bin/sh\nCMD ["/bin/sh"]\n')
    request = BuildRequest(reference, BuildFolder(context, "Dockerfile"), platform=platform)
    engine.build_image(request, Silent())


def push(engine: DockerEngine, reference: str, login: dict[str, str] | None = None) -> None:
    """Send an image to the registry in its name, and remove it here."""
    repository, _, tag = reference.rpartition(":")
    answer = list(engine.api.push(repository, tag=tag, stream=True, decode=True, auth_config=login))
    assert not any("error" in event for event in answer), answer
    engine.api.remove_image(reference)
