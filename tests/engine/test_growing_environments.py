"""An environment that differs little from another grows from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.engine import Localep

from localep.engine.client import DockerEngine


@pytest.fixture
def build(localep: Localep, hello: Path, discarded: list[str]) -> Any:
    """Builds the environment with these packages; no other test has just such lines."""

    def run(*packages: str, no_cache: bool = False) -> str:
        marker = f"sys_platform != '{localep.names.namespace}'"
        lines = [f'      - "{package}; {marker}"\n' for package in packages]
        head = "dependencies:\n  - python=3.11\n  - pip:\n      - azureml-inference-server-http\n"
        (hello / "conda.yml").write_text(head + "".join(lines))
        options = ["--no-cache"] if no_cache else []
        image: str = localep.json("build", "-f", "hello/deployment.yml", *options)["image"]
        if image not in discarded:
            discarded.append(image)
        return image

    return run


def test_a_further_environment_has_its_own_packages_and_no_others(
    build: Any, engine: DockerEngine
) -> None:
    def look(reference: str) -> tuple[tuple[str, ...], str, list[str]]:
        """The layers, how often it has grown, and the packages of an image."""
        image = engine.find_image(reference)
        assert image is not None
        listed = engine.file_of_image(reference, "/opt/localep/packages.json")
        assert listed is not None
        packages = [f"{entry['name']}=={entry['version']}" for entry in json.loads(listed)]
        return image.layers, image.labels["localep.growth"], packages

    first, _, few = look(build("colorama"))
    second, growth, more = look(build("colorama", "humanize"))
    third, further, fewer = look(build("humanize"))
    _, from_nothing, scratch = look(build("humanize", no_cache=True))

    assert second[: len(first)] == first
    assert third[: len(second)] == second
    assert int(further) == int(growth) + 1
    assert [line.partition("==")[0] for line in more if line not in few] == ["humanize"]
    assert [line.partition("==")[0] for line in more if line not in fewer] == ["colorama"]
    assert (from_nothing, scratch) == ("0", fewer)


def test_an_image_whose_name_another_has_taken_is_no_parent(
    build: Any, engine: DockerEngine
) -> None:
    reference = build("colorama")
    image = engine.find_image(reference)
    assert image is not None
    root = {"localep.root": image.labels["localep.root"]}
    build("colorama", no_cache=True)
    assert engine.find_image(reference) != image

    names = [name for name, _ in engine.labelled_images(root)]

    assert reference in names
    assert [name for name in names if not name.startswith("localep/env:")] == []
