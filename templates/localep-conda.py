#!/usr/bin/env -S /opt/localep/tools/bin/python -I
"""Installs conda packages into a folder, in a step of an image build: `localep-conda LIST FOLDER`.

LIST is a JSON file with the packages to install, or with specs and channels to solve first.
How channels are reached (mirrors, logins, authorities) comes as the secret localep-conda, so
that none of it ends in a layer.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import rattler
from rattler.networking import AddHeadersMiddleware, Client, MirrorMiddleware, RetryMiddleware

SETTINGS = Path("/run/secrets/localep-conda")
AUTHORITIES = Path("/run/secrets/localep-ca")
PACKAGES = Path("/opt/localep/packages")
CACHE = Path("/root/.cache/rattler")
ATTEMPTS = 3


def main(listed: str, folder: str) -> None:
    """Install what a list says into a folder."""
    wanted = json.loads(Path(listed).read_text("utf-8"))
    settings = json.loads(SETTINGS.read_text("utf-8")) if SETTINGS.is_file() else {}
    with tempfile.TemporaryDirectory() as scratch:
        _trust(settings, Path(scratch))
        try:
            asyncio.run(_install(wanted, settings, Path(folder)))
        except Exception as error:
            sys.exit(f"localep-conda: {_without_secrets(str(error), settings)}")
    _compile(Path(folder))


async def _install(wanted: dict[str, Any], settings: dict[str, Any], folder: Path) -> None:
    client = _client(settings)
    if "packages" in wanted:
        records = [_record(package) for package in wanted["packages"]]
    else:
        records = await _solve(wanted, client)
    await rattler.install(
        records,
        folder,
        cache_dir=CACHE,
        client=client,
        platform=rattler.Subdir(wanted["platform"]),
        execute_link_scripts=True,
        show_progress=False,
    )
    print(f"Installed {len(records)} conda packages")


def _record(package: dict[str, Any]) -> rattler.RepoDataRecord:
    record = rattler.PackageRecord(
        name=package["name"],
        version=package["version"],
        build=rattler.BuildString(package["build"]),
        build_number=0,
        subdir=package["subdir"],
        depends=package["depends"],
        sha256=bytes.fromhex(package["sha256"]) if package["sha256"] else None,
        md5=bytes.fromhex(package["md5"]) if package["md5"] else None,
        size=package["size"],
    )
    file_name = package["url"].rsplit("/", 1)[-1]
    sent = PACKAGES / package["subdir"] / file_name
    url = sent.as_uri() if sent.is_file() else package["url"]
    return rattler.RepoDataRecord(record, file_name, url, package["channel"])


async def _solve(wanted: dict[str, Any], client: Client) -> list[rattler.RepoDataRecord]:
    virtual = [
        rattler.GenericVirtualPackage(
            rattler.PackageName(name), rattler.Version(version), rattler.BuildString(build)
        )
        for name, version, build in wanted["virtual_packages"]
    ]
    return await rattler.solve(
        wanted["channels"],
        [rattler.MatchSpec(spec, strict=False) for spec in wanted["specs"]],
        gateway=rattler.Gateway(cache_dir=CACHE / "repodata", client=client),
        platforms=[wanted["platform"], "noarch"],
        virtual_packages=virtual,
        channel_relations="disabled",
    )


def _client(settings: dict[str, Any]) -> Client:
    mirrors = settings.get("mirrors", {})
    attempts = max([ATTEMPTS, *(len(addresses) for addresses in mirrors.values())])
    if not settings.get("verify", True):
        lines = [f"{json.dumps(name)} = {json.dumps(found)}" for name, found in mirrors.items()]
        config = "\n".join(["tls-no-verify = true", "[mirrors]", *lines])
        return Client.from_config(rattler.Config.from_toml(config), attempts)
    logins = {
        host: base64.b64encode(login.encode()).decode()
        for host, login in settings.get("logins", {}).items()
    }

    def headers(host: str, _: str) -> dict[str, str] | None:
        return {"Authorization": f"Basic {logins[host]}"} if host in logins else None

    middlewares = [RetryMiddleware(attempts), MirrorMiddleware(mirrors)]
    return Client([*middlewares, AddHeadersMiddleware(headers)])


def _trust(settings: dict[str, Any], scratch: Path) -> None:
    """Have rattler trust the authorities of the machine that builds."""
    if settings.get("authorities"):
        path = scratch / "authorities.pem"
        path.write_text(settings["authorities"], "utf-8")
        os.environ["SSL_CERT_FILE"] = str(path)
    elif AUTHORITIES.is_file():
        os.environ["SSL_CERT_FILE"] = str(AUTHORITIES)


def _without_secrets(text: str, settings: dict[str, Any]) -> str:
    for public, addresses in settings.get("mirrors", {}).items():
        for address in addresses:
            text = text.replace(address, public)
    return text


def _compile(folder: Path) -> None:
    """Have byte code for every module that came without."""
    for library in sorted(folder.glob("lib/python3*/")):
        python = folder / "bin" / library.name
        if python.exists():
            command = [str(python), "-I", "-m", "compileall", "-q", "-j", "0", str(library)]
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run(command, check=False, **quiet)


main(*sys.argv[1:])
