"""What `serve` runs: a deployment of the YAML, or a scoring script alone."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from localep.conda.lock import lock_files
from localep.environment.requirements import INFERENCE_SERVER, clean_lines, split_private
from localep.errors import EnvironmentFailure, UsageError
from localep.operations.checked import load_checked_files, without_script_findings
from localep.operations.container_plan import check_code
from localep.operations.environments.conda_ways import lock_of
from localep.operations.environments.options import EnvironmentOptions
from localep.operations.environments.plans import PYTHONS, conda_of
from localep.operations.no_code import completed
from localep.server.watching import Watched
from localep.spec.loader import Selection
from localep.spec.model import LOG_LEVEL_VARIABLE, CodeSpec, DeploymentSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from localep.conda.lock import Lock
    from localep.environment.conda_file import CondaFile
    from localep.environment.local import LocalEnvironment
    from localep.operations.serving.layout import LocalLayout

_ONLY_IN_DOCKER = "Run it in Docker: localep create."


@dataclass(frozen=True)
class ServeOptions:
    """What the command line says.

    Either ``files`` name a deployment, or ``entry_script`` is the script alone, with
    ``model_dir`` as its AZUREML_MODEL_DIR. ``workers`` is None for what the variables say;
    ``timeout`` is in seconds; ``python`` is a version, for an isolated environment.
    """

    files: tuple[Path, ...] = ()
    selection: Selection = field(default_factory=Selection)
    entry_script: Path | None = None
    model_dir: Path | None = None
    host: str = "127.0.0.1"
    port: int = 5001
    workers: int | None = None
    timeout: float = 300.0
    reloads: bool = True
    is_isolated: bool = False
    python: str | None = None


@dataclass(frozen=True)
class ServePlan:
    """One reading of the YAML: all that decides how the server is started.

    ``conda`` is what the deployment asks of its Python, None where it says nothing.
    """

    spec: DeploymentSpec
    code: CodeSpec
    conda: CondaFile | None
    watched: Watched
    warnings: tuple[str, ...] = ()


def plan_serve(options: ServeOptions) -> ServePlan:
    """Read what is to be served. Raises SpecError, UsageError or EnvironmentFailure."""
    if options.entry_script is not None:
        return _plan_of_script(options, options.entry_script)
    # The server itself says what is wrong with the script, at every change.
    bundle = without_script_findings(load_checked_files(options.files, options.selection))
    if bundle.deployment is None:
        raise UsageError(
            "The files hold no deployment.",
            cause="A server runs the scoring script of one.",
            remedy="Name the deployment's file with -f.",
        )
    warnings = [str(finding) for finding in bundle.warnings]
    spec = completed(bundle.deployment)
    code = _code_of(spec)
    if spec.model_mount_path is not None:
        spec = replace(spec, model_mount_path=None)
        warnings.append(
            "model_mount_path is for containers: AZUREML_MODEL_DIR is another folder here."
        )
    if not spec.has_egress:
        warnings.append(
            "egress_public_network_access is for containers: the script can reach out here."
        )
    conda = conda_of(spec.environment)
    _check_environment(spec, options, warnings)
    return ServePlan(spec, code, conda, _watched(options, spec, code), tuple(warnings))


def server_variables(
    plan: ServePlan,
    options: ServeOptions,
    layout: LocalLayout,
    python: Path,
    environ: Mapping[str, str],
) -> dict[str, str]:
    """The server's variables: the user's own, the deployment's, then those that the cloud sets."""
    result = dict(environ)
    if options.is_isolated:
        for name in ("PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX"):
            result.pop(name, None)
        result["VIRTUAL_ENV"] = str(python.parent.parent)
    if options.entry_script is None:
        result.pop("AZUREML_MODEL_DIR", None)
        timeout = str(plan.spec.request_settings.request_timeout_ms)
        result.setdefault("SCORING_TIMEOUT_MS", timeout)
    result |= {
        "PATH": os.pathsep.join((str(python.parent), environ.get("PATH", os.defpath))),
        "PWD": str(layout.app_root),
        "PYTHONUNBUFFERED": "1",
        **plan.spec.environment_variables,
        **layout.variables,
    }
    if options.model_dir is not None:
        result["AZUREML_MODEL_DIR"] = str(options.model_dir.absolute())
    if options.workers is not None:
        result["WORKER_COUNT"] = str(options.workers)
    return result


def _plan_of_script(options: ServeOptions, script: Path) -> ServePlan:
    if not script.is_file():
        raise UsageError(
            f"There is no file {script}.",
            cause="--entry-script names the scoring script.",
            remedy="Correct the path; it starts from the folder that you are in.",
        )
    if options.model_dir is not None and not options.model_dir.is_dir():
        raise UsageError(
            f"There is no folder {options.model_dir}.",
            cause="--model-dir becomes AZUREML_MODEL_DIR.",
            remedy="Name the folder that holds the model.",
        )
    script = Path(os.path.abspath(script))  # noqa: PTH100 - without following links
    code = CodeSpec(script.parent, script.name)
    level = options.selection.log_level
    variables = {} if level is None else {LOG_LEVEL_VARIABLE: level}
    spec = DeploymentSpec("serve", "serve", code=code, environment_variables=variables)
    return ServePlan(spec, code, None, _watched(options, spec, code))


def _code_of(spec: DeploymentSpec) -> CodeSpec:
    if spec.routes is not None:
        raise UsageError(
            f"Deployment {spec.name} is a custom container.",
            cause="Its image brings a server of its own, which only Docker runs.",
            remedy=_ONLY_IN_DOCKER,
        )
    check_code(spec)
    assert spec.code is not None  # noqa: S101 - checked just before
    return spec.code


def _check_environment(spec: DeploymentSpec, options: ServeOptions, warnings: list[str]) -> None:
    environment = spec.environment
    if not options.is_isolated or environment is None:
        return
    if environment.build is not None:
        raise EnvironmentFailure(
            "The environment is built from a Dockerfile of its own.",
            cause="Nothing tells uv what is in it.",
            remedy="Leave out --isolated, or run it in Docker: localep create.",
        )
    if environment.image is not None and conda_of(environment) is None:
        warnings.append(
            f"What the image {environment.image} has installed is not here: "
            "the environment holds the inference server alone."
        )


def _watched(options: ServeOptions, spec: DeploymentSpec, code: CodeSpec) -> Watched:
    models = [model.path for model in spec.all_models if model.path is not None]
    if options.model_dir is not None:
        models.append(options.model_dir.absolute())
    conda_file = spec.environment.conda_file if spec.environment is not None else None
    files = [file.absolute() for file in options.files]
    files += [conda_file] if conda_file else []
    locks = lock_files(files[-1]) if options.is_isolated and files else ()
    return Watched((code.path, *models, *files, *locks))


def plan_environment(plan: ServePlan, options: ServeOptions) -> LocalEnvironment:
    """The isolated environment of a plan, from its lock where there is one for this machine.

    Raises EnvironmentFailure, also where the lock no longer fits.
    """
    from localep.environment.local import LocalEnvironment, plan_local_environment

    warnings: list[str] = []
    lock = _lock_here(plan, options, warnings)
    python = options.python or (lock.python if lock is not None else None)
    if lock is None or plan.conda is None or python is None:
        environment = plan_local_environment(plan.conda, PYTHONS, python)
        return replace(environment, warnings=(*environment.warnings, *warnings))
    _, private = split_private(clean_lines(plan.conda.pip))
    server = () if lock.brings_server else (INFERENCE_SERVER,)
    requirements = (*lock.requirements, *server)
    return LocalEnvironment(python, requirements, private, is_locked=lock.brings_server)


def _lock_here(plan: ServePlan, options: ServeOptions, warnings: list[str]) -> Lock | None:
    """The lock of this machine's platform, None where uv alone cannot install what is in it."""
    if plan.conda is None:
        return None
    from localep.operations.environments.lock import platform_here, platforms_of

    there, here = platforms_of(plan.spec), platform_here()
    if there and here not in there:
        warnings.append(f"The lock holds nothing for {here}: the conda file is taken instead.")
    if here not in there:
        return None
    asked = EnvironmentOptions(python=options.python).of(plan.spec)
    lock = lock_of(plan.spec.environment, asked, here)
    if lock is not None and lock.conda and plan.conda.packages:
        warnings.append("The lock holds conda packages: the conda file is taken instead.")
        return None
    return lock
