"""Rules for the scoring script, its imports and the model's server."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from unit.rules.rule_files import (
    ERROR,
    INFO,
    SOUND_SCRIPT,
    WARNING,
    Found,
    RuleFiles,
    model_files,
    sound_files,
)

from localep.spec.findings import Severity

NUMPY = "numpy==2.3.4"
SERVER = "azureml-inference-server-http"
BODY = """
def init():
    pass

def run(raw_data):
    return raw_data
"""


@pytest.fixture
def files(tmp_path: Path) -> RuleFiles:
    return sound_files(tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> RuleFiles:
    return model_files(tmp_path)


def with_routes(files: RuleFiles) -> None:
    """Let the container be one with a server of its own."""
    route = "{port: 80, path: /}"
    routes = "".join(
        f"    {name}_route: {route}\n" for name in ("liveness", "readiness", "scoring")
    )
    files.change("blue.yml", "instance_type", f"  inference_config:\n{routes}instance_type")


def test_a_script_that_is_no_python_is_told_at_its_line(files: RuleFiles) -> None:
    files.write("code/score.py", f"{BODY}\nvalue = 1)\n")
    assert files.told("syntax-error") == [
        Found("code/score.py:8:10", WARNING, "score.py is not valid Python: unmatched ')'.")
    ]


OURS = sys.version_info.minor


@pytest.mark.parametrize(
    ("python", "severity"),
    [
        (f"python=3.{OURS}", ERROR),
        (f"python==3.{OURS}.4", ERROR),
        ("python=3.9", ERROR),
        (f"python>=3.9,<3.{OURS + 1}", ERROR),
        (f"python=3.{OURS + 1}", WARNING),
        ("python>=3.9", WARNING),
        ("python=3", WARNING),
        (f"python<=3.{OURS + 1}", WARNING),
        ("python", WARNING),
        ("pip", WARNING),
    ],
)
def test_a_script_is_no_python_for_certain_where_no_newer_one_reads_it(
    files: RuleFiles, python: str, severity: Severity
) -> None:
    files.change("conda.yml", "python=3.12", python)
    files.write("code/score.py", f"{BODY}\nprint 'done'\n")
    (found,) = files.told("syntax-error")
    assert (found.place, found.severity) == ("code/score.py:8:1", severity)


def test_a_script_is_no_python_for_no_known_image(files: RuleFiles) -> None:
    files.change("blue.yml", "  conda_file: conda.yml\n", "")
    files.write("code/score.py", "value = )\n")
    assert [found.severity for found in files.told("syntax-error")] == [WARNING]


def test_a_module_of_the_script_that_is_no_python_is_told(files: RuleFiles) -> None:
    files.write("code/score.py", f"import prices.tax\n{BODY}")
    files.write("code/prices/__init__.py", "")
    files.write("code/prices/tax.py", "rate = )\n")
    files.change("conda.yml", "python=3.12", "python=3.9")  # no error: the import may be caught
    assert files.told("syntax-error") == [
        Found("code/prices/tax.py:1:8", WARNING, "tax.py is not valid Python: unmatched ')'.")
    ]


def test_a_module_that_nobody_imports_may_be_anything(files: RuleFiles) -> None:
    files.write("code/template.py", "rate = )\n")
    assert files.told("syntax-error") == []


@pytest.mark.parametrize(
    "line", ["print(f'{data['price']}')", "type Price = int", "def first[T](items): pass"]
)
def test_what_a_newer_python_than_this_one_may_take_is_not_told(
    files: RuleFiles, line: str
) -> None:
    files.change("conda.yml", "python=3.12", f"python=3.{sys.version_info.minor + 1}")
    files.write("code/score.py", f"{line}\n{BODY}")
    assert files.told("syntax-error") == []
    files.write("code/score.py", "value = )\n")
    assert len(files.told("syntax-error")) == 1


def test_the_script_of_a_custom_container_is_not_judged(files: RuleFiles) -> None:
    with_routes(files)
    files.write("code/score.py", "value = )\n")
    for code in ("syntax-error", "init-or-run-missing"):
        assert files.told(code) == []


INIT, RUN = "def init():\n    pass\n", "def run(raw_data):\n    return raw_data\n"
SHAPE = "run() may have no positional-only arguments, no *args and no **kwargs."
NO_DATA = "run() has no argument for the data of a request"
ASYNC = "is `async`, and the server does not wait for its result."


@pytest.mark.parametrize(
    ("script", "line", "told"),
    [
        (RUN, 1, "there is no init() at the top level of the script."),
        (INIT, 1, "there is no run() at the top level of the script."),
        (
            f"class Model:\n    def run(self, raw_data):\n        pass\n{INIT}",
            1,
            "there is no run() at the top level of the script.",
        ),
        (f"{INIT}def run(*args):\n    pass\n", 3, SHAPE),
        (f"{INIT}def run(raw_data, **others):\n    pass\n", 3, SHAPE),
        (f"{INIT}def run(raw_data, /):\n    pass\n", 3, SHAPE),
        (f"{INIT}@rawhttp\ndef run(*args):\n    pass\n", 4, SHAPE),
        (f"{INIT}def run():\n    pass\n", 3, f"{NO_DATA}."),
        (f"{INIT}def run(request_headers):\n    pass\n", 3, f"{NO_DATA}, but request_headers."),
        (f"{INIT}async def run(raw_data):\n    pass\n", 3, f"run() {ASYNC}"),
        (f"{RUN}async def init():\n    pass\n", 3, f"init() {ASYNC}"),
        (f"{RUN}def init(path):\n    pass\n", 3, "init() is called without arguments."),
        (f"{RUN}def init(*, path):\n    pass\n", 3, "init() is called without arguments."),
    ],
)
def test_a_script_that_the_server_does_not_take_is_told(
    files: RuleFiles, script: str, line: int, told: str
) -> None:
    files.write("code/score.py", script)
    severity = ERROR if "top level" in told else WARNING
    assert files.told("init-or-run-missing") == [Found(f"code/score.py:{line}:1", severity, told)]


@pytest.mark.parametrize(
    "script",
    [
        SOUND_SCRIPT,
        f"{INIT}from pipeline import run\n",
        f"{INIT}import pipeline as run\n",
        f"{INIT}from pipeline import *\n",
        f"{INIT}run = print\n",
        f"{INIT}try:\n    from pipeline import run\nexcept ImportError:\n    run = print\n",
        f"{INIT}if len('a'):\n    def run(raw_data):\n        pass\n",
        f"{INIT}with open('a') as run:\n    pass\n",
        f"{INIT}exec('def run(raw_data): pass')\n",
        f"{INIT}globals()['run'] = print\n",
        f"{INIT}@with_tracing\ndef run(*args):\n    pass\n",
        f"{INIT}@input_schema('data', 1)\n@output_schema(1)\ndef run(data, more=1):\n    pass\n",
        f"{INIT}def run(data, *, request_headers):\n    pass\n",
        f"{RUN}def init(path='model'):\n    pass\n",
        f"{RUN}def init(*args, **more):\n    pass\n",
        f"{INIT}match len('a'):\n    case 1:\n        run = print\n",
        f"{INIT}if 0:\n    run = 0\n" + "elif 1:\n    run = 1\n" * 1200,
        f"{INIT}def bind():\n    globals()['run'] = print\nbind()\n",
        f"{INIT}import sys\nsys.modules[__name__].run = print\n",
        f"{INIT}setattr(__import__(__name__), 'run', print)\n",
        f"{INIT}def bind():\n    global run\n    def run(*args):\n        pass\nbind()\n",
        f"{INIT}def __getattr__(name):\n    return print\n",
        f"{INIT}if (run := print):\n    pass\n",
        f"{INIT}for run in [print]:\n    pass\n",
        f"{INIT}class run:\n    def __new__(cls, raw_data):\n        pass\n",
        f"{INIT}@decorate\ndef other():\n    pass\nrun = other\n",
        "value = )\n",  # which the rule for syntax tells
    ],
)
def test_a_script_that_the_server_takes_is_not_told(files: RuleFiles, script: str) -> None:
    files.write("code/score.py", script)
    assert files.told("init-or-run-missing") == []


def test_a_script_that_loads_a_model_is_judged_all_the_same(files: RuleFiles) -> None:
    files.write("code/score.py", f"{INIT}model = torch.load('a')\nmodel.eval()\n")
    (found,) = files.told("init-or-run-missing")
    assert found.severity is ERROR


def test_a_missing_package_is_told_at_its_import_once(files: RuleFiles) -> None:
    files.write("code/score.py", f"import json\nimport sklearn.svm\n  \nimport prices\n{BODY}")
    files.write("code/prices.py", "from sklearn import linear_model\n")
    assert files.told("import-error") == [
        Found(
            "code/score.py:2:1",
            WARNING,
            "sklearn is imported, and the conda file asks for no scikit-learn.",
        )
    ]


def test_every_missing_package_is_told(files: RuleFiles) -> None:
    files.write("code/score.py", f"import prices\n{BODY}    import pandas\n")
    files.write("code/prices.py", "import numpy\nfrom azure.storage.blob import BlobClient\n")
    assert files.told("import-error") == [
        Found(
            "code/score.py:8:5",
            WARNING,
            "pandas is imported, and the conda file asks for no pandas.",
        ),
        Found(
            "code/prices.py:2:1",
            WARNING,
            "azure is imported, and the conda file asks for no azure-storage-blob.",
        ),
    ]


@pytest.mark.parametrize(
    ("imported", "package"),
    [
        ("import numpy", "numpy==2.3.4"),
        ("import numpy", "pandas"),
        ("import numpy, scipy, joblib", "scikit_learn"),
        ("import cv2", "opencv-python-headless"),
        ("import torch", "sentence-transformers"),
        ("import numpy", "inference-schema[numpy-support]"),
        ("import pandas", "of-somebody==1"),
        ("import pandas", "uvicorn[standard]"),
        ("import pandas", "git+https://code.example.org/prices.git"),
        ("import pandas", "-r more.txt"),
        ("import of_somebody", "numpy"),
        ("import flask, werkzeug, requests", "numpy"),
        ("import pandas", "--pre\n      - pandas"),
        ("try:\n    import pandas\nexcept ImportError:\n    pandas = None", "numpy"),
        ("if __name__ == '__main__':\n    import pandas", "numpy"),
        ("from . import pandas", "numpy"),
    ],
)
def test_an_import_that_is_there_or_may_be_is_not_told(
    files: RuleFiles, imported: str, package: str
) -> None:
    files.write("code/score.py", f"{imported}\n{BODY}")
    files.change("conda.yml", NUMPY, package)
    assert files.told("import-error") == []


def test_options_of_the_index_do_not_hide_a_missing_package(files: RuleFiles) -> None:
    files.write("code/score.py", f"import pandas\n{BODY}")
    files.change("conda.yml", NUMPY, "--extra-index-url https://index.example.org/simple")
    assert [found.place for found in files.told("import-error")] == ["code/score.py:1:1"]


@pytest.mark.parametrize("place", ["code/pandas.py", "code/pandas/__init__.py", "pandas.py"])
def test_a_module_of_ones_own_is_no_missing_package(files: RuleFiles, place: str) -> None:
    files.write("code/score.py", f"import pandas\n{BODY}")
    files.write(place, "")
    assert files.told("import-error") == []


def test_conda_packages_count_too(files: RuleFiles) -> None:
    files.write("code/score.py", f"import torch\nimport numpy\n{BODY}")
    files.change("conda.yml", "  - pip\n", "  - pytorch=2.8\n  - pip\n")
    files.change("conda.yml", f"      - {NUMPY}\n", "")
    assert files.told("import-error") == []


@pytest.mark.parametrize(
    "imported",
    [
        "import azureml.contrib.services.aml_request",
        "from azureml.contrib.services import aml_request",
    ],
)
def test_an_import_of_contrib_that_the_server_does_not_make_up_is_told(
    files: RuleFiles, imported: str
) -> None:
    files.write("code/score.py", f"{imported}\n{BODY}")
    assert files.told("contrib-missing") == [
        Found(
            "code/score.py:1:1",
            WARNING,
            "azureml.contrib is imported, and the conda file asks for no azureml-contrib-services.",
        )
    ]


@pytest.mark.parametrize(
    ("imported", "package"),
    [
        ("from azureml.contrib.services.aml_request import AMLRequest, rawhttp", NUMPY),
        ("from azureml.contrib.services.aml_response import *", NUMPY),
        ("import azureml.contrib.services.aml_request", "azureml-contrib-services"),
        ("import azureml.contrib.services.aml_request", "azureml-defaults"),
        ("import azureml.core", NUMPY),
        ("from . import aml_request", NUMPY),
    ],
)
def test_an_import_of_contrib_that_is_there_is_not_told(
    files: RuleFiles, imported: str, package: str
) -> None:
    files.write("code/score.py", f"{imported}\n{BODY}")
    files.change("conda.yml", NUMPY, package)
    assert files.told("contrib-missing") == []


@pytest.mark.parametrize(
    ("python", "server"),
    [("python=3.12", f"{SERVER}==1.3.4"), ("python=3.8", SERVER), ("python=3.8", f"{SERVER}>1")],
)
def test_an_older_server_beside_the_package_that_hides_contrib_is_told(
    files: RuleFiles, python: str, server: str
) -> None:
    files.change("conda.yml", "python=3.12", python)
    files.change("conda.yml", SERVER, server)
    assert files.told("contrib-missing") == []  # it brings azureml.contrib along
    files.change("conda.yml", NUMPY, "azureml-ai-monitoring")
    assert files.told("contrib-missing") == [
        Found(
            "conda.yml:9:9",
            WARNING,
            "dependencies.2.pip.1: servers before 1.4 want azureml-contrib-services beside "
            "azureml-ai-monitoring.",
        )
    ]
    files.change("conda.yml", "azureml-ai-monitoring", "azureml-contrib-services")
    assert files.told("contrib-missing") == []


def test_a_model_for_an_older_python_gets_an_older_server(model: RuleFiles) -> None:
    assert model.told("contrib-missing") == []
    model.change("model/conda.yaml", "python=3.12.4", "python=3.8.15")
    assert [found.place for found in model.told("contrib-missing")] == ["model/conda.yaml:8:5"]


def test_a_model_without_the_monitoring_package_is_told(model: RuleFiles) -> None:
    model.change("model/conda.yaml", "  - azureml-ai-monitoring\n", "")
    assert model.told("mlflow-monitoring-missing") == [
        Found(
            "model/conda.yaml:7:3",
            WARNING,
            "dependencies.2.pip: azureml-ai-monitoring is missing: the model runs here, but the "
            "script that the cloud writes for it imports azureml.ai.",
        )
    ]


def test_a_model_without_a_conda_file_is_judged_by_its_list_for_pip(model: RuleFiles) -> None:
    (model.folder / "model" / "conda.yaml").unlink()
    model.write("model/requirements.txt", "mlflow==2.16.2\n")
    found = model.told("mlflow-monitoring-missing")
    assert [item.place for item in found] == ["model/requirements.txt"]
    model.write("model/requirements.txt", "mlflow==2.16.2\nazureml-ai-monitoring\n")
    assert model.told("mlflow-monitoring-missing") == []


def test_a_model_with_code_or_an_environment_needs_no_monitoring(model: RuleFiles) -> None:
    model.change("model/conda.yaml", "  - azureml-ai-monitoring\n", "")
    model.add("blue.yml", "environment: {image: images/base:1}\n")
    assert model.told("mlflow-monitoring-missing") == []


@pytest.mark.parametrize("mlflow", ["mlflow", "mlflow==3.4.1", "mlflow>=2", "mlflow-skinny>2,<4"])
def test_a_model_that_may_get_mlflow_3_is_told(model: RuleFiles, mlflow: str) -> None:
    model.change("model/conda.yaml", "mlflow==2.16.2", mlflow)
    assert model.told("mlflow3") == [
        Found("model/conda.yaml:7:5", WARNING, f"dependencies.2.pip.0: {mlflow} lets MLflow 3 in.")
    ]


@pytest.mark.parametrize(
    ("python", "mlflow"),
    [
        ("python=3.12.4", "mlflow==2.16.2"),
        ("python=3.12.4", "mlflow<3"),
        ("python=3.12.4", "mlflow==2.*"),
        ("python=3.12.4", "mlflow~=2.1"),
        ("python=3.8.15", "mlflow"),  # MLflow 3 is not for it
    ],
)
def test_a_model_that_stays_below_mlflow_3_is_not_told(
    model: RuleFiles, python: str, mlflow: str
) -> None:
    model.change("model/conda.yaml", "python=3.12.4", python)
    model.change("model/conda.yaml", "mlflow==2.16.2", mlflow)
    assert model.told("mlflow3") == []


@pytest.mark.parametrize(
    "use", ["model.cuda()", "model.to('cuda:0')", "torch.load('model.pt', map_location='cuda')"]
)
def test_cuda_on_a_size_without_gpu_is_told(files: RuleFiles, use: str) -> None:
    files.write("code/score.py", f"{BODY}\n{use}\nmodel.cuda()\n")
    assert files.told("gpu-absent") == [
        Found(
            "code/score.py:8:1",
            WARNING,
            "cuda is used without asking whether it is there; Standard_DS3_v2 has no GPU.",
        )
    ]


@pytest.mark.parametrize(
    "use",
    [
        "model.to('cuda' if torch.cuda.is_available() else 'cpu')",
        "model.to('cpu')",
        "print('cuda is not used')",
        "device = config['cuda']",
    ],
)
def test_cuda_that_is_asked_for_is_not_told(files: RuleFiles, use: str) -> None:
    files.write("code/score.py", f"{BODY}\n{use}\n")
    assert files.told("gpu-absent") == []


@pytest.mark.parametrize(
    "package", ["onnxruntime-gpu==1.22.0", "torch==2.8.0+cu128", "nvidia-cudnn-cu12"]
)
def test_a_package_for_gpus_on_a_size_without_is_worth_a_word(
    files: RuleFiles, package: str
) -> None:
    files.change("conda.yml", NUMPY, package)
    assert files.told("gpu-absent") == [
        Found(
            "conda.yml:9:9",
            INFO,
            f"dependencies.2.pip.1: {package} is made for GPUs, and Standard_DS3_v2 has none.",
        )
    ]


@pytest.mark.parametrize("size", ["Standard_NC6s_v3", "Standard_of_somebody"])
def test_on_a_size_with_gpus_or_an_unknown_one_nothing_is_told(files: RuleFiles, size: str) -> None:
    files.write("code/score.py", f"{BODY}\nmodel.cuda()\n")
    files.change("conda.yml", NUMPY, "onnxruntime-gpu==1.22.0")
    files.change("blue.yml", "Standard_DS3_v2", size)
    assert files.told("gpu-absent") == []


@pytest.mark.parametrize("name", ["code/start.sh", "code/bin/start", "image/start.sh"])
def test_a_program_with_the_line_ends_of_windows_is_told(files: RuleFiles, name: str) -> None:
    files.write("image/Dockerfile", "FROM images/base:1\r\n")
    files.change("blue.yml", "image: images/base:1\n", "build: {path: image}\n")
    files.write(name, "#!/bin/sh\r\nexec true\r\n")
    assert files.told("crlf-script") == [
        Found(
            f"{name}:1:1",
            WARNING,
            f"{Path(name).name} begins with a line that ends as on Windows.",
        )
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("code/start.sh", "#!/bin/sh\nexec true\r\n"),
        ("code/notes", "exec true\r\n"),
        ("code/train.py", "#!/usr/bin/env python\r\n"),  # which is imported, not run
        ("code/empty.sh", ""),
    ],
)
def test_other_line_ends_are_not_told(files: RuleFiles, name: str, text: str) -> None:
    files.write(name, text)
    assert files.told("crlf-script") == []
