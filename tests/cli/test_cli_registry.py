"""`localep model` and `localep environment`, from the command line to the last line of output."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from localep.registry import store

Localep = Callable[..., CompletedProcess[str]]

NOW = "2026-01-02T03:04:05.000006+00:00"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The user's files: a model, an environment, and a registry that is empty."""
    (tmp_path / "model").mkdir()
    (tmp_path / "conda.yml").write_text("dependencies: [python=3.11]\n")
    (tmp_path / "env.yml").write_text(
        "name: trees\nversion: 4\nimage: localep/base:latest\nconda_file: conda.yml\n"
    )
    return tmp_path


@pytest.fixture
def run(here: Localep, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Localep:
    """A command line in the user's folder, at a time that stands still."""

    class Clock:
        @staticmethod
        def now(_zone: object) -> Clock:
            return Clock()

        def isoformat(self, timespec: str) -> str:
            assert timespec == "microseconds"
            return NOW

    monkeypatch.setattr(store, "datetime", Clock)
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    monkeypatch.chdir(folder)
    return here


def done(answer: CompletedProcess[str]) -> str:
    assert (answer.returncode, answer.stderr) == (0, "")
    return answer.stdout


def registered(run: Localep) -> None:
    done(run("model", "register", "-n", "forest", "--path", "model", "--type", "MLFLOW_MODEL"))
    done(run("model", "register", "-n", "forest", "-v", "beta", "--path", "conda.yml"))
    done(run("environment", "register", "-f", "env.yml"))


def model(folder: Path, version: str, path: str, kind: str) -> dict[str, object]:
    return {
        "name": "forest",
        "version": version,
        "type": kind,
        "path": f"{folder}/{path}",
        "available": True,
        "reference": f"azureml:forest:{version}",
        "created_at": NOW,
    }


def test_registering_tells_the_reference(run: Localep, folder: Path) -> None:
    first = done(run("model", "register", "-n", "forest", "--path", "model"))
    second = done(run("model", "register", "-n", "forest", "--path", "model", "-o", "json"))
    third = done(run("environment", "register", "-f", "env.yml", "-n", "wood", "-v", "x"))

    assert first == "Registered model azureml:forest:1.\n"
    assert json.loads(second) == model(folder, "2", "model", "custom_model")
    assert third == "Registered environment azureml:wood:x.\n"


def test_nothing_is_registered_at_first(run: Localep) -> None:
    assert done(run("model", "list")) == "No model is registered.\n"
    assert done(run("model", "list", "-n", "forest")) == "No model is registered as forest.\n"
    assert done(run("environment", "list")) == "No environment is registered.\n"
    assert done(run("environment", "list", "-o", "json")) == "[]\n"


def test_models_are_listed(run: Localep, folder: Path) -> None:
    registered(run)

    assert done(run("model", "list")) == (
        "NAME    VERSION  TYPE          PATH\n"
        f"forest  1        mlflow_model  {folder}/model\n"
        f"forest  beta     custom_model  {folder}/conda.yml\n"
    )
    assert json.loads(done(run("model", "list", "-n", "forest", "-o", "json"))) == [
        model(folder, "1", "model", "mlflow_model"),
        model(folder, "beta", "conda.yml", "custom_model"),
    ]
    assert done(run("model", "list", "--query", "[].version", "-o", "tsv")) == "1\nbeta\n"


def test_models_are_listed_as_a_table(run: Localep, folder: Path) -> None:
    registered(run)
    width = len(f"{folder}/conda.yml")

    def row(*cells: str) -> str:
        widths = (6, 7, 12, width, 9, 19)
        padded = [cell.ljust(wide) for cell, wide in zip(cells, widths, strict=False)]
        return "  ".join([*padded, cells[-1]]) + "\n"

    assert done(run("model", "list", "-o", "table")) == (
        row("name", "version", "type", "path", "available", "reference", "created_at")
        + row("forest", "1", "mlflow_model", f"{folder}/model", "true", "azureml:forest:1", NOW)
        + row(
            "forest",
            "beta",
            "custom_model",
            f"{folder}/conda.yml",
            "true",
            "azureml:forest:beta",
            NOW,
        )
    )


def test_a_model_is_shown(run: Localep, folder: Path) -> None:
    registered(run)

    assert done(run("model", "show", "-n", "forest", "-v", "1")) == (
        "name                 forest\n"
        "version              1\n"
        "type                 mlflow_model\n"
        f"path                 {folder}/model\n"
        "reference            azureml:forest:1\n"
        f"registered at        {NOW}\n"
    )


def test_a_path_that_is_gone_is_told(run: Localep, folder: Path) -> None:
    registered(run)
    (folder / "model").rmdir()
    (folder / "conda.yml").unlink()

    shown = done(run("model", "show", "-n", "forest", "-v", "1"))
    assert f"path                 {folder}/model (not there any more)\n" in shown
    listed = done(run("environment", "list"))
    assert listed.endswith(f"  {folder}/conda.yml (not there any more)\n")
    available = done(run("model", "show", "-n", "forest", "-v", "1", "--query", "available"))
    assert available == "false\n"


def test_environments_are_listed_and_shown(run: Localep, folder: Path) -> None:
    registered(run)
    (folder / "Dockerfile").touch()
    (folder / "own.yml").write_text("build: {path: .}\n")
    (folder / "inline.yml").write_text("image: a\nconda_file: {dependencies: [python]}\n")
    done(run("environment", "register", "-n", "own", "-f", "own.yml"))
    done(run("environment", "register", "-n", "inline", "-f", "inline.yml"))

    width = len(f"built from {folder}")
    assert done(run("environment", "list")) == "\n".join(
        [
            f"NAME    VERSION  {'IMAGE':<{width}}  CONDA FILE",
            f"inline  1        {'a':<{width}}  in the document",
            f"own     1        built from {folder}",
            f"trees   4        {'localep/base:latest':<{width}}  {folder}/conda.yml\n",
        ]
    )
    assert done(run("environment", "show", "-n", "trees")) == (
        "name                 trees\n"
        "version              4\n"
        "image                localep/base:latest\n"
        f"conda file           {folder}/conda.yml\n"
        f"registered from      {folder}/env.yml\n"
        "reference            azureml:trees:4\n"
        f"registered at        {NOW}\n"
    )
    assert json.loads(done(run("environment", "show", "-n", "trees", "-o", "json"))) == {
        "name": "trees",
        "version": "4",
        "source": f"{folder}/env.yml",
        "environment": {
            "name": "trees",
            "version": 4,
            "image": "localep/base:latest",
            "conda_file": f"{folder}/conda.yml",
        },
        "available": True,
        "reference": "azureml:trees:4",
        "created_at": NOW,
    }


def test_one_version_is_deleted_or_all(run: Localep, folder: Path) -> None:
    registered(run)
    done(run("model", "register", "-n", "forest", "-v", "3", "--path", "model"))

    one = done(run("model", "delete", "-n", "forest", "-v", "beta", "--yes"))
    rest = done(run("model", "delete", "-n", "forest", "-y", "-o", "json"))

    assert one == "Deleted model forest, version beta.\n"
    assert json.loads(rest) == {"name": "forest", "versions": ["1", "3"]}
    assert done(run("model", "list")) == "No model is registered.\n"
    assert (folder / "model").is_dir()


@pytest.mark.parametrize(
    ("line", "status", "error"),
    [
        (
            "model delete -n forest",
            2,
            "Error: Nobody can be asked whether to delete model forest, versions 1, beta.\n"
            "Cause: Standard input is not a terminal.\n"
            "Remedy: Say --yes.\n",
        ),
        (
            "model delete -n oak -y",
            8,
            "Error: There is no model oak in the local registry.\n"
            "Remedy: See `localep model list`.\n",
        ),
        (
            "environment show -n trees -v 5",
            8,
            "Error: There is no version 5 of the environment trees in the local registry.\n"
            "Remedy: See `localep environment list`.\n",
        ),
        (
            "model register -n forest -v 1 --path env.yml",
            8,
            "Error: The model forest has a version 1 already.\n"
            "Cause: It stands for {folder}/model.\n"
            "Remedy: Register another version, or delete that one: "
            "`localep model delete -n forest -v 1`.\n",
        ),
        (
            "model register -n my/forest --path model",
            2,
            "Error: No model can be named 'my/forest'.\n"
            "Remedy: Use letters, digits, dashes, underscores and periods, 255 at most; begin "
            "with a letter or digit, and do not end with a period.\n",
        ),
        (
            "environment register -n trees -v latest -f env.yml",
            2,
            "Error: 'latest' cannot be a version.\n"
            "Remedy: Use a number, or 1 to 100 letters, digits, dashes, underscores and periods "
            "that begin with a letter or digit; `latest` is a label.\n",
        ),
        (
            "environment register -n trees -f none.yml",
            3,
            "Error: none.yml is not there.\nRemedy: Check the path given with -f.\n",
        ),
        (
            "model register -n forest",
            2,
            "Error: Missing option '--path'.\nRemedy: See `localep model register --help`.\n",
        ),
    ],
)
def test_what_cannot_be_done_is_told(
    run: Localep, folder: Path, monkeypatch: pytest.MonkeyPatch, line: str, status: int, error: str
) -> None:
    registered(run)
    monkeypatch.setattr("sys.stdin", StringIO())

    answer = run(*line.split())

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        status,
        "",
        error.replace("{folder}", str(folder)),
    )


def test_a_version_that_cannot_be_read_is_a_warning_of_the_list(run: Localep, folder: Path) -> None:
    registered(run)
    file = folder / "data/localep/registry/models/forest/beta.json"
    file.write_text("{")

    answer = run("model", "list")

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        0,
        f"NAME    VERSION  TYPE          PATH\nforest  1        mlflow_model  {folder}/model\n",
        f"Warning: Version beta of the model forest cannot be read. {file} is not what localep "
        "wrote. Say `localep model delete -n forest -v beta`, and register it again.\n",
    )


def test_the_registry_is_the_same_in_every_namespace(
    run: Localep, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(run)
    monkeypatch.setenv("LOCALEP_NAMESPACE", "other")

    assert done(run("model", "list", "--query", "[].version", "-o", "tsv")) == "1\nbeta\n"
