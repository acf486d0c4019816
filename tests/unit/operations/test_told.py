"""Which warnings an update tells, and which it only counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from localep.errors import DeploymentNotReady
from localep.gateway.config import gateway_archive
from localep.gateway.state import GatewayState
from localep.operations.create import CreateOptions, create
from localep.operations.endpoints import find_endpoint
from localep.operations.told import marks_after, untold
from localep.operations.update import UpdateOptions, update
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle, Selection

Load = Callable[..., Bundle]
Update = Callable[..., list[str]]

ONE = "note: One warning as before; `localep validate` shows it."
TWO = "note: 2 warnings as before; `localep validate` shows them."
MISSING = "import os\ndef init(): os.environ['PLACE']\ndef run(data): return 1\n"


@pytest.fixture
def doubtful(project: Path) -> Path:
    """The project, with a warning of each of its documents."""
    (project / "endpoint.yml").write_text("name: hello\ntraffic: {blue: 40}\n")
    (project / "code" / "score.py").write_text(MISSING)
    return project


@pytest.fixture
def run(project: Path, new_place: Callable[[str], Workplace], told: list[str]) -> Update:
    """Runs an update; what it warned and noted."""

    def run(*names: str) -> list[str]:
        told.clear()
        files = tuple(project / name for name in names if "=" not in name)
        overrides = tuple(name for name in names if "=" in name)
        update(new_place("update"), UpdateOptions(files, Selection(overrides=overrides)))
        return [text for text in told if text.startswith(("warning", "note"))]

    return run


@pytest.fixture
def created(place: Workplace, doubtful: Path, load: Load) -> list[str]:
    """An endpoint with its deployment; the codes of what was doubtful, as `create` tells it."""
    bundle = load("endpoint.yml", "deployment.yml")
    create(place, bundle, CreateOptions(port=8085))
    return [item.code for item in bundle.warnings]


def state_of(place: Workplace) -> GatewayState:
    return find_endpoint(place, "hello").state


def test_the_marks_of_a_state_are_short(place: Workplace, created: list[str]) -> None:
    assert created == ["traffic-rule", "missing-variable"]
    marks = state_of(place).told
    assert [mark[0] for mark in marks] == ["d", "e"]
    assert {len(mark) for mark in marks} == {17}


@pytest.mark.usefixtures("created")
def test_what_was_told_at_the_creation_is_counted_at_the_update(run: Update) -> None:
    assert run("endpoint.yml", "deployment.yml") == [TWO]
    assert run("deployment.yml") == [ONE]
    assert run() == [TWO]


@pytest.mark.usefixtures("created")
def test_what_is_new_is_told_once(run: Update, doubtful: Path) -> None:
    script = doubtful / "code" / "score.py"
    script.write_text(f"# further down\n\n{MISSING}NAME = os.environ['NAME']\n")

    first, second = run("deployment.yml"), run("deployment.yml")

    assert first == [
        f"warning: {script}:6:8: NAME is read from the environment, and the YAML does not set "
        "it. Add the variable to `environment_variables`.",
        ONE,
    ]
    assert second == [TWO]


@pytest.mark.usefixtures("created")
def test_what_came_back_is_news(run: Update, doubtful: Path) -> None:
    script = doubtful / "code" / "score.py"
    script.write_text("def init(): pass\ndef run(data): return 1\n")
    assert run() == [ONE]

    script.write_text(MISSING)

    news, count = run()
    assert "PLACE is read" in news
    assert count == ONE


@pytest.mark.usefixtures("created")
def test_the_same_warning_at_another_place_is_news(run: Update, doubtful: Path) -> None:
    script = doubtful / "code" / "score.py"
    path = "open('/home/me/model.pkl')\n"
    script.write_text(f"def init(): {path}def run(data): return 1\n")
    first = run("deployment.yml")
    script.write_text(f"def init(): {path}def run(data): {path}")

    assert [text.partition(": ")[0] for text in first] == ["warning"]
    assert [text.partition(": ")[0] for text in run("deployment.yml")] == ["warning", "note"]


@pytest.mark.usefixtures("created")
def test_an_update_of_one_document_forgets_nothing_of_the_other(run: Update) -> None:
    (news,) = run("deployment.yml", "environment_variables.PLACE=kiel", "instance_count=0")
    assert "instance_count" in news

    assert run("endpoint.yml") == [ONE]
    assert run("deployment.yml", "environment_variables.PLACE=kiel", "instance_count=0") == [ONE]


@pytest.mark.usefixtures("created")
def test_what_was_told_of_a_failed_update_is_known(
    run: Update, doubtful: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DeploymentNotReady("It did not get ready.")

    monkeypatch.setattr("localep.operations.rollout.wait_until_ready", fail)
    script = doubtful / "code" / "score.py"
    script.write_text(f"{MISSING}os.environ['NAME']\n")
    with pytest.raises(DeploymentNotReady):
        run("deployment.yml")
    assert len([text for text in told if text.startswith("warning")]) == 1

    script.write_text(f"{MISSING}os.environ['NAME']\nprint('mended')\n")
    with pytest.raises(DeploymentNotReady):
        run("deployment.yml")
    assert [text for text in told if not text.startswith("status")] == [TWO]


@pytest.mark.usefixtures("created")
def test_what_is_told_where_nothing_changes_is_known_as_well(place: Workplace, run: Update) -> None:
    gateway = find_endpoint(place, "hello").gateway
    state = replace(state_of(place), told=[])
    place.engine.copy_in(gateway.identity, "/", gateway_archive(state))

    first, second = run("deployment.yml"), run("deployment.yml")

    assert [text.partition(": ")[0] for text in first] == ["warning"]
    assert second == [ONE]


def test_a_state_without_marks_has_everything_told(load: Load, doubtful: Path) -> None:
    bundle = load("endpoint.yml", "deployment.yml")

    assert untold([], bundle) == list(bundle.warnings)
    assert untold(marks_after([], bundle), bundle) == []


def test_a_document_of_both_kinds_forgets_what_both_told(load: Load, project: Path) -> None:
    (project / "old.yml").write_text(
        "name: hello\ntraffic: {blue: 40}\ndeployments:\n  - name: blue\n"
        "    instance_type: Standard_DS3_v2\n"
        "    code_configuration: {code: {local_path: code}, scoring_script: score.py}\n"
    )
    bundle = load("old.yml")

    marks = marks_after(["e1", "d1"], bundle)

    assert len(marks) == len(bundle.warnings) > 1
    assert {mark[0] for mark in marks} == {"d"}
    assert untold(marks, bundle) == []


OF_2021 = """\
name: hello
deployments:
  - name: blue
    instance_type: Standard_DS3_v2
    code_configuration: {code: {local_path: code}, scoring_script: score.py}
    scale_settings: {scale_type: manual, instance_count: 1}
"""


def test_several_changes_of_a_document_of_2021_are_warned_of_each_time(
    place: Workplace, project: Path, load: Load, run: Update
) -> None:
    old = project / "old.yml"
    old.write_text(OF_2021)
    create(place, load("old.yml"), CreateOptions(port=8085))
    (project / "code" / "other.py").write_text((project / "code" / "score.py").read_text())
    told = (
        f"warning: {old}:3:5: deployments.0: the scale settings and the code change at once; the "
        "cloud of 2021 takes one kind of change an update. "
    )

    for number, script in ((2, "other.py"), (3, "score.py")):
        text = OF_2021.replace("score.py", script)
        old.write_text(text.replace("instance_count: 1", f"instance_count: {number}"))
        (warning,) = [text for text in run("old.yml") if "at once" in text]
        assert warning.startswith(told)
    assert [text for text in run("old.yml") if "at once" in text] == []


def test_several_changes_of_a_document_of_today_are_worth_a_note(
    place: Workplace, project: Path, load: Load, run: Update
) -> None:
    create(place, load("deployment.yml"), CreateOptions(port=8085))
    (project / "model.pkl").write_bytes(b"weights")

    assert run("deployment.yml", "instance_count=2", "model.path=model.pkl") == [
        f"note: {project}/deployment.yml:1:1: the scale settings and the model change at once; "
        "the cloud scales first, and does the rest when that is done. In production, scale by "
        "itself."
    ]


def test_changes_without_a_file_are_compared_as_well(
    place: Workplace, project: Path, load: Load, run: Update
) -> None:
    create(place, load("deployment.yml"), CreateOptions(port=8085))
    (project / "model.pkl").write_bytes(b"weights")

    (note,) = run("instance_count=2", "model.path=model.pkl")

    assert "the scale settings and the model change at once" in note
