"""`validate` and `upgrade`: whole sessions without an engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Localep = Callable[..., CompletedProcess[str]]

ENDPOINT = "name: orders\nauth_mode: key\n"
WRONG = """\
name: blue
endpoint_name: orders
code_configuration:
  code: nowhere
  scoring_script: score.py
environment:
  image: debian:bookworm
  conda_file:
    channels: [conda-forge]
    dependencies:
      - python=3.11
      - pip=24.0
      - pip: [azureml-inference-server-http==1.5.1]
instance_type: Standard_DS3_v2
instance_cuont: 1
instance_count: many
"""
# What stands there for each wrong place, from top to bottom.
REPORT = """\
wrong.yml:4:9: warning [missing-local-path] code_configuration.code: there is no folder at {}/nowhere.
   3 | code_configuration:
 > 4 |   code: nowhere
     |         ^
  Paths start from the folder of the YAML file.

wrong.yml:15:17: error [unknown-key] instance_cuont: is not a known key here.
   14 | instance_type: Standard_DS3_v2
 > 15 | instance_cuont: 1
      |                 ^
  The cloud says: "Unknown field"
  Did you mean `instance_count`?

wrong.yml:16:17: error [type] instance_count: should be a whole number, not 'many'.
   15 | instance_cuont: 1
 > 16 | instance_count: many
      |                 ^

"""  # noqa: E501


@pytest.fixture
def folder(here: Localep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a deployment that is wrong in three places."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "endpoint.yml").write_text(ENDPOINT)
    (tmp_path / "wrong.yml").write_text(WRONG)
    return tmp_path


def test_what_is_wrong_is_shown_in_its_lines(here: Localep, folder: Path) -> None:
    answer = here("validate", "-f", "wrong.yml")

    told = [part for part in answer.stdout.split("\n\n") if "instance-count" not in part]
    expected = REPORT.format(folder).rstrip("\n").split("\n\n")
    assert (answer.returncode, answer.stderr) == (3, "")
    assert told[:3] == expected


def test_what_the_command_line_brought_is_shown_without_lines(here: Localep, folder: Path) -> None:
    answer = here("validate", "-f", "endpoint.yml", "--set", "auth_mode=keys")
    programs = here("validate", "-f", "endpoint.yml", "--set", "auth_mode=keys", "-o", "json")

    assert (answer.returncode, answer.stderr) == (3, "")
    assert answer.stdout == (
        "endpoint.yml (--set auth_mode): error [value] auth_mode: 'keys' is not one of "
        "aad_token, aml_token, key.\n"
        "\n"
        "one file: one error.\n"
    )
    (finding,) = json.loads(programs.stdout)["findings"]
    assert (finding["path"], finding["line"], finding["column"]) == ("auth_mode", None, None)


def test_programs_are_told_in_json(here: Localep, folder: Path) -> None:
    answer = here("validate", "-f", "wrong.yml", "-f", "endpoint.yml", "-o", "json")

    result = json.loads(answer.stdout)
    assert (answer.returncode, answer.stderr, result["valid"]) == (3, "", False)
    assert result["documents"] == [
        {
            "source": str(folder / "wrong.yml"),
            "kind": "deployment",
            "generation": "today",
            "name": "blue",
        },
        {
            "source": str(folder / "endpoint.yml"),
            "kind": "endpoint",
            "generation": "today",
            "name": "orders",
        },
    ]
    (unknown,) = [item for item in result["findings"] if item["code"] == "unknown-key"]
    assert unknown == {
        "severity": "error",
        "code": "unknown-key",
        "source": str(folder / "wrong.yml"),
        "path": "instance_cuont",
        "line": 15,
        "column": 17,
        "message": "is not a known key here.",
        "remedy": "Did you mean `instance_count`?",
        "cloud": unknown["cloud"],
    }
    assert unknown["cloud"] != []


def test_a_file_with_nothing_wrong(here: Localep, folder: Path) -> None:
    answer = here("validate", "-f", "endpoint.yml")

    assert (answer.returncode, answer.stdout, answer.stderr) == (
        0,
        "one file: nothing wrong was found.\n",
        "",
    )


@pytest.mark.parametrize(("more", "status"), [([], 0), (["--strict"], 3)])
def test_a_warning_is_an_error_for_who_is_strict(
    here: Localep, folder: Path, more: list[str], status: int
) -> None:
    (folder / "endpoint.yml").write_text("name: orders\ntraffic: {blue: 60}\n")

    answer = here("validate", "-f", "endpoint.yml", *more)

    assert answer.returncode == status
    assert "[traffic-rule]" in answer.stdout
    assert answer.stdout.endswith(f"one file: one {'error' if status else 'warning'}.\n")


def test_placeholders_are_named_and_filled(here: Localep, folder: Path) -> None:
    (folder / "endpoint.yml").write_text("name: {{NAME}}\ndescription: <WHAT> and $MORE\n")

    answer = here("validate", "-f", "endpoint.yml")
    assert (answer.returncode, answer.stderr) == (3, "")
    assert "[placeholder-left]" in answer.stdout
    assert "  Fill it with --var NAME=value.\n" in answer.stdout
    created = here("create", "-f", "endpoint.yml")
    assert created.stderr.endswith("Remedy: Fill it with --var NAME=value.\n")

    filled = ["--var", "NAME=orders", "--var", "WHAT=this", "--var", "MORE=that"]
    answer = here("validate", "-f", "endpoint.yml", *filled)
    assert (answer.returncode, answer.stdout) == (0, "one file: nothing wrong was found.\n")

    answer = here("validate", "-f", "endpoint.yml", "--var", "NAME")
    assert (answer.returncode, answer.stderr) == (
        2,
        "Error: --var NAME fills no placeholder.\n"
        "Cause: It does not have the form NAME=value.\n"
        "Remedy: Write for example --var ENDPOINT_NAME=orders for {{ENDPOINT_NAME}}.\n",
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: [1\n", "yaml-syntax"),
        ("", "unreadable"),
        ("- 1\n", "unreadable"),
        ("a: [1\nb: '{{X}}'\n", "placeholder-left"),
        ("a: '{{X}}'\nb: c\nd: [1\n", "yaml-syntax"),
        ("$schema: batchEndpoint.schema.json\nname: x\n", "other-kind"),
    ],
)
def test_a_file_that_is_none_of_ours_is_a_finding_beside_the_others(
    here: Localep, folder: Path, text: str, code: str
) -> None:
    (folder / "other.yml").write_text(text)

    answer = here("validate", "-f", "other.yml", "-f", "endpoint.yml", "-o", "json")

    result = json.loads(answer.stdout)
    assert (answer.returncode, answer.stderr) == (3, "")
    assert [(item["code"], item["source"]) for item in result["findings"]] == [
        (code, str(folder / "other.yml"))
    ]
    assert [document["kind"] for document in result["documents"]] == [None, "endpoint"]


def test_files_of_2021_are_written_anew(here: Localep, root: Path, folder: Path) -> None:
    old = root / "samples" / "sklearn-regression" / "2021" / "endpoint.yml"

    answer = here("validate", "-f", str(old))
    assert answer.returncode == 0
    assert "[old-generation]" in answer.stdout

    answer = here("upgrade", "-f", str(old), "--to", "new")
    written = [folder / "new" / "endpoint.yml", folder / "new" / "deployment.yml"]
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.splitlines() == list(map(str, written))

    answer = here("validate", "-f", "new/endpoint.yml", "-f", "new/deployment.yml")
    assert answer.returncode == 0
    assert "old-generation" not in answer.stdout
    assert "missing-local-path" not in answer.stdout

    again = here("upgrade", "-f", str(old), "--to", "new")
    assert (again.returncode, again.stderr) == (
        2,
        f"Error: {written[0]} is there already.\n"
        "Remedy: Name another folder with --to, or say --force to replace it.\n",
    )
    assert here("upgrade", "-f", str(old), "--to", "new", "--force").returncode == 0
    nothing = here("upgrade", "-f", "new/endpoint.yml")
    assert (nothing.returncode, nothing.stderr) == (
        2,
        "Error: There is nothing to upgrade.\n"
        "Cause: The files are as the cloud reads them today.\n"
        "Remedy: Check them with `localep validate`.\n",
    )


def test_the_schema_of_a_document_is_json_for_editors(here: Localep) -> None:
    answer = here("schema", "endpoint")

    assert (answer.returncode, answer.stderr) == (0, "")
    assert json.loads(answer.stdout)["properties"]["compute"] == {"type": "string"}
    required = here("schema", "deployment", "--query", "required", "-o", "tsv")
    assert required.stdout == "endpoint_name\nname\n"
