"""Exported images, run by the engine alone."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from support.engine import Localep, copy_sample
from support.waiting import wait_for

from localep.engine.client import DockerEngine

SERVER = "azureml-inference-server-http"


@pytest.fixture
def tag(engine: DockerEngine) -> Iterator[str]:
    """A name for images; those of this name are gone after the test."""
    name = f"exported/test-{secrets.token_hex(4)}"
    yield name
    for image in engine.api.images(name):
        engine.api.remove_image(image["Id"], force=True)


@contextmanager
def running(engine: DockerEngine, image: str, port: int) -> Iterator[str]:
    """A container of an image, held as strictly as on a cluster; where it answers."""
    host_config = engine.api.create_host_config(
        port_bindings={port: ("127.0.0.1", None)},
        read_only=True,
        tmpfs={"/tmp": ""},
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
    )
    created = engine.api.create_container(image, host_config=host_config, ports=[port])
    try:
        engine.api.start(created["Id"])
        ports = engine.api.inspect_container(created["Id"])["NetworkSettings"]["Ports"]
        address = f"http://127.0.0.1:{ports[f'{port}/tcp'][0]['HostPort']}"
        wait_for(lambda: answers(address))
        yield address
    finally:
        engine.api.remove_container(created["Id"], force=True, v=True)


def answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).status_code > 0
    except requests.RequestException:
        return False


def post(address: str, body: bytes) -> tuple[int, bytes, str]:
    headers = {"Content-Type": "application/json"}
    answer = requests.post(address, data=body, headers=headers, timeout=30)
    return answer.status_code, answer.content, answer.headers["Content-Type"]


def of_endpoint(localep: Localep, body: bytes) -> tuple[int, bytes, str]:
    key = localep.json("get-credentials")["primaryKey"]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    uri = localep.json("show")["scoring_uri"]
    answer = requests.post(uri, data=body, headers=headers, timeout=30)
    return answer.status_code, answer.content, answer.headers["Content-Type"]


def image_of(engine: DockerEngine, name: str) -> dict[str, Any]:
    found: dict[str, Any] = engine.api.inspect_image(name)  # type: ignore[no-untyped-call]
    return found


def test_every_builder_exports_an_endpoint(
    building: Localep, samples: Path, engine: DockerEngine, tag: str
) -> None:
    hello = copy_sample(samples / "hello", building.folder)
    secret = ("--set", "environment_variables.API_KEY=hush-hush")
    building("create", "-f", "hello/endpoint.yml", "-f", "hello/deployment.yml", *secret)
    request = (hello / "sample-request.json").read_bytes()
    score = hello / "code" / "score.py"
    score.write_text("raise SystemExit('not what runs')\n")

    answer = building.run("export", "image", "-n", "hello", "-t", f"{tag}:1")

    assert answer.status == 0, answer.stderr
    assert answer.stdout.splitlines()[1] == (f"docker run --rm -p 5001:5001 -e API_KEY {tag}:1")
    expected = of_endpoint(building, request)
    with running(engine, f"{tag}:1", 5001) as address:
        assert post(f"{address}/score", request) == expected
    assert expected[:2] == (200, b'{"greeting": "Hello, world!"}')
    image = image_of(engine, f"{tag}:1")
    assert image["Config"]["User"] == "1000:1000"
    history = engine.api.history(f"{tag}:1")  # type: ignore[no-untyped-call]
    assert [text for text in (str(image), str(history)) if "hush-hush" in text] == []


def test_the_sklearn_sample_is_the_same_image_from_an_endpoint_and_from_files(
    localep: Localep, samples: Path, engine: DockerEngine, tag: str
) -> None:
    sample = copy_sample(samples / "sklearn-regression", localep.folder)
    files = ("-f", f"{sample.name}/endpoint.yml", "-f", f"{sample.name}/deployment.yml")
    localep("create", *files)
    request = (sample / "sample-request.json").read_bytes()

    localep("export", "image", "-t", f"{tag}:endpoint")
    exported = localep.json("export", "image", *files, "-t", f"{tag}:files")

    layers = [
        image_of(engine, f"{tag}:{kind}")["RootFS"]["Layers"] for kind in ("endpoint", "files")
    ]
    assert layers[0] == layers[1]
    image = image_of(engine, f"{tag}:files")
    assert exported == {
        "image": f"{tag}:files",
        "id": image["Id"],
        "size": image["Size"],
        "ports": [5001],
        "withheld": [],
        "command": f"docker run --rm -p 5001:5001 {tag}:files",
    }
    with running(engine, f"{tag}:files", 5001) as address:
        answer = post(f"{address}/score", request)
    assert answer == of_endpoint(localep, request)
    assert answer[1] == b'{"predictions": [205.49, 68.63]}'


def test_a_custom_container_is_exported_with_the_copy_of_its_model(
    discarded: list[str], localep: Localep, samples: Path, engine: DockerEngine, tag: str
) -> None:
    sample = copy_sample(samples / "custom-container", localep.folder)
    files = ("-f", f"{sample.name}/endpoint.yml", "-f", f"{sample.name}/deployment.yml")
    localep("create", *files, "--copy-model")
    (sample / "model" / "words.txt").write_text("not what runs\n")
    request = (sample / "sample-request.json").read_bytes()
    own = localep.json("show")["deployments"][0]["environment"]
    discarded.append(own["image"])

    localep("export", "image", "-t", f"{tag}:1")

    expected = of_endpoint(localep, request)
    with running(engine, f"{tag}:1", 8501) as address:
        assert post(f"{address}/v1/words:count", request) == expected
    before, after = (image_of(engine, name)["Config"] for name in (own["id"], f"{tag}:1"))
    assert (after["Entrypoint"], after["Cmd"]) == (before["Entrypoint"], before["Cmd"])
    assert (before["User"], after["User"]) == ("nobody", "65534")
    assert list(after["ExposedPorts"]) == ["8501/tcp"]
    assert own["packages"] is None


def test_the_environment_is_shown_down_to_its_packages(created: Localep) -> None:
    (deployment,) = created.json("show")["deployments"]

    environment = deployment["environment"]
    container = created.engine.inspect_container(created.container())
    assert container is not None
    assert (environment["image"], environment["id"]) == (deployment["image"], container.image)
    assert environment["base"]["image"] == "localep/base:latest"
    assert environment["lock"] is None
    packages = {package["name"]: package for package in environment["packages"]}
    program = (
        "from importlib.metadata import version as v; print(v('azureml-inference-server-http'))"
    )
    _, version = created.engine.execute(container.identity, ["python", "-c", program])
    assert packages["azureml-inference-server-http"] == {
        "name": "azureml-inference-server-http",
        "version": version.strip(),
        "source": "pypi",
    }
    assert list(packages) == sorted(packages, key=str.lower)
    (listed,) = created.json("list")
    assert "environment" not in listed["deployments"][0]
