from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from localep.environment.debian import root_file_system
from localep.errors import EnvironmentFailure
from localep.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    Fake = Callable[[str], None]

MAKE_A_TREE = """
mkdir -p "$3/etc/apt" "$3/usr/bin"
for folder in doc info locale man; do
    mkdir -p "$3/usr/share/$folder/bash"
    echo text >"$3/usr/share/$folder/bash/file"
done
mkdir -p "$3/usr/share/zoneinfo" "$3/var/cache/apt/archives" "$3/var/lib/apt/lists/partial"
mkdir -p "$3/var/log/apt"
echo bookworm >"$3/etc/debian_version"
echo program >"$3/usr/bin/bash"
echo zone >"$3/usr/share/zoneinfo/UTC"
echo package >"$3/var/cache/apt/archives/bash_5.2_amd64.deb"
echo cache >"$3/var/cache/apt/pkgcache.bin"
echo list >"$3/var/lib/apt/lists/mirror.example_dists_bookworm_InRelease"
echo log >"$3/var/log/bootstrap.log"
echo log >"$3/var/log/apt/term.log"
ln -s usr/bin "$3/bin"
"""
KEPT = {
    ".",
    "./bin",
    "./etc",
    "./etc/apt",
    "./etc/debian_version",
    "./usr",
    "./usr/bin",
    "./usr/bin/bash",
    "./usr/share",
    "./usr/share/doc",
    "./usr/share/info",
    "./usr/share/locale",
    "./usr/share/man",
    "./usr/share/zoneinfo",
    "./usr/share/zoneinfo/UTC",
    "./var",
    "./var/cache",
    "./var/cache/apt",
    "./var/cache/apt/archives",
    "./var/lib",
    "./var/lib/apt",
    "./var/lib/apt/lists",
    "./var/lib/apt/lists/partial",
    "./var/log",
}


@pytest.fixture
def arguments(tmp_path: Path) -> Path:
    return tmp_path / "arguments"


@pytest.fixture
def fake_debootstrap(tmp_path: Path, arguments: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", os.pathsep.join((str(programs), os.defpath)))
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    def install(script: str) -> None:
        program = programs / "debootstrap"
        program.write_text(
            f"#!/bin/sh\nset -eu\nprintf '%s\\n' \"$@\" >'{arguments}'\n{script}", encoding="utf-8"
        )
        program.chmod(0o755)

    return install


def unheard(line: str) -> None:
    assert "\n" not in line


def given(arguments: Path) -> list[str]:
    return arguments.read_text(encoding="utf-8").splitlines()


def test_without_debootstrap_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # It is looked for in /usr/sbin, too, whatever the PATH, and may well be there.
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    with pytest.raises(EnvironmentFailure) as caught, root_file_system(unheard):
        pass

    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    assert caught.value.message == "Debian's base image is not to be had."
    assert caught.value.cause == (
        "No registry answered, and the program debootstrap is not installed."
    )
    assert caught.value.remedy == (
        "Install it (`apt-get install debootstrap`), or pull debian:bookworm-slim "
        "where a registry answers."
    )


def test_another_user_than_root_is_told_what_to_run(
    fake_debootstrap: Fake, arguments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_debootstrap("")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(EnvironmentFailure) as caught, root_file_system(unheard):
        pass

    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    assert caught.value.message == "Debian's root file system cannot be made."
    assert caught.value.cause == "debootstrap works for root alone."
    assert caught.value.remedy == "Run `sudo localep base build` once."
    assert not arguments.exists()


def test_a_failing_debootstrap_is_shown_by_its_last_lines(
    fake_debootstrap: Fake, arguments: Path
) -> None:
    fake_debootstrap('i=1; while [ $i -le 30 ]; do echo "line $i" >&2; i=$((i + 1)); done; exit 3')
    told: list[str] = []

    with pytest.raises(EnvironmentFailure) as caught, root_file_system(told.append):
        pass

    assert told == [f"line {number}" for number in range(1, 31)]
    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    assert caught.value.message == "Debian's root file system cannot be made."
    assert caught.value.cause == "debootstrap ended with status 3."
    assert caught.value.remedy == "Check that Debian's package mirror can be reached from here."
    assert caught.value.details == tuple(f"line {number}" for number in range(11, 31))
    assert not Path(given(arguments)[2]).parent.exists()


def test_the_archive_holds_the_tree_without_what_the_slim_image_leaves_out(
    fake_debootstrap: Fake, arguments: Path
) -> None:
    fake_debootstrap(f"echo 'I: Retrieving bash 5.2'\n{MAKE_A_TREE}")
    told: list[str] = []

    with root_file_system(told.append) as archive:
        with tarfile.open(archive) as members:
            names = members.getnames()
            owners = {(member.uname, member.gname) for member in members.getmembers()}
            version = members.extractfile("./etc/debian_version")
            assert version is not None
            assert version.read() == b"bookworm\n"
            assert members.getmember("./bin").linkname == "usr/bin"
        left = sorted(path.name for path in archive.parent.iterdir())

    assert told == ["I: Retrieving bash 5.2"]
    assert sorted(names) == sorted(KEPT)
    assert owners == {("", "")}
    assert left == [archive.name]
    assert not archive.parent.exists()
    assert given(arguments) == [
        "--variant=minbase",
        "bookworm",
        str(archive.parent / "root"),
    ]


def test_a_mirror_is_handed_on(fake_debootstrap: Fake, arguments: Path) -> None:
    fake_debootstrap(MAKE_A_TREE)

    with root_file_system(unheard, "http://mirror.example.com/debian") as archive:
        assert archive.is_file()

    assert given(arguments) == [
        "--variant=minbase",
        "bookworm",
        str(archive.parent / "root"),
        "http://mirror.example.com/debian",
    ]


def test_nothing_is_left_where_the_archive_s_user_fails(fake_debootstrap: Fake) -> None:
    fake_debootstrap(MAKE_A_TREE)
    places: list[Path] = []

    def use_the_archive() -> None:
        with root_file_system(unheard) as archive:
            places.append(archive)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use_the_archive()

    assert [place.parent.exists() for place in places] == [False]


def test_an_interrupt_ends_debootstrap_and_leaves_nothing(
    fake_debootstrap: Fake, arguments: Path
) -> None:
    # The test hangs for this minute where the program is not ended.
    fake_debootstrap("echo 'I: Retrieving bash 5.2'; exec sleep 60")

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), root_file_system(interrupt):
        pass

    assert not Path(given(arguments)[2]).parent.exists()
