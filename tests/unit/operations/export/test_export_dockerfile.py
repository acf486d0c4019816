"""What a Dockerfile can set, and how."""

from __future__ import annotations

from pathlib import Path

import pytest

from localep.engine.base import Image
from localep.operations.export.dockerfile import is_writable, render_export
from localep.operations.export.files import FilesOfHost
from localep.operations.export.source import Source
from localep.spec.model import CodeSpec, DeploymentSpec

BASE = Image("sha256:1", {}, 1)


def lines_of(spec: DeploymentSpec, start: str) -> list[str]:
    source = Source(spec, "env:1", "sha256:1", FilesOfHost(spec, None))
    text = render_export(source, BASE, ["code.tar"], "1000:1000", ())
    return [line for line in text.splitlines() if line.lstrip().startswith(start)]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PLAIN", "any $text: 'quoted' \\ or \"not\" # or so", True),
        ("_1.a-b", "", True),
        ("A", "ünï\t", True),
        ("A", "two\nlines", False),
        ("A", "two\rlines", False),
        ("A", "\0", False),
        ("", "x", False),
        ("#A", "x", False),
        ("A B", "x", False),
        ("Ä", "x", False),
        ("1A", "x", False),
    ],
)
def test_what_a_dockerfile_can_set(name: str, value: str, expected: bool) -> None:
    assert is_writable(name, value) is expected


def test_a_value_is_written_so_that_nothing_in_it_is_read_as_anything_else() -> None:
    spec = DeploymentSpec(
        "blue", "hello", environment_variables={"A": "$HOME \"\\n\" 'x' ${B:-c} # d"}
    )

    assert lines_of(spec, "A=") == ['    A="\\$HOME \\"\\\\n\\" \'x\' \\${B:-c} # d"']


def test_a_folder_with_a_strange_name_is_the_working_directory_all_the_same() -> None:
    spec = DeploymentSpec("blue", "hello", code=CodeSpec(Path("/x/my $code's"), "a/score.py"))

    assert lines_of(spec, "WORKDIR") == ["WORKDIR /var/azureml-app/my \\$code\\'s/a"]


def test_the_level_of_the_log_is_localeps_own_matter() -> None:
    spec = DeploymentSpec("blue", "hello", environment_variables={"LOCALEP_LOG_LEVEL": "INFO"})

    assert lines_of(spec, "LOCALEP") == []
