"""Where code and models lie, and the variables that say so.

Source: the cloud's own layout, see the articles on entry scripts and local endpoints. ``root``
is the folder that all of it lies below: the cloud's own in a container, another one where a
server runs without one.
"""

from __future__ import annotations

import hashlib
import posixpath
from typing import TYPE_CHECKING

from localep.spec.model import CODE_ROOT, InferenceConfig, Route

if TYPE_CHECKING:
    from localep.spec.model import CodeSpec, DeploymentSpec, ModelSpec

# azureml-core looks for models in a folder of this name, below AML_APP_ROOT.
MODELS_FOLDER = "azureml-models"
SERVER_PORT = 5001
# Of the inference server; custom containers have routes of their own.
SERVER_ROUTES = InferenceConfig(
    liveness_route=Route(SERVER_PORT, "/"),
    readiness_route=Route(SERVER_PORT, "/"),
    scoring_route=Route(SERVER_PORT, "/score"),
)


def routes(spec: DeploymentSpec) -> InferenceConfig:
    """Where the deployment's server answers."""
    return spec.routes or SERVER_ROUTES


def ports(spec: DeploymentSpec) -> tuple[int, ...]:
    """Every port that the deployment's server answers on, that of the scoring route first."""
    known = routes(spec)
    found = (known.scoring_route, known.liveness_route, known.readiness_route)
    return tuple(dict.fromkeys(route.port for route in found))


def code_folder(code: CodeSpec, root: str = CODE_ROOT) -> str:
    """The folder that holds the code folder's content."""
    return posixpath.join(root, code.path.name)


def app_root(code: CodeSpec, root: str = CODE_ROOT) -> str:
    """The folder of the scoring script, where the server runs and imports from."""
    return posixpath.normpath(
        posixpath.join(code_folder(code, root), posixpath.dirname(code.scoring_script))
    )


def models_folder(spec: DeploymentSpec, root: str = CODE_ROOT) -> str:
    """The folder that every model lies below, by name and version."""
    return spec.model_mount_path or posixpath.join(root, MODELS_FOLDER)


def model_folder(model: ModelSpec, models: str) -> str:
    """The folder of one model: its file or folder lies inside, under its own name.

    ``models`` is the folder of all models. A model without a name gets one, as in the cloud;
    it is the same for the same path.
    """
    anonymous = hashlib.md5(str(model.path).encode(), usedforsecurity=False).hexdigest()
    return posixpath.join(models, model.name or anonymous, model.version or "1")


def model_places(spec: DeploymentSpec, root: str = CODE_ROOT) -> dict[str, ModelSpec]:
    """Every model of this machine by the path of its file or folder in the layout."""
    models = models_folder(spec, root)
    return {
        posixpath.join(model_folder(model, models), model.path.name): model
        for model in spec.all_models
        if model.path is not None
    }


def cloud_variables(spec: DeploymentSpec, root: str = CODE_ROOT) -> dict[str, str]:
    """The variables that the cloud sets.

    AZUREML_MODEL_DIR is the folder of the one model, or that of all where there are several.
    """
    result = {}
    if spec.code is not None:
        result["AML_APP_ROOT"] = app_root(spec.code, root)
        result["AZUREML_ENTRY_SCRIPT"] = posixpath.basename(spec.code.scoring_script)
    models = models_folder(spec, root)
    if spec.models:
        result["AZUREML_MODEL_DIR"] = models
    elif spec.model is not None:
        result["AZUREML_MODEL_DIR"] = model_folder(spec.model, models)
    return result


def variables(spec: DeploymentSpec) -> dict[str, str]:
    """The container's environment: the user's variables, then those that the cloud sets."""
    own = {
        "HOME": "/tmp",  # noqa: S108 - the one folder that any user may write to
        "PYTHONUNBUFFERED": "1",
    }
    return {
        **({} if spec.routes is not None else own),
        **spec.environment_variables,
        **cloud_variables(spec),
    }


def looks_up_models(code: CodeSpec) -> bool:
    """Whether the code finds its models by azureml-core, which looks below AML_APP_ROOT.

    Today's cloud has them beside the code folder; they are linked for these scripts alone.
    """
    folder = (code.path / code.scoring_script).parent
    return any(b"get_model_path" in file.read_bytes() for file in sorted(folder.glob("*.py")))


def server_command(code: CodeSpec) -> list[str]:
    """The command that starts the inference server, in the scoring script's folder."""
    return ["azmlinfsrv", "--entry_script", posixpath.basename(code.scoring_script)]
