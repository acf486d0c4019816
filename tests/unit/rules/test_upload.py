"""Rules for what is lost, or stopped, on the way to the cloud."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.rules.rule_files import DEPLOYMENT, FILES, SCRIPT, found, found_in, write

from localep.rules import code_folder, upload
from localep.rules.casing import spelled_otherwise

POINTER = "version https://git-lfs.example/spec/v1\noid sha256:00\nsize 1\n"
Files = dict[str, str | bytes]
CODE = "warning deployment.yml:6:9 code_configuration.code: "
CODE_INFO = CODE.replace("warning", "info")
MODEL = "warning deployment.yml:4:9 model.path: "
CODES = (
    "case-mismatch",
    "empty-folder-lost",
    "ignored-file-needed",
    "lfs-pointer",
    "outside-code-folder",
    "oversized-code",
    "symlink-in-code",
)


def importing(*lines: str) -> str:
    """The script with more imports on top."""
    return "".join(f"{line}\n" for line in lines) + SCRIPT


@pytest.mark.parametrize("code", CODES)
def test_of_a_sound_deployment_nothing_is_told(tmp_path: Path, code: str) -> None:
    assert found_in(tmp_path, code) == []


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {"src/score.py": importing("import helpers"), "helpers.py": ""},
            "warning src/score.py:1:1 helpers is imported, and lies beside the "
            "code folder, which alone is uploaded.",
        ),
        (
            {"src/score.py": importing("from src import helpers"), "src/helpers.py": ""},
            "warning src/score.py:1:1 src is imported, and lies beside the "
            "code folder, which alone is uploaded.",
        ),
        (
            {
                "src/score.py": importing("import own"),
                "src/own/__init__.py": "from .deep import x\n",
                "src/own/deep.py": "\n\ndef f():\n    import shared.sums\n",
                "shared/sums.py": "",
            },
            "warning src/own/deep.py:4:5 shared is imported, and lies beside the "
            "code folder, which alone is uploaded.",
        ),
    ],
)
def test_a_module_beside_the_code_folder_is_told(tmp_path: Path, files: Files, told: str) -> None:
    assert found_in(tmp_path, "outside-code-folder", files) == [told]


@pytest.mark.parametrize(
    "files",
    [
        {"src/score.py": importing("import helpers"), "src/helpers.py": "", "helpers.py": ""},
        {"src/score.py": importing("import json"), "json.py": ""},
        {"src/score.py": importing("import numpy.core"), "numpy/core.py": ""},
        {"src/score.py": importing("import helpers"), "helpers/readme.md": ""},
        {"src/score.py": importing("import sklearn.svm"), "sklearn/train.py": ""},
        {
            "src/score.py": importing(
                "try:", "    import helpers", "except ImportError:", "    helpers = None"
            ),
            "helpers.py": "",
        },
        {
            "src/score.py": SCRIPT + '\n\nif __name__ == "__main__":\n    import helpers\n',
            "helpers.py": "",
        },
        {
            "src/score.py": importing(
                "from typing import TYPE_CHECKING", "if TYPE_CHECKING:", "    import helpers"
            ),
            "helpers.py": "",
        },
        {"src/score.py": "import helpers\ndef init(:\n", "helpers.py": ""},
    ],
)
def test_what_is_found_or_not_needed_is_not_told(tmp_path: Path, files: Files) -> None:
    assert found_in(tmp_path, "outside-code-folder", files) == []


def test_a_module_of_an_image_of_ones_own_may_be_there(tmp_path: Path) -> None:
    files: Files = {
        "src/score.py": importing("import helpers"),
        "helpers.py": "",
        "image/Dockerfile": "FROM host.example/base:1\nCOPY helpers.py /\n",
    }
    own = DEPLOYMENT[DEPLOYMENT.index("  image:") : DEPLOYMENT.index("instance_type")]

    told = found_in(
        tmp_path, "outside-code-folder", files, deployment={own: "  build: {path: image}\n"}
    )

    assert told == []


def test_a_module_further_above_is_told_with_its_folder(tmp_path: Path) -> None:
    files: Files = {"a/src/score.py": importing("import helpers"), "helpers.py": ""}

    told = found_in(tmp_path, "outside-code-folder", files, deployment={"code: src": "code: a/src"})

    assert told == [
        f"warning a/src/score.py:1:1 helpers is imported, and lies in {tmp_path}, outside the "
        "code folder, which alone is uploaded."
    ]


def test_the_script_of_a_sub_folder_does_not_see_the_top(tmp_path: Path) -> None:
    files: Files = {"src/api/score.py": importing("import helpers"), "src/helpers.py": ""}
    deeper = {"scoring_script: score.py": "scoring_script: api/score.py"}

    assert found_in(tmp_path, "outside-code-folder", files, deployment=deeper) == [
        "warning src/api/score.py:1:1 helpers is imported, and lies in src; "
        "the server looks in src/api."
    ]
    path = "import sys\nsys.path.append('..')\n"
    files["src/api/score.py"] = path + importing("import helpers")
    assert found_in(tmp_path, "outside-code-folder", files, deployment=deeper) == []


def test_a_code_folder_named_like_a_module_of_python_is_looked_at(tmp_path: Path) -> None:
    files: Files = {
        "code/score.py": importing("import code", "from code.helpers import f"),
        "code/helpers.py": "",
    }

    told = found_in(tmp_path, "outside-code-folder", files, deployment={"code: src": "code: code"})

    assert told == [
        "warning code/score.py:2:1 code is imported, and lies beside the code folder, "
        "which alone is uploaded."
    ]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {"src/score.py": importing("import helpers"), "src/helpers.py": ""},
            f"{CODE}helpers.py is needed, and .amlignore keeps it from the upload.",
        ),
        (
            {
                "src/score.py": SCRIPT + "\nLABELS = 'labels.txt'\n",
                "src/data/labels.txt": "",
                "src/data/other.txt": "",
            },
            f"{CODE}data/labels.txt is needed, and .amlignore keeps it from the upload.",
        ),
    ],
)
def test_a_file_that_the_script_needs_and_an_ignore_file_names_is_told(
    tmp_path: Path, files: Files, told: str
) -> None:
    ignored: Files = {"src/.amlignore": "helpers.py\n*.txt\n"}

    assert found_in(tmp_path, "ignored-file-needed", {**files, **ignored}) == [told]


def test_the_script_itself_may_be_ignored(tmp_path: Path) -> None:
    assert found_in(tmp_path, "ignored-file-needed", {"src/.gitignore": "*.py\n"}) == [
        f"{CODE}score.py is needed, and .gitignore keeps it from the upload."
    ]


@pytest.mark.parametrize(
    "files",
    [
        {"src/.amlignore": "other.py\n", "src/other.py": ""},
        {"src/.amlignore": "", "src/.gitignore": "score.py\n"},
        {".gitignore": "score.py\n"},
        {"model/.amlignore": ".secret\n", "model/.secret": ""},
    ],
)
def test_what_is_not_needed_or_not_ignored_is_not_told(tmp_path: Path, files: Files) -> None:
    assert found_in(tmp_path, "ignored-file-needed", files) == []


def test_a_file_of_the_model_that_its_ignore_file_names_is_told(tmp_path: Path) -> None:
    files: Files = {"model/.gitignore": "*.bin\n", "model/b/weights.bin": "1"}

    assert found_in(tmp_path, "ignored-file-needed", files) == [
        f"{MODEL}model/b/weights.bin is lost: .gitignore keeps it from the upload."
    ]


def test_a_link_that_leads_nowhere_is_told_unless_it_is_ignored(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    (tmp_path / "src/data.csv").symlink_to("nowhere.csv")

    assert found(tmp_path, "symlink-in-code") == [
        f"{CODE}src/data.csv leads nowhere, and the upload ends there."
    ]
    write(tmp_path, {"src/.amlignore": "*.csv\n"})
    assert found(tmp_path, "symlink-in-code") == []


def test_links_that_lead_somewhere_stop_old_clients(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    (tmp_path / "src/data.txt").symlink_to("../model/weights.txt")
    (tmp_path / "src/model").symlink_to("../model")

    assert found(tmp_path, "symlink-in-code") == [
        f"{CODE_INFO}src/model, src/data.txt: clients of before August 2023 stop at links."
    ]


def test_an_empty_folder_that_the_script_names_is_told(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "src/score.py": SCRIPT + "\nCACHE = 'cache'\n"})
    (tmp_path / "src/cache").mkdir()
    (tmp_path / "src/unused/deep").mkdir(parents=True)
    (tmp_path / "model/1").mkdir()

    assert found(tmp_path, "empty-folder-lost") == [
        f"{MODEL.replace('warning', 'info')}model/1 holds no file, and is not uploaded.",
        f"{CODE}src/cache holds no file, and is not uploaded.",
        f"{CODE_INFO}src/unused/deep holds no file, and is not uploaded.",
    ]
    write(tmp_path, {"src/cache/.keep": "", "src/unused/deep/.keep": "", "model/1/.keep": ""})
    assert found(tmp_path, "empty-folder-lost") == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"path: model": "path: Model"},
            "warning deployment.yml:4:9 model.path: Model is there as model.",
        ),
        (
            {"code: src": "code: SRC"},
            "warning deployment.yml:6:9 code_configuration.code: SRC is there as src.",
        ),
        (
            {"scoring_script: score.py": "scoring_script: Score.py"},
            "warning deployment.yml:7:19 code_configuration.scoring_script: "
            "Score.py is there as src/score.py.",
        ),
        (
            {"conda_file: conda.yml": "conda_file: Conda.yml"},
            "warning deployment.yml:10:15 environment.conda_file: Conda.yml is there as conda.yml.",
        ),
    ],
)
def test_a_path_in_another_casing_is_told(
    tmp_path: Path, changes: dict[str, str], told: str
) -> None:
    assert found_in(tmp_path, "case-mismatch", deployment=changes) == [told]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (
            {"src/score.py": importing("import Helpers"), "src/helpers.py": ""},
            "warning src/score.py:1:1 Helpers is imported, and is there as helpers.py.",
        ),
        (
            {"src/score.py": importing("import Own.sums"), "src/own/sums.py": ""},
            "warning src/score.py:1:1 Own is imported, and is there as own.",
        ),
        (
            {"src/score.py": SCRIPT.replace("weights.txt", "Weights.txt")},
            "warning src/score.py:7:70 Weights.txt is there as weights.txt.",
        ),
        (
            {
                "src/score.py": SCRIPT + "\nLABELS = 'data/Labels.json'\n",
                "src/data/labels.json": "",
            },
            "warning src/score.py:14:10 data/Labels.json is there as labels.json.",
        ),
    ],
)
def test_a_name_of_the_script_in_another_casing_is_told(
    tmp_path: Path, files: Files, told: str
) -> None:
    assert found_in(tmp_path, "case-mismatch", files) == [told]


@pytest.mark.parametrize(
    "files",
    [
        {"src/score.py": importing("import Helpers"), "src/Helpers.py": "", "src/helpers.py": ""},
        {"src/score.py": importing("import Numpy"), "src/numpy.py": ""},
        {"src/score.py": SCRIPT + "\nWORDS = 'Weights of all'\n"},
        {"src/score.py": SCRIPT + "\nNAME = 'WEIGHTS.txt'\n", "src/WEIGHTS.txt": ""},
    ],
)
def test_names_that_are_there_or_mean_no_file_are_not_told(tmp_path: Path, files: Files) -> None:
    assert found_in(tmp_path, "case-mismatch", files) == []


def test_a_path_is_compared_step_by_step(tmp_path: Path) -> None:
    write(tmp_path, {"a/Models/One/x.bin": "", "b/c/deployment.yml": ""})
    base = tmp_path / "b" / "c"

    assert spelled_otherwise(tmp_path / "a/Models/One/x.bin", base) is None
    assert spelled_otherwise(tmp_path / "A/models/ONE/x.bin", base) == "../../a/Models/One/x.bin"
    assert spelled_otherwise(tmp_path / "a/models/two", base) is None


def test_a_pointer_of_git_lfs_is_told(tmp_path: Path) -> None:
    files: Files = {f"model/{name}.bin": POINTER for name in "abcde"}

    assert found_in(tmp_path, "lfs-pointer", {**files, "src/vocabulary.txt": POINTER}) == [
        f"{MODEL}model/a.bin, model/b.bin, model/c.bin and 2 more: only pointers of Git LFS.",
        f"{CODE}src/vocabulary.txt: only pointers of Git LFS.",
    ]


@pytest.mark.parametrize("content", [POINTER + "x" * 1024, "version 1\n", ""])
def test_another_file_is_no_pointer(tmp_path: Path, content: str) -> None:
    assert found_in(tmp_path, "lfs-pointer", {"model/weights.txt": content}) == []


def test_a_model_that_is_one_file_may_be_a_pointer(tmp_path: Path) -> None:
    files: Files = {"one.bin": POINTER}

    assert found_in(
        tmp_path, "lfs-pointer", files, deployment={"path: model": "path: one.bin"}
    ) == [f"{MODEL}one.bin: only pointers of Git LFS."]


def test_folders_of_tools_in_the_code_are_told_unless_they_are_ignored(tmp_path: Path) -> None:
    files: Files = {
        "src/.git/HEAD": "",
        "src/env/pyvenv.cfg": "",
        "src/env/bin/python": "",
        "src/environments/one.txt": "",
    }

    assert found_in(tmp_path, "oversized-code", files) == [
        f"{CODE_INFO}src/.git, src/env: uploaded with the code."
    ]
    assert found_in(tmp_path, "oversized-code", {**files, "src/.gitignore": ".git/\nenv/\n"}) == []


def test_much_code_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload, "MAX_CODE_BYTES", 2 * 1024**2)
    files: Files = {"src/data.bin": b"0" * 3 * 1024**2}

    assert found_in(tmp_path, "oversized-code", files) == [
        f"{CODE_INFO}3 MiB are uploaded with every change of the code."
    ]
    assert found_in(tmp_path, "oversized-code", {**files, "src/.amlignore": "*.bin\n"}) == []


def test_many_files_are_told_and_looked_at_in_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_folder, "MAX_FILES", 4)
    files: Files = {f"src/data/{number}.txt": "" for number in range(3)}

    assert found_in(tmp_path, "oversized-code", files) == []
    assert found_in(tmp_path, "oversized-code", {**files, "src/more.txt": ""}) == [
        f"{CODE_INFO}more than 4 files are uploaded with every change of the code."
    ]


def test_a_deployment_without_code_is_not_looked_at(tmp_path: Path) -> None:
    code = DEPLOYMENT[DEPLOYMENT.index("code_configuration") : DEPLOYMENT.index("environment:")]

    for name in CODES:
        assert found_in(tmp_path, name, deployment={code: ""}) == []
