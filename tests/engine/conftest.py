"""What the tests of builds share, and a second engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.buildx import BUILDERS, client_with_buildx
from support.engine import Localep, copy_sample
from support.second_engine import SecondEngine, second_engine

from localep.engine.client import DockerEngine
from localep.operations.names import Names

HOOK = Path(__file__).parents[1] / "support" / "nvidia_hook.py"


@pytest.fixture(scope="session")
def buildx_client(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return client_with_buildx(tmp_path_factory.mktemp("buildx"))


@pytest.fixture(params=BUILDERS)
def building(
    discarded: list[str],
    localep: Localep,
    buildx_client: dict[str, str],
    request: pytest.FixtureRequest,
) -> Localep:
    """The command line with one of the builders."""
    localep.environ |= {"LOCALEP_BUILDER": request.param, **buildx_client}
    return localep


@pytest.fixture
def discarded(engine: DockerEngine) -> Iterator[list[str]]:
    """Images that no other test could use; they are removed after this one."""
    images: list[str] = []
    yield images
    for image in images:
        engine.api.remove_image(image, force=True)


@pytest.fixture(scope="session")
def machine(
    engine: DockerEngine, base_image: str, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SecondEngine]:
    """A second engine that has the images of the sample `hello`, and stand-ins for GPUs."""
    folder = tmp_path_factory.mktemp("second")
    copy_sample(samples / "hello", folder)
    first = Localep(engine, Names("test-second"), folder)
    environment = first.json("build", "-f", "hello/deployment.yml")["image"]
    with second_engine(folder) as machine:
        _stand_in_for_gpus(machine, folder)
        machine.start()
        machine.load(base_image, "localep/base:latest", environment)
        yield machine


def _stand_in_for_gpus(machine: SecondEngine, folder: Path) -> None:
    """Install what an engine takes for NVIDIA's container toolkit."""
    machine.programs = folder / "programs"
    machine.programs.mkdir()
    hook = machine.programs / "nvidia-container-runtime-hook"
    hook.write_bytes(HOOK.read_bytes())
    hook.chmod(0o755)
    runtime = shutil.copy(shutil.which("runc") or "runc", machine.programs / "stand-in-runtime")
    machine.configuration = {"runtimes": {"nvidia": {"path": str(runtime)}}}
