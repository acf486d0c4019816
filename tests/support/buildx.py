"""The builders that tests have; buildx is fetched where this machine has none."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from localep.engine.client import DockerEngine

# Unpacks the package of buildx: of this machine's own release where it has one, as Ubuntu and
# Debian 13 do; else Debian 13's, from wherever this machine takes Debian 12. Lists, sources and
# cache are in the working directory; trust, proxies and logins are the machine's.
_FETCH = """
set -eu
mkdir -p lists/partial cache/archives/partial
own="-o Dir::Cache=$PWD/cache -o APT::Sandbox::User=root"
fresh="$own -o Dir::State::lists=$PWD/lists"
next="$fresh -o Dir::Etc::sourcelist=$PWD/sources -o Dir::Etc::sourceparts=/dev/null"
keys=/usr/share/keyrings/debian-archive-keyring.gpg

of_this_release() {
    apt-get $own -qq download docker-buildx \
        || { apt-get $fresh -qq update && apt-get $fresh -qq download docker-buildx; }
}
of_the_next_release() {
    for uri in $(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | uniq); do
        echo "deb [signed-by=$keys] $uri trixie main" >sources
        if apt-get $next -qq update && apt-get $next -qq download docker-buildx; then return; fi
    done
    return 1
}

if grep -q '^VERSION_CODENAME=bookworm' /etc/os-release; then
    of_the_next_release
else
    of_this_release
fi
dpkg -x docker-buildx_*.deb unpacked
"""


def client_with_buildx(folder: Path) -> dict[str, str]:
    """The variables for a docker client that has buildx, whatever the user's own settings are.

    The plugin is this machine's where it has one, else it is fetched into ``folder``. Raises
    CalledProcessError where neither is to be had.
    """
    config = folder / "config"
    plugins = config / "cli-plugins"
    plugins.mkdir(parents=True)
    variables = {"DOCKER_CONFIG": str(config)}
    if not _has_buildx(variables):
        subprocess.run(["sh", "-c", _FETCH], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (plugin,) = (folder / "unpacked").rglob("cli-plugins/docker-buildx")
        plugin.rename(plugins / plugin.name)
        assert _has_buildx(variables)
    return variables


def _has_buildx(variables: dict[str, str]) -> bool:
    return any("buildx" in _answer([one, "buildx", "version"], variables) for one in _clients())


def _clients() -> list[str]:
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return [client for folder in folders if (client := shutil.which("docker", path=folder))]


def _answer(command: list[str], variables: dict[str, str] | None = None) -> str:
    environ = {**os.environ, **(variables or {})}
    result = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    return result.stdout if result.returncode == 0 else ""


def _builders_here() -> tuple[str, ...]:
    versions = [_answer([client, "--version"]) for client in _clients()]
    is_old = [re.match(r"Docker version (19|20|22)\.", version) for version in versions]
    return ("buildx", "buildkit", "classic") if any(is_old) else ("buildx", "classic")


# The kinds of builder that a test can have: a docker client before 23 cannot be fetched.
BUILDERS = _builders_here()


def dangling_images(engine: DockerEngine) -> set[str]:
    """The images that have no name and are no layers of others."""
    return {image["Id"] for image in engine.api.images(filters={"dangling": True})}
