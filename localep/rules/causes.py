"""The catalogue of causes why deployments fail in the cloud."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

Stage = Literal["definition", "upload", "build", "start", "init", "probes", "request", "service"]
Known = Literal["statically", "by-building", "by-running", "under-load", "not-at-all"]
Catches = Literal["validate", "build", "start", "request", "load", "nothing"]

STAGES: tuple[Stage, ...] = get_args(Stage)
KNOWN: tuple[Known, ...] = get_args(Known)
CATCHES: tuple[Catches, ...] = get_args(Catches)

CATALOGUE = Path(__file__).with_name("causes.yml")


@dataclass(frozen=True)
class Cause:
    """One reason why a deployment fails in the cloud, or does not do what it should.

    ``id`` is also the code of the finding that tells of it. ``stage`` is how far the deployment
    gets, ``known`` what it takes to know of the cause on one's own machine. ``cloud`` holds the
    cloud's messages word for word; an ellipsis stands for what differs. ``check`` is what can be
    looked at here. ``reports`` counts public threads. ``catches`` is the first step of localep
    that stops or tells: ``validate`` works on files alone, before anything is built; ``test`` is
    the test that shows it.
    """

    id: str
    stage: Stage
    known: Known
    title: str
    cloud: tuple[str, ...]
    cause: str
    check: str
    remedy: str
    reports: int
    sources: tuple[str, ...]
    catches: Catches
    test: str | None = None


def all_causes() -> tuple[Cause, ...]:
    """Every cause, by stage and within it by the number of reports."""
    return tuple(_by_id().values())


def cause(name: str) -> Cause:
    """The cause with this id. Raises KeyError where there is none."""
    return _by_id()[name]


def cloud_messages(code: str) -> tuple[str, ...]:
    """What the cloud says where a finding has this code; nothing where it is of no cause."""
    found = _by_id().get(code)
    return found.cloud if found is not None else ()


@cache
def _by_id() -> dict[str, Cause]:
    import yaml

    entries = yaml.load(CATALOGUE.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return {entry["id"]: _cause(entry) for entry in entries}


def _cause(entry: dict[str, Any]) -> Cause:
    lists = {"cloud": tuple(entry["cloud"]), "sources": tuple(entry["sources"])}
    return Cause(**{**entry, **lists})
