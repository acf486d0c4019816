"""Deployments that name no code: an MLflow model brings what is needed to run it."""

from __future__ import annotations

from dataclasses import replace

from localep.environment.mlflow_model import mlflow_environment
from localep.resources import resource_path
from localep.rules.causes import cause
from localep.spec.model import CodeSpec, DeploymentSpec, EnvironmentSpec

_CODE = "templates/mlflow_model_score"
_SCRIPT = "score.py"
_CAUSE = "start-install"


def completed(spec: DeploymentSpec) -> DeploymentSpec:
    """The deployment with the code, and where it names none the environment, of its MLflow model.

    Any other deployment stays as it is. Raises SpecError where the model cannot be read.
    """
    model = spec.model
    if spec.code is not None or spec.routes is not None:
        return spec
    if model is None or model.path is None or model.type != "mlflow_model":
        return spec
    environment = spec.environment or EnvironmentSpec()
    if environment == EnvironmentSpec(name=environment.name, version=environment.version):
        environment = replace(environment, conda=mlflow_environment(model.path).conda)
    code = CodeSpec(resource_path(_CODE), _SCRIPT, is_generated=True)
    return replace(spec, code=code, environment=environment)


def install_note(asked: DeploymentSpec, spec: DeploymentSpec, seconds: float) -> str | None:
    """What the cloud does again and again that was done here once, in ``seconds``.

    ``asked`` is the deployment before it was completed; None where the cloud has an image.
    """
    if spec.code is None or not spec.code.is_generated or asked.environment == spec.environment:
        return None
    return (
        f"The model's packages were installed here once, in {seconds:.0f} s; the cloud does it "
        f"whenever a container starts ({_CAUSE}). {cause(_CAUSE).remedy}"
    )
