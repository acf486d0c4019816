"""The Docker engine of a newer Debian: its packages in a folder, which is its root.

A second engine may be started from there. Nothing is installed, and the machine's own packages,
apt's lists and its cache stay as they are.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
_PACKAGES = ("docker.io", "containerd", "runc")
# Read after the machine's own settings, of which those of its network stay.
_SETTINGS = """\
Acquire::Languages "none";
Acquire::Retries "3";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::Cache "{folder}";
Dir::Cache::archives "{folder}/archives";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State "{folder}";
Dir::State::lists "{folder}/lists";
Dir::State::status "{folder}/status";
"""
# In a mount namespace of its own, where the engine's folder has the same path as outside. With
# chroot instead, what is executed in a container would see the machine's files: the root of a
# container's mounts would be the machine's.
_ENTER = """\
set -e
mount --bind "$1" "$1"
for folder in /dev /proc /sys "$2"; do
    mkdir -p "$1$folder"
    mount --rbind "$folder" "$1$folder"
done
cd "$1"
shift 2
pivot_root . machine
exec "$@"
"""


def install_engine(suite: str, folder: Path) -> Path:
    """Unpack the engine of a Debian suite, and all that it needs, into a folder; its root."""
    settings = _apt(suite, folder / "apt")
    _run("apt-get", "-c", str(settings), "update")
    _run("apt-get", "-c", str(settings), "install", "--yes", "--download-only", *_PACKAGES)
    root = folder / "root"
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for name in ("machine", "tmp"):
        (root / name).mkdir()
    packages = (settings.parent / "archives").glob("*.deb")
    with ThreadPoolExecutor() as pool:
        for _ in pool.map(lambda path: _run("dpkg", "--extract", str(path), str(root)), packages):
            pass
    shutil.rmtree(settings.parent)
    # As a script of the package would, for the tables that this machine's engine uses.
    program = Path(shutil.which("iptables") or "").resolve().name
    for name in ("iptables", "ip6tables"):
        (root / "usr/sbin" / name).symlink_to(program)
    return root


def launcher(root: Path, folder: Path) -> tuple[str, ...]:
    """The command that starts a program in that root, where ``folder`` is to be found, too."""
    private = ("unshare", "--mount", "--propagation", "private")
    return (*private, "sh", "-c", _ENTER, "enter", str(root), str(folder))


def _apt(suite: str, folder: Path) -> Path:
    """The settings of an apt that knows of this suite and of nothing installed."""
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text(f"deb [signed-by={_KEYS}] {_mirror()} {suite} main\n")
    settings = folder / "apt.conf"
    settings.write_text(_SETTINGS.format(folder=folder))
    return settings


def _mirror() -> str:
    """Where this machine has its own Debian from."""
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    told = _run("apt-get", "update", "--print-uris")
    found = re.search(rf"'(\S+)/dists/{suite}/InRelease'", told)
    assert found is not None, told
    return found.group(1)


def _run(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
