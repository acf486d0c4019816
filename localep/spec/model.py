"""The endpoint and the deployment, whatever generation of YAML they came from.

A field is None where the document does not speak of it; paths are absolute.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

CODE_ROOT = "/var/azureml-app"


@dataclass(frozen=True)
class EndpointSpec:
    """An online endpoint: the name and the rules in front of its deployments."""

    name: str
    auth_mode: str = "key"
    description: str | None = None
    tags: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    traffic: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelSpec:
    """A model on this machine (``path``) or registered in the cloud (``reference``)."""

    path: Path | None = None
    reference: str | None = None
    name: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class CodeSpec:
    """A folder of code and the scoring script in it (relative to the folder)."""

    path: Path
    scoring_script: str


@dataclass(frozen=True)
class EnvironmentSpec:
    """What the deployment runs in: an image, with a conda file's packages on top.

    ``conda`` is the mapping that stands in the YAML itself in the place of a file;
    ``reference`` names an environment registered in the cloud; ``build_path`` is the folder of
    an own Dockerfile.
    """

    image: str | None = None
    conda_file: Path | None = None
    conda: dict[str, Any] | None = None
    reference: str | None = None
    build_path: Path | None = None
    name: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class RequestSettings:
    """The limits in front of the deployment, with the cloud's defaults."""

    request_timeout_ms: int = 5000
    max_concurrent_requests_per_instance: int = 1
    max_queue_wait_ms: int = 500


@dataclass(frozen=True)
class ProbeSettings:
    """A liveness or readiness probe; seconds and counts, with the cloud's defaults."""

    initial_delay: int = 10
    period: int = 10
    timeout: int = 2
    success_threshold: int = 1
    failure_threshold: int = 30


@dataclass(frozen=True)
class DeploymentSpec:
    """One deployment of an endpoint."""

    name: str
    endpoint_name: str
    model: ModelSpec | None = None
    code: CodeSpec | None = None
    environment: EnvironmentSpec | None = None
    environment_variables: dict[str, str] = field(default_factory=dict)
    instance_type: str | None = None
    instance_count: int | None = None
    app_insights_enabled: bool | None = None
    request_settings: RequestSettings = RequestSettings()
    liveness_probe: ProbeSettings = ProbeSettings()
    readiness_probe: ProbeSettings = ProbeSettings()
    description: str | None = None
    tags: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
