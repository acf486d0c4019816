"""A scoring script that no server runs: who refuses it, and who lets the server judge it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from localep.errors import SpecError
from localep.operations.create import CreateOptions, create
from localep.operations.endpoints import find_endpoint
from localep.operations.serving.plan import ServeOptions, plan_serve
from localep.operations.update import UpdateOptions, update
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle

Load = Callable[..., Bundle]

BROKEN = {"no init() and no run()": "import json\n", "no Python": "def init(:\n"}


@pytest.fixture
def created(place: Workplace, load: Load, project: Path, calls: list[str]) -> Path:
    """The scoring script of an endpoint that runs."""
    text = (project / "deployment.yml").read_text()
    environment = (
        "environment:\n  image: localep/base:latest\n  conda_file:\n"
        "    channels: [conda-forge]\n    dependencies: [python=3.10, pip=24.0, pip: [six]]\n"
    )
    create(place, load("endpoint.yml", "deployment.yml"), CreateOptions(port=8085))
    (project / "deployment.yml").write_text(f"{text}{environment}")
    calls.clear()
    return project / "code" / "score.py"


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
def test_an_update_is_refused_before_anything_is_built(
    place: Workplace,
    new_place: Callable[[str], Workplace],
    created: Path,
    project: Path,
    calls: list[str],
    told: list[str],
    script: str,
) -> None:
    before = find_endpoint(place, "hello").state
    created.write_text(script)
    told.clear()

    with pytest.raises(SpecError) as caught:
        update(new_place("update"), UpdateOptions((project / "deployment.yml",)))

    assert caught.value.message == "The scoring script cannot be run."
    assert caught.value.details[0].startswith(f"{created}:1:")
    assert (calls, told) == ([], [])
    assert find_endpoint(place, "hello").state == before


def test_an_update_without_files_is_refused_as_well(
    new_place: Callable[[str], Workplace], created: Path, calls: list[str]
) -> None:
    created.write_text("import json\n")

    with pytest.raises(SpecError, match=r"^The scoring script cannot be run\.$"):
        update(new_place("update"), UpdateOptions())
    assert calls == []


def test_without_the_check_the_server_is_started(
    new_place: Callable[[str], Workplace], created: Path, told: list[str]
) -> None:
    created.write_text("import json\n")

    result = update(new_place("update"), UpdateOptions(checks_script=False))

    assert result.changed == "deployment"
    assert [text for text in told if "init()" in text] == []


@pytest.mark.parametrize("script", [*BROKEN.values(), "def init(a): pass\ndef run(): pass\n"])
def test_serve_lets_the_server_say_what_is_wrong(project: Path, script: str) -> None:
    (project / "code" / "score.py").write_text(script)

    plan = plan_serve(ServeOptions((project / "deployment.yml",)))

    assert plan.warnings == ()


def test_what_is_wrong_with_the_shape_alone_is_a_warning(load: Load, project: Path) -> None:
    (project / "code" / "score.py").write_text("def init(a): pass\ndef run(): pass\n")

    bundle = load("deployment.yml")

    assert [item.code for item in bundle.warnings] == ["init-or-run-missing"] * 2
    assert bundle.script_faults == ()


def test_the_script_of_a_custom_container_is_nobodys_business(load: Load, project: Path) -> None:
    (project / "code" / "score.py").write_text("import json\n")
    route = "{port: 80, path: /}"
    with (project / "deployment.yml").open("a") as file:
        file.write(
            "environment: {image: 'team/own:1', inference_config: "
            f"{{liveness_route: {route}, readiness_route: {route}, scoring_route: {route}}}}}\n"
        )

    assert load("deployment.yml").script_faults == ()
