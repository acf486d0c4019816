"""A command line of its own for each test against the engine, and what it needs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from localep.engine.client import DockerEngine
from localep.operations.delete import delete
from localep.operations.locks import Locks
from localep.operations.names import Names
from localep.operations.show import list_endpoints
from localep.operations.workplace import Workplace

# Of `create` and `update`: with these no probe puts a line of its own into a test's log.
RARE_PROBES = tuple(f"--set={probe}_probe.period=3600" for probe in ("readiness", "liveness"))


class Silent:
    """A reporter that nobody reads."""

    def status(self, message: str) -> None: ...
    def step(self, message: str) -> None: ...
    def line(self, text: str) -> None: ...
    def warn(self, message: str) -> None: ...
    def note(self, message: str) -> None: ...


@dataclass(frozen=True)
class Answer:
    """What a command did."""

    status: int
    stdout: str
    stderr: str


@dataclass
class Localep:
    """The command line in a namespace of its own."""

    engine: DockerEngine
    names: Names
    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cache = self.folder / ".cache"  # stays, wherever a test goes

    def environment(self) -> dict[str, str]:
        own = {
            "LOCALEP_NAMESPACE": self.names.namespace,
            "XDG_CACHE_HOME": str(self.cache),
        }
        return {**os.environ, **own, **self.environ}

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "localep", *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, stdin: str | None = None) -> Answer:
        """Run a command and wait for its end, whatever that is."""
        result = subprocess.run(
            [sys.executable, "-m", "localep", *arguments],
            cwd=self.folder,
            env=self.environment(),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return Answer(result.returncode, result.stdout, result.stderr)

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """Run a command that must go well; its standard output."""
        answer = self.run(*arguments, stdin=stdin)
        assert answer.status == 0, answer.stderr
        return answer.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "-o", "json"))

    def lasting(self, *arguments: str) -> Any:
        """What `show` tells, but the memory in use and how often a container was started again."""
        shown = self.json("show", *arguments)
        for deployment in shown["deployments"]:
            del deployment["memory"], deployment["instances"]
        return shown

    def invoke(self, request: object, *arguments: str) -> Any:
        """The deployment's answer to a JSON request."""
        return json.loads(self("invoke", "-r", "-", *arguments, stdin=json.dumps(request)))

    def post(self, body: object = None, **headers: str) -> requests.Response:
        """A request as a client of the endpoint would send it, with the key."""
        key = self.json("get-credentials")["primaryKey"]
        uri = self.json("show")["scoring_uri"]
        return requests.post(
            uri, json=body or {}, headers={"Authorization": f"Bearer {key}", **headers}, timeout=30
        )

    def container(self, role: str = "deployment") -> str:
        """The id of the one container of a role."""
        (found,) = self.engine.list_containers(self.names.labels(role=role))
        return found.identity

    def ready(self) -> int | None:
        """How many instances take requests."""
        (deployment,) = self.json("show")["deployments"]
        ready: int | None = deployment["instances"]["ready"]
        return ready

    def causes(self) -> dict[str, str]:
        """The causes that `stats` names, and what shows them."""
        return {cause["id"]: cause["evidence"] for cause in self.json("stats")["causes"]}

    def delete_all(self) -> None:
        """Delete every endpoint as the command does, without a process for each."""
        locks = Locks(self.cache / "localep" / "locks")
        place = Workplace(self.engine, Silent(), self.names, locks=locks)
        for endpoint in list_endpoints(place):
            delete(place, endpoint.name, None)
        assert self.left_behind() == []

    def left_behind(self) -> list[str]:
        """Whatever exists in the namespace."""
        labels = self.names.labels()
        containers = [container.name for container in self.engine.list_containers(labels)]
        networks = [
            network["Name"]
            for network in self.engine.api.networks()
            if network["Name"] in {self.names.network, self.names.internal_network}
        ]
        return containers + networks + self.engine.list_volumes(labels)


def copy_sample(sample: Path, folder: Path) -> Path:
    """Copy a sample, with localep's own base in the place of the image that it names.

    Its instance type becomes one that any machine holds: of a smaller machine is told.
    """
    copy = folder / sample.name
    shutil.copytree(sample, copy)
    for path in copy.rglob("*.yml"):
        text = path.read_text()
        text = text.replace("Standard_DS3_v2", "Standard_F2s_v2")
        path.write_text(re.sub(r"(?m)^( *image:) .*$", r"\1 localep/base:latest", text))
    for path in copy.rglob("Dockerfile"):
        text = path.read_text()
        path.write_text(re.sub(r"(?m)^FROM .*$", "FROM localep/base:latest", text))
    return copy


def write_script(sample: Path, text: str) -> None:
    """Give a sample another scoring script."""
    (sample / "code" / "score.py").write_text(text)
