"""Where packages come from."""

from __future__ import annotations

from enum import Enum


class Solver(str, Enum):
    """Who finds the packages of a conda file.

    AUTO takes conda's channels where the image's Python and pip's list are not enough, and PyPI
    where no channel answers; CONDA takes channels alone, PYPI the image's Python and PyPI alone.
    """

    AUTO = "auto"
    CONDA = "conda"
    PYPI = "pypi"
