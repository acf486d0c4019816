"""The habit of writing several pairs after one --set."""

from __future__ import annotations

import pytest

from localep.cli.arguments import spread_set


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("", ""),
        ("create -f x.yml", "create -f x.yml"),
        ("create --set a=1", "create --set a=1"),
        ("create --set a=1 b=2 c=3 -f x.yml", "create --set a=1 --set b=2 --set c=3 -f x.yml"),
        ("create --set a=1 --set b=2 c=3", "create --set a=1 --set b=2 --set c=3"),
        ("create --set a=1 -o json b=2", "create --set a=1 -o json b=2"),
        ("create --set a=1 -f x=y.yml", "create --set a=1 -f x=y.yml"),
        ("create --set a=-1 b=--c", "create --set a=-1 --set b=--c"),
        ("create --set a=1 word b=2", "create --set a=1 word b=2"),
        ("create --set a b=2", "create --set a --set b=2"),
        ("create --set a=1 -- b=2", "create --set a=1 -- b=2"),
        ("-- --set a=1 b=2", "-- --set a=1 b=2"),
        ("create --set", "create --set"),
        ("create --set=a=1 -f x.yml", "create --set=a=1 -f x.yml"),
        ("create --set=a=1 b=2", "create --set=a=1 b=2"),
        ("create x=1", "create x=1"),
    ],
)
def test_each_pair_gets_a_set_of_its_own(typed: str, understood: str) -> None:
    assert spread_set(typed.split()) == understood.split()


def test_a_pair_may_hold_spaces_and_equals_signs() -> None:
    assert spread_set(["--set", "a=b c", "d={'e': 'f=g'}"]) == [
        "--set",
        "a=b c",
        "--set",
        "d={'e': 'f=g'}",
    ]


def test_the_typed_arguments_are_left_alone() -> None:
    typed = ["--set", "a=1", "b=2"]

    spread_set(typed)

    assert typed == ["--set", "a=1", "b=2"]
