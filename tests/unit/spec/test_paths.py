from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from unit.spec.spec_files import write

from localep.spec.documents import Document, read_document
from localep.spec.fields import Fields
from localep.spec.findings import Finding, Findings, Severity, Topic
from localep.spec.generations import Generation
from localep.spec.paths import existing, is_reference, is_url, local_path, note_reference

TODAY = Generation.TODAY


def fields_in(folder: Path) -> Fields:
    return Fields(read_document(write(folder, "a.yml", "model:\n  path: x\n")), Findings())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("azureml:sklearn:1", True),
        ("azureml://registries/azureml/models/x/versions/1", True),
        ("azureml:/subscriptions/1/models/x", True),
        ("runs:/1234/model", True),
        ("http://example.com/model", True),
        ("https://example.com/model", True),
        ("abfss://container@account.dfs.core.windows.net/x", True),
        ("wasbs://container@account.blob.core.windows.net/x", True),
        ("./azureml:model", False),
        ("azureml", False),
        ("file:model", False),
        ("model", False),
        ("", False),
    ],
)
def test_only_what_the_cloud_alone_can_reach_is_a_reference(text: str, expected: bool) -> None:
    assert is_reference(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model", "/project/app/model"),
        ("./model", "/project/app/model"),
        (".", "/project/app"),
        ("", "/project/app"),
        ("..", "/project"),
        ("../model/./x.pkl", "/project/model/x.pkl"),
        ("sub/../model/", "/project/app/model"),
        ("/models/x.pkl", "/models/x.pkl"),
        ("file:model", "/project/app/file:model"),
        ("my model (2)", "/project/app/my model (2)"),
        ("modèle/größe 日本.pkl", "/project/app/modèle/größe 日本.pkl"),
    ],
)
def test_a_path_starts_from_the_folder_of_its_document(text: str, expected: str) -> None:
    fields = Fields(Document(Path("/project/app/a.yml"), {}), Findings())
    assert local_path(fields, text) == Path(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model", "/project/app/model"),
        ("file:model", "/project/app/model"),
        ("file:./model", "/project/app/model"),
        ("file:../model", "/project/model"),
        ("file:/models/x.pkl", "/models/x.pkl"),
        ("file:file:model", "/project/app/file:model"),
    ],
)
@pytest.mark.parametrize("generation", [item for item in Generation if item is not TODAY])
def test_a_path_of_2021_may_begin_with_file(
    text: str, expected: str, generation: Generation
) -> None:
    document = Document(Path("/project/app/a.yml"), {})
    fields = Fields(document, Findings(), generation=generation)
    assert local_path(fields, text) == Path(expected)


def test_file_is_no_beginning_of_a_path_today(tmp_path: Path) -> None:
    write(tmp_path, "model.pkl")
    fields = fields_in(tmp_path)
    path = tmp_path / "file:model.pkl"
    assert existing(fields, "model", "file:model.pkl", "file") == path
    assert [str(item) for item in fields.findings.items] == [
        f"{tmp_path}/a.yml:2:3: model: there is no file at {path}. Write the path without `file:`."
    ]


def test_what_counts_as_remote_is_for_the_key_to_say(tmp_path: Path) -> None:
    fields = fields_in(tmp_path)
    assert existing(fields, "model", "azureml:x:1", "file", is_url) == tmp_path / "azureml:x:1"
    assert existing(fields, "model", "https://example.com/x", "file", is_url) is None
    assert [item.code for item in fields.findings.items] == [
        "missing-local-path",
        "cloud-reference",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://example.com", True),
        ("https://example.com/x.git", True),
        ("ftp://example.com", True),
        ("ftps://example.com", True),
        ("azureml://x", False),
        ("file://x", False),
        ("example.com", False),
    ],
)
def test_an_address_of_the_web_begins_with_its_protocol(text: str, expected: bool) -> None:
    assert is_url(text) is expected


def test_a_reference_is_noted_as_absent_from_this_machine(tmp_path: Path) -> None:
    fields = fields_in(tmp_path)
    section = fields.section("model")
    assert section is not None
    note_reference(section, "path", "azureml:x:1", "Name a file.")
    assert fields.findings.items == [
        Finding(
            Severity.ERROR,
            Topic.MACHINE,
            "cloud-reference",
            f"{tmp_path}/a.yml:2:9",
            "model.path: azureml:x:1 can only be resolved by the cloud.",
            "Name a file.",
        )
    ]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("file", "größe 日本/my file.txt"),
        ("folder", "größe 日本"),
        ("folder", "."),
        ("file or folder", "größe 日本/my file.txt"),
        ("file or folder", "größe 日本"),
        ("file", "link.txt"),
    ],
)
def test_what_is_there_is_given_without_a_finding(tmp_path: Path, kind: str, text: str) -> None:
    fields = fields_in(tmp_path)
    target = write(tmp_path, "größe 日本/my file.txt")
    (tmp_path / "link.txt").symlink_to(target)
    assert existing(fields, "model", text, kind) == tmp_path / text
    assert fields.findings.items == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        pytest.param("file", "gone.txt", id="no file"),
        pytest.param("file", "folder", id="a folder in the place of a file"),
        pytest.param("folder", "gone", id="no folder"),
        pytest.param("folder", "file.txt", id="a file in the place of a folder"),
        pytest.param("file or folder", "gone", id="nothing"),
        pytest.param("file or folder", "file.txt/below", id="below a file"),
        pytest.param("file or folder", "broken", id="link to nowhere"),
        pytest.param("file", "loop", id="link to itself"),
        pytest.param("file", "x" * 300, id="a file's name that no disk takes"),
        pytest.param("folder", "x" * 300, id="a folder's name that no disk takes"),
        pytest.param("file or folder", "x/" * 3000, id="a path that no system takes"),
        pytest.param("file", "nul\0byte", id="NUL"),
    ],
)
def test_what_is_not_there_is_given_and_noted_as_absent(
    tmp_path: Path, kind: str, text: str
) -> None:
    fields = fields_in(tmp_path)
    write(tmp_path, "file.txt")
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    assert existing(fields, "model", text, kind) == tmp_path / text
    assert fields.findings.items == [
        Finding(
            Severity.ERROR,
            Topic.MACHINE,
            "missing-local-path",
            f"{tmp_path}/a.yml:2:3",
            f"model: there is no {kind} at {tmp_path / text}.",
            "Paths start from the folder of the YAML file.",
        )
    ]


def test_no_path_is_given_for_no_text(tmp_path: Path) -> None:
    fields = fields_in(tmp_path)
    assert (existing(fields, "model", None, "file"), fields.findings.items) == (None, [])


def test_no_path_is_given_for_a_reference(tmp_path: Path) -> None:
    fields = fields_in(tmp_path)
    assert existing(fields, "model", "runs:/1/model", "file or folder") is None
    assert [str(item) for item in fields.findings.items] == [
        f"{tmp_path}/a.yml:2:3: model: runs:/1/model can only be resolved by the cloud. "
        "Name a local path for a local run."
    ]


def test_a_path_that_this_user_may_not_look_at_is_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = fields_in(tmp_path)
    hidden, stat = tmp_path / "private" / "model.pkl", os.stat

    def refuse(path: Any, **options: Any) -> os.stat_result:
        if path == hidden:
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", refuse)

    assert existing(fields, "model", "private/model.pkl", "file or folder") == hidden
    assert [str(item) for item in fields.findings.items] == [
        f"{tmp_path}/a.yml:2:3: model: {hidden} is out of reach for this user. "
        "Check the permissions of the folders that it lies in."
    ]
