"""Which lock belongs to a conda file, and whether it fits."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import pytest

from localep.conda.conda_lock import content_hashes, lock_text
from localep.conda.lock import find_lock, lock_path, read_source
from localep.conda.lock_file import LockedPip, LockFile, Record
from localep.conda.lock_source import CondaSource, bare, changes, public
from localep.errors import EnvironmentFailure, SpecError

LOCKS = Path(__file__).parent / "locks"
CONDA = """\
channels: [forge]
dependencies:
  - python=3.11
  - pip
  - pip:
      - six==1.16.0
"""
SIX = LockedPip("six", "1.16.0", "https://files.example/six.whl", "c" * 64)


def write_lock(source: CondaSource, *platforms: str) -> Path:
    """A lock as localep writes it."""
    names = platforms or ("linux-64",)
    hashes = content_hashes(source, names)
    path = lock_path(source)
    nothing: dict[str, tuple[Any, ...]] = dict.fromkeys(names, ())
    file = LockFile(
        path,
        names,
        hashes,
        source.channels,
        (source.file.name,),
        nothing,
        dict.fromkeys(names, (SIX,)),
        "",
        "3.11",
        Record(source.record, hashes),
    )
    path.write_text(lock_text(file))
    return path


@pytest.fixture
def conda_file(tmp_path: Path) -> Path:
    path = tmp_path / "environment.yml"
    path.write_text(CONDA)
    return path


@pytest.fixture
def locked(conda_file: Path) -> Path:
    write_lock(read_source(conda_file))
    return conda_file


@pytest.fixture
def made_by_conda_lock(tmp_path: Path) -> Path:
    shutil.copytree(LOCKS, tmp_path / "locks")
    return tmp_path / "locks" / "environment.yml"


def refusal(conda_file: Path, *arguments: Any, **named: Any) -> EnvironmentFailure:
    with pytest.raises(EnvironmentFailure) as caught:
        find_lock(conda_file, *arguments, **named)
    return caught.value


def test_without_a_lock_there_is_none(conda_file: Path) -> None:
    assert find_lock(conda_file) is None


def test_a_lock_that_fits_is_found(locked: Path) -> None:
    lock = find_lock(locked)

    assert lock is not None
    assert lock.path == locked.parent / "conda-lock.yml"
    assert (lock.platform, lock.python, lock.conda, lock.pip) == ("linux-64", "3.11", (), (SIX,))
    assert lock.requirements == (f"six @ https://files.example/six.whl --hash=sha256:{'c' * 64}",)
    assert not lock.brings_server


def test_conda_lock_is_not_imported_for_a_lock_that_is_as_it_was_written(
    locked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("conda_lock")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "conda_lock", None)

    assert find_lock(locked) is not None


@pytest.mark.parametrize(
    "text",
    [
        CONDA + "# a comment\n",
        "name: other\n" + CONDA,
        CONDA.replace("  - python=3.11\n  - pip\n", "  - pip\n  - python=3.11\n"),
        CONDA.replace("python=3.11", "python =3.11"),
    ],
)
def test_what_does_not_matter_may_change(locked: Path, text: str) -> None:
    locked.write_text(text)

    assert find_lock(locked) is not None


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("python=3.11", "python=3.10", "python=3.11 is now python=3.10."),
        ("  - pip\n", "  - pip\n  - numpy\n", "numpy was added."),
        ("six==1.16.0", "six==1.17.0", "six==1.16.0 is now six==1.17.0."),
        ("six==1.16.0", "toml", "six==1.16.0 was removed; toml was added."),
        ("[forge]", "[forge, main]", "channels: forge is now forge, main."),
        ("six==1.16.0", "six==1.16.0\n      - --pre", "--pre was added."),
    ],
)
def test_a_lock_that_no_longer_fits_is_refused(
    locked: Path, old: str, new: str, cause: str
) -> None:
    locked.write_text(CONDA.replace(old, new, 1))

    error = refusal(locked)

    assert error.message == f"{locked.parent}/conda-lock.yml no longer fits environment.yml."
    assert error.cause == cause
    assert error.remedy == "Write it anew with `localep lock`, or remove it."


def test_another_platform_is_refused(locked: Path) -> None:
    error = refusal(locked, "linux-aarch64")

    assert error.message == f"{locked.parent}/conda-lock.yml holds nothing for linux-aarch64."
    assert error.cause == "It was made for linux-64."
    assert error.remedy == (
        "Add it with `localep lock --platform linux-aarch64`, or remove the lock."
    )


def test_a_mangled_lock_is_told(locked: Path) -> None:
    (locked.parent / "conda-lock.yml").write_text("version: 7\n")

    with pytest.raises(SpecError, match=r"conda-lock\.yml is no lock that can be read"):
        find_lock(locked)


class TestMadeByCondaLock:
    def test_it_fits_with_all_its_sources(self, made_by_conda_lock: Path) -> None:
        lock = find_lock(made_by_conda_lock, "osx-arm64")

        assert lock is not None
        assert lock.python == "3.10"
        assert [package.name for package in lock.pip] == ["six"]

    @pytest.mark.parametrize("cuda", ["", "12.4"])
    def test_it_may_be_made_for_another_cuda(self, made_by_conda_lock: Path, cuda: str) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from conda_lock.content_hash import compute_content_hashes
            from conda_lock.src_parser import make_lock_spec
            from conda_lock.virtual_package import default_virtual_package_repodata
        folder = made_by_conda_lock.parent
        (folder / "names.json").write_text("{}")
        spec = make_lock_spec(
            src_files=[made_by_conda_lock, folder / "dev.yml"],
            platform_overrides=["linux-64"],
            mapping_url=str(folder / "names.json"),
        )
        virtual = default_virtual_package_repodata(cuda_version=cuda)
        digest = compute_content_hashes(spec, virtual)["linux-64"]
        lock = folder / "conda-lock.yml"
        usual = content_hashes_of(lock)["linux-64"]
        assert digest != usual
        lock.write_text(lock.read_text().replace(usual, digest))

        assert find_lock(made_by_conda_lock) is not None

    def test_what_is_missing_in_it_is_told(self, made_by_conda_lock: Path) -> None:
        text = made_by_conda_lock.read_text()
        made_by_conda_lock.write_text(text.replace("  - pip\n", "  - pip\n  - scipy>=1\n"))

        assert refusal(made_by_conda_lock).cause == "scipy>=1 is not in the lock."

    def test_another_version_is_told_by_the_hash(self, made_by_conda_lock: Path) -> None:
        text = made_by_conda_lock.read_text()
        made_by_conda_lock.write_text(text.replace("numpy=1.26", "numpy=1.25"))

        assert refusal(made_by_conda_lock).cause == (
            "the content hash is another: the conda file was changed."
        )

    def test_a_part_that_conda_lock_made_anew_is_held_against_its_own_hash(
        self, locked: Path
    ) -> None:
        """conda-lock keeps what localep has written of the file that was locked before."""
        lock = locked.parent / "conda-lock.yml"
        before = content_hashes_of(lock)["linux-64"]
        locked.write_text(CONDA.replace("six==1.16.0", "six"))
        after = content_hashes(read_source(locked), ["linux-64"])["linux-64"]
        head, separator, rest = lock.read_text().partition("  custom_metadata:")
        lock.write_text(head.replace(before, after) + separator + rest)

        assert find_lock(locked) is not None
        locked.write_text(CONDA)
        assert refusal(locked).message.endswith("conda-lock.yml no longer fits environment.yml.")


def content_hashes_of(lock: Path) -> dict[str, str]:
    from localep.conda.lock_file import read_lock_file

    return dict(read_lock_file(lock).content_hash)


def test_our_content_hash_is_conda_locks(conda_file: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from conda_lock.content_hash import compute_content_hashes
        from conda_lock.src_parser import make_lock_spec
        from conda_lock.virtual_package import default_virtual_package_repodata
    (conda_file.parent / "names.json").write_text("{}")
    spec = make_lock_spec(
        src_files=[conda_file],
        platform_overrides=["linux-64", "osx-64"],
        mapping_url=str(conda_file.parent / "names.json"),
    )

    assert content_hashes(read_source(conda_file), ["linux-64", "osx-64"]) == (
        compute_content_hashes(spec, default_virtual_package_repodata())
    )


@pytest.mark.parametrize("line", ["--extra-index-url https://a.example/simple", "six=1.16"])
def test_what_conda_lock_cannot_read_counts_too(conda_file: Path, line: str) -> None:
    conda_file.write_text(CONDA.replace("six==1.16.0", line))
    write_lock(read_source(conda_file))
    assert find_lock(conda_file) is not None

    conda_file.write_text(
        CONDA.replace("six==1.16.0", line.replace("1.16", "1").replace("a.", "b."))
    )

    assert refusal(conda_file).message.endswith("no longer fits environment.yml.")


def test_credentials_are_in_no_lock_and_do_not_count(conda_file: Path) -> None:
    secret = CONDA.replace("[forge]", "['https://user:pa55@conda.example/t/tok-1/own', forge]")
    secret = secret.replace("six==", "--index-url https://me:pa55@a.example/simple\n      - six==")
    conda_file.write_text(secret)
    text = write_lock(read_source(conda_file)).read_text()

    assert "pa55" not in text
    assert "tok-1" not in text
    conda_file.write_text(secret.replace("pa55", "n3w").replace("tok-1", "tok-2"))
    assert find_lock(conda_file) is not None


def test_nothing_is_left_behind(
    locked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """conda-lock would clean up when the interpreter ends, which localep ends at once."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.delenv("RUNNER_TEMP", raising=False)
    locked.write_text(CONDA.replace("python=3.11", "python=3.10"))

    refusal(locked)
    write_lock(read_source(locked), "linux-64", "osx-64")

    assert list(scratch.iterdir()) == []
    assert "RUNNER_TEMP" not in os.environ


class TestPlaces:
    def test_a_mapping_has_its_lock_beside_the_yaml(self, tmp_path: Path) -> None:
        data = {"dependencies": ["python=3.11", {"pip": ["six==1.16.0"]}]}
        yaml = tmp_path / "deployment.yml"
        yaml.write_text("environment: {}\n")
        write_lock(read_source(yaml, data))

        lock = find_lock(yaml, data=data)

        assert lock is not None
        assert lock.path == tmp_path / "conda-lock.yml"
        data["dependencies"][0] = "python=3.12"
        assert refusal(yaml, data=data).cause == "python=3.11 is now python=3.12."

    def test_a_second_conda_file_of_a_folder_has_a_lock_of_its_own(self, locked: Path) -> None:
        other = locked.parent / "other.yml"
        other.write_text(CONDA.replace("six==1.16.0", "toml"))
        assert find_lock(other) is None

        path = write_lock(read_source(other))

        assert path == locked.parent / "other.conda-lock.yml"
        found = [find_lock(locked), find_lock(other)]
        assert [lock.path.name for lock in found if lock] == [
            "conda-lock.yml",
            "other.conda-lock.yml",
        ]

    def test_a_lock_goes_with_a_conda_file_that_is_renamed(self, locked: Path) -> None:
        renamed = locked.rename(locked.parent / "conda.yml")

        assert find_lock(renamed) is not None

    def test_a_path_may_go_up_and_down(self, locked: Path) -> None:
        (locked.parent / "code").mkdir()

        assert find_lock(locked.parent / "code" / ".." / locked.name) is not None


@pytest.mark.parametrize(
    ("text", "shown", "stripped"),
    [
        ("https://u:p@h/t/tok/own", "https://h/own", "https://h/own"),
        ("https://h/get/t/tok/own/x", "https://h/get/own/x", "https://h/get/own/x"),
        ("https://$U:$P@h/t/${T}/own", "https://$U:$P@h/t/${T}/own", "https://h/own"),
        ("https://${U}:p@h/own", "https://h/own", "https://h/own"),
        ("/opt/t/bin/conda https://h/own", "/opt/t/bin/conda https://h/own", None),
        ("numpy@1", "numpy@1", None),
    ],
)
def test_credentials_are_taken_out(text: str, shown: str, stripped: str | None) -> None:
    assert public(text) == shown
    assert bare(text) == (shown if stripped is None else stripped)


def test_nothing_changed_between_the_same_records(conda_file: Path) -> None:
    record = read_source(conda_file).record

    assert changes(record, record) == ()
