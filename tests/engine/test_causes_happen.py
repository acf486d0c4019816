"""Causes that end a start, each from a fault that is real: `create` names them by their id."""

from __future__ import annotations

import pickle
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest
from support.bridge import host_address
from support.engine import Localep, copy_sample, write_script
from support.failing_scripts import CRASHED, HEADER
from support.package_index import package_index
from support.silence import nobody_answers

from localep.engine.client import DockerEngine

ENDED = "  The server ended with exit code 3.\n"
MODULE = "sklearn.linear_model.base"


def create(localep: Localep, sample: str, *arguments: str) -> str:
    """What is told of a deployment that does not get ready, from its error on."""
    answer = localep.run(
        "create", "-f", f"{sample}/deployment.yml", "--skip-script-validation", *arguments
    )
    assert (answer.status, answer.stdout) == (6, "")
    return answer.stderr[answer.stderr.index("Error: ") :]


def image_of(localep: Localep) -> str:
    """The environment that the deployment has, which is there."""
    return str(localep.json("build", "-f", "hello/deployment.yml")["image"])


def pin(hello: Path, *packages: str) -> None:
    """Put packages beside the inference server."""
    conda = hello / "conda.yml"
    lines = "".join(f"      - {package}\n" for package in packages)
    conda.write_text(conda.read_text() + lines)


def test_a_library_that_the_image_lacks(localep: Localep, hello: Path) -> None:
    write_script(
        hello,
        'import ctypes\ndef init(): pass\ndef run(raw_data): pass\nctypes.CDLL("libGL.so.1")\n',
    )

    told = create(localep, "hello")

    error = "OSError: libGL.so.1: cannot open shared object file: No such file or directory\n"
    assert told.startswith(
        f"{HEADER}Cause: The image lacks the system's library libGL.so.1 (native-library; "
        f"{CRASHED}). The scoring script could not be imported. {error}"
        "  Traceback (most recent call last):\n"
        '    File "/var/azureml-app/code/score.py", line 4, in <module>\n'
        '      ctypes.CDLL("libGL.so.1")\n'
    )
    assert told.endswith(
        f"  {error}{ENDED}"
        "Remedy: Install libgl1 with apt in a Dockerfile; it has libGL.so.1. Or take "
        "opencv-python-headless, if it is for OpenCV.\n"
    )


def test_a_package_that_was_compiled_for_another_numpy(
    discarded: list[str], localep: Localep, hello: Path
) -> None:
    pin(hello, "numpy==2.3.4", "cftime==1.6.2")
    write_script(hello, "import cftime\ndef init(): pass\ndef run(raw_data): pass\n")
    error = (
        "ValueError: numpy.dtype size changed, may indicate binary incompatibility. Expected 96 "
        "from C header, got 88 from PyObject"
    )

    told = create(localep, "hello")

    discarded.append(image_of(localep))
    assert told.startswith(
        f"{HEADER}Cause: A compiled package was made for another numpy than the one that is "
        f"installed (abi-mismatch; {CRASHED}). The scoring script could not be imported. {error}\n"
        "  Traceback (most recent call last):\n"
        '    File "/var/azureml-app/code/score.py", line 1, in <module>\n'
        "      import cftime\n"
    )
    assert told.endswith(f"  {error}\n{ENDED}Remedy: Pin `numpy<2`, or raise the other packages.\n")


def test_a_pin_that_the_inference_server_does_not_bear(
    discarded: list[str], localep: Localep, hello: Path
) -> None:
    pin(hello, "flask==1.0.4")
    packages = "/opt/localep/env/lib/python3.11/site-packages"
    error = (
        f"ImportError: cannot import name 'Markup' from 'jinja2' ({packages}/jinja2/__init__.py)"
    )

    told = create(localep, "hello")

    discarded.append(image_of(localep))
    assert told.startswith(
        f"{HEADER}Cause: A pinned package is of another release than the inference server takes "
        f"(server-conflict; {CRASHED}). The server failed. {error}\n"
        "  Traceback (most recent call last):\n"
        '    File "/opt/localep/env/bin/azmlinfsrv", line '
    )
    assert told.endswith(
        f'    File "{packages}/flask/__init__.py", line 19, in <module>\n'
        "      from jinja2 import Markup, escape\n"
        f"  {error}\n"
        "  The server ended with exit code 1.\n"
        "Remedy: Remove the pins, and take a newer server.\n"
    )


def test_a_model_that_another_release_has_saved(
    localep: Localep, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = copy_sample(samples / "sklearn-regression", localep.folder)
    (model,) = (sample / "model").rglob("*.pkl")
    with monkeypatch.context() as patch:
        model.write_bytes(pickle.dumps(_as_in_release_0_20(patch)))

    told = create(localep, sample.name)

    assert told.startswith(
        f"{HEADER}Cause: init() failed (unpickle-version; {CRASHED}). "
        f"ModuleNotFoundError: No module named '{MODULE}'\n"
    )
    assert told.endswith(
        f"{ENDED}  {model.name} was saved with scikit-learn 0.20.3; 1.7.2 is there.\n"
        "Remedy: Pin the versions that the model was trained with.\n"
    )


def _as_in_release_0_20(patch: pytest.MonkeyPatch) -> object:
    """A model that pickles as scikit-learn's did, whose class has moved since then."""
    for name in ("sklearn", "sklearn.linear_model", MODULE):
        patch.setitem(sys.modules, name, ModuleType(name))
    state = {"coef_": [1.0], "_sklearn_version": "0.20.3"}
    kind = type("LinearRegression", (), {"__module__": MODULE, "__getstate__": lambda _: state})
    patch.setattr(sys.modules[MODULE], "LinearRegression", kind, raising=False)
    return kind()


def test_a_file_that_is_fetched_where_no_network_is(localep: Localep, hello: Path) -> None:
    write_script(
        hello,
        "import urllib.request\n"
        "def init():\n"
        "    urllib.request.urlopen('https://models.example.com/model.bin')\n"
        "def run(raw_data): pass\n",
    )

    told = create(localep, "hello", "--set", "egress_public_network_access=disabled")

    assert told.startswith(
        f"{HEADER}Cause: The script asked models.example.com for something, and did not get there "
        f"(needs-internet; {CRASHED}). init() failed. urllib.error.URLError: <urlopen error "
    )
    assert told.endswith(f"{ENDED}Remedy: Ship the files with the model or the image.\n")


def test_a_fetch_from_a_server_of_an_authority_that_is_not_known(
    localep: Localep, engine: DockerEngine, hello: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with package_index(folder, host_address(engine), "model") as server:
        write_script(
            hello,
            "import requests\n"
            "def init():\n"
            f"    assert requests.get('{server.address}').status_code == 401\n"
            "def run(raw_data): pass\n",
        )
        shutil.copy(server.authority, hello / "code")

        told = create(localep, "hello")
        name = f"REQUESTS_CA_BUNDLE=/var/azureml-app/code/{server.authority.name}"
        localep("create", "-f", "hello/deployment.yml", "--set", f"environment_variables.{name}")

    assert told.startswith(
        f"{HEADER}Cause: The script asked {server.host} for something, and does not trust its "
        f"certificate (needs-internet; {CRASHED}). init() failed. requests.exceptions.SSLError: "
    )
    assert told.endswith(
        f"{ENDED}Remedy: If your network looks into TLS, which the cloud does not, put the file "
        "with its authorities into the code folder, and name it as the container has it: "
        "`--set environment_variables.SSL_CERT_FILE=/var/azureml-app/...`; requests looks at "
        "REQUESTS_CA_BUNDLE.\n"
    )


def test_a_fetch_that_gives_up_without_an_answer(
    localep: Localep, engine: DockerEngine, hello: Path
) -> None:
    with nobody_answers(engine) as address:
        write_script(
            hello,
            "import urllib.request\n"
            f"BASE = 'http://{address}'\n"
            "def init():\n"
            "    urllib.request.urlopen(BASE + '/model.bin', timeout=0.2)\n"
            "def run(raw_data): pass\n",
        )

        told = create(localep, "hello")

    assert told.startswith(
        f"{HEADER}Cause: The script asked another machine for something, and no answer came "
        f"(needs-internet; {CRASHED}). init() failed. urllib.error.URLError: <urlopen error timed "
        "out>\n"
    )
    assert told.endswith(f"{ENDED}Remedy: Ship the files with the model or the image.\n")


def test_a_fetch_that_waits_for_ever(localep: Localep, engine: DockerEngine, hello: Path) -> None:
    with nobody_answers(engine) as address:
        host, port = address.split(":")
        write_script(
            hello,
            "import socket\n"
            "def init():\n"
            "    print('fetching')\n"
            f"    socket.create_connection(('{host}', {port}))\n"
            "def run(raw_data): pass\n",
        )

        told = create(localep, "hello", "--timeout", "4")

    assert told == (
        f"{HEADER}Cause: The script waits for {address}, and no answer comes (needs-internet; "
        f"{CRASHED}). "
        "It did not answer within 4 s; init() is still at work.\n"
        "  Last lines of its output:\n"
        "    fetching\n"
        "Remedy: Ship the files with the model or the image.\n"
    )


def test_a_model_whose_packages_the_cloud_installs_at_each_start(
    discarded: list[str], localep: Localep, samples: Path
) -> None:
    sample = copy_sample(samples / "mlflow", localep.folder)
    packages = sample / "model" / "conda.yaml"
    server = "  - azureml-inference-server-http\n"
    packages.write_text(packages.read_text().replace(server, f"{server}  - colorama\n"))

    told = localep.run("create", "-f", "mlflow/deployment.yml")

    assert told.status == 0, told.stderr
    discarded.append(localep.json("show")["deployments"][0]["image"])
    assert re.search(
        r"^The model's packages were installed here once, in \d+ s; the cloud does it whenever a "
        r"container starts \(start-install\)\. Name an environment that is built already, or take "
        r"a larger size\.$",
        told.stderr,
        re.MULTILINE,
    )
