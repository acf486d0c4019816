"""Where code and model lie in the container, and the variables that say so.

Source: the cloud's own layout, see the articles on entry scripts and local endpoints.
"""

from __future__ import annotations

import hashlib
import posixpath
from typing import TYPE_CHECKING

from localep.spec.model import CODE_ROOT

if TYPE_CHECKING:
    from localep.spec.model import CodeSpec, DeploymentSpec, ModelSpec

MODELS_ROOT = f"{CODE_ROOT}/azureml-models"
SERVER_PORT = 5001
READINESS_PATH = "/"
SCORING_PATH = "/score"


def code_folder(code: CodeSpec) -> str:
    """The folder in the container that holds the code folder's content."""
    return posixpath.join(CODE_ROOT, code.path.name)


def app_root(code: CodeSpec) -> str:
    """The folder of the scoring script, where the server runs and imports from."""
    return posixpath.normpath(
        posixpath.join(code_folder(code), posixpath.dirname(code.scoring_script))
    )


def model_folder(model: ModelSpec) -> str:
    """AZUREML_MODEL_DIR: the model's file or folder lies inside, under its own name.

    A model without a name gets one, as in the cloud; it is the same for the same path.
    """
    anonymous = hashlib.md5(str(model.path).encode(), usedforsecurity=False).hexdigest()
    return posixpath.join(MODELS_ROOT, model.name or anonymous, model.version or "1")


def variables(spec: DeploymentSpec) -> dict[str, str]:
    """The container's environment: the user's variables, then those that the cloud sets."""
    result = {
        "HOME": "/tmp",  # noqa: S108 - the one folder that any user may write to
        "PYTHONUNBUFFERED": "1",
        **spec.environment_variables,
    }
    if spec.code is not None:
        result["AML_APP_ROOT"] = app_root(spec.code)
        result["AZUREML_ENTRY_SCRIPT"] = posixpath.basename(spec.code.scoring_script)
    if spec.model is not None:
        result["AZUREML_MODEL_DIR"] = model_folder(spec.model)
    return result


def server_command(code: CodeSpec) -> list[str]:
    """The command that starts the inference server, in the scoring script's folder."""
    return ["azmlinfsrv", "--entry_script", posixpath.basename(code.scoring_script)]
