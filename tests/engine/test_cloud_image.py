"""An image of the cloud's own kind: runit starts a front end and the inference server in it.

The real ones run nginx on 5001 in front of the server on 31311 as a user without rights; here
HAProxy and a few lines of shell play nginx and runit.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.engine import Localep, Silent, copy_sample, write_script
from support.failing_scripts import RAISED
from support.fixtures import own_command_line

from localep.engine.base import BuildFolder, BuildRequest
from localep.engine.client import DockerEngine

DOCKERFILE = """\
FROM {environment}
COPY runit /var/runit
COPY runsvdir /usr/local/bin/runsvdir
RUN useradd --uid 1500 --create-home dockeruser
ENV AZUREML_INFERENCE_SERVER_HTTP_ENABLED=True WORKER_TIMEOUT=300
USER dockeruser
WORKDIR /home/dockeruser
EXPOSE 5001
CMD ["runsvdir", "/var/runit"]
"""
# Starts every service; the container ends with the server.
RUNSVDIR = """\
#!/bin/sh
"$1/nginx/run" &
exec "$1/gunicorn/run"
"""
NGINX = """\
#!/bin/sh
exec haproxy -f /var/runit/nginx/haproxy.cfg
"""
HAPROXY = """\
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    errorfile 503 /var/runit/nginx/502.http
listen front
    bind :5001
    server gunicorn 127.0.0.1:31311
"""
BAD_GATEWAY = "HTTP/1.0 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
GUNICORN = """\
#!/bin/sh
cd "$AML_APP_ROOT"
exec azmlinfsrv --port 31311 --entry_script "$AZUREML_ENTRY_SCRIPT"
"""


@pytest.fixture(scope="module")
def cloud_image(
    engine: DockerEngine, base_image: str, samples: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The name of the image."""
    folder = tmp_path_factory.mktemp("cloud-image")
    with own_command_line(engine, folder) as localep:
        copy_sample(samples / "hello", folder)
        environment = localep.json("build", "-f", "hello/deployment.yml")["image"]
        reference = f"team/inference:{localep.names.namespace}"
    context = folder / "context"
    services = {
        "runsvdir": RUNSVDIR,
        "runit/nginx/run": NGINX,
        "runit/nginx/haproxy.cfg": HAPROXY,
        "runit/nginx/502.http": BAD_GATEWAY,
        "runit/gunicorn/run": GUNICORN,
        "Dockerfile": DOCKERFILE.format(environment=environment),
    }
    for name, text in services.items():
        path = context / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, newline="")
        path.chmod(0o755)
    engine.build_image(BuildRequest(reference, BuildFolder(context, "Dockerfile")), Silent())
    yield reference
    engine.api.remove_image(reference, force=True)


@pytest.fixture
def with_cloud_image(localep: Localep, hello: Path, cloud_image: str) -> Localep:
    """The command line, and the sample `hello` with this image alone."""
    file = hello / "deployment.yml"
    text = file.read_text().replace("  conda_file: conda.yml\n", "")
    file.write_text(text.replace("localep/base:latest", cloud_image))
    return localep


def test_the_image_starts_its_own_server(with_cloud_image: Localep, cloud_image: str) -> None:
    localep = with_cloud_image

    localep("create", "-f", "hello/endpoint.yml", "-f", "hello/deployment.yml")

    assert localep.invoke({"name": "you"}) == {"greeting": "Hello, you!"}
    (shown,) = localep.json("show")["deployments"]
    assert (shown["image"], shown["scoring_script"]) == (cloud_image, "score.py")
    container = localep.container()
    assert localep.engine.execute(container, ["id", "-un"]) == (0, "dockeruser\n")
    told = "tr '\\0' ' ' </proc/1/cmdline; echo $HOME $AML_APP_ROOT $AZUREML_ENTRY_SCRIPT"
    status, output = localep.engine.execute(container, ["sh", "-c", told])
    assert status == 0
    assert "azmlinfsrv --port 31311 --entry_script score.py" in output
    assert output.endswith(" /home/dockeruser /var/azureml-app/code score.py\n")
    host = localep.engine.api.inspect_container(container)["HostConfig"]
    assert host["CapDrop"] is None

    # A change of the code is seen, and what fails in it is told as the server tells it.
    text = (localep.folder / "hello" / "code" / "score.py").read_text()
    write_script(localep.folder / "hello", text.replace("print(", "raise OSError(", 1))
    answer = localep.run("update")
    assert answer.status == 6
    error = answer.stderr[answer.stderr.index("Error: ") :]
    assert error.startswith(
        "Error: The deployment did not get ready.\n"
        f"Cause: init() failed ({RAISED}). OSError: ready to greet\n"
    )
    assert localep.container() == container
    assert localep.invoke({"name": "you"}) == {"greeting": "Hello, you!"}
