"""What is told of a model whose packages the cloud installs at every start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from localep.operations.no_code import completed, install_note
from localep.spec.loader import Selection, bundle_of, read_files
from localep.spec.model import DeploymentSpec

NOTE = (
    "The model's packages were installed here once, in 41 s; the cloud does it whenever a "
    "container starts (start-install). Name an environment that is built already, or take a "
    "larger size."
)


def asked(folder: Path, environment: str = "") -> DeploymentSpec:
    model = folder / "model"
    model.mkdir()
    (model / "MLmodel").write_text(
        "flavors: {python_function: {loader_module: x, python_version: 3.11.7, env: conda.yaml}}\n"
    )
    (model / "conda.yaml").write_text("dependencies: [python=3.11, {pip: [mlflow]}]\n")
    file = folder / "deployment.yml"
    file.write_text(
        "name: blue\nendpoint_name: hello\nmodel: {path: model, type: mlflow_model}\n"
        f"instance_type: Standard_DS3_v2\ninstance_count: 1\n{environment}"
    )
    deployment = bundle_of(read_files([file]), Selection()).deployment
    assert deployment is not None
    return deployment


def test_the_packages_of_a_model_without_an_environment_are_told_of(tmp_path: Path) -> None:
    spec = asked(tmp_path)

    assert install_note(spec, completed(spec), 41.4) == NOTE


def test_an_environment_of_the_deployments_own_is_built_before(tmp_path: Path) -> None:
    spec = asked(tmp_path, "environment: {image: 'base:1'}\n")

    assert install_note(spec, completed(spec), 41.4) is None


def test_of_a_script_nothing_is_told(tmp_path: Path) -> None:
    spec = completed(asked(tmp_path))
    assert spec.code is not None

    own = replace(spec, code=replace(spec.code, is_generated=False))

    assert install_note(own, own, 41.4) is None
