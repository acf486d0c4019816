"""Containers that bring a server of their own, and images from a user's Dockerfile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from support.engine import Localep, copy_sample
from support.failing_scripts import CRASHED
from support.fixtures import own_command_line

from localep.engine.client import DockerEngine

DEPLOYMENT = "custom-container/deployment.yml"
TEXT = {"text": "the model of an endpoint"}
COUNTS = {"endpoint": 1, "model": 1}
# Fails unless the builder has left out what .dockerignore names, and nothing else.
DOCKERFILE = """\
FROM localep/base:latest
COPY . /opt/app
RUN test -e /opt/app/server.py && test ! -e /opt/app/notes.txt
USER nobody
ENTRYPOINT ["python3", "-u", "/opt/app/server.py"]
CMD ["--port", "8501"]
"""


def image_of(localep: Localep) -> str:
    """The name of the deployment's image, built where it is not there."""
    return str(localep.json("build", "-f", DEPLOYMENT)["image"])


def edit(server: Path, old: str, new: str) -> None:
    text = server.read_text()
    assert old in text
    server.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def endpoint(
    engine: DockerEngine, base_image: str, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Localep]:
    """The endpoint of the sample; all tests share it and leave it as it was, but for its image."""
    with own_command_line(engine, tmp_path_factory.mktemp("custom")) as localep:
        copy_sample(samples / "custom-container", localep.folder)
        localep("create", "-f", "custom-container/endpoint.yml", "-f", DEPLOYMENT)
        yield localep
        last = image_of(localep)
    engine.api.remove_image(last, force=True)


@pytest.fixture
def server(endpoint: Localep, engine: DockerEngine) -> Iterator[Path]:
    """The server's program; what a test makes of it is undone, and its image is gone after it."""
    path = endpoint.folder / "custom-container" / "image" / "server.py"
    text, before = path.read_text(), image_of(endpoint)
    yield path
    images = {before, image_of(endpoint)}
    path.write_text(text)
    endpoint("update", "-f", DEPLOYMENT)
    for image in images - {image_of(endpoint)}:
        engine.api.remove_image(image, force=True)


def get(localep: Localep, path: str) -> requests.Response:
    """A GET of a route of the container, through the gateway."""
    address = localep.json("show")["scoring_uri"].removesuffix("/v1/words:count")
    key = localep.json("get-credentials")["primaryKey"]
    headers = {"Authorization": f"Bearer {key}"}
    return requests.get(f"{address}{path}", headers=headers, timeout=30)


def inspected(localep: Localep) -> dict[str, Any]:
    found: dict[str, Any] = localep.engine.api.inspect_container(localep.container())
    return found


def test_the_own_server_answers_at_its_scoring_route(endpoint: Localep) -> None:
    answer = endpoint("invoke", "-r", "custom-container/sample-request.json")

    assert json.loads(answer) == {
        "greeting": "Hello",
        "counts": {"deployment": 2, "endpoint": 1, "model": 1},
    }
    refused = endpoint.post({"words": []})
    assert (refused.status_code, refused.json()) == (424, {"error": "expected a text: 'text'"})
    assert refused.headers["ms-azureml-model-error-statuscode"] == "400"


def test_its_other_routes_are_reached_with_the_key(endpoint: Localep) -> None:
    alive = get(endpoint, "/alive")
    assert (alive.status_code, alive.json()) == (200, {"status": "ready"})
    nowhere = get(endpoint, "/nowhere")
    assert (nowhere.status_code, nowhere.json()) == (424, {"error": "no route"})
    assert nowhere.headers["ms-azureml-model-error-statuscode"] == "404"


def test_it_is_shown_without_code(endpoint: Localep) -> None:
    shown = endpoint.json("show")

    assert shown["scoring_uri"].endswith("/v1/words:count")
    (deployment,) = shown["deployments"]
    environment, memory = deployment.pop("environment"), deployment.pop("memory")
    assert deployment.pop("instances")["ready"] == 1
    assert deployment.pop("start")["allowed_seconds"] == 302
    assert 0 < memory["used_bytes"] < memory["limit_bytes"] == 4 * 1024**3
    assert (environment["image"], environment["packages"]) == (image_of(endpoint), None)
    model = endpoint.folder / "custom-container" / "model"
    assert deployment == {
        "name": "blue",
        "endpoint_name": "custom-container",
        "provisioning_state": "Succeeded",
        "status": "running",
        "error": None,
        "instance_type": "Standard_F2s_v2",
        "instance_count": 1,
        "image": image_of(endpoint),
        "requested_image": None,
        "model": str(model),
        "code": None,
        "scoring_script": None,
        "request_settings": {
            "request_timeout_ms": 5000,
            "max_concurrent_requests_per_instance": 1,
        },
        "limits": {"cpus": 2, "memory_bytes": 4 * 1024**3, "shm_bytes": None},
        "egress_public_network_access": "enabled",
    }
    assert "3 words, listening on port 8501" in endpoint("get-logs")


def test_the_container_is_as_its_image_says(endpoint: Localep) -> None:
    container = endpoint.container()

    assert endpoint.engine.execute(container, ["id", "-un"]) == (0, "nobody\n")
    program = "import os; print(os.environ['AZUREML_MODEL_DIR'], os.environ.get('HOME'))"
    status, output = endpoint.engine.execute(container, ["python3", "-c", program])
    assert (status, output.split()[0]) == (0, "/models/words/2")
    assert endpoint.engine.execute(container, ["find", "/models", "-type", "f"]) == (
        0,
        "/models/words/2/model/words.txt\n",
    )
    status, output = endpoint.engine.execute(container, ["touch", "/models/words/2/model/x"])
    assert (status, "Read-only file system" in output) == (1, True)
    host = inspected(endpoint)["HostConfig"]
    assert (host["CapDrop"], host["SecurityOpt"]) == (None, None)


def test_an_edit_of_the_servers_program_is_built_and_takes_over(
    endpoint: Localep, server: Path
) -> None:
    before = endpoint.container()
    assert endpoint("update", "-f", DEPLOYMENT) == (
        "custom-container is as the YAML says already; nothing changed.\n"
    )
    assert endpoint.container() == before
    edit(server, '{"greeting": os.environ["GREETING"], "counts": counts}', "counts")

    endpoint("update")

    assert endpoint.container() != before
    assert endpoint.invoke(TEXT) == COUNTS


def test_an_image_that_ends_at_once_is_told_with_its_last_lines(
    endpoint: Localep, server: Path
) -> None:
    before = endpoint.container()
    edit(server, "    main()\n", "    print('no licence')\n    raise SystemExit(9)\n")

    answer = endpoint.run("update")

    assert (answer.status, answer.stdout) == (6, "")
    assert answer.stderr[answer.stderr.index("Error: ") :] == (
        "Error: The deployment did not get ready.\n"
        f"Cause: Its container ended with exit code 9 (entrypoint; {CRASHED}).\n"
        "  no licence\n"
        "Remedy: See the last lines of its log above.\n"
    )
    assert endpoint.container() == before
    assert endpoint.invoke(TEXT)["counts"] == COUNTS


def test_each_route_has_a_port_of_its_own(endpoint: Localep, server: Path) -> None:
    before = endpoint.container()
    second = (
        "    import threading\n"
        "    beside = ThreadingHTTPServer(('', 8502), Handler)\n"
        "    threading.Thread(target=beside.serve_forever, daemon=True).start()\n"
    )
    edit(
        server, '    ThreadingHTTPServer(("", port)', f'{second}    ThreadingHTTPServer(("", port)'
    )
    routes = json.dumps({"port": 8502, "path": "/ready"})

    endpoint(
        *("update", "-f", DEPLOYMENT),
        *("--set", f"environment.inference_config.readiness_route={routes}"),
        *("--set", f"environment.inference_config.liveness_route={routes}"),
    )

    # It became ready by the one port, and answers requests at the other.
    assert endpoint.container() != before
    assert endpoint.invoke(TEXT)["counts"] == COUNTS


def test_a_server_that_hangs_is_told_from_one_that_is_not_there(
    endpoint: Localep, server: Path
) -> None:
    edit(
        server,
        "    def do_GET(self):\n",
        "    def do_GET(self):\n        __import__('time').sleep(9)\n",
    )

    answer = endpoint.run("update", "--timeout", "2")

    assert answer.status == 6
    cause = f"Within 2 s, GET /ready at port 8501 did not answer (route-not-200; {CRASHED})."
    assert f"Cause: {cause}\n" in answer.stderr


def test_every_builder_builds_a_users_folder(
    building: Localep, samples: Path, discarded: list[str]
) -> None:
    sample = copy_sample(samples / "custom-container", building.folder)
    image = sample / "image"
    (image / "Dockerfile").rename(image / "Dockerfile.own")
    (image / "Dockerfile.own").write_text(DOCKERFILE)
    (image / ".dockerignore").write_text("notes.txt\n")
    (image / "notes.txt").touch()
    own = ("--set", "environment.build.dockerfile_path=Dockerfile.own")

    built = building.json("build", "-f", DEPLOYMENT, *own)
    discarded.append(built["image"])

    assert built["built"] is True
    building("create", "-f", DEPLOYMENT, *own)
    assert building.json("show")["deployments"][0]["image"] == built["image"]
    assert building.invoke(TEXT)["counts"] == COUNTS

    edit(image / "Dockerfile.own", "test ! -e", "test -e")
    failed = building.run("update", "-f", DEPLOYMENT, *own)
    assert (failed.status, failed.stdout) == (5, "")
    assert "Cause: A step ended with exit code 1: " in failed.stderr
    assert failed.stderr.endswith(
        "Remedy: The step's last lines say what went wrong; correct the Dockerfile.\n"
    )
    assert building.invoke(TEXT)["counts"] == COUNTS


OLD_DEPLOYMENT = """\
name: custom-container
deployments:
  - name: blue
    environment:
      {folder}docker:
        build:
          dockerfile: "FROM localep/base:latest\\nCOPY . /opt/app\\nRUN test {proof}"
      inference_config:
        liveness_route: {{port: 8501, path: /alive}}
        readiness_route: {{port: 8501, path: /ready}}
        scoring_route: {{port: 8501, path: /}}
    instance_type: Standard_DS3_v2
    scale_settings: {{scale_type: manual, instance_count: 1}}
"""


@pytest.mark.parametrize(
    ("folder", "proof"),
    [
        ("path: custom-container/image\n      ", "-e /opt/app/server.py"),
        ("", "! -e /opt/app/old.yml"),
    ],
    ids=["with a folder", "alone"],
)
def test_every_builder_builds_a_dockerfile_that_stands_in_the_yaml(
    building: Localep, samples: Path, discarded: list[str], folder: str, proof: str
) -> None:
    copy_sample(samples / "custom-container", building.folder)
    old = building.folder / "old.yml"
    old.write_text(OLD_DEPLOYMENT.format(folder=folder, proof=proof))

    built = building.json("build", "-f", "old.yml")

    discarded.append(built["image"])
    assert built["built"] is True
    assert building.json("build", "-f", "old.yml") == {**built, "built": False}
    old.write_text(OLD_DEPLOYMENT.format(folder=folder, proof="-e /nowhere"))
    failed = building.run("build", "-f", "old.yml")
    assert (failed.status, failed.stdout) == (5, "")
    assert failed.stderr.endswith(
        "Remedy: The step's last lines say what went wrong; correct the Dockerfile.\n"
    )
