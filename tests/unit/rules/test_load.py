"""Rules for what init() would trip over."""

from __future__ import annotations

import gzip
import pickle
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from unit.rules.rule_files import DEPLOYMENT, SCRIPT, found_in

from localep.rules.pickles import classes_of_main

Files = dict[str, str | bytes]
MODEL = "warning deployment.yml:4:9 model.path: "
CODES = ("absolute-path", "missing-variable", "pickle-main-class")
OWN_IMAGE = {"  conda_file: conda.yml\n": ""}
ROUTES = """\
  inference_config:
    liveness_route: {port: 5001, path: /}
    readiness_route: {port: 5001, path: /}
    scoring_route: {port: 5001, path: /score}
"""
COUNT = "instance_count: 1\n"


class Scaler:
    """A class as a training script defines one."""


def pickled(value: object, protocol: int = 4) -> bytes:
    return pickle.dumps(value, protocol)


@pytest.fixture
def of_main(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], bytes]:
    """A pickle of an object whose class was defined in `__main__`, by protocol."""
    main = ModuleType("__main__")
    main.Scaler = Scaler  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setattr(Scaler, "__module__", "__main__")
    return lambda protocol: pickled([1.5, {"scaler": Scaler()}], protocol)


def script(*lines: str) -> Files:
    """The script with more lines at its end."""
    return {"src/score.py": SCRIPT + "\n" + "".join(f"{line}\n" for line in lines)}


@pytest.mark.parametrize("code", CODES)
def test_of_a_sound_deployment_nothing_is_told(tmp_path: Path, code: str) -> None:
    assert found_in(tmp_path, code) == []


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_class_of_the_training_script_is_told(
    tmp_path: Path, of_main: Callable[[int], bytes], protocol: int
) -> None:
    assert found_in(tmp_path, "pickle-main-class", {"model/m.pkl": of_main(protocol)}) == [
        f"{MODEL}m.pkl wants Scaler of the script that it was made by."
    ]


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress])
def test_a_compressed_pickle_is_looked_into(
    tmp_path: Path, of_main: Callable[[int], bytes], compress: Callable[[bytes], bytes]
) -> None:
    file = tmp_path / "model.joblib"
    file.write_bytes(compress(of_main(4)))

    assert classes_of_main(file) == ("Scaler",)


def test_a_class_behind_the_raw_content_of_an_array_is_found(
    tmp_path: Path, of_main: Callable[[int], bytes]
) -> None:
    file = tmp_path / "model.joblib"
    file.write_bytes(pickled([1])[:-1] + bytes(range(256)) * 100 + of_main(4))

    assert classes_of_main(file) == ("Scaler",)


@pytest.mark.parametrize(
    "content",
    [
        pickled({"module": "__main__", "name": "Scaler"}),
        pickled(["__main__", "Scaler"], 2),
        pickled(Path("x")),
        b"\x78\x9cno zlib after all",
        b"",
    ],
)
def test_another_pickle_wants_nothing_of_main(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(content)

    assert classes_of_main(file) == ()


def test_what_is_not_called_like_a_pickle_is_not_read(
    tmp_path: Path, of_main: Callable[[int], bytes]
) -> None:
    assert found_in(tmp_path, "pickle-main-class", {"model/m.txt": of_main(4)}) == []


@pytest.mark.parametrize(
    "lines",
    [
        ["import __main__", "__main__.Scaler = object"],
        ["import sys", "sys.modules['__main__'].Scaler = object"],
    ],
)
def test_a_script_may_fill_main_itself(
    tmp_path: Path, of_main: Callable[[int], bytes], lines: list[str]
) -> None:
    files: Files = {"model/m.pkl": of_main(4), **script(*lines)}

    assert found_in(tmp_path, "pickle-main-class", files) == []


def test_a_server_of_ones_own_may_be_the_main_program(
    tmp_path: Path, of_main: Callable[[int], bytes]
) -> None:
    changes = {"  conda_file: conda.yml\n": ROUTES}

    assert (
        found_in(tmp_path, "pickle-main-class", {"model/m.pkl": of_main(4)}, deployment=changes)
        == []
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            r"open('C:\\models\\m.bin')",
            r"warning src/score.py:14:6 C:\models\m.bin is not there in the container.",
        ),
        (
            "PATH = '/home/me/model.bin'",
            "warning src/score.py:14:8 /home/me/model.bin is not there in the container.",
        ),
        (
            "PATH = '/content/drive/MyDrive/m.bin'",
            "warning src/score.py:14:8 /content/drive/MyDrive/m.bin is not there in the container.",
        ),
        (
            "PATH = './model/weights.txt'",
            "warning src/score.py:14:8 ./model/weights.txt is looked for beside the script; "
            "the model lies below AZUREML_MODEL_DIR.",
        ),
        (
            "numpy.load('weights.txt')",
            "warning src/score.py:14:12 weights.txt is looked for beside the script; "
            "the model lies below AZUREML_MODEL_DIR.",
        ),
        (
            "numpy.load(file='models/other.bin')",
            "warning src/score.py:14:17 models/other.bin is looked for beside the script; "
            "the model lies below AZUREML_MODEL_DIR.",
        ),
        (
            "os.path.join('../model', 'weights.txt')",
            "warning src/score.py:14:14 ../model is looked for beside the script; "
            "the model lies below AZUREML_MODEL_DIR.",
        ),
    ],
)
def test_a_path_of_the_developers_machine_is_told(tmp_path: Path, line: str, told: str) -> None:
    assert found_in(tmp_path, "absolute-path", script(line)) == [told]


@pytest.mark.parametrize(
    "lines",
    [
        ["os.environ.get('DATA', '/home/me/data.csv')"],
        ["if __name__ == '__main__':", "    open('/home/me/data.json')"],
        ['"""C:\\\\models\\\\m.bin"""'],
        ["URL = 'c://host.example/x'"],
        ["ROUTE = '/home/index'"],
        ["open('labels.txt')"],
        ["open('../model/new.txt', 'w')"],
        ["open('../model/new.txt', mode='a')"],
        ["os.makedirs('./model')"],
        ["os.path.join(os.environ['AZUREML_MODEL_DIR'], './model', 'weights.txt')"],
        ["numpy.load('https://host.example/model/weights.txt')"],
        ["NAME = 'weights.txt'"],
    ],
)
def test_what_is_no_such_path_is_not_told(tmp_path: Path, lines: list[str]) -> None:
    assert found_in(tmp_path, "absolute-path", script(*lines)) == []


def test_a_file_of_the_code_folder_may_be_opened_from_there(tmp_path: Path) -> None:
    files: Files = {**script("open('./model/labels.json')"), "src/model/labels.json": "[]"}

    assert found_in(tmp_path, "absolute-path", files) == []


def test_an_image_of_ones_own_may_have_any_path_of_linux(tmp_path: Path) -> None:
    files = script("A = '/home/me/model.bin'", "B = 'D:/model.bin'")

    assert found_in(tmp_path, "absolute-path", files, deployment=OWN_IMAGE) == [
        "warning src/score.py:15:5 D:/model.bin is not there in the container."
    ]


def test_a_path_in_a_module_of_the_script_is_told_there(tmp_path: Path) -> None:
    files: Files = {**script("import own"), "src/own.py": "HOME = '/Users/me/x'\n"}

    assert found_in(tmp_path, "absolute-path", files) == [
        "warning src/own.py:1:8 /Users/me/x is not there in the container."
    ]


@pytest.mark.parametrize(
    ("lines", "column"),
    [
        (["KEY = os.environ['SEARCH_KEY']"], 7),
        (["from os import environ", "KEY = environ['SEARCH_KEY']"], 7),
        (["def f():", "    return os.environ['SEARCH_KEY'] + os.environ['SEARCH_KEY']"], 12),
    ],
)
def test_a_variable_that_nothing_sets_is_told_once(
    tmp_path: Path, lines: list[str], column: int
) -> None:
    line = 13 + len(lines)

    assert found_in(tmp_path, "missing-variable", script(*lines)) == [
        f"warning src/score.py:{line}:{column} SEARCH_KEY is read from the environment, "
        "and the YAML does not set it."
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["os.environ['SEARCH_KEY'] = 'x'", "os.environ['SEARCH_KEY']"],
        ["os.environ.setdefault('SEARCH_KEY', 'x')", "os.environ['SEARCH_KEY']"],
        ["os.environ.update({'SEARCH_KEY': 'x'})", "os.environ['SEARCH_KEY']"],
        ["os.environ['SEARCH_KEY'] if 'SEARCH_KEY' in os.environ else 'x'"],
        ["try:", "    os.environ['SEARCH_KEY']", "except KeyError:", "    pass"],
        ["os.environ.get('SEARCH_KEY')"],
        ["from dotenv import load_dotenv", "os.environ['SEARCH_KEY']"],
        ["os.environ['HOME'], os.environ['AZUREML_ENTRY_SCRIPT']"],
        ["if os.getenv('SEARCH_KEY'):", "    os.environ['SEARCH_KEY']"],
        ["def application(environ):", "    return environ['SEARCH_KEY']"],
        ["name = 'SEARCH_KEY'", "os.environ[name]", "{}['SEARCH_KEY']"],
        ["if __name__ == '__main__':", "    os.environ['SEARCH_KEY']"],
    ],
)
def test_a_variable_that_is_set_or_can_be_missed_is_not_told(
    tmp_path: Path, lines: list[str]
) -> None:
    assert found_in(tmp_path, "missing-variable", script(*lines)) == []


def test_a_variable_of_the_document_is_set(tmp_path: Path) -> None:
    variables = {COUNT: COUNT + "environment_variables: {SEARCH_KEY: x}\n"}
    files = script("os.environ['SEARCH_KEY']")

    assert found_in(tmp_path, "missing-variable", files, deployment=variables) == []


def test_an_image_of_ones_own_may_set_variables(tmp_path: Path) -> None:
    files = script("os.environ['SEARCH_KEY']")

    assert found_in(tmp_path, "missing-variable", files, deployment=OWN_IMAGE) == [
        "info src/score.py:14:1 SEARCH_KEY is read from the environment, "
        "and the YAML does not set it."
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("ENV SEARCH_KEY=x OTHER=y", 0),
        ("ENV OTHER=y \\\n    SEARCH_KEY=x", 0),
        ("env SEARCH_KEY x", 0),
        ("ENV OTHER=SEARCH_KEY", 1),
        ("RUN SEARCH_KEY=x true", 1),
    ],
)
def test_a_dockerfile_of_ones_own_is_read(tmp_path: Path, line: str, told: int) -> None:
    files: Files = {
        **script("os.environ['SEARCH_KEY']"),
        "image/Dockerfile": f"FROM host.example/base:1\n{line}\nRUN true\n",
    }
    own = DEPLOYMENT[DEPLOYMENT.index("  image:") : DEPLOYMENT.index("instance_type")]
    changes = {own: "  build: {path: image}\n"}

    assert len(found_in(tmp_path, "missing-variable", files, deployment=changes)) == told
