"""The files that come with localep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jinja2
import pytest

from localep import resources
from localep.resources import read_resource, render_template, resource_path

TEMPLATES = [
    "Dockerfile.j2",
    "cloud-failures.md.j2",
    "export.Dockerfile.j2",
    "finish_environment.py",
    "gateway.lua",
    "haproxy.cfg.j2",
    "k8s.yaml.j2",
    "liveness.py",
    "localep-build.sh",
    "localep-conda.py",
    "logging.json.j2",
    "mlflow_model_score/score.py",
]


def test_every_template_of_the_checkout_is_known_here(root: Path) -> None:
    folder = root / "templates"
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    known = sorted(str(path) for path in files if "__pycache__" not in path.parts)
    assert known == TEMPLATES


@pytest.mark.parametrize("name", [*(f"templates/{name}" for name in TEMPLATES), "Dockerfile.base"])
def test_every_resource_is_found(root: Path, name: str) -> None:
    assert read_resource(name) == (root / name).read_text(encoding="utf-8")


def test_what_a_wheel_carries_comes_before_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("data", "checkout"):
        (tmp_path / folder / "templates").mkdir(parents=True)
        (tmp_path / folder / "templates" / "both.txt").write_text(f"größer: {folder}", "utf-8")
    (tmp_path / "checkout" / "only.txt").write_text("checkout", "utf-8")
    monkeypatch.setattr(resources, "_ROOTS", (tmp_path / "data", tmp_path / "checkout"))

    assert read_resource("templates/both.txt") == "größer: data"
    assert read_resource("only.txt") == "checkout"


@pytest.mark.parametrize("read", [read_resource, resource_path])
def test_what_is_not_there_is_an_error(read: Callable[[str], object]) -> None:
    with pytest.raises(FileNotFoundError, match=r"^templates/nope\.j2$"):
        read("templates/nope.j2")


def test_a_folder_is_found_as_a_whole(root: Path) -> None:
    assert resource_path("templates") == root / "templates"


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A template of its own; returns its name."""
    (tmp_path / "templates").mkdir()
    loop = "  {% for word in words %}\n{{ word }} <&>\n  {% endfor %}\n"
    text = f"{{% if shown %}}\n{loop}{{% endif %}}\n"
    (tmp_path / "templates" / "words.j2").write_text(text)
    monkeypatch.setattr(resources, "_ROOTS", (tmp_path,))
    return "words.j2"


def test_statements_leave_no_empty_lines_and_values_are_not_escaped(template: str) -> None:
    assert render_template(template, shown=True, words=["<a>", "b"]) == "<a> <&>\nb <&>\n"


def test_the_last_line_keeps_its_end(template: str) -> None:
    assert render_template(template, shown=False) == ""
    assert render_template("words.j2", shown=True, words=["x"]).endswith("x <&>\n")


@pytest.mark.parametrize(
    ("values", "missing"), [({}, "shown"), ({"shown": True}, "words")], ids=["first", "second"]
)
def test_a_value_that_the_template_misses_is_an_error(
    template: str, values: dict[str, object], missing: str
) -> None:
    with pytest.raises(jinja2.UndefinedError, match=f"^'{missing}' is undefined$"):
        render_template(template, **values)


@pytest.mark.parametrize("name", ["Dockerfile.j2", "haproxy.cfg.j2", "logging.json.j2"])
def test_a_template_of_localep_needs_its_values(name: str) -> None:
    with pytest.raises(jinja2.UndefinedError):
        render_template(name)
