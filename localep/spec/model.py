"""The endpoint and the deployment, whatever generation of YAML they came from.

A field is None where the document does not speak of it; paths are absolute.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from localep.spec.documents import Document, KeyPath

CODE_ROOT = "/var/azureml-app"
# A variable of the deployment, so that it lives on with the documents from update to update.
LOG_LEVEL_VARIABLE = "LOCALEP_LOG_LEVEL"


@dataclass(frozen=True)
class Origin:
    """The mapping that something was read from: its document, and where it stands in it."""

    document: Document
    path: KeyPath = ()


@dataclass(frozen=True)
class CloudOnly:
    """The fields of a document that ask for something that no local run can honour.

    ``names`` are their dotted paths (``scale_settings``), from the mapping that holds them.
    """

    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class EndpointSpec:
    """An online endpoint: the name and the rules in front of its deployments."""

    name: str
    auth_mode: str = "key"
    description: str | None = None
    tags: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    traffic: dict[str, int] = field(default_factory=dict)
    cloud_only: CloudOnly = CloudOnly()
    origin: Origin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class ModelSpec:
    """A model on this machine (``path``) or registered in the cloud (``reference``).

    ``type`` is custom_model, mlflow_model or triton_model.
    """

    path: Path | None = None
    reference: str | None = None
    name: str | None = None
    version: str | None = None
    type: str | None = None


@dataclass(frozen=True)
class CodeSpec:
    """A folder of code and the scoring script in it (relative to the folder).

    ``is_generated`` marks code that is localep's own and not the user's.
    """

    path: Path
    scoring_script: str
    is_generated: bool = False


@dataclass(frozen=True)
class Route:
    """Where a container answers: a port of its own, and the path of a URL."""

    port: int
    path: str


@dataclass(frozen=True)
class InferenceConfig:
    """The routes of a custom container, which brings a server of its own."""

    liveness_route: Route
    readiness_route: Route
    scoring_route: Route


@dataclass(frozen=True)
class BuildSpec:
    """An own Dockerfile (relative to the folder) and the folder that its build is sent.

    ``text`` is a Dockerfile that stands in the YAML itself; its build is sent nothing else where
    ``sends_folder`` is False.
    """

    path: Path
    dockerfile: str = "Dockerfile"
    text: str | None = None
    sends_folder: bool = True

    @property
    def file(self) -> Path:
        """The Dockerfile, where it is a file."""
        return self.path / self.dockerfile


@dataclass(frozen=True)
class EnvironmentSpec:
    """What the deployment runs in: an image, with a conda file's packages on top.

    ``conda`` is the mapping that stands in the YAML itself in the place of a file;
    ``reference`` names an environment registered in the cloud; ``build`` makes the image from
    a Dockerfile; ``inference_config`` makes the container a custom one.
    """

    image: str | None = None
    conda_file: Path | None = None
    conda: dict[str, Any] | None = None
    reference: str | None = None
    build: BuildSpec | None = None
    inference_config: InferenceConfig | None = None
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

    @property
    def window(self) -> int:
        """Seconds from a container's start to the last try, if probes are Kubernetes' own."""
        return self.initial_delay + (self.failure_threshold - 1) * self.period + self.timeout


@dataclass(frozen=True)
class DeploymentSpec:
    """One deployment of an endpoint.

    ``models`` are several models at once, as the cloud's first SDK deploys them; ``model`` is
    None then. ``model_mount_path`` is the folder of the container that models lie below;
    ``has_egress`` tells whether the script may reach out of its network.
    """

    name: str
    endpoint_name: str
    model: ModelSpec | None = None
    models: tuple[ModelSpec, ...] = ()
    model_mount_path: str | None = None
    code: CodeSpec | None = None
    environment: EnvironmentSpec | None = None
    environment_variables: dict[str, str] = field(default_factory=dict)
    instance_type: str | None = None
    instance_count: int | None = None
    app_insights_enabled: bool | None = None
    request_settings: RequestSettings = RequestSettings()
    liveness_probe: ProbeSettings = ProbeSettings()
    readiness_probe: ProbeSettings = ProbeSettings()
    has_egress: bool = True
    description: str | None = None
    tags: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    cloud_only: CloudOnly = CloudOnly()
    origin: Origin | None = field(default=None, compare=False, repr=False)

    @property
    def routes(self) -> InferenceConfig | None:
        """The routes of a custom container, None where localep's inference server runs."""
        return self.environment.inference_config if self.environment is not None else None

    @property
    def all_models(self) -> tuple[ModelSpec, ...]:
        """Every model of the deployment, be it one, several or none."""
        return self.models or ((self.model,) if self.model is not None else ())
