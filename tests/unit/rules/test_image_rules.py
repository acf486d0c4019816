"""Rules for what engines and registries know of images, and for what a size's disk holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from unit.rules.rule_files import INFO, WARNING, Found, RuleFiles, sound_files

from localep.rules.engine import check, check_images
from localep.rules.image_facts import Answer, ImageFacts
from localep.spec.loader import read_files

GIB = 1024**3
IMAGE = "images/base:1"
SOUND = ImageFacts(("linux/amd64",), GIB, Answer.HAS)
CODES = ("base-image-not-found", "disk-too-small", "image-architecture", "image-local-only")


@pytest.fixture
def files(tmp_path: Path) -> RuleFiles:
    return sound_files(tmp_path)


def found(files: RuleFiles, **known: ImageFacts) -> list[tuple[str, Found]]:
    """What is found of images and disks; ``known`` are facts by name, a dot for what is none."""
    facts = {name.replace("_", "/"): value for name, value in known.items()}
    reading = read_files([files.folder / "blue.yml"])
    return [
        (
            item.code,
            Found(item.where.removeprefix(f"{files.folder}/"), item.severity, item.message),
        )
        for item in check(reading, look_up_image=lambda name: facts.get(name.split(":")[0]))
        if item.code in {*CODES, "registry-private"}
    ]


def test_an_image_without_fault_is_not_told(files: RuleFiles) -> None:
    assert found(files, images_base=SOUND) == []
    assert found(files) == []


def test_nobody_is_asked_where_there_is_no_way_to(files: RuleFiles) -> None:
    assert [files.told(code) for code in CODES] == [[]] * 4


def test_an_image_for_other_processors_is_told(files: RuleFiles) -> None:
    facts = ImageFacts(("linux/arm64", "linux/ppc64le"), registry=Answer.HAS)
    assert found(files, images_base=facts) == [
        (
            "image-architecture",
            Found(
                "blue.yml:7:10",
                WARNING,
                f"environment.image: {IMAGE} is for linux/arm64 and linux/ppc64le, and the cloud "
                "runs linux/amd64.",
            ),
        )
    ]


def test_an_image_for_several_processors_is_not_told(files: RuleFiles) -> None:
    facts = ImageFacts(("linux/arm64", "linux/amd64"), registry=Answer.HAS)
    assert found(files, images_base=facts) == []


def test_an_image_that_its_registry_does_not_have_is_told(files: RuleFiles) -> None:
    missing = ImageFacts(registry=Answer.MISSING)
    place = "blue.yml:7:10"
    assert found(files, images_base=missing) == [
        (
            "base-image-not-found",
            Found(place, WARNING, f"environment.image: its registry has no image {IMAGE}."),
        )
    ]
    here = ImageFacts(("linux/amd64",), 1000, Answer.MISSING)
    assert found(files, images_base=here) == [
        (
            "image-local-only",
            Found(
                place,
                WARNING,
                f"environment.image: {IMAGE} is in this machine's engine, and its registry has "
                "none.",
            ),
        )
    ]


def test_an_image_behind_a_login_is_worth_a_word(files: RuleFiles) -> None:
    facts = ImageFacts(registry=Answer.LOGIN)
    assert found(files, images_base=facts) == [
        (
            "registry-private",
            Found(
                "blue.yml:7:10",
                INFO,
                f"environment.image: the registry of {IMAGE} asks for a login.",
            ),
        )
    ]


def test_the_images_of_a_dockerfile_are_looked_at(files: RuleFiles) -> None:
    files.change("blue.yml", f"  image: {IMAGE}\n  conda_file: conda.yml\n", "  build: {path: .}\n")
    files.write(
        "Dockerfile",
        "ARG NAME=x\n"
        "FROM --platform=linux/amd64 team/tools:1 AS tools\n"
        "FROM $NAME AS none\nfrom tools as again\nFROM scratch\nFROM team/last:2\n",
    )
    missing = ImageFacts(registry=Answer.MISSING)
    facts = {"team_tools": missing, "team_last": missing, "tools": missing, "scratch": missing}
    assert found(files, **facts) == [
        (
            "base-image-not-found",
            Found(
                "blue.yml:7:10", WARNING, f"environment.build: its registry has no image {image}."
            ),
        )
        for image in ("team/tools:1", "team/last:2")
    ]


def sparse(files: RuleFiles, gib: float) -> None:
    """Give the deployment a model of this size, which takes no room on this disk."""
    model = files.folder / "model" / "weights.bin"
    model.parent.mkdir()
    with model.open("wb") as stream:
        os.truncate(stream.fileno(), int(gib * GIB))
    files.change("blue.yml", "code_configuration", "model: {path: model}\ncode_configuration")


def test_a_model_that_no_disk_of_the_size_holds_is_told_without_an_engine(
    files: RuleFiles,
) -> None:
    sparse(files, 30)
    assert files.told("disk-too-small") == [
        Found(
            "blue.yml:10:16",
            WARNING,
            "instance_type: the model (30.0 GiB) takes more than the 28 GiB of the temporary disk "
            "of Standard_DS3_v2.",
        )
    ]


def test_image_and_model_count_together(files: RuleFiles) -> None:
    sparse(files, 20)
    assert found(files, images_base=ImageFacts(("linux/amd64",), 7 * GIB)) == []
    assert found(files, images_base=ImageFacts(("linux/amd64",), 9 * GIB)) == [
        (
            "disk-too-small",
            Found(
                "blue.yml:10:16",
                WARNING,
                "instance_type: the image (9.0 GiB) and the model (20.0 GiB) take more than the "
                "28 GiB of the temporary disk of Standard_DS3_v2.",
            ),
        )
    ]


@pytest.mark.parametrize("size", ["Standard_E4s_v3", "Standard_X1", "Standard_DS4_v2"])
def test_another_size_or_one_whose_disk_nobody_knows_is_not_told(
    files: RuleFiles, size: str
) -> None:
    sparse(files, 30)
    files.change("blue.yml", "Standard_DS3_v2", size)
    assert files.told("disk-too-small") == []


def test_the_rules_of_images_can_be_asked_alone(files: RuleFiles) -> None:
    files.change("conda.yml", "python=3.12", "python=3.8")
    (spec,) = read_files([files.folder / "blue.yml"]).deployments

    told = check_images(spec, lambda _: ImageFacts(("linux/arm64",), 1000))

    assert [item.code for item in told] == ["image-architecture"]
