"""A scoring script that no server runs, refused before the engine is asked for anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Localep = Callable[..., CompletedProcess[str]]

DEPLOYMENT = """\
name: blue
endpoint_name: orders
code_configuration:
  code: code
  scoring_script: score.py
environment:
  image: images/base:1
  conda_file:
    channels: [conda-forge]
    dependencies:
      - python=3.10
      - pip=24.0
      - pip: [azureml-inference-server-http==1.5.1]
instance_type: Standard_DS3_v2
instance_count: 1
"""
SYNTAX = "def init():\n    pass\ndef run(data)\n    return data\n"
REFUSED = """\
Error: The scoring script cannot be run.
  code/score.py:3:14: error [syntax-error] score.py is not valid Python: expected ':'.
     2 |     pass
   > 3 | def run(data)
       |              ^
    The cloud says: "syntax errors in scoring script"
    Correct the line.
Remedy: Correct it; --skip-script-validation leaves this check out.
"""
EMPTY = """\
Error: The scoring script cannot be run.
  code/score.py:1:1: error [init-or-run-missing] there is no init() at the top level of the script.
   > 1 | import json
       | ^
    The cloud says: "UserScriptFunctionNotFound"
    Define `init()` and `run(raw_data)` at the top level.
  code/score.py:1:1: error [init-or-run-missing] there is no run() at the top level of the script.
   > 1 | import json
       | ^
    The cloud says: "UserScriptFunctionNotFound"
    Define `init()` and `run(raw_data)` at the top level.
Remedy: Correct it; --skip-script-validation leaves this check out.
"""
NO_ENGINE = "Error: No Docker engine answers.\n"


@pytest.fixture
def folder(here: Localep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a deployment; no engine answers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    (tmp_path / "blue.yml").write_text(DEPLOYMENT)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "score.py").write_text(SYNTAX)
    return tmp_path


@pytest.mark.parametrize(("script", "told"), [(SYNTAX, REFUSED), ("import json\n", EMPTY)])
def test_a_script_that_cannot_be_run_is_refused_before_anything_is_built(
    here: Localep, folder: Path, script: str, told: str
) -> None:
    (folder / "code" / "score.py").write_text(script)

    answer = here("create", "-f", "blue.yml")

    assert (answer.returncode, answer.stdout, answer.stderr) == (3, "", told)


def test_programs_are_told_in_json(here: Localep, folder: Path) -> None:
    answer = here("create", "-f", "blue.yml", "-o", "json")

    error = json.loads(answer.stderr)["error"]
    assert (answer.returncode, error["type"], error["exit_code"]) == (3, "SpecError", 3)
    assert error["details"] == [line[2:] for line in REFUSED.splitlines()[1:-1]]


def test_validate_says_the_same(here: Localep, folder: Path) -> None:
    answer = here("validate", "-f", "blue.yml")

    assert (answer.returncode, answer.stderr) == (3, "")
    told = [part for part in answer.stdout.split("\n\n") if ": info [" not in part]
    assert told[0].splitlines() == [line[2:] for line in REFUSED.splitlines()[1:-1]]
    assert told[1].startswith("one file: one error, ")


@pytest.mark.parametrize("verb", ["create", "update"])
def test_the_check_can_be_left_out(here: Localep, folder: Path, verb: str) -> None:
    answer = here(verb, "-f", "blue.yml", "--skip-script-validation")

    assert (answer.returncode, answer.stderr.startswith(NO_ENGINE)) == (4, True)


def test_what_only_a_newer_python_may_read_is_no_error(here: Localep, folder: Path) -> None:
    (folder / "blue.yml").write_text(DEPLOYMENT.replace("python=3.10", "python=3.29"))

    answer = here("create", "-f", "blue.yml")

    assert answer.returncode == 4
    warning, error, *_ = answer.stderr.splitlines(keepends=True)
    assert warning.endswith("score.py is not valid Python: expected ':'. Correct the line.\n")
    assert error == NO_ENGINE


def test_a_python_of_the_command_line_counts(here: Localep, folder: Path) -> None:
    assert here("create", "-f", "blue.yml", "--python", "3.99").returncode == 4
    assert here("create", "-f", "blue.yml", "--python", "3.9").returncode == 3
    (folder / "code" / "score.py").write_text("import json\n")
    assert here("create", "-f", "blue.yml", "--python", "3.99").returncode == 3


@pytest.mark.parametrize("verb", ["render", "build"])
def test_what_needs_no_script_says_nothing_of_it(here: Localep, folder: Path, verb: str) -> None:
    (folder / "blue.yml").write_text(DEPLOYMENT.replace("python=3.10", "python=3.11"))

    assert "score.py" not in here(verb, "-f", "blue.yml").stderr
