"""Building an environment: from nothing, with one requirement more, and with nothing to do."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from benchmarks.measurement import Measurement
from benchmarks.place import IMAGE
from benchmarks.processes import BenchmarkFailed
from localep.engine.base import BuildRequest
from localep.environment.build_settings import user_build_settings
from localep.environment.dockerfile import CA_SECRET, SETTINGS_SECRET
from localep.environment.requirements import INFERENCE_SERVER

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.floors import Floors
    from benchmarks.place import Place

_REQUIREMENTS = ("scikit-learn", "pandas", INFERENCE_SERVER)
_ADDED = "humanize"
_NOTHING_SECONDS = 0.3
_PIP_REFERENCE = "localep/bench-pip"
_PIP = "/opt/pip/bin/pip"


def measure_environments(place: Place, floors: Floors) -> list[Measurement]:
    """The same list by pip and by localep, in turn; the caches of builds are emptied for it.

    By BuildKit: a classic builder keeps no packages from one build to the next.
    """
    folder = place.copy_hello("environment")
    by_pip, cold, added, nothing = [], [], [], []
    for _ in range(place.runs):
        by_pip.append(_pip_seconds(place))
        _write(folder, _REQUIREMENTS)
        _forget_packages(place)
        cold.append(_build(place, folder, "--no-cache"))
        nothing.append(_build(place, folder))
        # Another line each time, or the image would be there.
        _write(folder, (*_REQUIREMENTS, f"{_ADDED}>=0.{secrets.randbelow(10**9)}"))
        added.append(_build(place, folder))
    pip = Measurement("pip: the same list, from nothing", tuple(by_pip))
    first = Measurement("build: from nothing", tuple(cold), pip.median / 2, pip.median)
    return [
        pip,
        first,
        Measurement("build: one requirement more", tuple(added), first.median / 4),
        Measurement("build: nothing to do", tuple(nothing), _NOTHING_SECONDS, floors.python.median),
    ]


class _Silence:
    """Progress that nobody looks at."""

    def status(self, message: str) -> None:
        """Nothing."""

    def step(self, message: str) -> None:
        """Nothing."""

    def line(self, text: str) -> None:
        """Nothing."""


def _pip_seconds(place: Place) -> float:
    """How long a build takes that has pip install the list."""
    settings = user_build_settings()
    mounts = " ".join(f"--mount=type=secret,id={name}" for name in (CA_SECRET, SETTINGS_SECRET))
    install = f"localep-build {_PIP} install --quiet --no-cache-dir {' '.join(_REQUIREMENTS)}"
    dockerfile = f"FROM {IMAGE}\nRUN python3 -m venv /opt/pip\nRUN {mounts} {install}\n"
    request = BuildRequest(
        _PIP_REFERENCE,
        {"Dockerfile": dockerfile},
        secrets={SETTINGS_SECRET: settings.script, CA_SECRET: settings.ca_bundle or ""},
        no_cache=True,
    )
    begun = time.perf_counter()
    image = place.engine.build_image(request, _Silence())
    seconds = time.perf_counter() - begun
    place.engine.api.remove_image(image.identity, force=True)
    return seconds


def _build(place: Place, folder: Path, *options: str) -> float:
    return place.localep("build", "-f", str(folder / "deployment.yml"), *options).seconds


def _write(folder: Path, requirements: tuple[str, ...]) -> None:
    lines = [f"    - {requirement}" for requirement in requirements]
    head = ["name: bench", "dependencies:", "- python=3.11", "- pip", "- pip:"]
    (folder / "conda.yml").write_text("\n".join([*head, *lines, ""]), encoding="utf-8")


def _forget_packages(place: Place) -> None:
    """Empty the folders that builds share, uv's packages among them."""
    # Its types know other filters alone.
    filters: Any = {"type": "exec.cachemount"}
    answer = place.engine.api.prune_builds(filters=filters, all=True)
    if "SpaceReclaimed" not in answer:
        raise BenchmarkFailed(f"The engine kept the builds' caches: {answer}")
