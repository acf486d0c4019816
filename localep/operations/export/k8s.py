"""`export k8s`: the manifests that run an exported image on Kubernetes."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from localep.errors import UsageError
from localep.operations import layout
from localep.operations.export.dockerfile import USER
from localep.operations.export.secret_values import Sort, of_sort
from localep.operations.export.tags import check_tag
from localep.resources import render_template
from localep.spec.instance_types import find_instance_type
from localep.spec.model import LOG_LEVEL_VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

    from localep.engine.base import Engine
    from localep.operations.workplace import Reporter
    from localep.spec.instance_types import InstanceType
    from localep.spec.model import DeploymentSpec, ProbeSettings, Route

_SIZE_SOURCE = "they follow from instance_type"
_MAX_NAME = 63
# Kubernetes' own, which a request in flight may need more of.
_GRACE_SECONDS = 30
# What JSON may hold as it is and YAML may not.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff]")


@dataclass(frozen=True)
class Manifests:
    """The manifests as one YAML text, the image that they name, and what is in the Secret."""

    text: str
    image: str
    secrets: tuple[str, ...]

    def documents(self) -> list[dict[str, Any]]:
        """The manifests as plain values."""
        import yaml

        return list(yaml.safe_load_all(self.text))


def write_manifests(manifests: Manifests, file: Path) -> None:
    """Write manifests for nobody else to read where they hold secrets. Raises UsageError."""
    try:
        if manifests.secrets:
            file.touch(mode=0o600)
            file.chmod(0o600)
        file.write_text(manifests.text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{file} cannot be written.",
            cause=f"{error.strerror}.",
            remedy="Name another file with --to.",
        ) from error


def export_k8s(
    engine: Engine | None, reporter: Reporter, spec: DeploymentSpec, tag: str | None
) -> Manifests:
    """Deployment and Service for an exported image, and a Secret where variables need one.

    ``tag`` is the image's name, ``endpoint:deployment`` where it is None; ``engine`` tells whom
    the image of a custom container runs as, and is None where none answers. Raises UsageError
    where no image can have that name.
    """
    image = check_tag(tag or default_tag(spec))
    there = engine.find_image(image) if engine is not None else None
    if tag is None and there is None:
        command = f"localep export image -n {spec.endpoint_name} -t {image}"
        reporter.note(f"The manifests name the image {image}; make it with: {command}")
    user = str(USER[0])
    if spec.routes is not None:
        user = there.user.partition(":")[0] if there is not None else ""
    size = find_instance_type(spec.instance_type) if spec.instance_type else None
    if size is None:
        why = f"{spec.instance_type} is unknown" if spec.instance_type else "there is none"
        reporter.warn(f"No CPU and no memory are asked for: {_SIZE_SOURCE}, and {why}.")
    secrets = of_sort(_variables(spec), Sort.SECRET)
    if secrets:
        reporter.warn(
            f"The Secret holds the value of {', '.join(secrets)}: keep the manifests out of "
            "version control."
        )
    return Manifests(render_manifests(spec, image, user, size), image, secrets)


def default_tag(spec: DeploymentSpec) -> str:
    """The name of a deployment's image where the user gives none."""
    return f"{spec.endpoint_name.lower()}:{spec.name}"


def render_manifests(spec: DeploymentSpec, image: str, user: str, size: InstanceType | None) -> str:
    """The manifests of a deployment.

    ``user`` is whom the image runs as, by number; anything else is a user of whom Kubernetes
    cannot tell that it is not root.
    """
    variables = _variables(spec)
    secrets = of_sort(variables, Sort.SECRET)
    settings = spec.request_settings
    routes = layout.routes(spec)
    return render_template(
        "k8s.yaml.j2",
        service=_dns_name(spec.endpoint_name),
        object_name=_dns_name(f"{spec.endpoint_name}-{spec.name}"),
        deployment=_dns_name(spec.name),
        image=image,
        replicas=spec.instance_count or 1,
        settings=settings,
        grace=max(_GRACE_SECONDS, math.ceil(settings.request_timeout_ms / 1000) + 5),
        ports=layout.ports(spec),
        scoring=routes.scoring_route,
        probes=[
            # Kubernetes takes no other success threshold than 1 for a liveness probe.
            _probe("livenessProbe", spec.liveness_probe, routes.liveness_route) | {"successes": 1},
            _probe("readinessProbe", spec.readiness_probe, routes.readiness_route),
        ],
        # Kubernetes fills in $(NAME); two dollars stand for one.
        variables={name: text.replace("$(", "$$(") for name, text in variables.items()},
        secret={name: variables[name] for name in secrets},
        size=size,
        memory=_memory(size) if size is not None else "",
        gpus=math.ceil(size.gpus) if size is not None else 0,
        user=user if user.isdigit() and user != "0" else "",
        is_own_server=spec.routes is None,
        quoted=quoted,
    )


def quoted(text: str) -> str:
    """A text as a YAML scalar in double quotes."""
    plain = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match.group()):04x}", plain)


def _variables(spec: DeploymentSpec) -> dict[str, str]:
    """The deployment's own variables; those that the cloud sets are in the image."""
    return {
        name: value
        for name, value in spec.environment_variables.items()
        if name != LOG_LEVEL_VARIABLE
    }


def _probe(kind: str, probe: ProbeSettings, route: Route) -> dict[str, object]:
    return {
        "kind": kind,
        "port": route.port,
        "path": route.path,
        "numbers": probe,
        "successes": probe.success_threshold,
    }


def _memory(size: InstanceType) -> str:
    whole = int(size.memory_gib)
    return f"{whole}Gi" if whole == size.memory_gib else f"{int(size.memory_gib * 1024)}Mi"


def _dns_name(text: str) -> str:
    """A name that Kubernetes takes for every kind of object, and as the value of a label."""
    return re.sub(r"[^a-z0-9-]+", "-", text.lower())[:_MAX_NAME].strip("-")
