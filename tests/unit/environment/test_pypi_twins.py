from __future__ import annotations

import csv

import pytest
from packaging.requirements import Requirement

from localep.environment.pypi_twins import TABLE, Twins, find_twins, pip_constraint


@pytest.mark.parametrize(
    ("conda", "pip"),
    [
        ("", ""),
        ("*", ""),
        ("=1.2", "==1.2.*"),
        ("= 1.2", "==1.2.*"),
        ("1.2", "==1.2.*"),
        ("1.2.*", "==1.2.*"),
        ("=1.2*", "==1.2.*"),
        ("=1.21.2", "==1.21.2.*"),
        ("=1.21.2=py38_0", "==1.21.2.*"),
        ("1.21.2 py38_0", "==1.21.2.*"),
        ("=1.9.0=*_cpu", "==1.9.0.*"),
        ("==1.8.1", "==1.8.1"),
        ("==1.8.1=h1_0", "==1.8.1"),
        ("==1.8.*", "==1.8.*"),
        ("=2.0rc1", "==2.0rc1"),
        (">=1.2,<2", "<2,>=1.2"),
        (">=1.2, <2", "<2,>=1.2"),
        (">=1.2.*", ">=1.2"),
        (">=1,1.2", "==1.2.*,>=1"),
        ("~=1.4", "~=1.4"),
        ("!=1.5", "!=1.5"),
        ("1.2|1.3", None),
        ("[version=1.2]", None),
        ("@latest", None),
    ],
)
def test_a_version_is_said_in_pip_s_words(conda: str, pip: str | None) -> None:
    assert pip_constraint(conda) == pip


def test_packages_are_taken_left_out_or_missing() -> None:
    packages = [
        "numpy=1.21.2",
        "conda-forge::pytorch==1.8.1",
        "cudatoolkit=11.1",
        "nvidia-apex=0.1.0",
        "scipy 1.2|1.3",
        "Typing_Extensions",
        "scikit-learn",
        "ray-default=2",
        "py-xgboost",
    ]

    assert find_twins(packages, ["Scikit_Learn==1.5", "--pre"]) == Twins(
        requirements=(
            "numpy==1.21.2.*",
            "torch==1.8.1",
            "typing-extensions",
            "ray[default]==2.*",
            "xgboost",
        ),
        told=(
            "numpy==1.21.2.*",
            "torch==1.8.1 (pytorch)",
            "typing-extensions",
            "ray[default]==2.* (ray-default)",
            "xgboost (py-xgboost)",
        ),
        left_out=("cudatoolkit",),
        missing=("nvidia-apex=0.1.0", "scipy 1.2|1.3"),
    )


def test_the_table_is_in_order_and_names_every_package_once() -> None:
    with TABLE.open(encoding="utf-8", newline="") as stream:
        rows = [(row["conda"], row["pypi"]) for row in csv.DictReader(stream)]
    taken = [conda for conda, pypi in rows if pypi]
    left_out = [conda for conda, pypi in rows if not pypi]

    assert [conda for conda, _ in rows] == taken + left_out
    assert (taken, left_out) == (sorted(taken), sorted(left_out))
    assert len({*taken, *left_out}) == len(rows)
    assert all(Requirement(pypi) for _, pypi in rows if pypi)
    assert all(conda == conda.lower() for conda, _ in rows)
