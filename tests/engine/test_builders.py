"""Every builder for real: what it builds, what it shows meanwhile, what it keeps secret."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bridge import host_address
from support.buildx import BUILDERS, dangling_images
from support.engine import Localep
from support.package_index import PASSWORD, PackageIndex, package_index

from localep.engine.base import BuildRequest
from localep.engine.client import DockerEngine
from localep.errors import BuildFailed
from localep.rules.causes import cause

CONDA = """
dependencies:
  - python=3.11
  - pip:
      - azureml-inference-server-http
      - {package}
"""


@pytest.fixture
def index(engine: DockerEngine, tmp_path: Path) -> Iterator[PackageIndex]:
    """A private index that build containers reach by the engine's own network."""
    folder = tmp_path / "index"
    folder.mkdir()
    with package_index(
        folder, host_address(engine), f"localep-test-{secrets.token_hex(4)}"
    ) as served:
        yield served


def test_an_environment_is_built_and_runs(
    building: Localep, hello: Path, discarded: list[str]
) -> None:
    # A package that is not for this platform makes the environment another one, and no larger.
    other = f"colorama; sys_platform == '{building.names.namespace}'"
    (hello / "conda.yml").write_text(CONDA.format(package=other))

    image = building.json("build", "-f", "hello/deployment.yml")
    discarded.append(image["image"])

    assert image["built"]
    assert building.json("build", "-f", "hello/deployment.yml") == {**image, "built": False}
    building("create", "-f", "hello/deployment.yml")
    assert building.invoke({"name": "you"}) == {"greeting": "Hello, you!"}


def test_a_failing_step_is_shown_with_its_last_lines(building: Localep, hello: Path) -> None:
    (hello / "conda.yml").write_text(CONDA.format(package="no-such-package-of-localep==9"))
    before = dangling_images(building.engine)

    answer = building.run("build", "-f", "hello/deployment.yml", "--no-cache")

    assert (answer.status, answer.stdout) == (5, "")
    told, _, error = answer.stderr.partition("Error: ")
    *steps, install = [line for line in told.splitlines() if not line.startswith("  ")]
    assert steps[0] == "Building the environment"
    assert [step.partition("RUN ")[2][:7] for step in steps[1:] if "RUN" in step] == ["uv venv"]
    command = (
        "RUN localep-build uv pip install --python /opt/localep/env "
        "--requirements /opt/localep/requirements.txt "
        "&& /opt/localep/env/bin/python /opt/localep/finish_environment.py "
        ">/opt/localep/packages.json"
    )
    # A long command is cut where its step begins, and whole where it fails.
    assert install.endswith("...")
    begin, _, rest = install[:-3].partition("RUN ")
    assert command.startswith(f"RUN {rest}")
    last_lines = told.partition(f"{install}\n")[2]
    assert "no-such-package-of-localep was not found" in last_lines
    assert re.sub("localep/env:[0-9a-f]{16}", "localep/env:HASH", error) == (
        "The image localep/env:HASH could not be built.\n"
        "Cause: No index has no-such-package-of-localep (package-not-found; the cloud says `No "
        f"matching distribution`). A step ended with exit code 1: {begin}{command}\n"
        f"{last_lines}"
        f"Remedy: {cause('package-not-found').remedy}\n"
    )
    assert dangling_images(building.engine) <= before


@pytest.mark.parametrize("kind", BUILDERS)
def test_output_of_any_kind_does_no_harm(
    kind: str,
    engine: DockerEngine,
    base_image: str,
    buildx_client: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {"LOCALEP_BUILDER": kind, **buildx_client}.items():
        monkeypatch.setenv(name, value)
    step = (
        r"printf '1%%\r50%%\r100%%\n'; printf 'caf\351\n'; printf '\033[2K\033[1Aup\033[0m\n';"
        r" printf '{not JSON\n------\n#9 ERROR: no\n'; head -c 100000 /dev/zero | tr '\0' x; echo;"
        r" printf 'caf\303\251, not ended'; exit 3"
    )
    dockerfile = f"FROM {base_image}\nRUN {step}\n"
    request = BuildRequest("localep-test/no-image:1", {"Dockerfile": dockerfile}, dockerfile)
    told = Told()

    with pytest.raises(BuildFailed) as caught:
        engine.build_image(request, told)

    assert caught.value.cause is not None
    assert caught.value.cause.startswith("A step ended with exit code 3: ")
    shown = ("100%", "caf\N{REPLACEMENT CHARACTER}", "up", "{not JSON", "------", "#9 ERROR: no")
    assert caught.value.details == (*shown, "x" * 997 + "...", "café, not ended")
    assert told.lines == list(caught.value.details)


class Told:
    """A reporter that keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def status(self, message: str) -> None: ...

    def step(self, message: str) -> None: ...

    def line(self, text: str) -> None:
        self.lines.append(text)


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

    with building.popen("build", "-f", "hello/deployment.yml") as process:
        command_lines = ""
        while process.poll() is None:
            listed = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, check=True)
            command_lines += listed.stdout.decode(errors="replace")
        stdout, stderr = process.communicate()

    assert PASSWORD not in stdout + stderr + command_lines
    if building.environ["LOCALEP_BUILDER"] == "classic":
        assert (process.returncode, stdout) == (5, "")
        assert stderr[stderr.index("Error: ") :] == (
            "Error: The package settings hold credentials, which this builder would leave in the "
            "image.\n"
            "Cause: Only the engine's classic builder was found.\n"
            "Remedy: Install BuildKit for the docker client: the package docker-buildx or "
            "docker-buildx-plugin.\n"
        )
        return
    assert process.returncode == 0, stderr
    assert "--secret id=localep-settings,src=/dev/fd/" in command_lines
    assert re.search(r"uv pip install (--exact )?--python /opt/localep/env", command_lines)
    (note,) = [line for line in stderr.splitlines() if line.startswith("Not reachable")]
    assert "file:///opt/nowhere" in note
    assert "/opt/nowhere-else" in note
    image = building.json("build", "-f", "hello/deployment.yml")["image"]
    discarded.append(image)
    content = _all_bytes(engine, image)
    assert PASSWORD.encode() not in content
    assert index.authority.read_bytes().splitlines()[3] not in content
    building("create", "-f", "hello/deployment.yml")
    status, output = engine.execute(
        building.container(),
        ["python", "-c", f"import {index.package.replace('-', '_')} as m; print(m.ORIGIN)"],
    )
    assert (status, output) == (0, "the private index\n")
    history = engine.api.history(image)  # type: ignore[no-untyped-call]
    assert "RUN /bin/sh -c localep-build uv pip install" in str(history)
    assert PASSWORD not in str(history)


def test_an_index_in_the_conda_file_is_kept_out_of_the_image_too(
    localep: Localep,
    buildx_client: dict[str, str],
    hello: Path,
    index: PackageIndex,
    engine: DockerEngine,
    discarded: list[str],
) -> None:
    localep.environ |= {
        **buildx_client,
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
