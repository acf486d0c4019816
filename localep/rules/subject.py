"""What the rules look at: a spec, and what lies in the files that it names, read on demand."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from localep.errors import SpecError
from localep.rules.code_folder import CodeFolder, FolderContent, content_of
from localep.rules.package_lists import PackageList, list_of
from localep.rules.scripts import reached_from
from localep.spec.documents import CONDA_FILE, Document, read_document
from localep.spec.paths import is_there

if TYPE_CHECKING:
    import ast
    from pathlib import Path

    from localep.rules.image_facts import LookUp
    from localep.spec.documents import KeyPath
    from localep.spec.loader import Reading
    from localep.spec.model import DeploymentSpec, EndpointSpec, EnvironmentSpec, Origin


@dataclass(frozen=True)
class EndpointSubject:
    """An endpoint, and the deployments that stand in the same files."""

    spec: EndpointSpec
    origin: Origin
    deployments: tuple[DeploymentSpec, ...]


@dataclass
class DeploymentSubject:
    """A deployment, and its endpoint where that stands in the same files.

    ``look_up_image`` tells what an engine and registries know of an image by its name; None
    where nobody shall be asked.
    """

    spec: DeploymentSpec
    origin: Origin
    endpoint: EndpointSpec | None
    look_up_image: LookUp | None = None
    _contents: dict[Path, FolderContent] = field(default_factory=dict, repr=False)

    def content_of(self, folder: Path) -> FolderContent:
        """What lies below a folder, looked up once."""
        if folder not in self._contents:
            self._contents[folder] = content_of(folder)
        return self._contents[folder]

    @cached_property
    def model_paths(self) -> tuple[tuple[KeyPath, Path], ...]:
        """The models of this machine, each with its place in the document."""
        one = self.spec.model
        found: list[tuple[KeyPath, Path]] = []
        if one is not None and one.path is not None:
            path = path_of(self.origin, "model", "path", "local_path", "asset_path")
            found.append((path, one.path))
        for index, model in enumerate(self.spec.models):
            if model.path is not None:
                found.append((("models", index, "path"), model.path))
        return tuple(found)

    @property
    def model_folders(self) -> tuple[tuple[KeyPath, Path], ...]:
        """Those models that are folders."""
        return tuple(item for item in self.model_paths if is_there(item[1], "folder"))

    @property
    def model_files(self) -> tuple[Path, ...]:
        """Every file of the models."""
        return tuple(file for _, path in self.model_paths for file in self.files_of_model(path))

    def files_of_model(self, path: Path) -> list[Path]:
        """The files of a model: it itself, or what lies below it."""
        if is_there(path, "folder"):
            return self.content_of(path).files
        return [path] if is_there(path, "file") else []

    @property
    def is_kubernetes(self) -> bool:
        """Whether it runs on a cluster of the user's own, with instance types of its own."""
        kind = str(self.origin.document.data.get("type", "")).lower()
        keys = {"resources", "resource_requirements", "target"}
        return kind == "kubernetes" or bool(keys & self.origin.document.data.keys())

    @cached_property
    def conda_document(self) -> Document | None:
        """The conda file, None where there is none or it cannot be read."""
        environment = self.spec.environment
        if environment is None or environment.conda_file is None:
            return None
        if not is_there(environment.conda_file, "file"):
            return None
        try:
            return read_document(environment.conda_file, CONDA_FILE)
        except SpecError:
            return None

    @cached_property
    def packages(self) -> PackageList | None:
        """What the cloud installs, entry by entry; None where that is not in the files."""
        return list_of(self.spec, self.conda_document)

    @cached_property
    def code(self) -> CodeFolder | None:
        """The code folder, None where the deployment has none or it is not there."""
        code = self.spec.code
        if code is None or not is_there(code.path, "folder"):
            return None
        return CodeFolder(code.path)

    @cached_property
    def script(self) -> Path | None:
        """The scoring script, None where it is not there."""
        code = self.spec.code
        path = code.path / code.scoring_script if code is not None else None
        return path if path is not None and is_there(path, "file") else None

    @cached_property
    def script_tree(self) -> ast.Module | None:
        """The scoring script as Python reads it, None where it is not there or no Python."""
        return self.code.tree(self.script) if self.code and self.script else None

    @cached_property
    def reached(self) -> dict[Path, ast.Module]:
        """The scoring script and every module that it imports; empty where there is no script."""
        return reached_from(self.script, self.code) if self.code and self.script else {}


def dockerfile_of(environment: EnvironmentSpec | None) -> bytes | None:
    """The Dockerfile that an environment is built from; None where there is none to be read."""
    build = environment.build if environment is not None else None
    if build is None:
        return None
    if build.text is not None:
        return build.text.encode()
    try:
        return build.file.read_bytes()
    except OSError:
        return None


def mapping_of(origin: Origin, *path: str) -> dict[str, Any]:
    """The mapping that something was read from, or one below it; empty where there is none."""
    value: Any = origin.document.data
    for step in (*origin.path, *path):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return {}
    return value if isinstance(value, dict) else {}


def path_of(origin: Origin, section: str, *keys: str) -> KeyPath:
    """The path of the first of ``keys`` that is given in a section, else of the section.

    What is the same thing has one name a generation of the documents.
    """
    given = mapping_of(origin, section)
    return next(((section, key) for key in keys if key in given), (section,))


def subjects_of(
    reading: Reading, look_up_image: LookUp | None = None
) -> tuple[list[EndpointSubject], list[DeploymentSubject]]:
    """Every endpoint and deployment of what was read."""
    by_name = {endpoint.name: endpoint for endpoint in reading.endpoints}
    endpoints = [
        EndpointSubject(
            spec,
            spec.origin,
            tuple(item for item in reading.deployments if item.endpoint_name == spec.name),
        )
        for spec in reading.endpoints
        if spec.origin is not None
    ]
    deployments = [
        DeploymentSubject(spec, spec.origin, by_name.get(spec.endpoint_name), look_up_image)
        for spec in reading.deployments
        if spec.origin is not None
    ]
    return endpoints, deployments
