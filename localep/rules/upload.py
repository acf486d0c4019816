"""Rules for what is lost, or stopped, between this machine and the cloud's storage."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from localep.rules.casing import by_folded, module_alike, name_alike, spelled_otherwise
from localep.rules.code_folder import size_of
from localep.rules.rule import Told, deployment_rule
from localep.rules.scripts import (
    dotted_name,
    files_of,
    holds_module,
    imports_of,
    named_from,
    place_in,
    running_nodes,
    texts_of,
)
from localep.spec.findings import Severity
from localep.spec.ignore_files import ignore_file, ignored_in
from localep.spec.paths import is_there

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.rules.code_folder import CodeFolder
    from localep.rules.scripts import Import, Text
    from localep.rules.subject import DeploymentSubject
    from localep.spec.documents import KeyPath

CODE = ("code_configuration", "code")
MAX_CODE_BYTES = 100 * 1024 * 1024

_LFS_POINTER = b"version https://git-lfs."
_LFS_POINTER_BYTES = 1024
# Above the code folder a module is looked for in so many folders.
_FOLDERS_ABOVE = 3
_NAMED_AT_MOST = 3


@deployment_rule("outside-code-folder")
def outside_code_folder(subject: DeploymentSubject) -> Iterator[Told]:
    """Modules that the script imports and the server does not find, though they are near."""
    code, script = subject.code, subject.script
    if code is None or script is None or not _server_is_the_clouds(subject):
        return
    told: set[str] = set()
    for item in _missing_imports(subject):
        folder = None if item.top in told else _folder_outside(item, code, script.parent)
        if folder is None or _is_provided(subject, item):
            continue
        if not _has_own_path(subject, folder, code):
            told.add(item.top)
            place = place_in(item.file, item.line, item.column)
            yield Told((), _outside(item, folder, code.path, script.parent), document=place)


@deployment_rule("case-mismatch")
def case_mismatch(subject: DeploymentSubject) -> Iterator[Told]:
    """Names of paths, imports and files that the folders spell in another casing."""
    for path, named in _named_paths(subject):
        actual = spelled_otherwise(named, subject.origin.document.folder)
        if actual is not None:
            yield Told(path, f"{named.name} is there as {actual}.")
    code, script = subject.code, subject.script
    if code is None or script is None:
        return
    for item in _missing_imports(subject):
        actual = module_alike(script.parent, item.top)
        if actual is not None and not _is_provided(subject, item):
            place = place_in(item.file, item.line, item.column)
            yield Told((), f"{item.top} is imported, and is there as {actual}.", document=place)
    folded = by_folded(file.name for file in (*code.files, *subject.model_files))
    for text in _texts(subject):
        actual = name_alike(folded, text.value)
        if actual is not None:
            place = place_in(text.file, text.line, text.column)
            yield Told((), f"{text.value} is there as {actual}.", document=place)


@deployment_rule("ignored-file-needed")
def ignored_file_needed(subject: DeploymentSubject) -> Iterator[Told]:
    """Modules and files that the script names, or files of the model, that are ignored."""
    code = subject.code
    if code is not None and ignore_file(code.path) is not None:
        for file in _needed_files(subject, code):
            if code.is_ignored(file):
                name, ignoring = named_from(code, file), _ignoring(code.path)
                yield Told(CODE, f"{name} is needed, and {ignoring} keeps it from the upload.")
    for path, model in subject.model_folders:
        lost = _ignored_files(subject, model)
        if lost:
            names = _listed(lost, model)
            yield Told(path, f"{names} is lost: {_ignoring(model)} keeps it from the upload.")


@deployment_rule("symlink-in-code")
def symlink_in_code(subject: DeploymentSubject) -> Iterator[Told]:
    """Links: those that lead nowhere stop every upload, others that of old clients."""
    code = subject.code
    if code is None:
        return
    broken = [link for link in code.content.links if not is_there(link, "file or folder")]
    stopping = [link for link in broken if not code.is_ignored(link)]
    whole = [link for link in code.content.links if link not in broken]
    if stopping:
        yield Told(
            CODE,
            f"{_listed(stopping, code.path)} leads nowhere, and the upload ends there.",
            "Remove the link, put a file in its place, or name it in `.amlignore`.",
        )
    if whole:
        yield Told(
            CODE,
            f"{_listed(whole, code.path)}: clients of before August 2023 stop at links.",
            severity=Severity.INFO,
        )


@deployment_rule("empty-folder-lost")
def empty_folder_lost(subject: DeploymentSubject) -> Iterator[Told]:
    """Folders without files: a warning where the script speaks of them."""
    code = subject.code
    if code is not None:
        empty = [item for item in code.content.empty_folders if not code.is_ignored(item)]
        texts = "\n".join(text.value for text in _texts(subject))
        yield from _told_of_empty(CODE, code.path, [item for item in empty if item.name in texts])
        unused = [item for item in empty if item.name not in texts]
        yield from _told_of_empty(CODE, code.path, unused, Severity.INFO)
    for path, model in subject.model_folders:
        yield from _told_of_empty(
            path, model, subject.content_of(model).empty_folders, Severity.INFO
        )


@deployment_rule("lfs-pointer")
def lfs_pointer(subject: DeploymentSubject) -> Iterator[Told]:
    """Files that hold the address of their content, and not the content."""
    for path, model in subject.model_paths:
        files = subject.files_of_model(model)
        pointers = [file for file in files if _is_pointer(file)]
        if pointers:
            yield Told(path, f"{_listed(pointers, model)}: only pointers of Git LFS.")
    code = subject.code
    if code is not None:
        pointers = [file for file in code.files if _is_pointer(file)]
        if pointers:
            yield Told(CODE, f"{_listed(pointers, code.path)}: only pointers of Git LFS.")


@deployment_rule("oversized-code")
def oversized_code(subject: DeploymentSubject) -> Iterator[Told]:
    """What is uploaded again with every change of the code, and not needed there."""
    code = subject.code
    if code is None:
        return
    tools = [folder for folder in code.content.of_tools if not code.is_ignored(folder)]
    if tools:
        message = f"{_listed(tools, code.path)}: uploaded with the code."
        yield Told(CODE, message, severity=Severity.INFO)
    size = sum(size_of(file) for file in code.files if not code.is_ignored(file))
    if size > MAX_CODE_BYTES:
        message = f"{size // 1024**2} MiB are uploaded with every change of the code."
        yield Told(CODE, message, severity=Severity.INFO)
    elif code.content.is_cut:
        message = f"more than {len(code.files)} files are uploaded with every change of the code."
        yield Told(CODE, message, severity=Severity.INFO)


def _server_is_the_clouds(subject: DeploymentSubject) -> bool:
    """Whether the inference server runs the script, in an image without files of the user's."""
    environment = subject.spec.environment
    return subject.spec.routes is None and (environment is None or environment.build is None)


def _missing_imports(subject: DeploymentSubject) -> Iterator[Import]:
    """The absolute imports that find nothing in Python itself or in the script's folder."""
    code, script = subject.code, subject.script
    if code is None or script is None:
        return
    for file, tree in subject.reached.items():
        for item in imports_of(file, tree):
            if item.level or files_of(item, script.parent):
                continue
            if item.top not in sys.stdlib_module_names or _is_the_code(item, code):
                yield item


def _is_the_code(item: Import, code: CodeFolder) -> bool:
    """Whether a module of Python's own name is meant to be the code folder (``code.helpers``)."""
    rest = item.name.split(".")[1:]
    return item.top == code.path.name and bool(rest) and holds_module(code.path, rest[0])


def _folder_outside(item: Import, code: CodeFolder, script_folder: Path) -> Path | None:
    """The nearest folder above the script's that has the module of an import."""
    above = [folder for folder in script_folder.parents if folder.is_relative_to(code.path)]
    above += list(code.path.parents)[:_FOLDERS_ABOVE]
    return next((folder for folder in above if holds_module(folder, item.top)), None)


def _outside(item: Import, folder: Path, code: Path, script_folder: Path) -> str:
    """The sentence about a module that lies in a folder which the server does not look into."""
    if folder.is_relative_to(code):
        places = f"lies in {_near(folder, code)}; the server looks in {_near(script_folder, code)}"
    elif folder == code.parent:
        places = "lies beside the code folder, which alone is uploaded"
    else:
        places = f"lies in {folder}, outside the code folder, which alone is uploaded"
    return f"{item.top} is imported, and {places}."


def _has_own_path(subject: DeploymentSubject, folder: Path, code: CodeFolder) -> bool:
    """Whether the script, or a variable, makes Python look in other folders of the code."""
    if not folder.is_relative_to(code.path):
        return False
    if "PYTHONPATH" in subject.spec.environment_variables:
        return True
    return any(
        dotted_name(node) in {"sys.path", "site.addsitedir"}
        for tree in subject.reached.values()
        for node in running_nodes(tree)
    )


def _is_provided(subject: DeploymentSubject, item: Import) -> bool:
    """Whether a package is what an import means, by the name of the module."""
    wanted = item.top.replace("_", "-").lower()
    names = subject.packages.names if subject.packages is not None else frozenset()
    if any(name == wanted or name.startswith(f"{wanted}-") for name in names):
        return True
    from localep.rules.known_packages import known_packages

    return bool(known_packages().holders(item.name))


def _named_paths(subject: DeploymentSubject) -> Iterator[tuple[KeyPath, Path]]:
    """Every path of this machine that the deployment names, and where it does so."""
    yield from subject.model_paths
    code, environment = subject.spec.code, subject.spec.environment
    if code is not None and not is_there(code.path, "folder"):
        yield CODE, code.path
    elif code is not None:
        yield ("code_configuration", "scoring_script"), code.path / code.scoring_script
    if environment is not None and environment.conda_file is not None:
        yield ("environment", "conda_file"), environment.conda_file
    build = environment.build if environment is not None else None
    if build is not None and build.text is None:
        if is_there(build.path, "folder"):
            yield ("environment", "build", "dockerfile_path"), build.file
        else:
            yield ("environment", "build", "path"), build.path


def _texts(subject: DeploymentSubject) -> list[Text]:
    """The string constants of the script and of its own modules."""
    return [text for file, tree in subject.reached.items() for text in texts_of(file, tree)]


def _needed_files(subject: DeploymentSubject, code: CodeFolder) -> list[Path]:
    """The script, its own modules, and the files of the code folder that they name."""
    modules = subject.reached
    names = {text.value.removeprefix("./") for text in _texts(subject)}
    named = (
        file
        for file in code.files
        if file not in modules and (file.name in names or named_from(code, file) in names)
    )
    return [*modules, *named]


def _ignoring(folder: Path) -> str:
    file = ignore_file(folder)
    return file.name if file is not None else ""


def _ignored_files(subject: DeploymentSubject, folder: Path) -> list[Path]:
    """The files of a model's folder that its ignore file names; hidden ones do not count."""
    if ignore_file(folder) is None:
        return []
    try:
        is_ignored = ignored_in(folder)
    except OSError:
        return []
    return [
        file
        for file in subject.content_of(folder).files
        if not any(part.startswith(".") for part in file.relative_to(folder).parts)
        and is_ignored(file.relative_to(folder).as_posix())
    ]


def _told_of_empty(
    path: KeyPath, top: Path, folders: list[Path], severity: Severity = Severity.WARNING
) -> Iterator[Told]:
    if folders:
        message = f"{_listed(folders, top)} holds no file, and is not uploaded."
        yield Told(path, message, severity=severity)


def _is_pointer(file: Path) -> bool:
    try:
        if not 0 < size_of(file) <= _LFS_POINTER_BYTES:
            return False
        with file.open("rb") as stream:
            return stream.read(len(_LFS_POINTER)) == _LFS_POINTER
    except OSError:
        return False


def _listed(paths: list[Path], top: Path) -> str:
    """The first of some paths as seen from a folder, and how many more there are."""
    shown = ", ".join(_near(path, top) for path in paths[:_NAMED_AT_MOST])
    more = len(paths) - _NAMED_AT_MOST
    return f"{shown} and {more} more" if more > 0 else shown


def _near(path: Path, top: Path) -> str:
    """A path as people name it who look at a folder: from that folder's own name."""
    return Path(os.path.relpath(path, top.parent)).as_posix() if path != top else top.name
