"""Which environment a new one grows from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from localep.environment.dockerfile import build_context
from localep.environment.growth import Parent, nearest
from localep.environment.plan import BaseImage, EnvironmentPlan

BASE = BaseImage("localep/base:1a2b", "sha256:aaa", "3.11")
SERVER = "azureml-inference-server-http"


def plan(*requirements: str) -> EnvironmentPlan:
    return EnvironmentPlan(BASE, (SERVER, *requirements))


def image(name: str, *requirements: str, growth: object = 0) -> tuple[str, Mapping[str, str]]:
    lines = " ".join(plan(*requirements).lines)
    return name, {"localep.lines": lines, "localep.growth": str(growth)}


def test_the_environment_that_lacks_least_is_the_nearest() -> None:
    images = [image("bare"), image("near", "numpy", "scipy"), image("far", "numpy")]

    assert nearest(plan("numpy", "scipy", "pandas"), images) == Parent("near", 0)


def test_of_two_that_lack_as_much_the_one_with_less_besides_is_nearer() -> None:
    images = [image("large", "numpy", "torch"), image("small", "numpy")]

    assert nearest(plan("numpy", "pandas"), images) == Parent("small", 0)


def test_of_two_that_are_alike_the_one_that_has_grown_less_is_nearer() -> None:
    images = [image("grown", "numpy", growth=3), image("plain", "numpy", growth=1)]

    assert nearest(plan("numpy", "pandas"), images) == Parent("plain", 1)


@pytest.mark.parametrize("growth", [8, 9, "", "some"])
def test_nothing_grows_for_ever(growth: object) -> None:
    assert nearest(plan("numpy"), [image("old", "numpy", growth=growth)]) is None


def test_an_environment_with_nothing_in_common_is_no_help() -> None:
    assert nearest(plan("numpy"), []) is None
    assert nearest(plan("numpy"), [("other", {"localep.growth": "0"})]) is None


def test_the_lines_count_and_not_their_order() -> None:
    assert plan("numpy", "pandas").lines == plan("pandas", "numpy").lines
    assert plan("numpy").lines != plan("numpy>1").lines


def test_environments_of_another_base_or_python_have_another_root() -> None:
    bases = [BASE, replace(BASE, identity="sha256:bbb"), replace(BASE, python="3.12")]

    assert len({EnvironmentPlan(base, (SERVER,)).root for base in bases}) == 3


@pytest.mark.parametrize(
    "other",
    [
        {"conda": "{}"},
        {"is_locked": True},
        {"is_complete": True},
        {"keeps_packages": True},
    ],
)
def test_what_pips_list_alone_does_not_tell_does_not_grow(other: dict[str, object]) -> None:
    of = replace(plan(), **other)  # type: ignore[arg-type]

    assert not of.may_grow
    assert "localep.root" not in build_context(of)["Dockerfile"]


def test_a_grown_environment_has_exactly_what_its_own_list_asks_for() -> None:
    grown = build_context(plan("numpy"), Parent("localep/env:0a1b", 2))
    dockerfile = grown["Dockerfile"]

    assert dockerfile.splitlines()[2] == "FROM localep/env:0a1b"
    assert "uv pip install --exact " in dockerfile
    assert dockerfile.splitlines()[-1] == (
        f'LABEL localep.lines="{" ".join(plan("numpy").lines)}" localep.growth=3'
    )
    assert grown["requirements.txt"] == f"{SERVER}\nnumpy\n"
