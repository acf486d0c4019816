"""conda-lock's file: what is read, what is written, and that conda-lock reads it, too."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from localep.conda.conda_lock import lock_text
from localep.conda.lock_file import LockedPip, LockFile, Record, read_lock_file
from localep.conda.packages import CondaPackage
from localep.errors import SpecError

MADE_BY_CONDA_LOCK = Path(__file__).parent / "locks" / "conda-lock.yml"
CHANNEL = "https://conda.example/forge"


def conda_package(name: str, *depends: str, subdir: str = "linux-64") -> CondaPackage:
    return CondaPackage(
        name=name,
        version="1.10",
        build="h1_0",
        subdir=subdir,
        channel=CHANNEL,
        url=f"{CHANNEL}/{subdir}/{name}-1.10-h1_0.conda",
        sha256="a" * 64,
        md5="b" * 32,
        depends=depends,
    )


def lock_file(path: Path) -> LockFile:
    """A lock for two platforms, one of them with packages of both kinds."""
    six = LockedPip("six", "1.16.0", "https://files.example/six.whl", "c" * 64)
    checkout = LockedPip("tool", "0.1", "git+https://git.example/tool@abc", "")
    python = conda_package("python", "openssl >=3", "pip")
    return LockFile(
        path=path,
        platforms=("linux-64", "osx-arm64"),
        content_hash={"linux-64": "1" * 64, "osx-arm64": "2" * 64},
        channels=("forge", "https://conda.example/t/${TOKEN}/own"),
        sources=("environment.yml",),
        conda={"linux-64": (conda_package("openssl"), python), "osx-arm64": ()},
        pip={"linux-64": (six, checkout), "osx-arm64": (six,)},
        digest="",
        python="1.10",
        record=Record({"packages": ["python"]}, {"linux-64": "1" * 64}),
    )


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    file = lock_file(tmp_path / "conda-lock.yml")
    file.path.write_text(lock_text(file))

    read = read_lock_file(file.path)

    assert replace(read, digest="") == file
    assert len(read.digest) == 64


def test_the_same_content_is_the_same_text(tmp_path: Path) -> None:
    file = lock_file(tmp_path / "conda-lock.yml")
    turned = replace(file, pip={name: found[::-1] for name, found in file.pip.items()})

    assert lock_text(turned) == lock_text(file)
    assert lock_text(file).startswith("# Written by `localep lock` in conda-lock's format, ")


def test_conda_lock_reads_what_was_written(tmp_path: Path) -> None:
    file = lock_file(tmp_path / "conda-lock.yml")
    file.path.write_text(lock_text(file))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from conda_lock.lockfile import parse_conda_lock_file
    found = parse_conda_lock_file(file.path)

    assert found.metadata.content_hash == file.content_hash
    assert [channel.url for channel in found.metadata.channels] == list(file.channels)
    assert [
        (one.manager, one.platform, one.name, one.url, one.hash.sha256, one.categories)
        for one in found.package
    ] == [
        (
            "conda",
            "linux-64",
            name,
            f"{CHANNEL}/linux-64/{name}-1.10-h1_0.conda",
            "a" * 64,
            {"main"},
        )
        for name in ("openssl", "python")
    ] + [
        ("pip", "linux-64", "six", "https://files.example/six.whl", "c" * 64, {"main"}),
        ("pip", "linux-64", "tool", "git+https://git.example/tool@abc", None, {"main"}),
        ("pip", "osx-arm64", "six", "https://files.example/six.whl", "c" * 64, {"main"}),
    ]
    python = next(package for package in found.package if package.name == "python")
    assert python.dependencies == {"openssl": ">=3", "pip": ""}


def test_a_lock_of_conda_lock_itself_is_read() -> None:
    file = read_lock_file(MADE_BY_CONDA_LOCK)

    assert (file.platforms, file.sources) == (
        ("linux-64", "osx-arm64"),
        ("environment.yml", "dev.yml"),
    )
    assert (file.python, file.record) == (None, None)
    # Each after what it needs, though python and pip need each other; nothing of category dev.
    names = [package.name for package in file.conda["linux-64"]]
    assert names == ["openssl", "pip", "python", "numpy"]
    numpy = file.conda["osx-arm64"][-1]
    assert numpy.url.endswith("/conda-forge/osx-arm64/numpy-1.26.4-py310hb13e2d6_0.conda")
    assert (numpy.channel, numpy.subdir, numpy.build) == (
        "https://conda.example/conda-forge",
        "osx-arm64",
        "py310hb13e2d6_0",
    )
    assert numpy.depends == ("openssl", "python >=3.10,<3.11.0a0")
    (six,) = file.pip["linux-64"]
    assert six.requirement == (
        "six @ https://files.example/packages/six-1.16.0-py2.py3-none-any.whl --hash=sha256:"
        "8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254"
    )


def test_conda_lock_and_localep_read_the_same_packages() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from conda_lock.lockfile import parse_conda_lock_file
    theirs = parse_conda_lock_file(MADE_BY_CONDA_LOCK)

    ours = read_lock_file(MADE_BY_CONDA_LOCK)

    assert {
        (platform, package.name, package.version, package.url, package.sha256, package.md5)
        for platform in ours.platforms
        for package in ours.conda[platform]
    } == {
        (one.platform, one.name, one.version, one.url, one.hash.sha256, one.hash.md5)
        for one in theirs.package
        if one.manager == "conda" and "main" in one.categories
    }


@pytest.mark.parametrize(
    ("hashes", "line"),
    [
        ("{md5: e4da3b7fbbce2345d7772b0674a318d5}", " --hash=md5:e4da3b7fbbce2345d7772b0674a318d5"),
        ("{}", ""),
    ],
)
def test_other_hashes_than_sha256_are_taken(tmp_path: Path, hashes: str, line: str) -> None:
    path = tmp_path / "conda-lock.yml"
    path.write_text(written("pip", "https://files.example/x.whl", hashes))

    (package,) = read_lock_file(path).pip["linux-64"]

    assert package.requirement == f"x @ https://files.example/x.whl{line}"


def test_a_conda_package_may_have_its_md5_alone(tmp_path: Path) -> None:
    path = tmp_path / "conda-lock.yml"
    address = "http://$USER:$PASSWORD@conda.example/t/${TOKEN}/own/noarch/x-1-0.tar.bz2"
    path.write_text(written("conda", address, "{md5: e4da3b7fbbce2345d7772b0674a318d5}"))

    (package,) = read_lock_file(path).conda["linux-64"]

    assert (package.sha256, package.md5) == ("", "e4da3b7fbbce2345d7772b0674a318d5")
    assert package.url == "http://conda.example/own/noarch/x-1-0.tar.bz2"
    assert (package.channel, package.subdir, package.build) == (
        "http://conda.example/own",
        "noarch",
        "0",
    )


def written(manager: str, url: str, hashes: str) -> str:
    return (
        "version: 1\n"
        "metadata: {content_hash: {linux-64: a}, channels: [], platforms: [linux-64]}\n"
        "package:\n"
        f"- {{name: x, version: '1', manager: {manager}, platform: linux-64, url: '{url}', "
        f"hash: {hashes}, optional: false}}\n"
    )


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "It is no mapping."),
        ("- a\n", "It is no mapping."),
        ("package: []\n", "It names no version of the format; version 1 is what can be read."),
        ("version: 2\n", "It has version 2 of the format; version 1 is what can be read."),
        ("version: 1\n", "`metadata` is no mapping."),
        ("version: 1\nmetadata: {}\n", "`package` is no list."),
        ("version: 1\nmetadata: {}\npackage: [x]\n", "Package 1 is no mapping."),
        ("version: 1\nmetadata: {}\npackage: []\n", "`platforms` is no list."),
        (written("conda", "u", "{}"), "Package 1 (x) has no hash."),
        (written("npm", "u", "{}"), "Package 1 is of the manager npm."),
        (written("pip", "u", "3"), "`hash` of package 1 is no mapping."),
        (written("pip", "u", "{}").replace("version: '1'", "version: 1.1"), "has no `version`"),
    ],
)
def test_a_mangled_lock_is_told_with_its_path(tmp_path: Path, text: str, cause: str) -> None:
    path = tmp_path / "conda-lock.yml"
    path.write_text(text)

    with pytest.raises(SpecError) as caught:
        read_lock_file(path)

    assert caught.value.message == f"{path} is no lock that can be read."
    assert cause in str(caught.value.cause)
    assert caught.value.remedy == "Write it anew with `localep lock`, or remove it."


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe\x00", b"a: b: c", b"x: \x01"])
def test_what_is_no_yaml_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "conda-lock.yml"
    path.write_bytes(content)

    with pytest.raises(SpecError) as caught:
        read_lock_file(path)

    assert caught.value.message == f"{path} is no lock that can be read."


def test_a_record_that_somebody_changed_does_not_count(tmp_path: Path) -> None:
    file = lock_file(tmp_path / "conda-lock.yml")
    file.path.write_text(lock_text(file).replace('"conda_file"', '"other"'))

    assert read_lock_file(file.path).record is None
