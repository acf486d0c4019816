"""What the tests of a sample have of its endpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from support.engine import Localep
from support.sample_requests import Server


@dataclass(frozen=True)
class SampleEndpoint(Server):
    """A sample's endpoint, the command line that made it, and the copy of the sample."""

    localep: Localep
    folder: Path


def server_of(localep: Localep) -> Server:
    """The one endpoint of a command line, with its key."""
    base = localep.json("show")["scoring_uri"].removesuffix("/score")
    return Server(base, localep.json("get-credentials")["primaryKey"])
