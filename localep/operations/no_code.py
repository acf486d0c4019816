"""Deployments that name no code: an MLflow model brings what is needed to run it."""

from __future__ import annotations

from dataclasses import replace

from localep.environment.mlflow_model import mlflow_environment
from localep.resources import resource_path
from localep.spec.model import CodeSpec, DeploymentSpec, EnvironmentSpec

_CODE = "templates/mlflow_model_score"
_SCRIPT = "score.py"


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
