"""What decides what a deployment's container is, and what is asked of the engine for it."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from localep.engine.base import ContainerRequest, HealthCheck, Limits, Mount
from localep.errors import SpecError
from localep.operations.container_plan import ContainerPlan, container_request, plan_container
from localep.operations.environments.plans import EnvironmentImage
from localep.operations.limits import LimitPlan
from localep.operations.script_logging import logging_config
from localep.operations.workplace import Workplace
from localep.spec.model import (
    CodeSpec,
    DeploymentSpec,
    EnvironmentSpec,
    InferenceConfig,
    ModelSpec,
    ProbeSettings,
    RequestSettings,
    Route,
)

ROUTES = InferenceConfig(Route(8501, "/alive"), Route(8502, "/ready"), Route(8503, "/v1"))
CUSTOM = EnvironmentSpec("mcr.example/server:1", inference_config=ROUTES)
IMAGE = EnvironmentImage("localep/env:0a1b", "sha256:0a1b", built=False)
Plan = Callable[..., ContainerPlan]


@pytest.fixture
def model(project: Path) -> ModelSpec:
    path = project / "models" / "diabetes"
    path.mkdir(parents=True)
    (path / "weights.bin").write_bytes(b"weights")
    (path / "deep").mkdir()
    (path / "deep" / "labels.txt").write_text("labels")
    return ModelSpec(path, name="diabetes", version="3")


@pytest.fixture
def spec(project: Path, model: ModelSpec) -> DeploymentSpec:
    return DeploymentSpec(
        "blue",
        "hello",
        model=model,
        code=CodeSpec(project / "code", "score.py"),
        environment=EnvironmentSpec(image="mcr.example/base:1"),
        environment_variables={"PASSWORD": "sesame"},
        instance_type="Standard_DS3_v2",
        instance_count=1,
    )


@pytest.fixture
def plan() -> Plan:
    def make(
        spec: DeploymentSpec, image: EnvironmentImage = IMAGE, copy_model: bool = False
    ) -> ContainerPlan:
        made = plan_container(spec, image, copy_model=copy_model)
        with made:
            pass
        return made

    return make


def test_the_request_asks_for_a_container_that_runs_as_the_clouds(
    place: Workplace, plan: Plan, spec: DeploymentSpec, project: Path
) -> None:
    made = replace(plan(spec), user=(1000, 1001))

    request = container_request(place, made, "0a1b2c3d")

    assert request == ContainerRequest(
        name="localep-hello-blue-0a1b2c3d",
        image="localep/env:0a1b",
        command=["azmlinfsrv", "--entry_script", "score.py"],
        labels={
            "localep.namespace": "default",
            "localep.command": "this-command",
            "localep.owner": "me",
            "localep.role": "deployment",
            "localep.endpoint": "hello",
            "localep.deployment": "blue",
            "localep.revision": "0a1b2c3d",
            "localep.instance": "1",
            "localep.fingerprint": made.fingerprint,
            "localep.spec": request.labels["localep.spec"],
        },
        network="localep",
        aliases=("localep-0a1b2c3d",),
        environment={
            "HOME": "/tmp",
            "PYTHONUNBUFFERED": "1",
            "PASSWORD": "sesame",
            "AML_APP_ROOT": "/var/azureml-app/code",
            "AZUREML_ENTRY_SCRIPT": "score.py",
            "AZUREML_MODEL_DIR": "/var/azureml-app/azureml-models/diabetes/3",
        },
        user="1000:1001",
        working_dir="/var/azureml-app/code",
        mounts=(
            Mount(
                str(project / "models" / "diabetes"),
                "/var/azureml-app/azureml-models/diabetes/3/diabetes",
                is_volume=False,
                read_only=True,
            ),
        ),
        publish={},
        scratch={},
        unprivileged=True,
        health=HealthCheck(
            command=(
                *("python3", "-I", "-S", "/opt/localep/liveness.py"),
                *("watch", "2", "5001", "/", "10", "10", "30"),
            ),
            period=10,
            timeout=420,
            start_period=10,
            failure_threshold=30,
        ),
    )
    assert json.loads(request.labels["localep.spec"]) == {
        "name": "blue",
        "instance_type": "Standard_DS3_v2",
        "instance_count": 1,
        "image": "localep/env:0a1b",
        "requested_image": "mcr.example/base:1",
        "model": str(project / "models" / "diabetes"),
        "model_places": {
            "/var/azureml-app/azureml-models/diabetes/3/diabetes": str(
                project / "models" / "diabetes"
            )
        },
        "copies_model": False,
        "code": str(project / "code"),
        "code_folder": "/var/azureml-app/code",
        "scoring_script": "score.py",
        "liveness_probe": {
            "initial_delay": 10,
            "period": 10,
            "timeout": 2,
            "success_threshold": 1,
            "failure_threshold": 30,
        },
        "readiness_probe": {
            "initial_delay": 10,
            "period": 10,
            "timeout": 2,
            "success_threshold": 1,
            "failure_threshold": 30,
        },
        "liveness_route": None,
        "egress_public_network_access": "enabled",
        "limits": LimitPlan().record,
        "gpus": "auto",
    }


def test_without_egress_the_container_is_in_the_internal_network_and_asks_nobody_for_names(
    place: Workplace, plan: Plan, spec: DeploymentSpec
) -> None:
    made = plan(replace(spec, has_egress=False))

    request = container_request(place, made, "r1")

    assert request.network == "localep_internal"
    assert (request.dns, request.dns_options) == (("192.0.2.1",), ("timeout:1", "attempts:1"))
    record = json.loads(request.labels["localep.spec"])
    assert record["egress_public_network_access"] == "disabled"
    assert made.fingerprint != plan(spec).fingerprint


def test_no_variable_of_the_user_stands_in_a_label(
    place: Workplace, plan: Plan, spec: DeploymentSpec
) -> None:
    labels = container_request(place, plan(spec), "r1").labels

    assert [name for name, text in labels.items() if "sesame" in text or "PASSWORD" in text] == []


def test_a_model_that_is_a_file_is_mounted_alone(
    place: Workplace, plan: Plan, spec: DeploymentSpec, project: Path
) -> None:
    file = project / "models" / "diabetes.pkl"
    file.write_bytes(b"pickle")
    (project / "models" / "neighbour.pkl").write_bytes(b"pickle")

    request = container_request(place, plan(replace(spec, model=ModelSpec(file))), "r1")

    folder = request.environment["AZUREML_MODEL_DIR"]
    assert request.mounts == (Mount(str(file), f"{folder}/diabetes.pkl"),)


def test_a_copied_model_is_mounted_from_its_volume(
    place: Workplace, plan: Plan, spec: DeploymentSpec
) -> None:
    request = container_request(place, plan(spec, copy_model=True), "r1")

    assert request.mounts == (
        Mount(
            "localep-hello-model-r1",
            "/var/azureml-app/azureml-models",
            is_volume=True,
            read_only=True,
        ),
    )


@pytest.mark.parametrize("copy_model", [False, True])
def test_without_a_model_nothing_is_mounted(
    place: Workplace, plan: Plan, spec: DeploymentSpec, copy_model: bool
) -> None:
    made = plan(replace(spec, model=None), copy_model=copy_model)

    assert container_request(place, made, "r1").mounts == ()


def test_the_container_runs_as_whoever_runs_localep(
    plan: Plan, spec: DeploymentSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(os, "getgid", lambda: 100)

    assert plan(spec).user == (1000, 100)


def test_for_root_the_container_runs_as_the_owner_of_the_code(
    plan: Plan, spec: DeploymentSpec, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = (project / "code").stat()
    monkeypatch.setattr(os, "getuid", lambda: 0)

    assert plan(spec).user == (status.st_uid, status.st_gid)


def members(spec: DeploymentSpec) -> dict[str, tarfile.TarInfo]:
    """What a plan's snapshot holds, by name."""
    with plan_container(spec, IMAGE, copy_model=False) as made:
        assert made.snapshot is not None
        with tarfile.open(fileobj=made.snapshot.archive) as tar:
            return {member.name: member for member in tar}


CODE = "var/azureml-app/code"
# What every container of localep's own server gets.
PLAIN = ["opt/localep/liveness.py", CODE, f"{CODE}/score.py"]
LOOKS_UP = "from azureml.core import Model\npath = Model.get_model_path('diabetes')\n"


def test_the_models_are_linked_for_scripts_that_look_them_up_by_azureml_core(
    spec: DeploymentSpec, project: Path
) -> None:
    assert sorted(members(spec)) == PLAIN

    (project / "code" / "score.py").write_text(LOOKS_UP)
    found = members(spec)
    assert sorted(found) == sorted([*PLAIN, f"{CODE}/azureml-models"])
    link = found[f"{CODE}/azureml-models"]
    assert (link.issym(), link.linkname) == (True, "/var/azureml-app/azureml-models")

    (project / "code" / "sub").mkdir()
    (project / "code" / "sub" / "main.py").write_text(LOOKS_UP)
    nested = replace(
        spec, code=CodeSpec(project / "code", "sub/main.py"), model_mount_path="/models"
    )
    assert members(nested)[f"{CODE}/sub/azureml-models"].linkname == "/models"


def test_without_a_model_nothing_is_linked(spec: DeploymentSpec) -> None:
    assert sorted(members(replace(spec, model=None))) == PLAIN


def test_a_log_level_puts_a_configuration_beside_the_scoring_script(spec: DeploymentSpec) -> None:
    loud = replace(spec, model=None, environment_variables={"LOCALEP_LOG_LEVEL": "DEBUG"})

    with plan_container(loud, IMAGE, copy_model=False) as made:
        assert made.snapshot is not None
        with tarfile.open(fileobj=made.snapshot.archive) as tar:
            content = tar.extractfile(f"{CODE}/logging.json")
            assert content is not None
            assert content.read().decode() == logging_config("DEBUG")


@pytest.mark.parametrize("level", ["", "debug", "LOUD"])
def test_a_log_level_that_is_none_adds_nothing(spec: DeploymentSpec, level: str) -> None:
    odd = replace(spec, model=None, environment_variables={"LOCALEP_LOG_LEVEL": level})

    assert sorted(members(odd)) == PLAIN


def test_several_models_are_mounted_each_on_its_own(
    place: Workplace, plan: Plan, spec: DeploymentSpec, project: Path
) -> None:
    file = project / "labels.txt"
    file.touch()
    folder = project / "models" / "diabetes"
    models = (ModelSpec(file, name="labels"), ModelSpec(folder, name="trees", version="2"))
    several = replace(spec, model=None, models=models)

    request = container_request(place, plan(several), "r1")

    root = "/var/azureml-app/azureml-models"
    assert request.mounts == (
        Mount(str(file), f"{root}/labels/1/labels.txt"),
        Mount(str(folder), f"{root}/trees/2/diabetes"),
    )
    assert request.environment["AZUREML_MODEL_DIR"] == root
    assert json.loads(request.labels["localep.spec"])["model"] == f"{file}, {folder}"


def test_a_custom_container_is_as_its_image_says(
    place: Workplace, plan: Plan, spec: DeploymentSpec, project: Path
) -> None:
    custom = replace(spec, code=None, environment=CUSTOM, model_mount_path="/models")

    made = plan(custom)

    assert (made.snapshot, made.user, made.routes) == (None, None, ROUTES)
    request = container_request(place, made, "r1")
    assert (request.command, request.user, request.working_dir) == (None, None, None)
    assert request.unprivileged is False
    assert request.environment == {"PASSWORD": "sesame", "AZUREML_MODEL_DIR": "/models/diabetes/3"}
    assert request.mounts == (
        Mount(str(project / "models" / "diabetes"), "/models/diabetes/3/diabetes"),
    )
    # Nobody knows whether it has a Python that could keep the liveness probe.
    assert request.health is None
    record = json.loads(request.labels["localep.spec"])
    assert (record["code"], record["scoring_script"]) == (None, None)
    assert record["liveness_route"] == {"port": 8501, "path": "/alive"}


def test_a_custom_container_gets_the_code_that_its_deployment_names(
    place: Workplace, plan: Plan, spec: DeploymentSpec
) -> None:
    variables = {"LOCALEP_LOG_LEVEL": "DEBUG"}
    custom = replace(spec, environment=CUSTOM, environment_variables=variables)

    found = members(custom)

    assert sorted(found) == [CODE, f"{CODE}/score.py"]
    assert {(member.uid, member.gid) for member in found.values()} == {(0, 0)}
    request = container_request(place, plan(custom), "r1")
    assert (request.command, request.user, request.working_dir) == (None, None, None)
    assert request.environment == {
        "LOCALEP_LOG_LEVEL": "DEBUG",
        "AML_APP_ROOT": "/var/azureml-app/code",
        "AZUREML_ENTRY_SCRIPT": "score.py",
        "AZUREML_MODEL_DIR": "/var/azureml-app/azureml-models/diabetes/3",
    }


@pytest.mark.parametrize("name", ["liveness_route", "readiness_route", "scoring_route"])
@pytest.mark.parametrize("route", [Route(1, "/v1"), Route(8501, "/other")], ids=["port", "path"])
def test_another_route_changes_the_fingerprint(
    plan: Plan, spec: DeploymentSpec, name: str, route: Route
) -> None:
    changed = replace(CUSTOM, inference_config=replace(ROUTES, **{name: route}))

    before, after = (
        plan(replace(spec, code=None, environment=environment)).fingerprint
        for environment in (CUSTOM, changed)
    )

    assert after != before


def test_the_snapshot_belongs_to_the_user_of_the_container(
    spec: DeploymentSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, tuple[int, int]]] = []

    def keep(folder: Path, target: str, owner: tuple[int, int], _: object) -> object:
        asked.append((target, owner))
        raise SpecError(f"{folder} was asked for.")

    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(os, "getgid", lambda: 100)
    monkeypatch.setattr("localep.operations.container_plan.take_snapshot", keep)

    with pytest.raises(SpecError, match="was asked for"):
        plan_container(spec, IMAGE, copy_model=False)

    assert asked == [("/var/azureml-app/code", (1000, 100))]


def test_a_deployment_without_code_is_refused(spec: DeploymentSpec) -> None:
    with pytest.raises(SpecError) as caught:
        plan_container(replace(spec, code=None), IMAGE, copy_model=False)

    assert caught.value.message == "Deployment blue has no scoring script."
    assert caught.value.cause == (
        "It has no code_configuration (the cloud says MissingDriverProgram)."
    )
    assert caught.value.remedy == "Add code_configuration with `code:` and `scoring_script:`."


def test_the_same_deployment_has_the_same_fingerprint(plan: Plan, spec: DeploymentSpec) -> None:
    assert plan(spec).fingerprint == plan(spec).fingerprint


def test_the_order_of_the_variables_does_not_matter(plan: Plan, spec: DeploymentSpec) -> None:
    one = replace(spec, environment_variables={"A": "1", "B": "2"})
    other = replace(spec, environment_variables={"B": "2", "A": "1"})

    assert plan(one).fingerprint == plan(other).fingerprint


def test_touched_code_has_the_same_fingerprint(
    plan: Plan, spec: DeploymentSpec, project: Path
) -> None:
    before = plan(spec).fingerprint

    os.utime(project / "code" / "score.py", (1, 1))

    assert plan(spec).fingerprint == before


def test_what_the_gateway_alone_decides_is_not_in_the_fingerprint(
    plan: Plan, spec: DeploymentSpec
) -> None:
    settings = RequestSettings(request_timeout_ms=90_000, max_concurrent_requests_per_instance=9)
    other = replace(spec, request_settings=settings, description="another", tags={"a": "b"})

    assert plan(other).fingerprint == plan(spec).fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"environment_variables": {"PASSWORD": "another"}},
        {"environment_variables": {}},
        {"environment_variables": {"PASSWORD": "sesame", "LOCALEP_LOG_LEVEL": "INFO"}},
        {"model": None},
        {"model_mount_path": "/models"},
        {"instance_type": "Standard_DS2_v2"},
        {"instance_count": 2},
        {"liveness_probe": ProbeSettings(period=5)},
        {"environment": EnvironmentSpec(image="mcr.example/base:2")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_the_deployment_changes_the_fingerprint(
    plan: Plan, spec: DeploymentSpec, change: dict[str, Any]
) -> None:
    assert plan(replace(spec, **change)).fingerprint != plan(spec).fingerprint


def test_another_image_changes_the_fingerprint(plan: Plan, spec: DeploymentSpec) -> None:
    rebuilt = replace(IMAGE, identity="sha256:another")

    assert plan(spec, rebuilt).fingerprint != plan(spec).fingerprint


def test_whether_the_image_was_built_just_now_does_not_matter(
    plan: Plan, spec: DeploymentSpec
) -> None:
    assert plan(spec, replace(IMAGE, built=True)).fingerprint == plan(spec).fingerprint


def test_a_copied_model_changes_the_fingerprint(plan: Plan, spec: DeploymentSpec) -> None:
    assert plan(spec, copy_model=True).fingerprint != plan(spec).fingerprint


def test_another_version_of_the_model_changes_the_fingerprint(
    plan: Plan, spec: DeploymentSpec, model: ModelSpec
) -> None:
    newer = replace(spec, model=replace(model, version="4"))

    assert plan(newer).fingerprint != plan(spec).fingerprint


def test_another_scoring_script_changes_the_fingerprint(
    plan: Plan, spec: DeploymentSpec, project: Path
) -> None:
    (project / "code" / "other.py").touch()
    other = replace(spec, code=CodeSpec(project / "code", "other.py"))

    assert plan(other).fingerprint != plan(spec).fingerprint


def test_other_limits_change_the_fingerprint(plan: Plan, spec: DeploymentSpec) -> None:
    with plan_container(
        spec, IMAGE, copy_model=False, limits=LimitPlan(Limits(memory=2**30))
    ) as limited:
        assert limited.fingerprint != plan(spec).fingerprint


def test_changed_code_changes_the_fingerprint(
    plan: Plan, spec: DeploymentSpec, project: Path
) -> None:
    before = plan(spec).fingerprint

    (project / "code" / "score.py").write_text("# new\n")

    assert plan(spec).fingerprint != before


def test_a_touched_file_of_the_model_changes_the_fingerprint(
    plan: Plan, spec: DeploymentSpec, model: ModelSpec
) -> None:
    before = plan(spec).fingerprint
    assert model.path is not None

    os.utime(model.path / "deep" / "labels.txt", (1, 1))

    assert plan(spec).fingerprint != before


def test_a_model_is_never_read_for_its_fingerprint(
    plan: Plan, spec: DeploymentSpec, model: ModelSpec
) -> None:
    # A file of this size could not be read in time.
    assert model.path is not None
    with (model.path / "huge.bin").open("wb") as file:
        file.truncate(1 << 40)

    assert plan(spec).fingerprint == plan(spec).fingerprint


def test_a_link_to_nothing_in_the_model_does_no_harm(
    plan: Plan, spec: DeploymentSpec, model: ModelSpec
) -> None:
    assert model.path is not None
    (model.path / "latest").symlink_to("nowhere")

    assert plan(spec).fingerprint == plan(spec).fingerprint
