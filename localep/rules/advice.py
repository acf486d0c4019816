"""What nothing on this machine can tell for sure, and is worth a word before the deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localep.rules.code_folder import size_of
from localep.rules.definition import has_own_identity, is_secret_reference
from localep.rules.rule import Told, deployment_rule, endpoint_rule
from localep.rules.scripts import imports_of, place_in
from localep.rules.subject import mapping_of
from localep.spec.findings import Severity
from localep.spec.instance_types import find_instance_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localep.rules.subject import DeploymentSubject, EndpointSubject

# Families without the extra fifth of instances. Source: the cloud's list of supported sizes.
FAMILIES_WITHOUT_RESERVE = frozenset(
    {
        "standardNCADSA100v4Family",
        "standardNCADSH100v5Family",
        "standardNDAMSv4_A100Family",
        "standardNDASv4_A100Family",
        "standardNDSv2Family",
        "standardNDv5H100Family",
    }
)
# Names that tutorials and samples give their endpoints.
NAMES_OF_SAMPLES = frozenset(
    {
        "basic-chat-endpoint",
        "demo",
        "endpoint",
        "hello",
        "hello-world",
        "iris-endpoint",
        "mlflow-endpoint",
        "mnist-endpoint",
        "model-endpoint",
        "my-endpoint",
        "my-first-endpoint",
        "my-model",
        "my-new-endpoint",
        "my-online-endpoint",
        "my-sai-endpoint",
        "my-uai-endpoint",
        "online-endpoint",
        "r-endpoint",
        "sample-endpoint",
        "sklearn-endpoint",
        "test",
        "test-endpoint",
        "tfserving-endpoint",
        "torchserve-endpoint",
    }
)
_GIB = 1024**3


@deployment_rule("core-quota")
def core_quota(subject: DeploymentSubject) -> Iterator[Told]:
    """The cores that a deployment takes of the subscription's quota."""
    spec = subject.spec
    size = find_instance_type(spec.instance_type) if spec.instance_type else None
    if size is None or not spec.instance_count or subject.is_kubernetes:
        return
    has_reserve = size.family not in FAMILIES_WITHOUT_RESERVE
    # In whole numbers: 1.2 times 5 is a little more than 6 as a float.
    machines = -(-12 * spec.instance_count // 10) if has_reserve else spec.instance_count
    count = "1 instance" if spec.instance_count == 1 else f"{spec.instance_count} instances"
    reserve = ", with the fifth that the cloud reserves" if has_reserve else ""
    yield Told(
        ("instance_count",),
        f"{count} of {size.name} {'takes' if spec.instance_count == 1 else 'take'} "
        f"{machines * size.vcpus} cores of the quota for {size.family}{reserve}.",
        "Compare it with the subscription's quota in the region of the workspace.",
        severity=Severity.INFO,
    )


@deployment_rule("memory-at-start")
def memory_at_start(subject: DeploymentSubject) -> Iterator[Told]:
    """Models that fill half of the instance's memory, were each worker to hold one."""
    spec = subject.spec
    size = find_instance_type(spec.instance_type) if spec.instance_type else None
    if size is None or subject.is_kubernetes:
        return
    count = spec.environment_variables.get("WORKER_COUNT", "1")
    workers = int(count) if count.isdecimal() else 1
    need = sum(size_of(file) for file in subject.model_files)
    if 2 * need * workers > size.memory_gib * _GIB:
        files = f"{need / _GIB:.1f} GiB of model files"
        message = f"{files} for each of {workers} workers" if workers > 1 else files
        yield Told(
            ("instance_type",),
            f"{size.name} has {size.memory_gib:g} GiB of memory, for {message}.",
            severity=Severity.INFO,
        )


@deployment_rule("needs-identity")
def needs_identity(subject: DeploymentSubject) -> Iterator[Told]:
    """A script that logs in as the endpoint."""
    for file, tree in subject.reached.items():
        for item in imports_of(file, tree):
            if item.name.startswith("azure.identity"):
                yield Told(
                    (),
                    "in the cloud the script logs in as the endpoint's identity.",
                    severity=Severity.INFO,
                    document=place_in(item.file, item.line, item.column),
                )
                return


@deployment_rule("secret-access")
def secret_access(subject: DeploymentSubject) -> Iterator[Told]:
    """Secrets that the endpoint's identity has to be allowed to read."""
    for name, value in subject.spec.environment_variables.items():
        if is_secret_reference(value):
            message = "the cloud fills in the secret as the endpoint's identity."
            yield Told(("environment_variables", name), message, severity=Severity.INFO)


@endpoint_rule("name-taken")
def name_taken(subject: EndpointSubject) -> Iterator[Told]:
    """Names that others are likely to have in the same region."""
    name = subject.spec.name
    if name.lower() in NAMES_OF_SAMPLES:
        message = f"{name} is a name of samples, and only one endpoint of a region can have it."
        yield Told(("name",), message, severity=Severity.INFO)


@endpoint_rule("identity-roles")
def identity_roles(subject: EndpointSubject) -> Iterator[Told]:
    """An identity that somebody has to give its roles."""
    if has_own_identity(subject) and mapping_of(subject.origin, "identity"):
        yield Told(
            ("identity",),
            "a user-assigned identity gets no roles by itself.",
            "Assign it AcrPull on the workspace's registry and Storage Blob Data Reader on its "
            "storage account.",
            severity=Severity.INFO,
        )
