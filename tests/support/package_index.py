"""A private package index with TLS of an authority that only this machine knows, and a login."""

from __future__ import annotations

import base64
import hashlib
import http.server
import ssl
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

USER, PASSWORD = "reader", "t0p-secret-token"


@dataclass(frozen=True)
class PackageIndex:
    """Where the index answers, and the certificate of its authority."""

    host: str
    port: int
    authority: Path
    package: str

    @property
    def address(self) -> str:
        return f"https://{self.host}:{self.port}/simple"

    @property
    def address_with_login(self) -> str:
        return f"https://{USER}:{PASSWORD}@{self.host}:{self.port}/simple"


@contextmanager
def package_index(folder: Path, host: str, package: str) -> Iterator[PackageIndex]:
    """Serve a package of this name, with one module that says so, until the context ends."""
    wheel = make_wheel(folder, package)
    certificate = make_certificates(folder, host)
    wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers["Authorization"] != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic")
                self.end_headers()
                return
            if self.path == f"/simple/{package}/":
                self._answer("text/html", f'<a href="/{wheel.name}">{wheel.name}</a>'.encode())
            elif self.path == f"/{wheel.name}":
                self._answer("application/octet-stream", wheel.read_bytes())
            else:
                self.send_error(404)

        def _answer(self, content_type: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer((host, 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield PackageIndex(host, server.server_port, folder / "authority.pem", package)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def make_wheel(folder: Path, package: str) -> Path:
    module = package.replace("-", "_")
    info = f"{module}-1.0.dist-info"
    files = {
        f"{module}.py": "ORIGIN = 'the private index'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={_digest(text)},{len(text)}\n" for name, text in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    path = folder / f"{module}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def make_certificates(folder: Path, host: str) -> Path:
    """An authority (authority.pem), and a certificate of it for the host with its key."""
    script = f"""
set -eu
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=Test Authority" \\
    -keyout authority.key -out authority.pem -addext basicConstraints=critical,CA:TRUE
openssl req -newkey rsa:2048 -nodes -subj "/CN={host}" -keyout host.key -out host.csr
printf 'subjectAltName=IP:{host}' >extensions
openssl x509 -req -in host.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 \\
    -extfile extensions -out host.pem
cat host.pem host.key >server.pem
"""
    subprocess.run(["sh", "-c", script], cwd=folder, check=True, capture_output=True)
    return folder / "server.pem"
