"""The Dockerfile of an environment, and the files that go to the build with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localep.resources import read_resource, render_template

if TYPE_CHECKING:
    from localep.environment.growth import Parent
    from localep.environment.plan import EnvironmentPlan

ENVIRONMENT_PATH = "/opt/localep/env"
# Written into every environment image by its build: what is installed in it.
PACKAGES_FILE = "/opt/localep/packages.json"
CA_SECRET = "localep-ca"  # noqa: S105
SETTINGS_SECRET = "localep-settings"  # noqa: S105
CONDA_SECRET = "localep-conda"  # noqa: S105
SECRETS_FOLDER = "/run/secrets"
# The files of a context that hold what is installed from conda's channels.
CONDA_LIST = "conda.json"
PACKAGES_FOLDER = "packages"

_BASE_FILES = ("templates/localep-build.sh", "templates/localep-conda.py")
_MOUNT = re.compile(r"--mount=\S+\s*(\\\n\s*)?")
_FROM = re.compile(r"^FROM\b.*$", re.MULTILINE)


def build_context(plan: EnvironmentPlan, grown_from: Parent | None = None) -> dict[str, str]:
    """The files of a build by name: the Dockerfile and what it copies.

    ``grown_from`` is an environment that differs little, where there is one.
    """
    dockerfile = render_template(
        "Dockerfile.j2", plan=plan, grown_from=grown_from, environment_path=ENVIRONMENT_PATH
    )
    if plan.is_complete:
        return {"Dockerfile": dockerfile}
    context = {
        "Dockerfile": dockerfile,
        "finish_environment.py": read_resource("templates/finish_environment.py"),
        "requirements.txt": plan.requirements_text,
    }
    if plan.conda is not None:
        context[CONDA_LIST] = plan.conda
    if plan.sends_packages:
        context[f"{PACKAGES_FOLDER}/.keep"] = ""
    return context


def base_context(debian_image: str) -> dict[str, str]:
    """The files of the base image's build."""
    dockerfile = read_resource("Dockerfile.base").replace(
        "ARG DEBIAN_IMAGE=debian:bookworm-slim", f"ARG DEBIAN_IMAGE={debian_image}"
    )
    return {"Dockerfile": dockerfile} | {name: read_resource(name) for name in _BASE_FILES}


def without_mounts(dockerfile: str) -> str:
    """The same Dockerfile for a builder that knows no mounts.

    The files that BuildKit would mount as secrets are copied from the context instead.
    """
    plain = _MOUNT.sub("", dockerfile)
    return _FROM.sub(lambda match: f"{match.group()}\nCOPY secrets/ {SECRETS_FOLDER}/", plain)
