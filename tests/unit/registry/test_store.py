"""The registry on disk: versions, the latest, many writers at once, and what is broken."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from localep.errors import AssetConflict, LocalepError, UsageError
from localep.registry.assets import Content, Kind
from localep.registry.store import Store, store_of_user

ONE = Content(Path("/models/one"), "custom_model")
TWO = Content(Path("/models/two"), "custom_model")
ADD_MANY = (
    "import sys\n"
    "from pathlib import Path\n"
    "from localep.registry.assets import Content, Kind\n"
    "from localep.registry.store import Store\n"
    "store, content = Store(Path(sys.argv[1])), Content(Path('/m'))\n"
    "print(*(store.add(Kind.MODEL, 'trees', None, content).version for _ in range(10)))\n"
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "registry")


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def told(error: LocalepError) -> tuple[str, str | None, str | None]:
    return error.message, error.cause, error.remedy


def test_what_is_added_is_there(store: Store) -> None:
    added = store.add(Kind.MODEL, "trees", "7", ONE)

    assert (added.kind, added.name, added.version) == (Kind.MODEL, "trees", "7")
    assert (added.content, added.reference) == (ONE, "azureml:trees:7")
    assert store.get(Kind.MODEL, "trees", "7") == added
    assert files_below(store.folder) == [".lock", "models/trees/7.json"]


def test_the_document_of_an_environment_comes_back_as_it_was(store: Store) -> None:
    content = Content(Path("/e.yml"), document={"image": "é", "tags": {"a": [1, None, True]}})

    store.add(Kind.ENVIRONMENT, "e", None, content)

    asset = store.get(Kind.ENVIRONMENT, "e", "1")
    assert asset is not None
    assert asset.content == content


def test_an_empty_registry_has_nothing_and_is_not_made_by_looking(store: Store) -> None:
    assert store.names(Kind.MODEL) == []
    assert store.versions(Kind.MODEL, "trees") == []
    assert store.get(Kind.MODEL, "trees", "1") is None
    assert store.latest(Kind.MODEL, "trees") is None
    assert not store.folder.exists()


def test_the_next_version_counts_on_from_the_highest_number(store: Store) -> None:
    versions = [
        store.add(Kind.MODEL, "trees", version, ONE).version
        for version in (None, "9", "beta", None, "2", "1.5", None)
    ]

    assert versions == ["1", "9", "beta", "10", "2", "1.5", "11"]
    assert store.versions(Kind.MODEL, "trees") == ["1", "2", "9", "10", "11", "1.5", "beta"]


def test_each_name_and_each_kind_counts_for_itself(store: Store) -> None:
    for kind, name in ((Kind.MODEL, "b"), (Kind.MODEL, "a"), (Kind.ENVIRONMENT, "b")):
        assert store.add(kind, name, None, ONE).version == "1"

    assert (store.names(Kind.MODEL), store.names(Kind.ENVIRONMENT)) == (["a", "b"], ["b"])


def test_the_latest_is_what_was_registered_last(store: Store) -> None:
    for version in ("3", "beta", "2"):
        store.add(Kind.MODEL, "trees", version, ONE)
    store.add(Kind.MODEL, "trees", "3", ONE)  # there already: changes nothing

    latest = store.latest(Kind.MODEL, "trees")

    assert latest is not None
    assert latest.version == "2"


def test_the_same_again_changes_nothing(store: Store) -> None:
    first = store.add(Kind.MODEL, "trees", "1", ONE)
    before = first.file.read_bytes()

    assert store.add(Kind.MODEL, "trees", "1", ONE) == first
    assert first.file.read_bytes() == before


def test_an_environment_is_the_same_from_another_file(store: Store) -> None:
    one = Content(Path("/one.yml"), document={"image": "a"})
    first = store.add(Kind.ENVIRONMENT, "e", "1", one)

    same = Content(Path("/two.yml"), document={"image": "a"})
    assert store.add(Kind.ENVIRONMENT, "e", "1", same) == first

    with pytest.raises(AssetConflict) as caught:
        store.add(Kind.ENVIRONMENT, "e", "1", Content(Path("/one.yml"), document={"image": "b"}))
    assert told(caught.value) == (
        "The environment e has a version 1 already.",
        "It stands for what /one.yml was before.",
        "Register another version, or delete that one: `localep environment delete -n e -v 1`.",
    )


@pytest.mark.parametrize(
    ("other", "cause"),
    [
        (TWO, "It stands for /models/one."),
        (Content(ONE.path, "mlflow_model"), "It stands for /models/one as a custom_model."),
    ],
)
def test_a_version_never_changes(store: Store, other: Content, cause: str) -> None:
    first = store.add(Kind.MODEL, "trees", "1", ONE)

    with pytest.raises(AssetConflict) as caught:
        store.add(Kind.MODEL, "trees", "1", other)

    assert told(caught.value) == (
        "The model trees has a version 1 already.",
        cause,
        "Register another version, or delete that one: `localep model delete -n trees -v 1`.",
    )
    assert int(caught.value.exit_code) == 8
    assert store.get(Kind.MODEL, "trees", "1") == first


def test_versions_are_removed_one_by_one_or_all(store: Store) -> None:
    for version in ("1", "2", "beta"):
        store.add(Kind.MODEL, "trees", version, ONE)
    store.add(Kind.MODEL, "others", "1", ONE)

    assert store.remove(Kind.MODEL, "trees", "9") == []
    assert store.remove(Kind.MODEL, "trees", "2") == ["2"]
    assert store.versions(Kind.MODEL, "trees") == ["1", "beta"]
    assert store.remove(Kind.MODEL, "trees") == ["1", "beta"]
    assert store.remove(Kind.MODEL, "trees") == []
    assert store.names(Kind.MODEL) == ["others"]
    assert [path.name for path in (store.folder / "models").iterdir()] == ["others"]


def test_names_that_would_lead_elsewhere_are_never_looked_up(store: Store) -> None:
    store.add(Kind.MODEL, "trees", "1", ONE)

    assert store.get(Kind.MODEL, "../models/trees", "1") is None
    assert store.get(Kind.ENVIRONMENT, "x", "../../models/trees/1") is None
    assert store.versions(Kind.MODEL, "../models/trees") == []
    assert store.remove(Kind.MODEL, "../models/trees") == []


def test_other_things_in_the_folder_are_passed_over(store: Store) -> None:
    store.add(Kind.MODEL, "trees", "1", ONE)
    folder = store.folder / "models"
    (folder / "trees" / ".2.json.new").write_text("half")
    (folder / "trees" / "notes.txt").touch()
    (folder / "trees" / "latest.json").touch()
    (folder / ".hidden").mkdir()
    (folder / "a-file").touch()
    (folder / "empty").mkdir()

    assert store.names(Kind.MODEL) == ["trees"]
    assert store.versions(Kind.MODEL, "trees") == ["1"]


def test_threads_never_get_one_version_twice(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        added = threads.map(
            lambda number: store.add(Kind.MODEL, "trees", None, Content(Path(f"/{number}"))),
            range(40),
        )
        versions = sorted(int(asset.version) for asset in added)

    assert versions == list(range(1, 41))
    assert files_below(store.folder / "models" / "trees") == sorted(f"{n}.json" for n in versions)


def test_processes_never_get_one_version_twice(store: Store) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ADD_MANY, str(store.folder)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    versions = [word for process in processes for word in process.communicate()[0].split()]

    assert [process.returncode for process in processes] == [0] * 4
    assert sorted(map(int, versions)) == list(range(1, 41))


def test_two_at_once_cannot_make_one_version_two_things(store: Store) -> None:
    def add(number: int) -> str | None:
        try:
            content = Content(Path(f"/{number}"))
            return str(store.add(Kind.MODEL, "trees", "1", content).content.path)
        except AssetConflict:
            return None

    with ThreadPoolExecutor(8) as threads:
        told_to_be_there = [path for path in threads.map(add, range(20)) if path is not None]

    there = store.get(Kind.MODEL, "trees", "1")
    assert there is not None
    assert told_to_be_there == [str(there.content.path)]


def test_a_reader_sees_whole_versions_only(store: Store) -> None:
    def write() -> None:
        for number in range(100):
            store.add(Kind.MODEL, "trees", None, Content(Path(f"/{'x' * 10_000}/{number}")))
            store.remove(Kind.MODEL, "trees", str(number // 2))

    with ThreadPoolExecutor(2) as threads:
        writing = threads.submit(write)
        seen = 0
        while not writing.done():
            seen += sum(
                store.get(Kind.MODEL, "trees", version) is not None
                for version in store.versions(Kind.MODEL, "trees")
            )
        writing.result()

    assert seen > 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"created_at": 1, "path": "/m", "type": null, "document": null}',
        '{"created_at": "", "path": 1, "type": null, "document": null}',
        '{"created_at": "", "path": "/m", "type": [], "document": null}',
        '{"created_at": "", "path": "/m", "type": null, "document": {}}',
        "\x00",
        "[" * 100_000,
    ],
)
def test_a_broken_file_is_named_and_can_be_deleted(store: Store, text: str) -> None:
    file = store.add(Kind.MODEL, "trees", "1", ONE).file
    store.add(Kind.MODEL, "trees", "2", TWO)
    file.write_text(text)

    with pytest.raises(UsageError) as caught:
        store.get(Kind.MODEL, "trees", "1")

    assert told(caught.value) == (
        "Version 1 of the model trees cannot be read.",
        f"{file} is not what localep wrote.",
        "Say `localep model delete -n trees -v 1`, and register it again.",
    )
    with pytest.raises(UsageError):
        store.latest(Kind.MODEL, "trees")
    assert store.remove(Kind.MODEL, "trees", "1") == ["1"]
    latest = store.latest(Kind.MODEL, "trees")
    assert latest is not None
    assert latest.version == "2"


def test_a_file_that_is_no_text_is_broken(store: Store) -> None:
    file = store.add(Kind.MODEL, "trees", "1", ONE).file
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(UsageError) as caught:
        store.get(Kind.MODEL, "trees", "1")

    assert caught.value.cause == f"{file} is not what localep wrote."


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UsageError) as caught:
        Store(tmp_path / "file" / "registry").add(Kind.MODEL, "trees", None, ONE)

    assert told(caught.value) == (
        f"The registry at {tmp_path}/file/registry cannot be used.",
        "Not a directory.",
        "Name a folder that you may use in XDG_DATA_HOME.",
    )


def test_a_folder_that_may_not_be_written_to_is_named(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)

    with pytest.raises(UsageError) as caught:
        store.add(Kind.MODEL, "trees", None, ONE)

    assert caught.value.message == f"The registry at {store.folder} cannot be used."
    assert caught.value.cause == "Permission denied."
    assert files_below(store.folder) == []


def test_a_write_that_fails_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(UsageError) as caught:
        store.add(Kind.MODEL, "trees", None, ONE)

    assert caught.value.cause == "No space left on device."
    assert store.names(Kind.MODEL) == []
    assert files_below(store.folder) == [".lock"]


def test_something_in_the_way_of_a_version_is_told(store: Store) -> None:
    (store.folder / "models" / "trees" / "1.json").mkdir(parents=True)

    for attempt in (
        lambda: store.get(Kind.MODEL, "trees", "1"),
        lambda: store.remove(Kind.MODEL, "trees", "1"),
    ):
        with pytest.raises(UsageError) as caught:
            attempt()
        assert caught.value.message == (
            f"The registry at {store.folder}/models/trees/1.json cannot be used."
        )
        assert caught.value.cause == "Is a directory."


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"XDG_DATA_HOME": "/var/data/me"}, "/var/data/me/localep/registry"),
        ({"XDG_DATA_HOME": "", "HOME": "/home/me"}, "/home/me/.local/share/localep/registry"),
    ],
)
def test_the_registry_lies_in_the_users_data(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], folder: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert store_of_user().folder == Path(folder)
