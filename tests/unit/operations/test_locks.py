"""Locks: one command at a time on an endpoint, and a mark of whose locks they are."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from localep.errors import EndpointConflict, UsageError
from localep.operations.locks import Locks, locks_of_user

HOLD_UNTIL_READ = (
    "import sys\n"
    "from pathlib import Path\n"
    "from localep.operations.locks import Locks\n"
    "with Locks(Path(sys.argv[1])).hold('default', 'hello'):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)


@pytest.fixture
def locks(tmp_path: Path) -> Locks:
    return Locks(tmp_path / "cache" / "locks")


def holder(locks: Locks) -> subprocess.Popen[str]:
    """A process that holds the lock of the endpoint `hello`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_UNTIL_READ, str(locks.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_holder_is_told(locks: Locks) -> None:
    with (
        locks.hold("default", "hello"),
        pytest.raises(EndpointConflict) as caught,
        locks.hold("default", "hello"),
    ):
        pass

    assert caught.value.message == "Endpoint hello is being changed."
    assert caught.value.cause == "Another localep command is at work on it."
    assert caught.value.remedy == "Wait for that command to end, and try again."


def test_a_holder_with_patience_waits_for_the_other(locks: Locks) -> None:
    process = holder(locks)
    with ThreadPoolExecutor(1) as beside:

        def wait() -> bool:
            with locks.hold("default", "hello", 30):
                return True

        waiting = beside.submit(wait)
        process.communicate()

        assert waiting.result()


def test_patience_ends(locks: Locks) -> None:
    with (
        locks.hold("default", "hello"),
        pytest.raises(EndpointConflict),
        locks.hold("default", "hello", 0.1),
    ):
        pass


def test_other_endpoints_and_namespaces_are_free(locks: Locks) -> None:
    with locks.hold("default", "hello"):
        assert locks.is_held("default", "hello")
        assert not locks.is_held("default", "other")
        assert not locks.is_held("team", "hello")
    assert not locks.is_held("default", "hello")


def test_a_lock_ends_where_its_block_fails(locks: Locks) -> None:
    with pytest.raises(RuntimeError), locks.hold("default", "hello"):
        raise RuntimeError

    assert not locks.is_held("default", "hello")


def test_a_lock_ends_with_its_process_even_a_killed_one(locks: Locks) -> None:
    with holder(locks) as process:
        assert locks.is_held("default", "hello")
        process.kill()

    assert not locks.is_held("default", "hello")


def test_the_owner_is_the_same_for_all_who_share_the_folder(locks: Locks, tmp_path: Path) -> None:
    owner = locks.owner()

    assert len(owner) >= 16
    assert Locks(locks.folder).owner() == owner
    assert Locks(tmp_path / "elsewhere").owner() != owner


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(UsageError) as caught,
        Locks(tmp_path / "file" / "locks").hold("default", "hello"),
    ):
        pass

    assert caught.value.message == f"The folder {tmp_path}/file/locks cannot be used."
    assert caught.value.cause == "Not a directory."
    assert caught.value.remedy == "Name a folder that you may write to in XDG_CACHE_HOME."


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"XDG_CACHE_HOME": "/var/cache/me"}, "/var/cache/me/localep/locks"),
        ({"XDG_CACHE_HOME": "", "HOME": "/home/me"}, "/home/me/.cache/localep/locks"),
    ],
)
def test_the_locks_lie_in_the_users_cache(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], folder: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert locks_of_user().folder == Path(folder)


def test_commands_of_a_namespace_take_turns(locks: Locks) -> None:
    inside: list[int] = []
    most: list[int] = []

    def pass_through(number: int) -> None:
        with locks.in_turn("default"):
            inside.append(number)
            most.append(len(inside))
            inside.remove(number)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(pass_through, range(40)))

    assert most == [1] * 40
