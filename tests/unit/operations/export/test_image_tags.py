"""Names that users give to images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from localep.engine.base import Image
from localep.errors import UsageError
from localep.operations.export.tags import check_tag, refuse_own_image

if TYPE_CHECKING:
    from unit.operations.conftest import FakeEngine

RULES = "It breaks the rules of image names."


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("hello", "hello:latest"),
        ("hello:1.0", "hello:1.0"),
        ("team/hello_world:V1_0-rc.1", "team/hello_world:V1_0-rc.1"),
        ("a__b/c--d.e", "a__b/c--d.e:latest"),
        ("registry.example:5000/team/hello:1", "registry.example:5000/team/hello:1"),
        ("localhost:5000/hello", "localhost:5000/hello:latest"),
        ("Registry.example/hello", "Registry.example/hello:latest"),
        ("[::1]:5000/hello:1", "[::1]:5000/hello:1"),
        ("x" * 255, f"{'x' * 255}:latest"),
        (f"hello:{'t' * 128}", f"hello:{'t' * 128}"),
        ("localepper/hello", "localepper/hello:latest"),
    ],
)
def test_a_name_that_engines_take(tag: str, name: str) -> None:
    assert check_tag(tag) == name


@pytest.mark.parametrize(
    ("tag", "cause"),
    [
        ("", RULES),
        ("hello world", RULES),
        ("hello:", RULES),
        ("hello:.1", RULES),
        (f"hello:{'t' * 129}", RULES),
        ("/hello", RULES),
        ("hello/", RULES),
        ("hel___lo", RULES),
        ("-hello", RULES),
        ("hello-", RULES),
        ("hellö", RULES),
        ("https://registry.example/hello", RULES),
        ("hello\n", RULES),
        ("Hello", "A name has no capital letters; a tag may."),
        ("team/Hello:1", "A name has no capital letters; a tag may."),
        ("x" * 256, "It is longer than 255 characters."),
        ("0" * 64, "It looks like the id of an image."),
        (
            f"hello@sha256:{'0' * 64}",
            "It holds a digest, which follows from the content and cannot be chosen.",
        ),
    ],
)
def test_a_name_that_no_engine_takes(tag: str, cause: str) -> None:
    with pytest.raises(UsageError) as raised:
        check_tag(tag)

    assert (raised.value.message, raised.value.cause, raised.value.remedy) == (
        f"No image can be named {tag!r}.",
        cause,
        "Use small letters, digits, `.`, `_`, `-` and `/`, and a tag after a colon: team/hello:1",
    )


def test_localeps_own_repositories_are_no_place_for_others() -> None:
    with pytest.raises(UsageError) as raised:
        check_tag("localep/env:1")

    assert (raised.value.message, raised.value.cause) == (
        "No image of yours can be named localep/env:1.",
        "localep/ is where localep keeps its own images.",
    )


@pytest.mark.parametrize("role", ["environment", "base", "debian"])
def test_an_image_that_localep_needs_keeps_its_name(engine: FakeEngine, role: str) -> None:
    engine.images["mine:1"] = Image("sha256:1", {"localep.role": role}, 1)

    with pytest.raises(UsageError) as raised:
        refuse_own_image(engine, "mine:1")

    assert (raised.value.message, raised.value.cause) == (
        "mine:1 is the name of an image of localep's own.",
        f"It is its {role} image, and would lose that name.",
    )


@pytest.mark.parametrize("labels", [{}, {"localep.role": "export"}])
def test_any_other_image_may_lose_its_name(engine: FakeEngine, labels: dict[str, str]) -> None:
    engine.images["mine:1"] = Image("sha256:1", labels, 1)

    refuse_own_image(engine, "mine:1")
    refuse_own_image(engine, "not-there:1")
