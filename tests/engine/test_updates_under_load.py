"""Updates in a row under a steady load: no request is lost, whatever changes."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import pytest
from support.bridge import host_address
from support.engine import Localep, write_script
from support.load import Load
from support.package_index import make_wheel
from support.wheels import served_wheels

UPDATES = 20
# Workers enough for the slow requests, that start as fast as one.
VARIABLES = ("VERSION=0", "WORKER_COUNT=4", "WORKER_PRELOAD=true")
# Says of each part of the deployment which version it is.
SCRIPT = """
import importlib.util, json, os, time

def init():
    global model, packages
    with open(os.environ["AZUREML_MODEL_DIR"] + "/model.txt") as file:
        model = int(file.read())
    packages = importlib.util.find_spec({package!r}) is not None

def run(raw_data):
    time.sleep(json.loads(raw_data)["seconds"])
    return {{
        "code": {code}, "model": model, "variable": int(os.environ["VERSION"]), "package": packages
    }}
"""
BROKEN = "def init(): raise ValueError('no licence')\ndef run(raw_data): pass\n"
CONDA = """
dependencies:
  - python=3.11
  - pip:
      - azureml-inference-server-http
"""


@dataclass
class Deployment:
    """The deployment as the user has it, and how each part of it is changed."""

    localep: Localep
    hello: Path
    package: str
    versions: dict[str, int] = field(
        default_factory=lambda: {"code": 0, "model": 0, "variable": 0, "package": 0}
    )
    instances: int = 1
    concurrent: int = 6

    def write(self) -> None:
        module = self.package.replace("-", "_")
        write_script(self.hello, SCRIPT.format(code=self.versions["code"], package=module))
        model, text = self.hello / "model.txt", f"{self.versions['model']}"
        if not model.exists() or model.read_text() != text:  # its date tells of a change
            model.write_text(text)
        package = f"      - {self.package}\n" if self.versions["package"] else ""
        (self.hello / "conda.yml").write_text(CONDA + package)

    def update(self, *arguments: str) -> None:
        self.write()
        self.localep(
            "update", f"--set=environment_variables.VERSION={self.versions['variable']}", *arguments
        )

    def change(self, part: str) -> None:
        self.versions[part] += 1
        self.update()

    def change_environment(self) -> None:
        self.versions["package"] = 1 - self.versions["package"]
        self.update()

    def change_instances(self) -> None:
        self.instances = 3 - self.instances
        self.update("--instances", str(self.instances))

    def change_request_settings(self) -> None:
        """Some that HAProxy takes as it runs, and one that it loads its configuration anew for."""
        self.concurrent += 1
        wait = 30000 + self.concurrent
        self.update(
            f"--set=request_settings.max_concurrent_requests_per_instance={self.concurrent}",
            f"--set=request_settings.max_queue_wait_ms={wait}",
        )

    def changes(self) -> list[Callable[[], None]]:
        return [
            lambda: self.change("code"),
            lambda: self.change("model"),
            self.change_request_settings,
            lambda: self.change("variable"),
            self.change_environment,
            self.change_instances,
            self.change_request_settings,
        ]

    def answer(self) -> dict[str, object]:
        """What the deployment says of itself once it is as the user has it."""
        return {**self.versions, "package": bool(self.versions["package"])}


@pytest.fixture
def wheels(localep: Localep, tmp_path: Path) -> Iterator[str]:
    """A package of a folder that builds reach by the engine's own network."""
    package = f"localep-test-{secrets.token_hex(4)}"
    folder = tmp_path / "wheels"
    folder.mkdir()
    make_wheel(folder, package)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_FIND_LINKS", str(folder))
        with served_wheels(host_address(localep.engine)) as address:
            assert address is not None
            patch.setenv("PIP_FIND_LINKS", address)
            yield package


def test_twenty_updates_lose_no_request(
    localep: Localep, hello: Path, wheels: str, discarded: list[str]
) -> None:
    deployment = Deployment(localep, hello, wheels)
    deployment.versions["package"] = 1
    deployment.write()
    discarded.append(localep.json("build", "-f", "hello/deployment.yml")["image"])
    deployment.versions["package"] = 0
    deployment.write()
    localep(
        *("create", "-f", "hello/deployment.yml", "--set=model.path=model.txt"),
        *(f"--set=environment_variables.{item}" for item in VARIABLES),
        # A slow machine shall not make a request late; ten connections are never too many.
        *("--set=request_settings.request_timeout_ms=60000",),
        *("--set=request_settings.max_concurrent_requests_per_instance=6",),
        *("--set=request_settings.max_queue_wait_ms=30000",),
    )

    def body(number: int) -> object:
        return {"seconds": 0.5 if number % 10 == 0 else 0}

    with Load(localep, body) as load:
        for number, change in enumerate(islice(cycle(deployment.changes()), UPDATES)):
            change()
            assert load.ask({"seconds": 0}) == deployment.answer()
            if number == UPDATES // 2:
                fail_in_between(deployment)
                assert load.ask({"seconds": 0}) == deployment.answer()

    assert load.failed == []
    # Each of the slow ones was answered, whichever deployment had taken it.
    assert len(load.outcomes) > 20 * UPDATES
    seen = [json.loads(outcome.text) for outcome in load.outcomes]
    for part in ("code", "model", "variable"):
        assert {answer[part] for answer in seen} == set(range(deployment.versions[part] + 1))


def fail_in_between(deployment: Deployment) -> None:
    """An update that fails leaves what there was at work, and is shown."""
    localep = deployment.localep
    write_script(deployment.hello, BROKEN)

    answer = localep.run("update")

    assert answer.status == 6
    assert re.search(
        r"^last operation +update: Failed\. .* ValueError: no licence$", localep("show"), re.M
    )
