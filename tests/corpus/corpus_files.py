"""The public YAML files of ../shared/corpus, and what the cloud's own loader says of each."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from localep.spec.loader import Selection

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"

_PLACEHOLDER = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")


class Row(NamedTuple):
    """A line of the corpus's index: a file, and what the cloud's loader said of it.

    ``as_is`` is "ok", the name of an error, or empty where the file is another one's copy; so is
    ``filled``, once names are given and placeholders filled in. ``error`` is the message then.
    """

    path: str
    kind: str
    as_is: str
    filled: str
    error: str

    @property
    def file(self) -> Path:
        return CORPUS / "yaml" / self.path

    @property
    def selection(self) -> Selection:
        """What gives the file its names, and every placeholder in braces a value.

        No file has a deployment of this name, so that none of several is chosen.
        """
        names = _PLACEHOLDER.findall(self.file.read_text(encoding="utf-8-sig"))
        return Selection("orders", "of-mine", variables=dict.fromkeys(names, "word"))


def skip_where_it_is_not_here() -> None:
    """Skip the module that asks where the corpus was not handed over with the checkout."""
    if not CORPUS.exists():
        pytest.skip("The corpus of public files is not here.", allow_module_level=True)


def all_rows() -> list[Row]:
    with (CORPUS / "index.csv").open(encoding="utf-8", newline="") as file:
        return [
            Row(
                line["path"],
                line["kind"],
                line["cloud_cli_as_is"],
                line["cloud_cli_with_names_and_placeholders"],
                line["error_then"],
            )
            for line in csv.DictReader(file)
        ]
