"""`create`: what is made, what is refused, and that a failure leaves nothing behind."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any
from unittest.mock import ANY

import pytest

from localep.errors import (
    DeploymentNotReady,
    EndpointConflict,
    EngineError,
    Interrupted,
    NameTaken,
    PortTaken,
    SpecError,
)
from localep.gateway.state import Backend, GatewayState, Operation, Readiness
from localep.operations.create import CreateOptions, create
from localep.operations.endpoints import find_endpoint
from localep.operations.views import DeploymentView, EndpointView
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle

Load = Callable[..., Bundle]
OPTIONS = CreateOptions(port=8085)
GATEWAY = "localep-hello-gateway"


def state_of(place: Workplace) -> GatewayState:
    return find_endpoint(place, "hello").state


def containers(place: Workplace) -> list[str]:
    return sorted(container.name for container in place.engine.list_containers({}))


def refuse(
    monkeypatch: pytest.MonkeyPatch, place: Workplace, method: str, error: Exception
) -> None:
    """Have a method of the engine fail."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(place.engine, method, fail)


def never_ready(monkeypatch: pytest.MonkeyPatch, error: BaseException | None = None) -> None:
    def fail(*_: object) -> None:
        raise error or DeploymentNotReady("It did not get ready.", cause="init() failed.")

    monkeypatch.setattr("localep.operations.rollout.wait_until_ready", fail)


def generated_name(path: Path) -> str:
    """The name of a model that has none."""
    return hashlib.md5(str(path).encode(), usedforsecurity=False).hexdigest()


def conflict(place: Workplace, bundle: Bundle) -> tuple[str, str | None, str | None]:
    """What a refused create says; nothing may have changed."""
    before = (containers(place), state_of(place))
    with pytest.raises(EndpointConflict) as caught:
        create(place, bundle, OPTIONS)
    assert (containers(place), state_of(place)) == before
    return caught.value.message, caught.value.cause, caught.value.remedy


def test_an_endpoint_is_created_with_its_deployment(
    place: Workplace, load: Load, project: Path
) -> None:
    result = create(place, load("endpoint.yml", "deployment.yml"), OPTIONS)

    image = result.endpoint.deployments[0].image
    assert image.startswith("localep/env:")
    assert result.endpoint == EndpointView(
        name="hello",
        provisioning_state="Succeeded",
        scoring_uri="http://127.0.0.1:8085/score",
        openapi_uri="http://127.0.0.1:8085/swagger.json",
        auth_mode="key",
        traffic={"blue": 100},
        location="local",
        last_operation={"name": "create", "state": "Succeeded", "error": None},
        deployments=[
            DeploymentView(
                name="blue",
                endpoint_name="hello",
                provisioning_state="Succeeded",
                status="running",
                error=None,
                instance_type="Standard_DS3_v2",
                instance_count=1,
                image=image,
                requested_image=None,
                model=None,
                code=str(project / "code"),
                scoring_script="score.py",
                request_settings={
                    "request_timeout_ms": 5000,
                    "max_concurrent_requests_per_instance": 1,
                },
                limits={"cpus": 4, "memory_bytes": 14 * 1024**3, "shm_bytes": None},
                start=ANY,
            )
        ],
    )


def test_a_new_deployment_is_opened_before_the_state_says_so(
    place: Workplace, load: Load, calls: list[str]
) -> None:
    create(place, load("endpoint.yml", "deployment.yml"), OPTIONS)

    # Both containers start side by side, so their order is left open.
    assert sorted(calls[:4]) == [
        "create localep-hello-blue-r1",
        f"create {GATEWAY}",
        "start localep-hello-blue-r1",
        f"start {GATEWAY}",
    ]
    address = place.engine.list_containers({"localep.role": "deployment"})[0].addresses["localep"]
    assert calls[4:] == [
        f"restart always {GATEWAY}",
        "haproxy set server deployment/a1 state drain",
        "haproxy set server deployment/a1 check-port 5001",
        "haproxy set server deployment/a1 fqdn localep-r1",
        f"haproxy set server probe/target addr {address} port 5001",
        "haproxy set server probe/target state ready",
        "restart always localep-hello-blue-r1",
        "haproxy set server deployment/a1 state ready",
        "haproxy set server deployment/a1 health up",
        "haproxy set map /etc/haproxy/limits.map share 100",
        "haproxy set map /etc/haproxy/limits.map in_flight 2",
        "haproxy set map /etc/haproxy/limits.map timeout_ms 5000",
        "haproxy set map /etc/haproxy/names.map deployment blue",
        "haproxy set map /etc/haproxy/probe.map path /",
        "haproxy set maxconn server deployment/a1 1",
    ]


def test_a_deployment_without_egress_is_in_a_network_that_its_gateway_joins(
    place: Workplace, load: Load, calls: list[str]
) -> None:
    create(place, load("deployment.yml", "egress_public_network_access=disabled"), OPTIONS)

    assert f"connect {GATEWAY} to localep_internal" in calls
    (deployment,) = place.engine.list_containers({"localep.role": "deployment"})
    assert list(deployment.addresses) == ["localep_internal"]
    address = deployment.addresses["localep_internal"]
    assert f"haproxy set server probe/target addr {address} port 5001" in calls
    assert vars(place.engine)["networks"] == ["localep", "localep_internal"]


def test_a_start_that_the_cloud_would_not_wait_for_is_warned_of(
    place: Workplace, load: Load, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(monotonic=iter(range(0, 10**6, 400)).__next__)
    monkeypatch.setattr("localep.operations.rollout.time", clock)

    result = create(place, load("endpoint.yml", "deployment.yml"), OPTIONS)

    start = result.endpoint.deployments[0].start
    assert start is not None
    assert (start.allowed_seconds, start.probe) == (302, "liveness_probe")
    assert start.seconds > 302
    (warning,) = [line for line in told if "init-too-slow" in line]
    assert warning.startswith(
        f"warning: The deployment took {start.seconds:.1f} s to get ready; in the cloud its "
        "liveness_probe would have given up after 302 s (init-too-slow). "
    )


def test_the_state_holds_the_deployment_and_the_documents(
    place: Workplace, load: Load, project: Path
) -> None:
    bundle = load("endpoint.yml", "deployment.yml", "endpoint.auth_mode=aml_token")

    create(place, bundle, OPTIONS)

    state = state_of(place)
    assert state == GatewayState(
        auth_mode="aml_token",
        primary_key=state.primary_key,
        secondary_key=state.secondary_key,
        probe_token=state.probe_token,
        operation=Operation("create", "Succeeded", "blue"),
        backend=Backend(
            deployment="blue",
            revision="r1",
            aliases=("localep-r1",),
            slot="a",
            port=5001,
            scoring_path="/score",
            request_timeout_ms=5000,
            max_concurrent_requests=1,
            max_queue_wait_ms=500,
            readiness=Readiness(),
        ),
        traffic={},
        documents=[
            {"source": str(document.source), "data": document.data} for document in bundle.documents
        ],
    )
    assert [document["source"] for document in state.documents] == [
        str(project / "endpoint.yml"),
        str(project / "deployment.yml"),
    ]


def test_the_state_holds_what_the_front_end_shall_let_through(place: Workplace, load: Load) -> None:
    options = replace(OPTIONS, allows_options=True, is_direct=True)

    result = create(place, load("endpoint.yml", "deployment.yml"), options)

    state = state_of(place)
    assert (state.allows_options, state.is_direct) == (True, True)
    assert result.endpoint.front_end == "direct"


def test_an_endpoint_may_ask_for_no_key_and_refuse_large_requests(
    place: Workplace, load: Load, told: list[str]
) -> None:
    options = replace(OPTIONS, requires_key=False, payload_limit=1500)

    result = create(place, load("endpoint.yml", "deployment.yml"), options)

    state = state_of(place)
    assert (state.requires_key, state.payload_limit) == (False, 1500)
    assert result.endpoint.front_end == "no-auth, max-payload 1500"
    assert [text for text in told if text.startswith("warning: Whoever")] == []


def test_a_deployment_that_is_added_may_change_the_front_end_of_its_endpoint(
    place: Workplace, load: Load
) -> None:
    create(place, load("endpoint.yml"), replace(OPTIONS, payload_limit=1500))
    added = CreateOptions(allows_options=True, requires_key=False)

    result = create(place, load("deployment.yml"), added)

    assert result.endpoint.front_end == "allow-options, no-auth, max-payload 1500"
    state = state_of(place)
    assert (state.allows_options, state.is_direct, state.requires_key) == (True, False, False)


@pytest.mark.parametrize("changes", [{"requires_key": False}, {"is_direct": True}])
def test_strangers_who_may_use_an_endpoint_without_a_key_are_warned_of(
    place: Workplace, load: Load, told: list[str], changes: dict[str, bool]
) -> None:
    options = replace(OPTIONS, host="0.0.0.0", **changes)  # type: ignore[arg-type]

    create(place, load("endpoint.yml"), options)

    warning = "Whoever reaches 0.0.0.0 may use the endpoint: it asks for no key there."
    assert f"warning: {warning}" in told


def test_a_custom_container_is_probed_and_asked_at_its_own_routes(
    place: Workplace, load: Load, project: Path, calls: list[str]
) -> None:
    (project / "custom.yml").write_text(
        "name: blue\n"
        "endpoint_name: hello\n"
        "instance_type: Standard_DS3_v2\n"
        "environment:\n"
        "  image: localep/env:own\n"
        "  inference_config:\n"
        "    liveness_route: {port: 8501, path: /alive}\n"
        "    readiness_route: {port: 8502, path: /ready}\n"
        "    scoring_route: {port: 8503, path: /v1/predict}\n"
    )

    result = create(place, load("endpoint.yml", "custom.yml"), OPTIONS)

    assert result.endpoint.scoring_uri == "http://127.0.0.1:8085/v1/predict"
    backend = state_of(place).backend
    assert backend is not None
    assert (backend.port, backend.scoring_path) == (8503, "/v1/predict")
    (container,) = place.engine.list_containers({"localep.role": "deployment"})
    address = container.addresses["localep"]
    assert [call for call in calls if " port " in call] == [
        f"haproxy set server probe/target addr {address} port 8502",
        f"haproxy set server deployment/a1 addr {address} port 8503",
    ]


def test_the_gateway_is_created_as_a_user_who_may_do_nothing_else(
    place: Workplace, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[Any] = []
    create_container = place.engine.create_container

    def keep(request: Any) -> str:
        requests.append(request)
        return create_container(request)

    monkeypatch.setattr(place.engine, "create_container", keep)
    create(place, load("endpoint.yml"), replace(OPTIONS, host="0.0.0.0"))

    (request,) = requests
    assert (request.user, request.unprivileged) == ("haproxy", True)
    assert (request.environment, request.mounts) == ({"RES_OPTIONS": "timeout:1 attempts:1"}, ())
    assert (request.network, request.aliases) == ("localep", ("localep-gateway",))
    assert request.publish == {8080: ("0.0.0.0", 8085)}
    assert request.labels == {
        "localep.namespace": "default",
        "localep.command": "this-command",
        "localep.owner": "me",
        "localep.role": "gateway",
        "localep.endpoint": "hello",
        # Nobody reaches 0.0.0.0; the address is the one to be used from here.
        "localep.address": "127.0.0.1:8085",
    }


def test_an_endpoint_is_created_without_a_deployment(
    place: Workplace, load: Load, calls: list[str]
) -> None:
    result = create(place, load("endpoint.yml"), OPTIONS)

    assert result.endpoint.deployments == []
    assert result.endpoint.traffic == {}
    assert result.endpoint.provisioning_state == "Succeeded"
    assert calls == [f"create {GATEWAY}", f"start {GATEWAY}", f"restart always {GATEWAY}"]


def test_a_deployments_file_alone_makes_its_endpoint_too(place: Workplace, load: Load) -> None:
    result = create(place, load("deployment.yml"), OPTIONS)

    assert result.endpoint.name == "hello"
    assert result.endpoint.traffic == {"blue": 100}


def test_a_deployment_joins_an_endpoint_that_has_none(
    place: Workplace, load: Load, new_place: Callable[[str], Workplace]
) -> None:
    create(place, load("endpoint.yml", "traffic.blue=30"), OPTIONS)
    before = state_of(place)

    result = create(new_place("second"), load("deployment.yml"), OPTIONS)

    after = state_of(place)
    assert result.endpoint.traffic == {"blue": 30}
    assert (after.primary_key, after.secondary_key) == (before.primary_key, before.secondary_key)
    assert after.operation == Operation("create", "Succeeded", "blue")
    assert containers(place) == ["localep-hello-blue-r1", GATEWAY]
    assert len(after.documents) == 2


@pytest.mark.parametrize(("all_traffic", "share"), [(False, 30), (True, 100)])
def test_all_the_traffic_may_be_given_at_once(
    place: Workplace, load: Load, all_traffic: bool, share: int
) -> None:
    bundle = load("endpoint.yml", "deployment.yml", "traffic.blue=30")

    result = create(place, bundle, replace(OPTIONS, all_traffic=all_traffic))

    assert result.endpoint.traffic == {"blue": share}


def test_all_the_traffic_may_be_given_to_a_deployment_that_joins(
    place: Workplace, load: Load
) -> None:
    create(place, load("endpoint.yml", "traffic.blue=30"), OPTIONS)

    result = create(place, load("deployment.yml"), replace(OPTIONS, all_traffic=True))

    assert result.endpoint.traffic == {"blue": 100}


def test_an_endpoint_that_exists_is_refused(place: Workplace, load: Load) -> None:
    create(place, load("endpoint.yml"), OPTIONS)

    assert conflict(place, load("endpoint.yml")) == (
        "Endpoint hello exists already.",
        None,
        "Change it with `localep update`, or remove it with `localep delete`.",
    )


def test_an_endpoint_that_exists_without_a_deployment_takes_the_deployments_file_alone(
    place: Workplace, load: Load
) -> None:
    create(place, load("endpoint.yml"), OPTIONS)

    assert conflict(place, load("endpoint.yml", "deployment.yml")) == (
        "Endpoint hello exists already.",
        None,
        "Create the deployment alone: leave the endpoint's file out.",
    )


@pytest.mark.parametrize("files", [["deployment.yml"], ["endpoint.yml", "deployment.yml"]])
def test_a_deployment_that_exists_is_refused(
    place: Workplace, load: Load, files: list[str]
) -> None:
    create(place, load("endpoint.yml", "deployment.yml"), OPTIONS)

    assert conflict(place, load(*files)) == (
        "Deployment blue of endpoint hello exists already.",
        None,
        "Change it with `localep update`, or remove it with `localep delete`.",
    )


def test_a_second_deployment_is_refused_with_the_reason(place: Workplace, load: Load) -> None:
    create(place, load("endpoint.yml", "deployment.yml"), OPTIONS)

    assert conflict(place, load("deployment.yml", "name=green")) == (
        "Endpoint hello has a deployment already.",
        "It is blue; a local endpoint runs one deployment, so green has no place beside it.",
        "Remove blue first (localep delete -n hello --deployment blue), "
        "or create green under another endpoint's name with -n.",
    )


def test_a_deployment_without_code_is_refused_before_anything_is_made(
    place: Workplace, load: Load, project: Path, calls: list[str]
) -> None:
    (project / "bare.yml").write_text("name: blue\nendpoint_name: hello\ninstance_type: F2\n")

    with pytest.raises(SpecError, match=r"^Deployment blue has no scoring script\.$"):
        create(place, load("bare.yml"), OPTIONS)

    assert calls == []


@pytest.mark.parametrize(
    "error", [DeploymentNotReady("no"), EngineError("no"), Interrupted("no"), KeyboardInterrupt()]
)
def test_a_deployment_that_does_not_get_ready_leaves_nothing_behind(
    place: Workplace, load: Load, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    never_ready(monkeypatch, error)

    with pytest.raises(type(error)) as caught:
        create(place, load("endpoint.yml", "deployment.yml"), replace(OPTIONS, copy_model=True))

    assert caught.value is error
    assert containers(place) == []
    assert place.engine.list_volumes({}) == []


@pytest.mark.parametrize(
    "method", ["create_container", "start_container", "copy_in", "restart_always", "execute"]
)
def test_whatever_fails_nothing_is_left_behind(
    place: Workplace, load: Load, calls: list[str], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    refuse(monkeypatch, place, method, EngineError("The engine says no."))

    with pytest.raises(EngineError):
        create(place, load("endpoint.yml", "deployment.yml"), OPTIONS)

    assert containers(place) == []
    assert calls[-1] == "remove the network localep"


def test_a_failure_says_what_failed(
    place: Workplace, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    never_ready(monkeypatch)

    with pytest.raises(DeploymentNotReady, match=r"^It did not get ready\.$"):
        create(place, load("endpoint.yml", "deployment.yml"), OPTIONS)


def test_a_deployment_that_fails_to_join_leaves_the_endpoint_with_the_error(
    place: Workplace,
    load: Load,
    calls: list[str],
    new_place: Callable[[str], Workplace],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create(place, load("endpoint.yml"), OPTIONS)
    before = state_of(place)
    never_ready(monkeypatch)

    with pytest.raises(DeploymentNotReady):
        create(new_place("second"), load("deployment.yml"), OPTIONS)

    error = "It did not get ready. init() failed."
    assert state_of(place) == before.after(Operation("create", "Failed", "blue", error))
    assert containers(place) == [GATEWAY]
    assert calls[-3:] == [
        "haproxy set server deployment/a1 state maint",
        "haproxy set server deployment/a1 fqdn localep-gateway",
        "remove localep-hello-blue-r1",
    ]


def test_a_deployment_that_failed_to_join_may_try_again(
    place: Workplace,
    load: Load,
    new_place: Callable[[str], Workplace],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create(place, load("endpoint.yml"), OPTIONS)
    with monkeypatch.context() as broken:
        never_ready(broken)
        with pytest.raises(DeploymentNotReady):
            create(new_place("second"), load("deployment.yml"), OPTIONS)

    result = create(new_place("third"), load("deployment.yml"), OPTIONS)

    assert result.endpoint.last_operation == {
        "name": "create",
        "state": "Succeeded",
        "error": None,
    }


def test_an_endpoint_that_another_command_is_creating_is_left_alone(
    place: Workplace, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals: list[tuple[str, str | None, str | None]] = []

    def create_again(*_: object) -> None:
        refusals.append(conflict(place, load("deployment.yml")))

    monkeypatch.setattr("localep.operations.rollout.wait_until_ready", create_again)
    create(place, load("endpoint.yml", "deployment.yml"), OPTIONS)

    assert refusals == [
        (
            "Endpoint hello is being changed.",
            "Another localep command is at work on it.",
            "Wait for that command to end, and try again.",
        )
    ]


def test_a_port_in_use_is_told_where_it_was_asked_for(
    place: Workplace, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = PortTaken("The engine could not.", cause="Port is already allocated.")
    refuse(monkeypatch, place, "start_container", error)

    with pytest.raises(PortTaken) as caught:
        create(place, load("endpoint.yml"), OPTIONS)

    assert caught.value.message == "Port 8085 is in use."
    assert caught.value.cause == "Port is already allocated."
    assert caught.value.remedy == (
        "Choose another with --port, or leave it out to have one chosen."
    )
    assert containers(place) == []


def test_another_free_port_is_tried_where_none_was_asked_for(
    place: Workplace, load: Load, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = place.engine.start_container
    failures = iter([PortTaken("in use"), PortTaken("in use")])

    def start_the_third_time(identity: str) -> None:
        for error in failures:
            raise error
        start(identity)

    monkeypatch.setattr(place.engine, "start_container", start_the_third_time)
    create(place, load("endpoint.yml"), CreateOptions())

    assert calls == [
        *[f"create {GATEWAY}", f"remove {GATEWAY}"] * 2,
        f"create {GATEWAY}",
        f"start {GATEWAY}",
        f"restart always {GATEWAY}",
    ]


def test_after_some_ports_the_search_ends(
    place: Workplace, load: Load, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, place, "start_container", PortTaken("in use"))

    with pytest.raises(PortTaken) as caught:
        create(place, load("endpoint.yml"), CreateOptions())

    assert caught.value.message == "No free port was found."
    assert calls == [
        *[f"create {GATEWAY}", f"remove {GATEWAY}"] * 5,
        "remove the network localep",
    ]


def test_of_two_creates_at_once_the_later_one_gives_way(
    place: Workplace,
    load: Load,
    new_place: Callable[[str], Workplace],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create(place, load("endpoint.yml"), OPTIONS)
    # The other one looked before the endpoint was there.
    monkeypatch.setattr("localep.operations.recovery.endpoint_of", lambda *_: None)
    monkeypatch.setattr("localep.operations.recovery._is_mine", lambda *_: False)

    with pytest.raises(EndpointConflict) as caught:
        create(new_place("other"), load("endpoint.yml", "deployment.yml"), OPTIONS)

    assert (caught.value.message, caught.value.cause, caught.value.remedy) == (
        "Endpoint hello exists already.",
        "Another command is creating it, or has.",
        "Look with `localep show -n hello`.",
    )
    assert isinstance(caught.value.__cause__, NameTaken)
    assert containers(place) == [GATEWAY]


def test_a_model_may_be_copied_into_a_volume(
    place: Workplace, load: Load, project: Path, calls: list[str]
) -> None:
    (project / "model.pkl").write_bytes(b"pickle")
    bundle = load("deployment.yml", 'model={"path": "model.pkl"}')

    create(place, bundle, replace(OPTIONS, copy_model=True))

    assert place.engine.list_volumes({"localep.revision": "r1"}) == ["localep-hello-model-r1"]
    carrier = "id of localep-hello-model-r1-carrier"
    path = f"/model/{generated_name(project / 'model.pkl')}/1/model.pkl"
    assert place.engine.copy_out(carrier, path) == b"pickle"
    assert "remove localep-hello-model-r1-carrier" in calls
    assert containers(place) == ["localep-hello-blue-r1", GATEWAY]


def test_a_link_to_nothing_is_left_out_of_the_copy_of_a_model(
    place: Workplace, load: Load, project: Path
) -> None:
    (project / "model").mkdir()
    (project / "model" / "weights.bin").write_bytes(b"weights")
    (project / "model" / "latest").symlink_to("nowhere")
    bundle = load("deployment.yml", 'model={"path": "model", "name": "trees"}')

    create(place, bundle, replace(OPTIONS, copy_model=True))

    carrier = "id of localep-hello-model-r1-carrier"
    assert place.engine.copy_out(carrier, "/model/trees/1/model/weights.bin") == b"weights"
    assert place.engine.copy_out(carrier, "/model/trees/1/model/latest") is None


def test_the_copies_of_several_models_lie_in_folders_that_anybody_may_enter(
    place: Workplace, load: Load, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "a.pkl").write_bytes(b"pickle")
    (project / "a.pkl").chmod(0o600)
    (project / "model").mkdir(mode=0o700)
    (project / "model" / "b.pkl").write_bytes(b"pickle")
    models = '[{"name": "a", "path": "a.pkl"}, {"name": "b", "path": "model", "version": "7"}]'
    packed: list[tuple[str, str]] = []
    copy_in = place.engine.copy_in

    def keep(identity: str, folder: str, archive: bytes | IO[bytes]) -> None:
        if folder == "/model" and not isinstance(archive, bytes):
            with tarfile.open(fileobj=archive) as tar:
                packed.extend((member.name, f"{member.mode:o}") for member in tar)
            archive.seek(0)
        copy_in(identity, folder, archive)

    monkeypatch.setattr(place.engine, "copy_in", keep)
    create(place, load("deployment.yml", f"models={models}"), replace(OPTIONS, copy_model=True))

    assert packed == [
        ("a", "755"),
        ("a/1", "755"),
        ("b", "755"),
        ("b/7", "755"),
        ("a/1/a.pkl", "600"),
        ("b/7/model", "700"),
        ("b/7/model/b.pkl", f"{(project / 'model' / 'b.pkl').stat().st_mode & 0o777:o}"),
    ]


def test_a_deployment_without_a_model_has_no_volume(
    place: Workplace, load: Load, calls: list[str]
) -> None:
    create(place, load("deployment.yml"), replace(OPTIONS, copy_model=True))

    assert place.engine.list_volumes({}) == []
    assert [call for call in calls if "carrier" in call] == []


def test_the_copy_of_a_model_goes_with_a_deployment_that_fails(
    place: Workplace, load: Load, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "model.pkl").write_bytes(b"pickle")
    bundle = load("deployment.yml", 'model={"path": "model.pkl"}')
    never_ready(monkeypatch)

    with pytest.raises(DeploymentNotReady):
        create(place, bundle, replace(OPTIONS, copy_model=True))

    assert containers(place) == []
    assert place.engine.list_volumes({}) == []


def test_an_engine_far_away_gets_a_copy_of_the_model(
    place: Workplace, load: Load, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "model.pkl").write_bytes(b"pickle")
    monkeypatch.setattr(place.engine, "is_local", False)

    result = create(place, load("deployment.yml", 'model={"path": "model.pkl"}'), OPTIONS)

    assert place.engine.list_volumes({}) == ["localep-hello-model-r1"]
    assert result.endpoint.scoring_uri == "http://far.example:8085/score"


def test_the_code_reaches_the_container_before_it_starts(
    place: Workplace, load: Load, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = place.engine.start_container
    found: dict[str, bytes | None] = {}

    def look_and_start(identity: str) -> None:
        found[identity] = place.engine.copy_out(identity, "/var/azureml-app/code/score.py")
        start(identity)

    monkeypatch.setattr(place.engine, "start_container", look_and_start)
    create(place, load("endpoint.yml", "deployment.yml"), OPTIONS)

    assert found == {
        "id of localep-hello-blue-r1": (project / "code" / "score.py").read_bytes(),
        f"id of {GATEWAY}": None,
    }


def test_no_archive_of_the_code_stays_open(
    place: Workplace, load: Load, archives: list[IO[bytes]]
) -> None:
    create(place, load("endpoint.yml", "deployment.yml"), OPTIONS)

    assert [archive.closed for archive in archives] == [True]
