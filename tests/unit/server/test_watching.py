"""Which files count as changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from localep.server.watching import Watched, changed_between


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    (folder / "package").mkdir(parents=True)
    (folder / "score.py").write_text("one")
    (folder / "package" / "helper.py").write_text("one")
    return folder


def changed_by(watched: Watched, folder: Path, *lines: str) -> list[Path]:
    before = watched.stamps()
    for line in lines:
        exec(line, {"folder": folder})
    return changed_between(before, watched.stamps())


def test_nothing_has_changed_by_itself(code: Path) -> None:
    watched = Watched((code,))

    assert changed_by(watched, code) == []
    assert set(watched.stamps()) == {code / "score.py", code / "package" / "helper.py"}


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        ("(folder / 'score.py').write_text('longer')", ["score.py"]),
        ("(folder / 'package' / 'helper.py').unlink()", ["package/helper.py"]),
        ("(folder / 'package').rename(folder / 'p')", ["p/helper.py", "package/helper.py"]),
        ("(folder / 'new.json').touch()", ["new.json"]),
        (
            "(folder / 'n').write_text('two'); (folder / 'n').rename(folder / 'score.py')",
            ["score.py"],
        ),
    ],
)
def test_what_is_new_gone_or_different_has_changed(
    code: Path, line: str, changed: list[str]
) -> None:
    assert changed_by(Watched((code,)), code, line) == [code / name for name in changed]


@pytest.mark.parametrize(
    "name",
    [
        "score.pyc",
        ".score.py.swp",
        "score.py~",
        ".#score.py",
        "#score.py#",
        "4913",
        "requests.log",
        "__pycache__/score.cpython-311.pyc",
        ".git/index",
        "package/.ipynb_checkpoints/score.py",
    ],
)
def test_what_tools_and_editors_leave_does_not_count(code: Path, name: str) -> None:
    lines = (
        f"(folder / {name!r}).parent.mkdir(exist_ok=True)",
        f"(folder / {name!r}).write_text('new')",
    )

    assert changed_by(Watched((code,)), code, *lines) == []


def test_a_folder_that_is_left_out_elsewhere_may_hold_the_code(tmp_path: Path) -> None:
    code = tmp_path / ".venv" / "node_modules"
    code.mkdir(parents=True)
    (code / "score.py").touch()

    assert set(Watched((code,)).stamps()) == {code / "score.py"}


def test_files_count_by_themselves_and_may_be_missing(code: Path) -> None:
    watched = Watched((code / "score.py", code / "nowhere.yml"))

    assert set(watched.stamps()) == {code / "score.py"}
    assert changed_by(watched, code, "(folder / 'nowhere.yml').touch()") == [code / "nowhere.yml"]
