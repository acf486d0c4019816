"""`render` and `build`: the environment of a deployment, on paper or as an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from localep.environment.dockerfile import build_context
from localep.errors import UsageError
from localep.operations.environments.plans import EnvironmentImage, ensure_environment, plan_unbuilt
from localep.operations.no_code import completed

if TYPE_CHECKING:
    from pathlib import Path

    from localep.engine.base import Engine
    from localep.operations.environments.options import EnvironmentOptions
    from localep.operations.workplace import Workplace
    from localep.spec.loader import Bundle
    from localep.spec.model import DeploymentSpec


@dataclass(frozen=True)
class RenderResult:
    """The files of a build by name, and what is doubtful about them."""

    context: dict[str, str]
    warnings: tuple[str, ...]


def render(engine: Engine | None, bundle: Bundle, options: EnvironmentOptions) -> RenderResult:
    """The build context of a deployment's environment; ``engine`` is None where none runs."""
    deployment = _deployment(bundle)
    environment = deployment.environment
    if environment is not None and environment.build is not None:
        text = environment.build.text
        if text is None:
            text = environment.build.file.read_text(encoding="utf-8", errors="replace")
        return RenderResult({"Dockerfile": text}, ())
    plan = plan_unbuilt(engine, environment, options.of(deployment))
    return RenderResult(build_context(plan), plan.warnings)


def write_context(result: RenderResult, folder: Path) -> list[Path]:
    """Write a build context into a folder, made where it is not there. Raises UsageError."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in result.context.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise UsageError(
            f"{error.filename} cannot be written.",
            cause=f"{error.strerror}.",
            remedy="Name another folder with --to.",
        ) from error
    return written


def build(place: Workplace, bundle: Bundle, options: EnvironmentOptions) -> EnvironmentImage:
    """Build the image of a deployment's environment unless it is there."""
    deployment = _deployment(bundle)
    return ensure_environment(place, deployment.environment, options.of(deployment))


def _deployment(bundle: Bundle) -> DeploymentSpec:
    if bundle.deployment is None:
        raise UsageError(
            "The files hold no deployment.",
            cause="An environment belongs to a deployment.",
            remedy="Name the deployment's file with -f.",
        )
    return completed(bundle.deployment)
