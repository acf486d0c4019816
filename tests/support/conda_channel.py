"""A conda channel made here: of an interpreter of this machine, and small packages."""

from __future__ import annotations

import base64
import functools
import hashlib
import http.server
import io
import json
import os
import ssl
import stat
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zstandard

PLATFORM = "linux-64"
# What stands in the files of a package where its environment's own path goes.
PLACEHOLDER = "/placeholder/of/a/conda/build/that/is/long/enough"
# Of the interpreter; what its tests, editors and other copies need is of no use in an environment.
_LEFT_OUT = {
    "__pycache__",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "pkgconfig",
    "site-packages",
    "test",
    "tests",
    "tkinter",
    "turtledemo",
}
_MINORS = ("3.10", "3.12", "3.13", "3.9", "3.11")


@dataclass(frozen=True)
class Package:
    """A package to be made; ``files`` are by their paths in an environment.

    ``prefix`` is what stands for the environment's path in the files.
    """

    name: str
    version: str
    files: Mapping[str, bytes | Path] = field(default_factory=dict)
    depends: tuple[str, ...] = ()
    build: str = "0"
    noarch: str | None = None
    prefix: str = PLACEHOLDER
    constrains: tuple[str, ...] = ()

    @property
    def subdir(self) -> str:
        return "noarch" if self.noarch else PLATFORM

    @property
    def file_name(self) -> str:
        return f"{self.name}-{self.version}-{self.build}.conda"


def noarch_package(
    name: str, version: str, modules: Mapping[str, str], depends: Iterable[str] = ("python",)
) -> Package:
    """A package of Python modules for any Python, as conda and pip both see it installed."""
    info = f"site-packages/{name.replace('-', '_')}-{version}.dist-info"
    files = {f"site-packages/{path}": text.encode() for path, text in modules.items()}
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    )
    files[f"{info}/INSTALLER"] = b"conda\n"
    files[f"{info}/RECORD"] = "".join(f"{path[14:]},,\n" for path in files).encode()
    return Package(name, version, files, tuple(depends), noarch="python")


def binary_package(name: str, version: str, depends: Iterable[str] = ()) -> Package:
    """A package with a program that says where it is installed, and a library that does, too."""
    script = f"#!/bin/sh\necho {name} {version} in {PLACEHOLDER}\n"
    files = {
        f"bin/{name}": script.encode(),
        f"lib/{name}.bin": b"\0" + PLACEHOLDER.encode() + b"/share\0",
    }
    return Package(name, version, files, tuple(depends))


@dataclass(frozen=True)
class Interpreter:
    """A CPython of this machine: the folder that it is installed to, and its version."""

    prefix: Path
    minor: str
    version: str

    def packed(self) -> Package:
        library = self.prefix / "lib" / f"python{self.minor}"
        files: dict[str, bytes | Path] = {}
        for path in _files_below(library):
            files[f"lib/python{self.minor}/{path.relative_to(library)}"] = path
        for path in (self.prefix / "lib").glob(f"libpython{self.minor}.so*"):
            files[f"lib/{path.name}"] = path
        files[f"bin/python{self.minor}"] = self.prefix / "bin" / f"python{self.minor}"
        files[f"lib/python{self.minor}/site-packages/README.txt"] = b"Packages go here.\n"
        prefix = str(self.prefix) if len(self.prefix.parts) > 2 else PLACEHOLDER
        return Package("python", self.version, files, prefix=prefix)


def find_interpreter() -> Interpreter:
    """An interpreter of this machine, if possible of another version than the base image's."""
    found: dict[str, Interpreter] = {}
    folders = [Path(folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)]
    beside = sorted(Path(sys.base_prefix).parent.glob("*/bin"))
    for folder in (*folders, *beside, Path(sys.base_prefix, "bin")):
        for minor in _MINORS:
            program = (folder / f"python{minor}").resolve()
            prefix = program.parent.parent
            if not program.is_file() or not (prefix / "lib" / f"python{minor}" / "os.py").is_file():
                continue
            found.setdefault(minor, Interpreter(prefix, minor, f"{minor}.{_patch(program)}"))
    return next(found[minor] for minor in _MINORS if minor in found)


def _patch(program: Path) -> str:
    question = "import sys; print(sys.version_info[2])"
    command = [str(program), "-I", "-c", question]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def write_channel(folder: Path, packages: Iterable[Package]) -> None:
    """Make a channel in a folder: the packages, and the lists of them."""
    packages = list(packages)
    records: dict[str, dict[str, Any]] = {PLATFORM: {}, "noarch": {}}
    for subdir in records:
        (folder / subdir).mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        written = pool.map(lambda package: _write_package(folder, package), packages)
        for package, record in zip(packages, written, strict=True):
            records[package.subdir][package.file_name] = record
    for subdir, found in records.items():
        data = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": found}
        (folder / subdir / "repodata.json").write_text(json.dumps(data))


class ChannelServer:
    """A channel at an address; ``asked`` are the paths that were asked for, and the logins."""

    def __init__(self, folder: Path, host: str, token: str | None, login: str | None) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.token = f"/t/{token}" if token else ""
        wanted = login and "Basic " + base64.b64encode(login.encode()).decode()
        channel = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def send_head(self) -> Any:
                given = self.headers["Authorization"]
                channel.asked.append((self.path, given))
                if not self.path.startswith(f"{channel.token}/") or given != (wanted or given):
                    self.send_error(401)
                    return None
                self.path = self.path.removeprefix(channel.token)
                return super().send_head()

            def log_message(self, *_: object) -> None: ...

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """Clients go away when they know enough."""

        self.server = Server((host, 0), functools.partial(Handler, directory=str(folder)))
        self.address = f"http://{host}:{self.server.server_port}"

    @property
    def address_with_token(self) -> str:
        return f"{self.address}{self.token}"


@contextmanager
def served_channel(
    folder: Path,
    host: str = "127.0.0.1",
    *,
    token: str | None = None,
    login: str | None = None,
    certificate: Path | None = None,
) -> Iterator[ChannelServer]:
    """Serve a channel until the context ends; with TLS where there is a certificate."""
    channel = ChannelServer(folder, host, token, login)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        channel.server.socket = context.wrap_socket(channel.server.socket, server_side=True)
        channel.address = channel.address.replace("http:", "https:")
    thread = threading.Thread(target=channel.server.serve_forever)
    thread.start()
    try:
        yield channel
    finally:
        channel.server.shutdown()
        channel.server.server_close()
        thread.join()


def _write_package(folder: Path, package: Package) -> dict[str, Any]:
    index = {
        "name": package.name,
        "version": package.version,
        "build": package.build,
        "build_number": 0,
        "depends": list(package.depends),
        "constrains": list(package.constrains),
        "subdir": package.subdir,
        **({"noarch": package.noarch} if package.noarch else {}),
    }
    paths: list[dict[str, Any]] = []
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, source in sorted(package.files.items()):
            paths.append(_add(tar, name, source, package.prefix))
        if package.name == "python":
            minor = ".".join(package.version.split(".")[:2])
            for link in ("bin/python", "bin/python3"):
                paths.append(_add_link(tar, link, f"python{minor}"))
    info = io.BytesIO()
    with tarfile.open(fileobj=info, mode="w") as tar:
        paths_text = json.dumps({"paths": paths, "paths_version": 1})
        _add(tar, "info/index.json", json.dumps(index).encode(), PLACEHOLDER)
        _add(tar, "info/paths.json", paths_text.encode(), PLACEHOLDER)
        _add(tar, "info/about.json", b"{}", PLACEHOLDER)
        if package.noarch:
            kind = {"noarch": {"type": package.noarch}, "package_metadata_version": 1}
            _add(tar, "info/link.json", json.dumps(kind).encode(), PLACEHOLDER)
    target = folder / package.subdir / package.file_name
    stem = package.file_name.removesuffix(".conda")
    compress = zstandard.ZstdCompressor(level=1).compress
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("metadata.json", '{"conda_pkg_format_version": 2}')
        archive.writestr(f"pkg-{stem}.tar.zst", compress(content.getvalue()))
        archive.writestr(f"info-{stem}.tar.zst", compress(info.getvalue()))
    raw = target.read_bytes()
    return {
        **index,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "md5": hashlib.md5(raw, usedforsecurity=False).hexdigest(),
        "size": len(raw),
    }


def _add(tar: tarfile.TarFile, name: str, source: bytes | Path, prefix: str) -> dict[str, Any]:
    """Add a file; its entry in the list of paths."""
    content = source if isinstance(source, bytes) else source.read_bytes()
    member = tarfile.TarInfo(name)
    member.size = len(content)
    executable = name.startswith("bin/") or (
        isinstance(source, Path) and bool(source.stat().st_mode & stat.S_IXUSR)
    )
    member.mode = 0o755 if executable else 0o644
    tar.addfile(member, io.BytesIO(content))
    entry: dict[str, Any] = {
        "_path": name,
        "path_type": "hardlink",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_in_bytes": len(content),
    }
    # Where an interpreter's path ends with its version, its library keeps both as one text.
    if prefix.encode() in content and not name.startswith("lib/libpython"):
        entry["prefix_placeholder"] = prefix
        entry["file_mode"] = "binary" if b"\0" in content else "text"
    return entry


def _add_link(tar: tarfile.TarFile, name: str, target: str) -> dict[str, Any]:
    member = tarfile.TarInfo(name)
    member.type = tarfile.SYMTYPE
    member.linkname = target
    tar.addfile(member)
    empty = hashlib.sha256(b"").hexdigest()
    return {"_path": name, "path_type": "softlink", "sha256": empty, "size_in_bytes": 0}


def _files_below(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [
            name for name in folders if name not in _LEFT_OUT and not name.startswith("config-")
        ]
        for name in names:
            path = Path(root, name)
            if path.suffix not in {".a", ".pyc"} and path.is_file():
                yield path
