"""pip's list, locked by uv: what is asked, and which file is chosen."""

from __future__ import annotations

import json
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from support.package_index import package_index

from localep.conda import lock_pip as module
from localep.conda.lock_file import LockedPip
from localep.conda.lock_pip import PipRequest, lock_pip
from localep.errors import EnvironmentFailure

FILES = "https://files.example"


class Uv:
    """A stand-in that answers with packages, and keeps what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "uv"
        self.program.write_text(
            "#!/usr/bin/env python3\n"
            "import json, os, pathlib, sys\n"
            f"folder = pathlib.Path({str(folder)!r})\n"
            "arguments = sys.argv[1:]\n"
            "constraints = arguments[arguments.index('--constraints') + 1]\n"
            "files = [pathlib.Path(arguments[2]), pathlib.Path(constraints)]\n"
            "asked = {'arguments': arguments, 'variables': dict(os.environ),\n"
            "         'texts': [file.read_text() for file in files]}\n"
            "(folder / 'asked.json').write_text(json.dumps(asked))\n"
            "output = pathlib.Path(arguments[arguments.index('--output-file') + 1])\n"
            "output.write_text((folder / 'answer.toml').read_text())\n"
        )
        self.program.chmod(self.program.stat().st_mode | stat.S_IXUSR)

    def answer(self, text: str) -> None:
        (self.folder / "answer.toml").write_text(f'lock-version = "1.0"\n{text}')

    def asked(self) -> Any:
        return json.loads((self.folder / "asked.json").read_text())


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Uv:
    folder = tmp_path / "uv"
    folder.mkdir()
    found = Uv(folder)
    found.answer("")
    monkeypatch.setattr(module, "find_uv", lambda: str(found.program))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return found


def request(*requirements: str, platform: str = "linux-64", **more: Any) -> PipRequest:
    return PipRequest(requirements, more.pop("python", "3.11"), platform, **more)


def ask(wanted: PipRequest, **variables: str) -> tuple[LockedPip, ...]:
    environ = {"PATH": os.environ["PATH"], **variables}
    return lock_pip(wanted, environ, lambda _: None)


def test_uv_is_asked_for_the_target(uv: Uv) -> None:
    assert ask(request("six", "toml==1", python="3.10.13", platform="osx-arm64")) == ()

    asked = uv.asked()
    arguments = asked["arguments"]
    assert asked["texts"] == ["six\ntoml==1\n", ""]
    assert arguments[:2] == ["pip", "compile"]
    assert arguments[-5:] == [
        "--generate-hashes",
        "--python-version",
        "3.10.13",
        "--python-platform",
        "aarch64-apple-darwin",
    ]


def test_only_indexes_that_a_build_reaches_are_asked(uv: Uv) -> None:
    ask(
        request("six", private_options=("--extra-index-url https://u:p@b.example/simple",)),
        UV_DEFAULT_INDEX="http://127.0.0.1:9/simple",
        UV_FIND_LINKS="/opt/wheels,https://a.example/links",
    )

    variables = uv.asked()["variables"]
    assert "UV_DEFAULT_INDEX" not in variables
    assert variables["UV_INDEX"] == "https://u:p@b.example/simple"
    assert variables["UV_FIND_LINKS"] == "https://a.example/links"


def wheels(*names: str) -> str:
    listed = ", ".join(
        f'{{ url = "{FILES}/{name}", hashes = {{ sha256 = "{number}" }} }}'
        for number, name in enumerate(names)
    )
    return (
        f'[[packages]]\nname = "x"\nversion = "1.0"\nwheels = [{listed}]\n'
        f'sdist = {{ url = "{FILES}/x-1.0.tar.gz", hashes = {{ sha256 = "source" }} }}\n'
    )


@pytest.mark.parametrize(
    ("platform", "names", "chosen"),
    [
        ("linux-64", ["x-1.0-py3-none-any.whl", "x-1.0-cp311-cp311-manylinux_2_17_x86_64.whl"], 1),
        (
            "linux-64",
            [
                "x-1.0-cp311-cp311-manylinux2014_x86_64.whl",
                "x-1.0-cp39-abi3-manylinux_2_28_x86_64.whl",
            ],
            0,
        ),
        (
            "linux-64",
            [
                "x-1.0-cp311-cp311-manylinux1_x86_64.whl",
                "x-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",
            ],
            1,
        ),
        ("linux-64", ["x-1.0-cp311-cp311-manylinux_2_34_x86_64.whl"], "source"),
        ("linux-64", ["x-1.0-1-py3-none-any.whl", "x-1.0-2-py3-none-any.whl"], 1),
        ("linux-aarch64", ["x-1.0-cp311-cp311-manylinux2014_aarch64.whl"], 0),
        ("osx-arm64", ["x-1.0-py3-none-any.whl", "x-1.0-cp311-cp311-macosx_11_0_arm64.whl"], 1),
        ("osx-64", ["x-1.0-cp311-cp311-macosx_11_0_arm64.whl"], "source"),
        ("win-64", ["x-1.0-cp311-cp311-win_amd64.whl"], 0),
        ("linux-64", ["x-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", "odd.whl"], "source"),
    ],
)
def test_the_wheel_that_fits_most_closely_is_chosen(
    uv: Uv, platform: str, names: list[str], chosen: int | str
) -> None:
    uv.answer(wheels(*names))

    (package,) = ask(request("x", platform=platform))

    assert package.sha256 == str(chosen)


def test_addresses_of_other_kinds_are_locked(uv: Uv) -> None:
    uv.answer(
        '[[packages]]\nname = "b"\nversion = "2"\n'
        'archive = { url = "https://u:p@files.example/b.zip", hashes = { sha256 = "ab" } }\n'
        '[[packages]]\nname = "a"\nversion = "1"\n'
        'vcs = { type = "git", url = "https://git.example/a", commit-id = "c0ffee", '
        'subdirectory = "src" }\n'
    )

    assert [package.requirement for package in ask(request("a", "b"))] == [
        "a @ git+https://git.example/a@c0ffee#subdirectory=src",
        f"b @ {FILES}/b.zip --hash=sha256:ab",
    ]


@pytest.mark.parametrize(
    "file",
    ['path = "/opt/x.whl", hashes = { sha256 = "a" }', f'url = "{FILES}/x.whl", hashes = {{}}'],
)
def test_a_file_without_address_or_hash_is_refused(uv: Uv, file: str) -> None:
    uv.answer(f'[[packages]]\nname = "x"\nversion = "1.0"\narchive = {{ {file} }}\n')

    with pytest.raises(EnvironmentFailure) as caught:
        ask(request("x"))

    assert caught.value.message == "x 1.0 cannot be locked."


def test_what_conda_supplies_is_held_and_left_out(uv: Uv) -> None:
    uv.answer(wheels("x-1.0-py3-none-any.whl") + '[[packages]]\nname = "six"\nversion = "1.16"\n')

    found = ask(
        request(
            "six>=1.10",
            "numpy==2.0",
            "Other @ https://files.example/o.whl",
            supplied=(("six", "1.16"), ("numpy", "1.26"), ("other", "3"), ("PyYAML", "6.0")),
        )
    )

    assert [package.name for package in found] == ["x"]
    # What pip's list itself wants in another version is replaced, as pip does.
    held = [line.split(" @ ")[0] for line in uv.asked()["texts"][1].splitlines()]
    assert held == ["six", "pyyaml"]


def needy_wheel(folder: Path) -> str:
    """A package that asks for six from 2 on."""
    path = folder / "needy-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        info = "needy-1.0.dist-info"
        metadata = "Metadata-Version: 2.1\nName: needy\nVersion: 1.0\nRequires-Dist: six>=2\n"
        wheel.writestr(f"{info}/METADATA", metadata)
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return f"needy @ {path.as_uri()}"


def test_a_version_of_condas_that_contradicts_is_told(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        ask(request(needy_wheel(tmp_path), supplied=(("six", "1.16"),)), UV_OFFLINE="1")

    assert caught.value.message == "pip's list cannot be locked for linux-64."
    assert "needy==1.0 depends on six>=2" in " ".join(caught.value.details)


def test_a_version_of_condas_need_not_be_on_an_index() -> None:
    """uv itself takes the stub: nothing is asked of an index."""
    assert ask(request("six>=2", supplied=(("six", "99.1"),)), UV_OFFLINE="1") == ()


def test_a_private_index_is_asked_with_its_login_which_is_in_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "is_reachable", lambda _: True)
    with package_index(tmp_path, "127.0.0.1", "private-thing") as index:
        (package,) = ask(
            request("private-thing"),
            UV_DEFAULT_INDEX=index.address_with_login,
            SSL_CERT_FILE=str(index.authority),
            HOME=str(tmp_path),
        )

    assert (package.name, package.version) == ("private-thing", "1.0")
    assert package.url == (f"https://127.0.0.1:{index.port}/private_thing-1.0-py3-none-any.whl")
    assert len(package.sha256) == 64
