"""What the checks make of facts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from localep.doctor.examination import examine
from localep.doctor.facts import DiskFacts, EngineFacts, Facts, GpuFacts, IndexFacts, Refusal
from localep.doctor.finding import Finding, Severity

GIB = 1024**3
WELL = Facts(
    engine=EngineFacts("28.5.2", "1.51", is_local=True, host="127.0.0.1"),
    builder="buildx",
    base_image="localep/base:1",
    has_base_image=True,
    disks=(DiskFacts(200 * GIB, "/var/lib/docker"), DiskFacts(20 * GIB, "/tmp")),
    index=IndexFacts(),
    ca_bundle="/etc/ssl/ca.pem",
    gpus=GpuFacts("CDI", "the engine lists nvidia.com/gpu=0"),
)


def found(facts: Facts, check: str) -> Finding:
    (finding,) = [finding for finding in examine(facts) if finding.check == check]
    return finding


def test_a_machine_that_is_well() -> None:
    assert [(item.check, item.severity.value, item.message) for item in examine(WELL)] == [
        ("engine", "ok", "Docker 28.5.2 (API 1.51) answers on this machine."),
        ("builder", "ok", "Images are built by docker buildx."),
        ("base image", "ok", "localep/base:1 is there."),
        ("disk", "ok", "20.0 GiB are free in /tmp."),
        ("certificates", "ok", "Builds trust those of /etc/ssl/ca.pem."),
        ("index", "ok", "The package index answers from inside a container."),
        ("GPUs", "ok", "They are given by CDI: the engine lists nvidia.com/gpu=0."),
    ]
    assert all(item.remedy is None and item.fix is None for item in examine(WELL))


def test_without_an_engine_only_this_machine_is_judged() -> None:
    findings = examine(Facts(Refusal("None listens.", "Start Docker.")))

    assert [(item.check, item.severity.value) for item in findings] == [
        ("engine", "error"),
        ("certificates", "note"),
    ]
    assert (findings[0].message, findings[0].remedy) == ("None listens.", "Start Docker.")


@pytest.mark.parametrize(
    ("version", "severity"),
    [
        ("19.03.15", Severity.WARNING),
        ("20.10.24+dfsg1", Severity.OK),
        ("26.1.5+dfsg1", Severity.OK),
        ("27.0.0-rc.1", Severity.OK),
    ],
)
def test_an_old_engine_is_doubtful(version: str, severity: Severity) -> None:
    engine = EngineFacts(version, "1.40", is_local=False, host="far.example")

    finding = found(replace(WELL, engine=engine), "engine")

    assert finding.severity is severity
    assert finding.message == f"Docker {version} (API 1.40) answers on far.example."


def test_the_classic_builder_is_a_warning() -> None:
    assert found(replace(WELL, builder="buildkit"), "builder").severity is Severity.OK
    finding = found(replace(WELL, builder="classic"), "builder")
    assert (finding.severity, finding.remedy) == (Severity.WARNING, "Install docker-buildx.")


def test_a_base_image_to_be_built_is_noted_with_the_command() -> None:
    finding = found(replace(WELL, has_base_image=False), "base image")

    assert (finding.severity, finding.fix) == (Severity.NOTE, "localep base build")
    assert finding.message == "localep/base:1 is not there; the first create builds it."


@pytest.mark.parametrize(
    ("free", "severity"),
    [(15.0, Severity.OK), (14.9, Severity.WARNING), (2.0, Severity.WARNING), (1.9, Severity.ERROR)],
)
def test_the_fullest_disk_counts(free: float, severity: Severity) -> None:
    disks = (DiskFacts(500 * GIB, "/tmp"), DiskFacts(int(free * GIB), "/var/lib/docker"))

    finding = found(replace(WELL, disks=disks), "disk")

    assert (finding.severity, finding.remedy is None) == (severity, severity is Severity.OK)
    assert finding.message == f"{free} GiB are free in /var/lib/docker."


@pytest.mark.parametrize(
    ("failure", "remedy"),
    [
        ("invalid peer certificate: UnknownIssuer.", "Name your network's certificate"),
        ("failed to lookup address information: Try again.", "Give the engine a name server"),
        ("nothing came back in time.", "Check the proxy variables"),
    ],
)
def test_an_index_that_does_not_answer_is_told_with_what_may_help(
    failure: str, remedy: str
) -> None:
    finding = found(replace(WELL, index=IndexFacts(failure)), "index")

    assert finding.severity is Severity.WARNING
    assert finding.message.endswith(failure)
    assert (finding.remedy or "").startswith(remedy)


def test_no_gpus_are_a_note_and_gpus_that_fail_a_warning() -> None:
    refusal = Refusal("the driver is too old.", "Update it.")
    none = GpuFacts("the capability gpu", "the engine was asked", refusal, is_offered=False)
    broken = GpuFacts("the runtime nvidia", "the engine has it", refusal)

    finding = found(replace(WELL, gpus=none), "GPUs")
    assert (finding.severity, finding.remedy) == (Severity.NOTE, "Update it.")
    assert finding.message == (
        "None: the engine was asked. Deployments of GPU types run on the CPU."
    )
    finding = found(replace(WELL, gpus=broken), "GPUs")
    assert (finding.severity, finding.remedy) == (Severity.WARNING, "Update it.")
    assert finding.message == (
        "They are asked for by the runtime nvidia (the engine has it), and refused: the driver is "
        "too old."
    )
