"""Deployments and scripts served without Docker: the cloud's folders, variables and answers."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.engine import write_script
from support.serving import READY, Serve

LOOK = """\
import os, sys
import helper

def init():
    pass

def run(raw_data):
    wanted = ("AML_APP_ROOT", "AZUREML_MODEL_DIR", "SCORING_TIMEOUT_MS", "COLOUR", "OF_THE_SHELL")
    models = os.environ.get("AZUREML_MODEL_DIR", "nowhere")
    return {
        "variables": {name: os.environ.get(name) for name in wanted},
        "folder": os.getcwd(),
        "script": __file__,
        "helper": helper.__file__,
        "path": sys.path,
        "here": sorted(os.listdir(".")),
        "models": sorted(
            os.path.relpath(os.path.join(folder, file), models)
            for folder, _, files in os.walk(models, followlinks=True) for file in files
        ),
    }
"""

PACKAGES = "{}/lib/python3.11/site-packages"


def look(serve: Serve, *arguments: str, **environ: str) -> Any:
    """What a script sees that is served."""
    with serve(*arguments, environ=environ) as serving:
        return serving.answer({})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sample_answers_until_a_signal_and_nothing_is_left(
    serve: Serve, hello: Path, scratch: Path, number: signal.Signals
) -> None:
    with serve.started("-f", "hello/deployment.yml", "--isolated") as serving:
        serving.wait_until_ready()
        assert serving.answer({"name": "you"}) == {"greeting": "Hello, you!"}
        assert serving.stop(number) == 0

    assert re.fullmatch(
        rf"Ready after \d+\.\d s: {serving.base}/score, OpenAPI: {serving.base}/swagger\.json; "
        r"watching code, deployment\.yml and conda\.yml\.\n",
        serving.told,
    )
    assert "azmlinfsrv.print - greeting you" in serving.log
    assert [path.name for path in (hello / "code").iterdir()] == ["score.py"]


def test_code_models_and_variables_are_where_the_cloud_has_them(
    serve: Serve, hello: Path, environment: Path
) -> None:
    write_script(hello, LOOK)
    (hello / "code" / "helper.py").write_text("")
    (hello / "code" / "data").mkdir()
    (hello / "weights").mkdir()
    (hello / "weights" / "model.bin").write_text("")
    with (hello / "deployment.yml").open("a") as deployment:
        deployment.write(
            "model: {name: net, version: 3, path: weights}\n"
            "request_settings: {request_timeout_ms: 7000}\n"
        )
    variables = "environment_variables.COLOUR=blue"

    seen = look(
        serve, "-f", "hello/deployment.yml", "--set", variables, COLOUR="red", OF_THE_SHELL="yes"
    )

    app_root = Path(seen["folder"])
    assert (app_root.name, app_root.parent.name) == ("code", "azureml-app")
    assert seen["variables"] == {
        "AML_APP_ROOT": str(app_root),
        "AZUREML_MODEL_DIR": str(app_root.parent / "azureml-models" / "net" / "3"),
        "SCORING_TIMEOUT_MS": "7000",
        "COLOUR": "blue",
        "OF_THE_SHELL": "yes",
    }
    assert seen["models"] == ["weights/model.bin"]
    assert seen["here"] == ["data", "helper.py", "score.py"]
    assert seen["script"] == str(hello / "code" / "score.py")
    assert seen["helper"] == str(hello / "code" / "helper.py")
    # As in the cloud: a module of the user's hides no package.
    packages, own, linked = (
        seen["path"].index(folder)
        for folder in (PACKAGES.format(environment), str(hello / "code"), str(app_root))
    )
    assert packages < own < linked
    assert not (hello / "code" / "__pycache__").exists()


def test_a_script_in_a_folder_of_its_own_runs_there(serve: Serve, hello: Path) -> None:
    write_script(hello, LOOK)
    below = hello / "code" / "serving" / "v2"
    below.mkdir(parents=True)
    (hello / "code" / "score.py").rename(below / "score.py")
    (below / "helper.py").write_text("")
    (hello / "code" / "serving" / "beside.py").write_text("")
    script = "code_configuration.scoring_script=serving/v2/score.py"

    seen = look(serve, "-f", "hello/deployment.yml", "--set", script)

    assert Path(seen["folder"]).parts[-4:] == ("azureml-app", "code", "serving", "v2")
    assert seen["here"] == ["helper.py", "score.py"]
    assert sorted(path.name for path in (hello / "code").rglob("*.py")) == [
        "beside.py",
        "helper.py",
        "score.py",
    ]


def test_a_script_needs_no_yaml(serve: Serve, hello: Path) -> None:
    write_script(hello, LOOK)
    (hello / "code" / "helper.py").write_text("")
    (hello / "weights").mkdir()
    (hello / "weights" / "model.bin").write_text("")

    arguments = ("--entry-script", "hello/code/score.py", "--model-dir", "hello/weights")
    seen = look(serve, *arguments)

    assert seen["variables"]["AZUREML_MODEL_DIR"] == str(hello / "weights")
    assert seen["variables"]["SCORING_TIMEOUT_MS"] is None
    assert seen["models"] == ["model.bin"]
    assert seen["script"] == str(hello / "code" / "score.py")


def test_the_time_out_of_requests_is_the_servers(serve: Serve, hello: Path) -> None:
    write_script(hello, "import time\ndef init(): pass\ndef run(raw_data): time.sleep(60)\n")
    limit = "request_settings.request_timeout_ms=200"

    with serve("-f", "hello/deployment.yml", "--set", limit) as serving:
        answer = serving.post()

    assert (answer.status_code, answer.json()) == (500, {"message": "Scoring timeout after 200 ms"})


def test_several_workers_and_the_scripts_own_log(serve: Serve, hello: Path) -> None:
    write_script(
        hello,
        "import logging\n"
        "def init(): pass\n"
        "def run(raw_data):\n"
        "    logging.getLogger('mine').debug('looking')\n"
        "    return 1\n",
    )

    options = ("--workers", "2", "--log-level", "debug", "--no-reload")
    with serve("-f", "hello/deployment.yml", *options) as serving:
        assert serving.answer({}) == 1

    assert "\nWorker Count: 2\n" in serving.log
    assert len(re.findall("Booting worker", serving.log)) == 2
    assert len(re.findall(r" D \[\d+\] mine - looking\n", serving.log)) == 1
    # The server's own lines are there once, as without it.
    assert len(re.findall(r"azmlinfsrv - POST /score 200", serving.log)) == 1
    assert len(re.findall(r"gunicorn\.access - .* \"POST /score", serving.log)) == 1
    assert serving.told.endswith("/swagger.json.\n")


def test_programs_get_what_is_told_as_json(serve: Serve, hello: Path) -> None:
    arguments = ("-f", "hello/deployment.yml", "--isolated", "-o", "json")
    with serve.started(*arguments) as serving:
        serving.wait_until_told("}\n")
        assert serving.stop() == 0

    assert re.fullmatch(r'\{"note": "Ready after .*"\}\n', serving.told)
    assert READY.search(serving.told)


def test_a_port_that_is_taken_is_told_at_once(serve: Serve, hello: Path) -> None:
    with serve("-f", "hello/deployment.yml") as first:
        port = first.base.rpartition(":")[2]
        arguments = ("-f", "hello/deployment.yml", "--isolated", "--port", port)
        with serve.started(*arguments) as second:
            assert second.process.wait(20) == 2

    assert second.told == (
        f"Error: Port {port} is in use.\n"
        "Cause: Another process answers on it, or on all addresses with 127.0.0.1 among them.\n"
        "Remedy: Choose another port with --port, or --port 0 for a free one.\n"
    )
    assert second.log == ""


class TestTheActivePython:
    """Without --isolated, the server runs in the environment that is active."""

    @pytest.fixture
    def empty(self, tmp_path: Path) -> Path:
        """An environment without any package, not even pip."""
        subprocess.run(["uv", "venv", "--quiet", "empty"], cwd=tmp_path, check=True)
        return tmp_path / "empty"

    def test_a_python_without_the_server_is_refused(
        self, serve: Serve, hello: Path, empty: Path, scratch: Path
    ) -> None:
        active = {"VIRTUAL_ENV": str(empty)}
        with serve.started("-f", "hello/deployment.yml", environ=active) as serving:
            assert serving.process.wait(20) == 5

        python = f"{empty}/bin/python"
        install = f"uv pip install --python {python} azureml-inference-server-http"
        assert serving.told == (
            f"Warning: Not as the conda file has it: azureml-inference-server-http (missing). "
            f"To install: {install}\n"
            "Error: The inference server is not installed.\n"
            f"Cause: {python} has no azureml-inference-server-http.\n"
            f"Remedy: Install it ({install}), "
            "or use --isolated: localep then makes an environment of its own.\n"
        )

    def test_a_python_that_cannot_be_run_is_told(
        self, serve: Serve, hello: Path, empty: Path, scratch: Path
    ) -> None:
        python = empty / "bin" / "python"
        python.unlink()
        python.write_text("#!/nowhere\n")
        active = {"VIRTUAL_ENV": str(empty)}

        with serve.started("-f", "hello/deployment.yml", environ=active) as serving:
            assert serving.process.wait(20) == 2

        assert serving.told == (
            "Error: The server cannot be started.\n"
            f"Cause: {python}: Permission denied.\n"
            "Remedy: Check that the code can be read, that the Python can be run, and that there "
            "is room for temporary files.\n"
        )

    def test_what_differs_from_the_conda_file_is_named(
        self, serve: Serve, hello: Path, environment: Path
    ) -> None:
        python = f"{environment}/bin/python"
        with (hello / "conda.yml").open("a") as conda:
            conda.write("      - flask==1.0\n      - colorsys-of-nobody\n")
        write_script(hello, "import sklearn\n")
        active = {"VIRTUAL_ENV": str(environment)}

        with serve.started("-f", "hello/deployment.yml", "--no-reload", environ=active) as serving:
            assert serving.process.wait(20) == 6

        warning, _, error = serving.told.partition("\n")
        command = f"uv pip install --python {python}"
        assert re.fullmatch(
            r"Warning: Not as the conda file has it: flask==1\.0 \(3\.[\d.]+ is there\), "
            r"colorsys-of-nobody \(missing\)\. "
            rf"To install: {command} flask==1\.0 colorsys-of-nobody",
            warning,
        )
        assert error.splitlines()[-1] == (
            f"Remedy: Install the package ({command} scikit-learn) and add it to the list under "
            "`pip:` in the conda file, or add the module to the code folder."
        )


CODE = "code_configuration:\n  code: code\n  scoring_script: score.py\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            "  conda_file: conda.yml\n",
            "  inference_config:\n"
            "    liveness_route: {port: 80, path: /}\n"
            "    readiness_route: {port: 80, path: /}\n"
            "    scoring_route: {port: 80, path: /}\n",
            (
                2,
                "Error: Deployment blue is a custom container.\n"
                "Cause: Its image brings a server of its own, which only Docker runs.\n"
                "Remedy: Run it in Docker: localep create.\n",
            ),
            id="a custom container",
        ),
        pytest.param(
            CODE,
            "",
            (
                3,
                "Error: Deployment blue has no scoring script.\n"
                "Cause: It has no code_configuration (the cloud says MissingDriverProgram).\n"
                "Remedy: Add code_configuration with `code:` and `scoring_script:`.\n",
            ),
            id="no code",
        ),
    ],
)
def test_what_no_process_can_serve_is_refused(
    serve: Serve, hello: Path, old: str, new: str, expected: tuple[int, str]
) -> None:
    deployment = hello / "deployment.yml"
    text = deployment.read_text()
    assert old in text
    deployment.write_text(text.replace(old, new))

    with serve.started("-f", "hello/deployment.yml") as serving:
        status = serving.process.wait(20)

    assert (status, serving.told) == expected


def test_nothing_of_docker_is_imported(root: Path) -> None:
    program = (
        "import sys\n"
        "from localep.cli.app import run\n"
        "import localep.operations.serve, localep.environment.local\n"
        "print([name for name in ('docker', 'requests', 'jinja2') if name in sys.modules])\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root
    )

    assert result.stdout == "[]\n"
