"""Rules for what the documents themselves define: names, numbers, routes, traffic."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING

from localep.environment.mlflow_model import FLAVOR, MODEL_FILE
from localep.errors import SpecError
from localep.rules.rule import Told, deployment_rule, endpoint_rule
from localep.rules.subject import dockerfile_of, mapping_of, path_of
from localep.spec.documents import read_document
from localep.spec.findings import Severity
from localep.spec.instance_types import find_instance_type, near_instance_types
from localep.spec.model import ProbeSettings
from localep.spec.paths import is_there
from localep.spec.placeholders import left_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.rules.subject import DeploymentSubject, EndpointSubject
    from localep.spec.documents import KeyPath

MAX_REQUEST_TIMEOUT_MS = 180_000
MAX_INSTANCES = 50
MAX_DEPLOYMENTS = 20
MAX_MIRRORED = 50
MAX_ENVIRONMENT_NAME = 255
MAX_DOCKERFILE_BYTES = 100 * 1024
RESERVED = ("AML_APP_ROOT", "AZUREML_ENTRY_SCRIPT", "AZUREML_MODEL_DIR")
RESERVED_PREFIXES = ("azureml", "microsoft")
# Source: the cloud's page on problems with environments.
DEPRECATED_IMAGES = frozenset(
    {
        "base",
        "base-gpu",
        "base-lite",
        "intelmpi2018.3-cuda10.0-cudnn7-ubuntu16.04",
        "intelmpi2018.3-cuda9.0-cudnn7-ubuntu16.04",
        "intelmpi2018.3-ubuntu16.04",
        "o16n-base/python-slim",
        "openmpi3.1.2-cuda10.0-cudnn7-ubuntu16.04",
        "openmpi3.1.2-cuda10.0-cudnn7-ubuntu18.04",
        "openmpi3.1.2-cuda10.1-cudnn7-ubuntu18.04",
        "openmpi3.1.2-cuda10.2-cudnn7-ubuntu18.04",
        "openmpi3.1.2-cuda10.2-cudnn8-ubuntu18.04",
        "openmpi3.1.2-ubuntu16.04",
        "openmpi3.1.2-ubuntu18.04",
        "openmpi4.1.0-cuda11.0.3-cudnn8-ubuntu18.04",
        "openmpi4.1.0-cuda11.1-cudnn8-ubuntu18.04",
        "openmpi4.1.0-ubuntu20.04",
    }
)

# Anything else than this is a placeholder of some script's.
_IS_FILLED = re.compile(r"[\w .-]+")
_AZUREML_IMAGE = re.compile(r"(?:[^/]+/)?azureml/([^:@]+)(?::[^@]+)?(?:@.+)?")
_INFERENCE_IMAGE = re.compile(r"(?:[^/]+/)?azureml/[^:@]+-inference(?::[^@]+)?(?:@.+)?")
_NAME = r"[^/{}]+"
_SECRET = re.compile(
    rf"\$\{{\{{\s*(?:azureml://connections/{_NAME}(?:/(?:credentials|metadata)/{_NAME}|/target)?"
    rf"|keyvault:https://{_NAME}/secrets/{_NAME}/{_NAME})\s*\}}\}}"
)
# What somebody wrote who had such a reference in mind.
_SECRET_HINT = re.compile(r"\$\{\{|azureml://connections|^\W*keyvault:", re.IGNORECASE)


@deployment_rule("request-timeout-limit")
def request_timeout_limit(subject: DeploymentSubject) -> Iterator[Told]:
    """A time-out that the cloud does not take."""
    timeout = subject.spec.request_settings.request_timeout_ms
    if timeout > MAX_REQUEST_TIMEOUT_MS:
        yield Told(
            ("request_settings", "request_timeout_ms"),
            f"{timeout} ms is above the cloud's limit of {MAX_REQUEST_TIMEOUT_MS} ms.",
        )


@deployment_rule("probe-values")
def probe_values(subject: DeploymentSubject) -> Iterator[Told]:
    """Numbers of probes below 1, and a liveness probe that wants more than one success."""
    probes = {
        "liveness_probe": subject.spec.liveness_probe,
        "readiness_probe": subject.spec.readiness_probe,
    }
    for name, probe in probes.items():
        for item in fields(ProbeSettings):
            value = getattr(probe, item.name)
            if value < 1:
                path = path_of(subject.origin, name, item.name, f"{item.name}_seconds")
                yield Told(path, f"{value} is below 1.")
    successes = subject.spec.liveness_probe.success_threshold
    if successes > 1:
        yield Told(
            ("liveness_probe", "success_threshold"),
            f"a liveness probe succeeds at once; {successes} is not 1.",
        )


@deployment_rule("instance-type-unknown")
def instance_type_unknown(subject: DeploymentSubject) -> Iterator[Told]:
    """An instance type that managed endpoints do not have."""
    name = subject.spec.instance_type
    if name is None or subject.is_kubernetes or _IS_FILLED.fullmatch(name) is None:
        return
    if find_instance_type(name) is not None:
        return
    near = near_instance_types(name)
    remedy = f"Did you mean {' or '.join(near)}?" if near else None
    yield Told(("instance_type",), f"{name} is no instance type of managed endpoints.", remedy)


@deployment_rule("instance-count")
def instance_count(subject: DeploymentSubject) -> Iterator[Told]:
    """A number of instances that is missing or that the cloud does not take."""
    count = subject.spec.instance_count
    if count is None and not _scales_itself(subject):
        yield Told((), "`instance_count` is missing, and the cloud asks for it.")
    elif count is not None and not 1 <= count <= MAX_INSTANCES:
        yield Told(("instance_count",), f"{count} does not lie between 1 and {MAX_INSTANCES}.")


@deployment_rule("own-reserved-variable")
def own_reserved_variable(subject: DeploymentSubject) -> Iterator[Told]:
    """Variables that the cloud sets itself; only its own server cannot do without them."""
    severity = Severity.INFO if subject.spec.routes is not None else Severity.WARNING
    for name in RESERVED:
        if name in subject.spec.environment_variables:
            path = ("environment_variables", name)
            yield Told(path, f"the cloud sets {name} itself.", severity=severity)


@deployment_rule("docker-option-count")
def docker_option_count(subject: DeploymentSubject) -> Iterator[Told]:
    """Both an image and a Dockerfile, or neither."""
    environment = subject.spec.environment
    if environment is None or environment.reference is not None:
        return
    if environment.image is not None and environment.build is not None:
        yield Told(("environment",), "`image` and `build` stand beside each other; localep builds.")
    elif environment.image is None and environment.build is None:
        yield Told(("environment",), "there is neither `image` nor `build`.")


@endpoint_rule("traffic-rule")
def traffic_rule(subject: EndpointSubject) -> Iterator[Told]:
    """Shares that do not add up, or that name a deployment of other files."""
    total = sum(subject.spec.traffic.values())
    if 0 < total < 100:  # above that the document itself is refused
        yield Told(
            ("traffic",), f"the shares are {total} % in all, where the cloud takes 0 or 100."
        )
    known = _known_deployments(subject)
    for name in subject.spec.traffic:
        if known and name not in known:
            yield Told(("traffic", name), f"no deployment of these files is named {name}.")
    mirrored = mapping_of(subject.origin, "mirror_traffic")
    if len(mirrored) > 1:
        yield Told(("mirror_traffic",), "the cloud mirrors the traffic to one deployment alone.")
    for name, share in mirrored.items():
        if isinstance(share, int) and share > MAX_MIRRORED:
            message = f"{share} % is above the cloud's limit of {MAX_MIRRORED} %."
            yield Told(("mirror_traffic", name), message)
        if known and name not in known:
            yield Told(("mirror_traffic", name), f"no deployment of these files is named {name}.")


@endpoint_rule("instance-count")
def deployment_count(subject: EndpointSubject) -> Iterator[Told]:
    """More deployments than an endpoint may have."""
    count = len(subject.deployments)
    if count > MAX_DEPLOYMENTS:
        message = f"the files hold {count} deployments, and an endpoint has {MAX_DEPLOYMENTS}."
        yield Told((), message, "Spread the deployments over several endpoints.")


@endpoint_rule("kubernetes-compute")
def kubernetes_compute(subject: EndpointSubject) -> Iterator[Told]:
    """A cluster, which may be one that was attached the old way."""
    given = mapping_of(subject.origin)
    for key in ("compute", "target", "infrastructure"):
        value = given.get(key)
        if isinstance(value, str) and value.startswith("azureml:"):
            yield Told(
                (key,),
                f"{value} has to be a cluster with the extension of Azure ML; an AKS cluster "
                "attached without it is refused.",
                severity=Severity.INFO,
            )


@endpoint_rule("secret-flag-with-uai")
def secret_flag_with_uai(subject: EndpointSubject) -> Iterator[Told]:
    """The flag of the system-assigned identity beside another identity."""
    flag = "enforce_access_to_default_secret_stores"
    value = subject.spec.properties.get(flag)
    if str(value).lower() in {"enabled", "true"} and has_own_identity(subject):
        yield Told(("properties", flag), "the endpoint has a user-assigned identity.")


def has_own_identity(subject: EndpointSubject) -> bool:
    """Whether an endpoint has an identity that the user made."""
    identity = mapping_of(subject.origin, "identity")
    kind = str(identity.get("type", "")).replace("_", "").lower()
    return kind == "userassigned" or "user_assigned_identities" in identity


@deployment_rule("secret-ref-form")
def secret_ref_form(subject: DeploymentSubject) -> Iterator[Told]:
    """Values that are meant for references to secrets and are none."""
    for name, value in subject.spec.environment_variables.items():
        if _SECRET_HINT.search(value) and not is_secret_reference(value):
            message = f"{value} is no reference that the cloud can read."
            yield Told(("environment_variables", name), message, _secret_remedy(value))


def is_secret_reference(value: str) -> bool:
    """Whether the cloud puts a secret in the place of a variable's value."""
    return _SECRET.fullmatch(value) is not None


def _secret_remedy(value: str) -> str:
    if "keyvault" in value.lower():
        return "Write `${{keyvault:https://VAULT/secrets/NAME/VERSION}}`, the version included."
    return (
        "Write `${{azureml://connections/NAME/credentials/KEY}}`; in the place of "
        "`credentials/KEY` may stand `metadata/KEY`, `target` or nothing."
    )


@deployment_rule("environment-name")
def environment_name(subject: DeploymentSubject) -> Iterator[Told]:
    """A name that no environment can be registered under; in a deployment it plays no part."""
    environment = subject.spec.environment
    name = environment.name if environment is not None else None
    if name is None:
        return
    path = ("environment", "name")
    if name.lower().startswith(RESERVED_PREFIXES):
        message = f"{name} begins as the cloud's own; it cannot be registered."
        yield Told(path, message, severity=Severity.INFO)
    elif len(name) > MAX_ENVIRONMENT_NAME:
        message = f"it has {len(name)} characters; it cannot be registered."
        yield Told(path, message, severity=Severity.INFO)


@deployment_rule("base-image-tag")
def base_image_tag(subject: DeploymentSubject) -> Iterator[Told]:
    """An image whose reference may mean another one tomorrow."""
    image = _image(subject)
    if image is not None and "@" not in image and ":" not in image.rpartition("/")[2]:
        yield Told(_image_path(subject), f"{image} has neither a tag nor a digest.")


@deployment_rule("base-image-deprecated")
def base_image_deprecated(subject: DeploymentSubject) -> Iterator[Told]:
    """An image that the cloud's page lists as given up."""
    image = _image(subject)
    if image is not None and repository_of(image) in DEPRECATED_IMAGES:
        yield Told(_image_path(subject), f"{image} gets no updates any more.")


@deployment_rule("routes-on-inference-image")
def routes_on_inference_image(subject: DeploymentSubject) -> Iterator[Told]:
    """Routes for an image that brings the inference server along."""
    image = _image(subject)
    if image is not None and subject.spec.routes and _INFERENCE_IMAGE.fullmatch(image):
        message = f"{image} brings routes of its own."
        yield Told(("environment", "inference_config"), message)


@deployment_rule("missing-driver-program")
def missing_driver_program(subject: DeploymentSubject) -> Iterator[Told]:
    """A deployment that neither names a script nor brings a server along."""
    spec = subject.spec
    if spec.code is not None or spec.routes is not None or _is_known_to_the_cloud(subject):
        return
    if "code_configuration" in mapping_of(subject.origin):  # and something is wrong with it
        return
    message = "there is neither `code_configuration` nor `inference_config`"
    if spec.all_models:
        yield Told((), f"{message}.")
    else:  # as in files whose model is named with --set
        yield Told((), f"{message}, nor a model.", severity=Severity.INFO)


@deployment_rule("mlflow-not-pyfunc")
def mlflow_not_pyfunc(subject: DeploymentSubject) -> Iterator[Told]:
    """An MLflow model that the cloud's own script cannot load."""
    for path, folder in subject.model_folders:
        if subject.spec.code is not None or not is_mlflow(subject):
            return
        try:
            flavors = read_document(folder / MODEL_FILE).data.get("flavors")
        except SpecError:
            yield Told(path, f"{folder.name} has no {MODEL_FILE} that could be read.")
            return
        if not isinstance(flavors, dict) or FLAVOR not in flavors:
            yield Told(path, f"{MODEL_FILE} of {folder.name} has no flavor {FLAVOR}.")


@deployment_rule("dockerfile-path")
def dockerfile_size(subject: DeploymentSubject) -> Iterator[Told]:
    """A Dockerfile that the cloud does not take; a missing one is told where it is named."""
    environment = subject.spec.environment
    dockerfile = dockerfile_of(environment)
    if environment and environment.build and dockerfile and len(dockerfile) > MAX_DOCKERFILE_BYTES:
        name = environment.build.file.name
        message = f"{name} has more than {MAX_DOCKERFILE_BYTES // 1024} KB."
        yield Told(("environment", "build"), message, "Copy scripts into the image instead.")


@deployment_rule("mlflow-script-alone")
def mlflow_script_alone(subject: DeploymentSubject) -> Iterator[Told]:
    """An MLflow model with a script, and nothing that says what it runs in."""
    if is_mlflow(subject) and subject.spec.code and subject.spec.environment is None:
        yield Told(("code_configuration",), "the model has a scoring script, but no environment.")


@deployment_rule("mlflow-private")
def mlflow_private(subject: DeploymentSubject) -> Iterator[Told]:
    """An MLflow model that has to fetch its packages, and may not."""
    spec = subject.spec
    access = mapping_of(subject.origin).get("egress_public_network_access")
    if str(access).lower() != "disabled" or not is_mlflow(subject):
        return
    if spec.code is None and spec.environment is None:
        message = "the packages of the MLflow model cannot be fetched when the container starts."
        yield Told(("egress_public_network_access",), message)


def is_mlflow(subject: DeploymentSubject) -> bool:
    """Whether the documents say that the model is one of MLflow's."""
    model = subject.spec.model
    return model is not None and model.type == "mlflow_model"


def _is_known_to_the_cloud(subject: DeploymentSubject) -> bool:
    """Whether the cloud may know more than these files: how to serve the model, or its routes."""
    spec = subject.spec
    if spec.environment is not None and spec.environment.reference is not None:
        return True
    return any(
        model.reference is not None
        or model.path is None
        or model.type in {"mlflow_model", "triton_model"}
        or is_there(model.path / MODEL_FILE, "file")
        for model in spec.all_models
    )


def repository_of(image: str) -> str:
    """An image of Azure ML without the registry's name, tag and digest; empty for another one."""
    match = _AZUREML_IMAGE.fullmatch(image)
    return match.group(1) if match is not None else ""


def _image(subject: DeploymentSubject) -> str | None:
    """The image, where it is more than a placeholder."""
    environment = subject.spec.environment
    image = environment.image if environment is not None else None
    return image if image is not None and next(left_in(image), None) is None else None


def _image_path(subject: DeploymentSubject) -> KeyPath:
    is_old = "docker" in mapping_of(subject.origin, "environment")
    return ("environment", "docker", "image") if is_old else ("environment", "image")


def _known_deployments(subject: EndpointSubject) -> set[str]:
    """The names of the deployments in the files, those that are not chosen included."""
    below = subject.origin.document.data.get("deployments")
    below = below if isinstance(below, (dict, list)) else ()
    items = [item.get("name") for item in below if isinstance(item, dict)]
    names = [name for name in (*below, *items) if isinstance(name, str)]
    return {*names, *(deployment.name for deployment in subject.deployments)}


def _scales_itself(subject: DeploymentSubject) -> bool:
    """Whether the number of instances follows the load, as on clusters."""
    scale = mapping_of(subject.origin, "scale_settings")
    kind = str(scale.get("type") or scale.get("scale_type")).replace("_", "").lower()
    return kind in {"auto", "targetutilization"}
