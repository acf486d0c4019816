"""The Dockerfile of an environment, and the files that go to the build with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localep.resources import read_resource, render_template

if TYPE_CHECKING:
    from localep.environment.plan import EnvironmentPlan

ENVIRONMENT_PATH = "/opt/localep/env"
CA_SECRET = "localep-ca"  # noqa: S105
SETTINGS_SECRET = "localep-settings"  # noqa: S105
SECRETS_FOLDER = "/run/secrets"

_STEP_RUNNER = "templates/localep-build.sh"
_MOUNT = re.compile(r"--mount=\S+\s*(\\\n\s*)?")
_FROM = re.compile(r"^FROM\b.*$", re.MULTILINE)


def build_context(plan: EnvironmentPlan) -> dict[str, str]:
    """The files of a build by name: the Dockerfile and what it copies."""
    dockerfile = render_template("Dockerfile.j2", plan=plan, environment_path=ENVIRONMENT_PATH)
    if plan.is_complete:
        return {"Dockerfile": dockerfile}
    return {"Dockerfile": dockerfile, "requirements.txt": plan.requirements_text}


def base_context(debian_image: str) -> dict[str, str]:
    """The files of the base image's build."""
    dockerfile = read_resource("Dockerfile.base").replace(
        "ARG DEBIAN_IMAGE=debian:bookworm-slim", f"ARG DEBIAN_IMAGE={debian_image}"
    )
    return {"Dockerfile": dockerfile, _STEP_RUNNER: read_resource(_STEP_RUNNER)}


def without_mounts(dockerfile: str) -> str:
    """The same Dockerfile for a builder that knows no mounts.

    The files that BuildKit would mount as secrets are copied from the context instead.
    """
    plain = _MOUNT.sub("", dockerfile)
    return _FROM.sub(lambda match: f"{match.group()}\nCOPY secrets/ {SECRETS_FOLDER}/", plain)
