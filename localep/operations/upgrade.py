"""`upgrade`: files of 2021 written anew in today's form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localep.errors import UsageError
from localep.spec.documents import read_document
from localep.spec.upgrade import upgrade

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class UpgradeResult:
    """The files that were written, and what had no place in them."""

    files: tuple[str, ...]
    left_out: tuple[str, ...]


def upgrade_files(
    files: Sequence[Path], folder: Path | None, *, replace: bool = False
) -> UpgradeResult:
    """Write today's form of each file beside it, or into ``folder``.

    Raises UsageError where there is nothing to do, where a file is there already and may not be
    replaced, or cannot be written; SpecError where a file is no document.
    """
    import yaml

    texts: dict[Path, str] = {}
    left_out: list[str] = []
    for file in files:
        document = read_document(file)
        target = folder.absolute() if folder is not None else document.folder
        for upgraded in upgrade(document, target):
            path = target / upgraded.name
            text = yaml.safe_dump(upgraded.data, sort_keys=False, allow_unicode=True)
            if path in texts:
                raise UsageError(
                    f"Two of the files would both be written as {path}.",
                    remedy="Upgrade them one at a time, each with a --to of its own.",
                )
            texts[path] = text
            left_out += [f"{path.name}: {key}" for key in upgraded.left_out]
    if not texts:
        raise UsageError(
            "There is nothing to upgrade.",
            cause="The files are as the cloud reads them today.",
            remedy="Check them with `localep validate`.",
        )
    _write(texts, replace=replace)
    return UpgradeResult(tuple(map(str, texts)), tuple(left_out))


def _write(texts: dict[Path, str], *, replace: bool) -> None:
    there = [path for path in texts if path.exists()]
    if there and not replace:
        raise UsageError(
            f"{there[0]} is there already.",
            remedy="Name another folder with --to, or say --force to replace it.",
        )
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(
                f"{path} cannot be written.",
                cause=f"{error.strerror}.",
                remedy="Name another folder with --to.",
            ) from error
