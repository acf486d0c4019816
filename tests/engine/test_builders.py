"""Every builder for real: what it builds, what it shows of a failure, what it keeps secret."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.engine import Localep
from support.package_index import PASSWORD, PackageIndex, package_index

from localep.engine.client import DockerEngine

BUILDERS = ("buildx", "buildkit", "classic")

CONDA = """
dependencies:
  - python=3.11
  - pip:
      - azureml-inference-server-http
      - {package}
"""


@pytest.fixture(scope="session")
def docker_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH with a docker client that has buildx as its plugin, and one before 23.

    Debian 12 packages a client before 23; buildx comes from the next release where no client
    here has it.
    """
    path = os.environ["PATH"]
    if subprocess.run(["docker", "buildx", "version"], capture_output=True, check=False).returncode:
        folder = tmp_path_factory.mktemp("buildx")
        os.environ.setdefault("DOCKER_CONFIG", str(folder / "config"))
        _fetch_buildx(folder, Path(os.environ["DOCKER_CONFIG"]) / "cli-plugins")
    return path


def _fetch_buildx(folder: Path, plugins: Path) -> None:
    """Unpack Debian 13's package of buildx, by the mirror that this machine's apt uses."""
    script = f"""
set -eu
mkdir -p lists/partial cache/archives/partial {plugins}
uri=$(apt-get indextargets --format '$(REPO_URI)' | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri trixie main" >sources
options="-o Dir::Etc::sourcelist=$PWD/sources -o Dir::Etc::sourceparts=/dev/null"
options="$options -o Dir::State::lists=$PWD/lists -o Dir::Cache=$PWD/cache"
apt-get $options -qq update
apt-get $options -qq download docker-buildx
dpkg -x docker-buildx_*.deb unpacked
cp unpacked/usr/libexec/docker/cli-plugins/docker-buildx {plugins}/
"""
    subprocess.run(["sh", "-c", script], cwd=folder, check=True, capture_output=True)


@pytest.fixture(params=BUILDERS)
def building(
    discarded: list[str], localep: Localep, docker_path: str, request: pytest.FixtureRequest
) -> Localep:
    """The command line with one of the builders."""
    localep.environ |= {"LOCALEP_BUILDER": request.param, "PATH": docker_path}
    return localep


@pytest.fixture
def discarded(engine: DockerEngine) -> Iterator[list[str]]:
    """Images that no other test could use; they are removed after this one."""
    images: list[str] = []
    yield images
    for image in images:
        engine.api.remove_image(image, force=True)


@pytest.fixture
def index(engine: DockerEngine, tmp_path: Path) -> Iterator[PackageIndex]:
    """A private index that build containers reach by the engine's own network."""
    bridge = engine.api.inspect_network("bridge")
    host = bridge["IPAM"]["Config"][0].get("Gateway", "172.17.0.1")
    folder = tmp_path / "index"
    folder.mkdir()
    with package_index(folder, host, f"localep-test-{secrets.token_hex(4)}") as served:
        yield served


def test_an_environment_is_built_and_runs(building: Localep, hello: Path) -> None:
    image = building.json("build", "-f", "hello/deployment.yml", "--no-cache")

    assert image["built"]
    assert building.json("build", "-f", "hello/deployment.yml") == {**image, "built": False}
    building("create", "-f", "hello/deployment.yml")
    assert building.invoke({"name": "you"}) == {"greeting": "Hello, you!"}


def test_a_failing_step_is_shown_with_its_last_lines(building: Localep, hello: Path) -> None:
    (hello / "conda.yml").write_text(CONDA.format(package="no-such-package-of-localep==9"))

    answer = building.run("build", "-f", "hello/deployment.yml")

    assert (answer.status, answer.stdout) == (5, "")
    error = answer.stderr[answer.stderr.index("Error: ") :].splitlines()
    assert error[0].startswith("Error: The image localep/env:")
    assert error[1].startswith("Cause: A step ended with exit code 1: ")
    assert error[1].endswith(
        "RUN localep-build uv pip install --python /opt/localep/env --compile-bytecode "
        "--requirements /opt/localep/requirements.txt"
    )
    assert "no-such-package-of-localep was not found" in error[-2]
    assert error[-1] == "Remedy: The step's last lines say what went wrong; correct the conda file."


def test_own_authorities_and_indexes_reach_the_build(
    building: Localep,
    hello: Path,
    index: PackageIndex,
    engine: DockerEngine,
    discarded: list[str],
) -> None:
    bundle = _bundle_with(index.authority, hello)
    (hello / "conda.yml").write_text(CONDA.format(package=index.package))
    building.environ |= {
        "REQUESTS_CA_BUNDLE": str(bundle),
        "PIP_EXTRA_INDEX_URL": f"{index.address_with_login} file:///opt/nowhere",
        "PIP_FIND_LINKS": "/opt/nowhere-else",
    }

    answer = building.run("build", "-f", "hello/deployment.yml", "-o", "json")

    assert PASSWORD not in answer.stdout + answer.stderr
    if building.environ["LOCALEP_BUILDER"] == "classic":
        assert answer.status == 5
        assert "Install BuildKit for the docker client" in answer.stderr
        return
    assert answer.status == 0, answer.stderr
    (note,) = [line for line in answer.stderr.splitlines() if line.startswith("Not reachable")]
    assert "file:///opt/nowhere" in note
    assert "/opt/nowhere-else" in note
    image = building.json("build", "-f", "hello/deployment.yml")["image"]
    discarded.append(image)
    assert PASSWORD.encode() not in _all_bytes(engine, image)
    building("create", "-f", "hello/deployment.yml")
    status, output = engine.execute(
        building.container(),
        ["python", "-c", f"import {index.package.replace('-', '_')} as m; print(m.ORIGIN)"],
    )
    assert (status, output) == (0, "the private index\n")


def test_an_index_in_the_conda_file_is_kept_out_of_the_image_too(
    localep: Localep,
    docker_path: str,
    hello: Path,
    index: PackageIndex,
    engine: DockerEngine,
    discarded: list[str],
) -> None:
    localep.environ |= {
        "PATH": docker_path,
        "REQUESTS_CA_BUNDLE": str(_bundle_with(index.authority, hello)),
    }
    (hello / "conda.yml").write_text(
        CONDA.format(package=f"--extra-index-url {index.address_with_login}")
        + f"      - {index.package}\n"
    )

    image = localep.json("build", "-f", "hello/deployment.yml")["image"]
    discarded.append(image)

    assert PASSWORD.encode() not in _all_bytes(engine, image)


def _bundle_with(authority: Path, folder: Path) -> Path:
    """This machine's CA bundle and one more authority."""
    given = os.environ.get("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
    bundle = folder / "bundle.pem"
    shutil.copyfile(given, bundle)
    with bundle.open("a") as stream:
        stream.write("\n" + authority.read_text())
    return bundle


def _all_bytes(engine: DockerEngine, image: str) -> bytes:
    """An image as it would be pushed: its layers, its history, its configuration."""
    return b"".join(engine.api.get_image(image))
