"""The manifests for Kubernetes: what they say, and that Kubernetes' schemas take them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some

from localep.engine.base import Image
from localep.errors import UsageError
from localep.operations.export.k8s import Manifests, export_k8s, quoted, write_manifests
from localep.operations.workplace import Workplace
from localep.spec.model import (
    DeploymentSpec,
    EnvironmentSpec,
    InferenceConfig,
    ProbeSettings,
    RequestSettings,
    Route,
)

if TYPE_CHECKING:
    from unit.operations.conftest import FakeEngine

# Of Kubernetes: one that old clusters have, and a new one.
VERSIONS = ("1.31", "1.37")
SPEC = DeploymentSpec(
    name="blue",
    endpoint_name="Hello-World",
    environment_variables={"GREETING": "Hello, $(NAME): 'you' & \"me\"", "API_KEY": "hush"},
    instance_type="Standard_NC24ads_A100_v4",
    instance_count=3,
    request_settings=RequestSettings(90_000, 4, 250),
    liveness_probe=ProbeSettings(5, 6, 7, 2, 9),
    readiness_probe=ProbeSettings(1, 2, 3, 4, 5),
)
CUSTOM = replace(
    SPEC,
    environment_variables={},
    instance_type=None,
    instance_count=None,
    environment=EnvironmentSpec(
        image="own:1",
        inference_config=InferenceConfig(
            liveness_route=Route(8500, "/alive"),
            readiness_route=Route(8501, "/ready"),
            scoring_route=Route(8501, "/predict"),
        ),
    ),
)
LABELS = """\
app.kubernetes.io/name: "hello-world"
{0}app.kubernetes.io/instance: "hello-world-blue"
{0}app.kubernetes.io/component: "blue"
{0}app.kubernetes.io/managed-by: "localep"
"""
TEXT = f"""\
# Deployment blue of endpoint hello-world, rendered by localep.
apiVersion: v1
kind: Secret
metadata:
  name: "hello-world-blue"
  labels:
    {LABELS.format("    ")}type: Opaque
stringData:
  "API_KEY": "hush"
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: "hello-world-blue"
  labels:
    {LABELS.format("    ")}  annotations:
    localep/request-timeout-ms: "90000"
    localep/max-concurrent-requests-per-instance: "4"
    localep/max-queue-wait-ms: "250"
    localep/scoring-path: "/score"
spec:
  replicas: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: "hello-world"
      app.kubernetes.io/instance: "hello-world-blue"
  template:
    metadata:
      labels:
        {LABELS.format("        ")}    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 95
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: "blue"
          image: "registry.example/hello:1"
          imagePullPolicy: IfNotPresent
          ports:
            - containerPort: 5001
              protocol: TCP
          env:
            - name: "GREETING"
              value: "Hello, $$(NAME): 'you' & \\"me\\""
            - name: "API_KEY"
              valueFrom:
                secretKeyRef:
                  name: "hello-world-blue"
                  key: "API_KEY"
          resources:
            requests:
              cpu: "24"
              memory: "220Gi"
              nvidia.com/gpu: "1"
            limits:
              cpu: "24"
              memory: "220Gi"
              nvidia.com/gpu: "1"
          livenessProbe:
            httpGet:
              path: "/"
              port: 5001
            initialDelaySeconds: 5
            periodSeconds: 6
            timeoutSeconds: 7
            successThreshold: 1
            failureThreshold: 9
          readinessProbe:
            httpGet:
              path: "/"
              port: 5001
            initialDelaySeconds: 1
            periodSeconds: 2
            timeoutSeconds: 3
            successThreshold: 4
            failureThreshold: 5
          securityContext:
            allowPrivilegeEscalation: false
            capabilities:
              drop: ["ALL"]
            readOnlyRootFilesystem: true
          volumeMounts:
            - name: "tmp"
              mountPath: "/tmp"
      volumes:
        - name: "tmp"
          emptyDir: {{}}
---
apiVersion: v1
kind: Service
metadata:
  name: "hello-world"
  labels:
    {LABELS.format("    ")}spec:
  selector:
    app.kubernetes.io/name: "hello-world"
    app.kubernetes.io/instance: "hello-world-blue"
  ports:
    - name: "http"
      port: 80
      targetPort: 5001
      protocol: TCP
"""


def exported(place: Workplace, spec: DeploymentSpec, tag: str | None = "hello:1") -> Manifests:
    return export_k8s(place.engine, place.reporter, spec, tag)


def container_of(manifests: Manifests) -> dict[str, Any]:
    found: dict[str, Any] = pod_of(manifests)["containers"][0]
    return found


def pod_of(manifests: Manifests) -> dict[str, Any]:
    (deployment,) = (item for item in manifests.documents() if item["kind"] == "Deployment")
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return found


def test_the_manifests_say_what_the_yaml_says(place: Workplace, told: list[str]) -> None:
    manifests = exported(place, SPEC, "registry.example/hello:1")

    assert manifests == Manifests(TEXT, "registry.example/hello:1", ("API_KEY",))
    assert told == [
        "warning: The Secret holds the value of API_KEY: keep the manifests out of version control."
    ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("spec", [SPEC, CUSTOM], ids=["own server", "custom container"])
def test_kubernetes_takes_the_manifests(
    place: Workplace, spec: DeploymentSpec, version: str
) -> None:
    for document in exported(place, spec).documents():
        kubernetes_validate.validate(document, version, strict=True)


def test_the_schemas_refuse_what_kubernetes_would(place: Workplace) -> None:
    document = exported(place, SPEC).documents()[1]
    document["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["port"] = 1

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, VERSIONS[-1], strict=True)


def test_a_custom_container_keeps_its_routes_and_what_it_may_do(
    place: Workplace, told: list[str]
) -> None:
    manifests = exported(place, CUSTOM)

    container = container_of(manifests)
    assert container["ports"] == [
        {"containerPort": 8501, "protocol": "TCP"},
        {"containerPort": 8500, "protocol": "TCP"},
    ]
    probes = [container[probe]["httpGet"] for probe in ("livenessProbe", "readinessProbe")]
    assert probes == [{"path": "/alive", "port": 8500}, {"path": "/ready", "port": 8501}]
    assert [key for key in ("env", "resources", "securityContext") if key in container] == []
    assert pod_of(manifests)["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
    assert [document["kind"] for document in manifests.documents()] == ["Deployment", "Service"]
    assert manifests.documents()[0]["spec"]["replicas"] == 1
    assert manifests.documents()[1]["spec"]["ports"][0]["targetPort"] == 8501
    assert told == [
        "warning: No CPU and no memory are asked for: they follow from instance_type, and there "
        "is none."
    ]


@pytest.mark.parametrize(
    ("user", "is_restricted"),
    [("70", True), ("70:80", True), ("", False), ("0", False), ("server", False)],
)
def test_a_custom_container_is_held_to_what_is_known_of_its_user(
    place: Workplace, engine: FakeEngine, user: str, is_restricted: bool
) -> None:
    engine.images["hello:1"] = Image("sha256:1", {}, 1, user=user)

    manifests = exported(place, CUSTOM)

    context = pod_of(manifests)["securityContext"]
    assert (context.get("runAsNonRoot"), context.get("runAsUser")) == (
        (True, 70) if is_restricted else (None, None)
    )
    expected = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert container_of(manifests).get("securityContext") == (expected if is_restricted else None)


def test_an_image_that_nobody_exported_yet_is_told(
    place: Workplace, engine: FakeEngine, told: list[str]
) -> None:
    spec = replace(SPEC, environment_variables={})

    manifests = exported(place, spec, None)

    assert manifests.image == "hello-world:blue"
    assert told == [
        "note: The manifests name the image hello-world:blue; make it with: "
        "localep export image -n Hello-World -t hello-world:blue"
    ]
    told.clear()
    engine.images["hello-world:blue"] = Image("sha256:1", {}, 1)
    assert exported(place, spec, None) == manifests
    assert told == []


def test_no_engine_is_needed(place: Workplace) -> None:
    assert export_k8s(None, place.reporter, SPEC, "hello:1") == exported(place, SPEC)


def test_an_unknown_instance_type_limits_nothing(place: Workplace, told: list[str]) -> None:
    spec = replace(SPEC, instance_type="Standard_X1", environment_variables={})

    assert "resources" not in container_of(exported(place, spec))
    assert told == [
        "warning: No CPU and no memory are asked for: they follow from instance_type, and "
        "Standard_X1 is unknown."
    ]


@pytest.mark.parametrize(
    ("instance_type", "limits"),
    [
        ("Standard_DS3_v2", {"cpu": "4", "memory": "14Gi"}),
        ("Standard_F2s_v2", {"cpu": "2", "memory": "4Gi"}),
        (
            "Standard_ND96asr_v4",
            {"cpu": "96", "memory": "900Gi", "nvidia.com/gpu": "8"},
        ),
    ],
)
def test_an_instance_is_as_large_as_in_the_cloud(
    place: Workplace, instance_type: str, limits: dict[str, str]
) -> None:
    resources = container_of(exported(place, replace(SPEC, instance_type=instance_type)))

    assert resources["resources"] == {"requests": limits, "limits": limits}


def test_a_name_that_no_image_can_have_is_refused(place: Workplace) -> None:
    with pytest.raises(UsageError, match=r"^No image can be named 'A B'\.$"):
        exported(place, SPEC, "A B")


@given(some.text())
def test_any_text_is_read_as_it_was_written(text: str) -> None:
    assert yaml.safe_load(quoted(text)) == text


def test_manifests_with_secrets_are_for_nobody_else_to_read(tmp_path: Path) -> None:
    file = tmp_path / "hello.yaml"
    file.write_text("before")
    file.chmod(0o644)

    write_manifests(Manifests("text\n", "hello:1", ("API_KEY",)), file)

    assert (file.read_text(), f"{file.stat().st_mode & 0o777:o}") == ("text\n", "600")


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    file = tmp_path / "missing" / "hello.yaml"

    with pytest.raises(UsageError) as raised:
        write_manifests(Manifests("text\n", "hello:1", ()), file)

    assert (raised.value.message, raised.value.cause) == (
        f"{file} cannot be written.",
        "No such file or directory.",
    )
