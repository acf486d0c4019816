"""What of the code folder reaches the deployment."""

from __future__ import annotations

import errno
import os
import tarfile
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

from localep.errors import DiskFull, Interrupted, SpecError
from localep.operations.snapshot import Addition, take_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

TARGET = "/var/azureml-app/code"
OWNER = (1234, 5678)


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    return folder


def write(folder: Path, *names: str) -> None:
    """Make files that hold their own names; a name that ends in / is a folder."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir()
        else:
            path.write_text(name)


def packed(folder: Path) -> dict[str, str | None]:
    """What the archive holds below the code's folder: contents by name, None for a folder."""
    archive = take_snapshot(folder, TARGET, OWNER).archive
    prefix = TARGET.lstrip("/")
    found: dict[str, str | None] = {}
    with archive, tarfile.open(fileobj=archive) as tar:
        for member in tar:
            assert (member.name == prefix) or member.name.startswith(f"{prefix}/")
            content = tar.extractfile(member)
            found[member.name[len(prefix) + 1 :]] = content.read().decode() if content else None
    return found


def digest(folder: Path) -> str:
    snapshot = take_snapshot(folder, TARGET, OWNER)
    snapshot.archive.close()
    return snapshot.digest


def test_files_and_folders_are_packed_in_the_order_of_their_names(code: Path) -> None:
    write(code, "score.py", "lib/b.py", "lib/a.py", "data/deep/x.csv", ".hidden", "empty/")

    assert list(packed(code).items()) == [
        ("", None),
        (".hidden", ".hidden"),
        ("data", None),
        ("data/deep", None),
        ("data/deep/x.csv", "data/deep/x.csv"),
        ("empty", None),
        ("lib", None),
        ("lib/a.py", "lib/a.py"),
        ("lib/b.py", "lib/b.py"),
        ("score.py", "score.py"),
    ]


def test_members_belong_to_the_user_of_the_container_and_nobody_else_writes_them(
    code: Path,
) -> None:
    write(code, "score.py", "run.sh", "lib/")
    (code / "score.py").chmod(0o600)
    (code / "run.sh").chmod(0o777)
    (code / "lib").chmod(0o700)
    os.utime(code / "score.py", (1_700_000_000.75, 1_700_000_000.75))

    archive = take_snapshot(code, TARGET, OWNER).archive
    with archive, tarfile.open(fileobj=archive) as tar:
        members = {member.name: member for member in tar}

    assert [
        (name, oct(member.mode), member.uid, member.gid, member.isdir())
        for name, member in members.items()
    ] == [
        ("var/azureml-app/code", "0o755", 1234, 5678, True),
        ("var/azureml-app/code/lib", "0o755", 1234, 5678, True),
        ("var/azureml-app/code/run.sh", "0o755", 1234, 5678, False),
        ("var/azureml-app/code/score.py", "0o644", 1234, 5678, False),
    ]
    assert members["var/azureml-app/code/score.py"].mtime == 1_700_000_000


def test_the_archive_is_ready_to_be_read(code: Path) -> None:
    with take_snapshot(code, TARGET, OWNER).archive as archive:
        assert archive.tell() == 0


def test_without_an_ignore_file_everything_but_byte_code_is_packed(code: Path) -> None:
    write(code, "score.py", "__pycache__/score.pyc", "lib/__pycache__/x.pyc", "lib/x.py")

    assert list(packed(code)) == ["", "lib", "lib/x.py", "score.py"]


def test_gitignore_is_obeyed(code: Path) -> None:
    write(code, "score.py", "notes.txt", "build/out.bin", "lib/x.log", "lib/x.py")
    (code / ".gitignore").write_text("# what is not needed\n\n*.txt\nbuild/\n*.log\n")

    assert list(packed(code)) == ["", ".gitignore", "lib", "lib/x.py", "score.py"]


def test_amlignore_stands_in_the_place_of_gitignore(code: Path) -> None:
    write(code, "score.py", "model.pkl", "notes.txt")
    (code / ".gitignore").write_text("model.pkl\n")
    (code / ".amlignore").write_text("notes.txt\n")

    assert list(packed(code)) == ["", ".amlignore", ".gitignore", "model.pkl", "score.py"]


def test_an_empty_amlignore_ignores_nothing(code: Path) -> None:
    write(code, "score.py", "model.pkl")
    (code / ".gitignore").write_text("model.pkl\n")
    (code / ".amlignore").write_text("")

    assert list(packed(code)) == ["", ".amlignore", ".gitignore", "model.pkl", "score.py"]


def test_an_ignore_file_counts_at_the_top_of_the_code_folder_alone(code: Path) -> None:
    write(code, "score.py", "lib/x.py", "lib/y.py")
    (code / "lib" / ".amlignore").write_text("y.py\n")
    (code.parent / ".amlignore").write_text("score.py\n")

    assert list(packed(code)) == ["", "lib", "lib/.amlignore", "lib/x.py", "lib/y.py", "score.py"]


def test_a_pattern_with_a_slash_in_front_means_the_top(code: Path) -> None:
    write(code, "data.csv", "lib/data.csv")
    (code / ".amlignore").write_text("/data.csv\n")

    assert list(packed(code)) == ["", ".amlignore", "lib", "lib/data.csv"]


def test_a_later_pattern_takes_back_an_earlier_one(code: Path) -> None:
    write(code, "a.csv", "keep.csv", "lib/b.csv", "lib/keep.csv")
    (code / ".amlignore").write_text("*.csv\n!keep.csv\n")

    assert list(packed(code)) == ["", ".amlignore", "keep.csv", "lib", "lib/keep.csv"]


def test_the_content_of_a_folder_may_be_ignored_but_for_one_file(code: Path) -> None:
    write(code, "data/a.csv", "data/keep.csv")
    (code / ".amlignore").write_text("data/*\n!data/keep.csv\n")

    assert list(packed(code)) == ["", ".amlignore", "data", "data/keep.csv"]


def test_nothing_in_an_ignored_folder_can_stand_in_the_way(code: Path) -> None:
    write(code, "score.py", "data/secret.csv", "deep/data/x.csv")
    (code / "data" / "dangling").symlink_to("nowhere")
    (code / ".amlignore").write_text("data/\n")

    assert list(packed(code)) == ["", ".amlignore", "deep", "score.py"]


def test_a_pattern_for_folders_leaves_a_file_of_that_name_alone(code: Path) -> None:
    write(code, "build", "lib/build/x.o")
    (code / ".amlignore").write_text("build/\n")

    assert list(packed(code)) == ["", ".amlignore", "build", "lib"]


def test_links_to_files_and_folders_are_followed(code: Path) -> None:
    write(code.parent, "shared/helper.py", "shared/deep/x.txt", "one.py")
    (code / "shared").symlink_to("../shared")
    (code / "one.py").symlink_to(code.parent / "one.py")

    assert packed(code) == {
        "": None,
        "one.py": "one.py",
        "shared": None,
        "shared/deep": None,
        "shared/deep/x.txt": "shared/deep/x.txt",
        "shared/helper.py": "shared/helper.py",
    }


def test_a_link_back_to_where_it_stands_ends_there(code: Path) -> None:
    write(code, "lib/x.py")
    (code / "lib" / "up").symlink_to("..")
    (code / "here").symlink_to(".")

    assert list(packed(code)) == ["", "here", "lib", "lib/up", "lib/x.py"]


def test_two_folders_that_link_to_one_another_are_packed_once_in_each(code: Path) -> None:
    write(code, "a/x.py", "b/y.py")
    (code / "a" / "b").symlink_to("../b")
    (code / "b" / "a").symlink_to("../a")

    assert list(packed(code)) == [
        "",
        "a",
        "a/b",
        "a/b/a",
        "a/b/y.py",
        "a/x.py",
        "b",
        "b/a",
        "b/a/b",
        "b/a/x.py",
        "b/y.py",
    ]


def test_a_link_to_nothing_is_left_out(code: Path) -> None:
    write(code, "score.py")
    (code / "gone").symlink_to("nowhere")

    assert list(packed(code)) == ["", "score.py"]


def test_a_link_to_itself_is_left_out(code: Path) -> None:
    write(code, "score.py")
    (code / "again").symlink_to("again")

    assert list(packed(code)) == ["", "score.py"]


def test_what_is_neither_file_nor_folder_is_left_out(code: Path) -> None:
    write(code, "score.py")
    os.mkfifo(code / "pipe")

    assert list(packed(code)) == ["", "score.py"]


def test_names_in_any_script_and_very_long_names_are_kept(code: Path) -> None:
    names = ["größe.py", "模型/データ.txt", f"{'d' * 120}/{'e' * 120}/{'f' * 120}.txt"]
    write(code, *names)

    found = packed(code)

    assert {name: text for name, text in found.items() if text is not None} == {
        name: name for name in names
    }


def test_a_name_that_is_no_utf8_is_kept(code: Path) -> None:
    # Such names come out of archives that were made on Windows.
    name = os.fsdecode(b"caf\xe9.txt")
    (code / name).touch()

    assert list(packed(code)) == ["", name]


LINK = Addition("azureml-models", link="/models")
FILE = Addition("sub/logging.json", b"{}")


def added(folder: Path, *additions: Addition) -> tuple[dict[str, tarfile.TarInfo], str]:
    """The members of an archive with additions, by name below the target, and its digest."""
    snapshot = take_snapshot(folder, TARGET, OWNER, additions)
    with snapshot.archive, tarfile.open(fileobj=snapshot.archive) as tar:
        prefix = f"{TARGET.lstrip('/')}/"
        return {member.name.removeprefix(prefix): member for member in tar}, snapshot.digest


def test_localep_adds_files_and_links_of_its_own(code: Path) -> None:
    write(code, "sub/score.py")

    members, changed = added(code, LINK, FILE)

    *_, link, file = members.values()
    assert list(members)[-2:] == ["azureml-models", "sub/logging.json"]
    assert (link.issym(), link.linkname, link.uid, link.gid) == (True, "/models", *OWNER)
    assert (file.isfile(), file.size, file.mode, file.uid, file.gid) == (True, 2, 0o644, *OWNER)
    assert changed != digest(code)


@pytest.mark.parametrize("name", ["azureml-models", "azureml-models/", "azureml-models/1/x"])
def test_nothing_is_added_over_what_is_the_users_own(code: Path, name: str) -> None:
    write(code, name)

    members, unchanged = added(code, LINK)

    assert [member.name for member in members.values() if member.issym()] == []
    assert (list(members), unchanged) == (list(added(code)[0]), digest(code))


def test_what_the_user_has_ignored_is_added(code: Path) -> None:
    write(code, "sub/logging.json")
    (code / ".amlignore").write_text("logging.json\n")

    members, _ = added(code, FILE)

    assert members["sub/logging.json"].size == 2


@pytest.mark.parametrize(
    "other",
    [
        Addition("azureml-model", link="/models"),
        Addition("azureml-models", link="/model"),
        Addition("azureml-models", b"/models"),
    ],
)
def test_another_addition_changes_the_digest(code: Path, other: Addition) -> None:
    assert added(code, other)[1] != added(code, LINK)[1]


def test_touched_files_have_the_same_digest(code: Path) -> None:
    write(code, "score.py", "lib/x.py")
    before = digest(code)

    os.utime(code / "score.py", (1, 1))
    os.utime(code / "lib", (1, 1))
    (code / "lib" / "x.py").chmod(0o600)
    write(code, "lib/__pycache__/x.pyc")

    assert digest(code) == before


def test_a_copy_elsewhere_has_the_same_digest(code: Path, tmp_path: Path) -> None:
    write(code, "score.py", "lib/x.py")
    write(tmp_path / "copy", "lib/x.py", "score.py")

    assert digest(tmp_path / "copy") == digest(code)


def _change_content(code: Path) -> None:
    (code / "score.py").write_text("SCORE.PY")


def _change_name(code: Path) -> None:
    (code / "score.py").rename(code / "scored.py")


def _move(code: Path) -> None:
    (code / "score.py").rename(code / "lib" / "score.py")


def _make_executable(code: Path) -> None:
    (code / "score.py").chmod(0o755)


def _add_folder(code: Path) -> None:
    (code / "new").mkdir()


def _add_file(code: Path) -> None:
    (code / "new").touch()


def _remove(code: Path) -> None:
    (code / "score.py").unlink()


def _shift_a_border(code: Path) -> None:
    (code / "a").write_text("xy")
    (code / "b").write_text("z")


@pytest.mark.parametrize(
    "change",
    [
        _change_content,
        _change_name,
        _move,
        _make_executable,
        _add_folder,
        _add_file,
        _remove,
        _shift_a_border,
    ],
)
def test_a_change_changes_the_digest(code: Path, change: Callable[[Path], None]) -> None:
    write(code, "score.py", "lib/")
    (code / "a").write_text("x")
    (code / "b").write_text("yz")
    before = digest(code)

    change(code)

    assert digest(code) != before


def test_a_file_and_a_folder_of_one_name_differ(tmp_path: Path) -> None:
    write(tmp_path, "one/x/", "two/")
    (tmp_path / "two" / "x").touch()

    assert digest(tmp_path / "one") != digest(tmp_path / "two")


def test_an_ignored_file_does_not_change_the_digest(code: Path) -> None:
    write(code, "score.py", "notes.txt")
    (code / ".amlignore").write_text("notes.txt\n")
    before = digest(code)

    (code / "notes.txt").write_text("something else")

    assert digest(code) == before


@pytest.fixture
def unreadable_key(code: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that may not be read; root, who may run the tests, reads any file otherwise."""
    secret = code / "secret.key"
    secret.touch()
    open_ = Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path == secret:
            raise PermissionError(13, "Permission denied", str(path))
        return open_(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    return secret


def test_a_file_that_may_not_be_read_is_named(code: Path, unreadable_key: Path) -> None:
    with pytest.raises(SpecError) as caught:
        take_snapshot(code, TARGET, OWNER)

    error = caught.value
    assert (error.message, error.cause, error.remedy) == (
        f"{unreadable_key} cannot be read.",
        "Permission denied.",
        "Check its permissions, or name it in .amlignore if it is not needed.",
    )


@pytest.mark.usefixtures("unreadable_key")
def test_an_unreadable_file_does_not_matter_once_it_is_ignored(code: Path) -> None:
    (code / ".amlignore").write_text("secret.key\n")

    assert list(packed(code)) == ["", ".amlignore"]


def test_a_snapshot_that_is_broken_off_leaves_no_archive_open(
    code: Path, archives: list[IO[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise Interrupted("Interrupted.")

    write(code, "score.py")
    monkeypatch.setattr(Path, "open", interrupt)

    with pytest.raises(Interrupted):
        take_snapshot(code, TARGET, OWNER)

    assert [archive.closed for archive in archives] == [True]


def test_a_folder_that_is_gone_is_named(code: Path) -> None:
    code.rmdir()

    with pytest.raises(SpecError) as caught:
        take_snapshot(code, TARGET, OWNER)

    assert caught.value.message == f"{code} cannot be read."
    assert caught.value.cause == "No such file or directory."


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "/scratch is full."),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "/scratch is full."),
        (
            FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"),
            "Every folder for temporary files is full.",
        ),
    ],
)
def test_a_full_disk_is_not_taken_for_an_unreadable_file(
    code: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, cause: str
) -> None:
    def refuse(*_: object) -> None:
        raise error

    write(code, "score.py")
    monkeypatch.setattr(tarfile.TarFile, "addfile", refuse)
    monkeypatch.setattr(tempfile, "tempdir", "/scratch" if error.errno != errno.ENOENT else None)

    with pytest.raises(DiskFull) as caught:
        take_snapshot(code, TARGET, OWNER)

    assert (caught.value.message, caught.value.cause, caught.value.remedy) == (
        f"There is no place for a copy of {code}.",
        cause,
        "Free disk space there, or have TMPDIR name a folder on another disk.",
    )


def test_what_is_neither_file_nor_folder_is_left_out_with_a_warning(code: Path) -> None:
    write(code, "score.py")
    os.mkfifo(code / "pipe")
    (code / "gone").symlink_to("nowhere")
    (code / "circle").symlink_to("circle")

    snapshot = take_snapshot(code, TARGET, OWNER)
    snapshot.archive.close()

    assert list(packed(code)) == ["", "score.py"]
    assert snapshot.warnings == (
        f"{code}/circle is a link that leads nowhere; it is left out of the code.",
        f"{code}/gone is a link that leads nowhere; it is left out of the code.",
        f"{code}/pipe is neither a file nor a folder; it is left out of the code.",
    )


def test_nothing_is_said_of_what_is_ignored(code: Path) -> None:
    write(code, "score.py")
    (code / "gone").symlink_to("nowhere")
    (code / ".amlignore").write_text("gone\n")

    snapshot = take_snapshot(code, TARGET, OWNER)
    snapshot.archive.close()

    assert snapshot.warnings == ()
