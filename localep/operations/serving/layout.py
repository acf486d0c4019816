"""The cloud's folders on this machine, as links to the user's own files."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from localep.operations import layout
from localep.operations.script_logging import LOG_LEVELS, LOGGING_FILE, logging_config
from localep.spec.model import LOG_LEVEL_VARIABLE

if TYPE_CHECKING:
    from localep.spec.model import CodeSpec, DeploymentSpec

ROOT_NAME = "azureml-app"


@dataclass(frozen=True)
class LocalLayout:
    """Where the server runs, and the variables that the cloud would set."""

    app_root: Path
    variables: dict[str, str]


def lay_out(spec: DeploymentSpec, code: CodeSpec, folder: Path) -> LocalLayout:
    """Make the layout of a deployment below an empty folder."""
    root = folder / ROOT_NAME
    where = root.as_posix()
    app_root = Path(layout.app_root(code, where))
    _link_code(code, Path(layout.code_folder(code, where)), app_root)
    for place, model in layout.model_places(spec, where).items():
        if model.path is not None:
            Path(place).parent.mkdir(parents=True, exist_ok=True)
            _link(model.path, Path(place))
    models = Path(layout.models_folder(spec, where))
    for_azureml_core = app_root / layout.MODELS_FOLDER
    if models.is_dir() and layout.looks_up_models(code) and not os.path.lexists(for_azureml_core):
        _link(models, for_azureml_core)
    level = spec.environment_variables.get(LOG_LEVEL_VARIABLE)
    if level in LOG_LEVELS and not os.path.lexists(app_root / LOGGING_FILE):
        (app_root / LOGGING_FILE).write_text(logging_config(level), encoding="utf-8")
    return LocalLayout(app_root, layout.cloud_variables(spec, where))


def _link_code(code: CodeSpec, folder: Path, app_root: Path) -> None:
    """Fill the code's folder with links; real folders lead down to the scoring script's own."""
    source = code.path
    steps = app_root.relative_to(folder).parts
    folder.mkdir(parents=True)
    for step in (*steps, None):
        for entry in sorted(source.iterdir()):
            if entry.name not in {step, "__pycache__"}:
                _link(entry, folder / entry.name)
        if step is not None:
            source, folder = source / step, folder / step
            folder.mkdir()


def _link(target: Path, link: Path) -> None:
    try:
        link.symlink_to(target.absolute(), target_is_directory=target.is_dir())
    except OSError:
        if os.name != "nt":  # there a user needs a right for it
            raise
        copy = shutil.copytree if target.is_dir() else shutil.copy2
        copy(target, link)
