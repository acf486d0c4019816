"""`update`: what is started anew, what is not, and that a failure changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

from localep.engine.base import Container
from localep.errors import DeploymentNotReady, EndpointConflict, EngineError, UsageError
from localep.gateway.state import Backend, GatewayState, Operation, Readiness
from localep.operations.create import CreateOptions, create
from localep.operations.credentials import Token, get_credentials
from localep.operations.endpoints import find_endpoint
from localep.operations.update import UpdateOptions, UpdateResult, update
from localep.operations.workplace import Workplace
from localep.spec.loader import Bundle, Selection

if TYPE_CHECKING:
    from unit.operations.conftest import FakeEngine

Load = Callable[..., Bundle]
Update = Callable[..., UpdateResult]
GATEWAY = "localep-hello-gateway"
OLD = "localep-hello-blue-r1"
NEW = "localep-hello-blue-r2"


@pytest.fixture
def created(place: Workplace, load: Load, calls: list[str]) -> GatewayState:
    """The state of an endpoint `hello` with a deployment `blue`, before any update."""
    create(place, load("endpoint.yml", "deployment.yml"), CreateOptions(port=8085))
    calls.clear()
    return find_endpoint(place, "hello").state


@pytest.fixture
def run(project: Path, new_place: Callable[[str], Workplace]) -> Update:
    """Runs a further command, as a command line would: ``run("deployment.yml", "a=1")``."""

    def run(*names: str) -> UpdateResult:
        files = tuple(project / name for name in names if "=" not in name)
        overrides = tuple(name for name in names if "=" in name)
        options = UpdateOptions(files, Selection(overrides=overrides))
        return update(new_place("update"), options)

    return run


def state_of(place: Workplace) -> GatewayState:
    return find_endpoint(place, "hello").state


def containers(place: Workplace) -> list[str]:
    return sorted(container.name for container in place.engine.list_containers({}))


def edit(project: Path) -> None:
    (project / "code" / "score.py").write_text("def init(): pass\ndef run(data): return 2\n")


@pytest.fixture
def never_ready(created: GatewayState, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise DeploymentNotReady("It did not get ready.", cause="init() failed.")

    monkeypatch.setattr("localep.operations.rollout.wait_until_ready", fail)


@pytest.mark.parametrize(
    "files",
    [[], ["endpoint.yml"], ["deployment.yml"], ["endpoint.yml", "deployment.yml"]],
    ids=lambda files: " ".join(files) or "no file",
)
def test_without_a_change_nothing_is_done(
    place: Workplace, created: GatewayState, run: Update, calls: list[str], files: list[str]
) -> None:
    result = run(*files)

    assert result.changed == "nothing"
    assert calls == []
    assert state_of(place).backend == created.backend
    assert state_of(place).operation == created.operation


def test_a_date_among_the_tags_is_no_change(
    place: Workplace, load: Load, project: Path, run: Update, calls: list[str]
) -> None:
    text = (project / "deployment.yml").read_text()
    (project / "deployment.yml").write_text(f"{text}tags: {{released: 2026-01-31}}\n")
    create(place, load("deployment.yml"), CreateOptions(port=8085))
    calls.clear()

    assert run("deployment.yml").changed == "nothing"
    assert calls == []


def test_touched_code_is_no_change(
    created: GatewayState, run: Update, project: Path, calls: list[str]
) -> None:
    (project / "code" / "score.py").touch()
    (project / "code" / "__pycache__").mkdir()

    assert run().changed == "nothing"
    assert calls == []


def test_request_settings_change_in_the_gateway_alone(
    place: Workplace, created: GatewayState, run: Update, calls: list[str]
) -> None:
    result = run(
        "deployment.yml",
        "request_settings.request_timeout_ms=90000",
        "request_settings.max_concurrent_requests_per_instance=4",
    )

    assert result.changed == "settings"
    assert calls == [
        "haproxy set map /etc/haproxy/limits.map share 100",
        "haproxy set map /etc/haproxy/limits.map in_flight 8",
        "haproxy set map /etc/haproxy/limits.map timeout_ms 90000",
        "haproxy set map /etc/haproxy/names.map deployment blue",
        "haproxy set map /etc/haproxy/probe.map path /",
        "haproxy set maxconn server deployment/a1 4",
    ]
    assert created.backend is not None
    state = state_of(place)
    assert state == replace(
        created,
        backend=replace(created.backend, request_timeout_ms=90000, max_concurrent_requests=4),
        operation=Operation("update", "Succeeded", "blue"),
        documents=state.documents,
    )
    assert state.documents[1]["data"]["request_settings"] == {
        "request_timeout_ms": 90000,
        "max_concurrent_requests_per_instance": 4,
    }


def test_traffic_and_authentication_change_in_the_gateway_alone(
    place: Workplace, created: GatewayState, run: Update, calls: list[str]
) -> None:
    result = run("endpoint.yml", "traffic.blue=40", "auth_mode=aml_token")

    state = state_of(place)
    assert result.changed == "settings"
    assert result.endpoint.traffic == {"blue": 40}
    assert "haproxy set map /etc/haproxy/limits.map share 40" in calls
    assert [call for call in calls if not call.startswith("haproxy")] == []
    assert state == replace(
        created,
        auth_mode="aml_token",
        traffic={"blue": 40},
        operation=Operation("update", "Succeeded"),
        documents=state.documents,
        told=state.told,
    )


def test_another_auth_mode_has_other_keys_loaded_and_forgets_tokens(
    place: Workplace, created: GatewayState, run: Update, calls: list[str], engine: FakeEngine
) -> None:
    run("endpoint.yml", "auth_mode=aml_token")
    assert (calls[-1], engine.keys) == ("haproxy loads its keys", "")
    token = get_credentials(place, "hello")
    assert isinstance(token, Token)
    assert engine.keys == f"{token.value} {token.expiry}\n"

    run("endpoint.yml", "auth_mode=aad_token")
    assert (engine.keys, state_of(place).tokens) == ("", {})

    run("endpoint.yml")
    assert engine.keys == f"{created.primary_key} 0\n{created.secondary_key} 0\n"


def test_new_code_and_another_auth_mode_may_come_at_once(
    place: Workplace,
    created: GatewayState,
    run: Update,
    project: Path,
    calls: list[str],
    engine: FakeEngine,
) -> None:
    edit(project)

    result = run("endpoint.yml", "deployment.yml", "endpoint.auth_mode=aml_token")

    assert result.changed == "deployment"
    assert (calls[-1], engine.keys) == ("haproxy loads its keys", "")


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"requires_key": False}, "no-auth"),
        ({"payload_limit": 1000}, "max-payload 1000"),
        ({"requires_key": False, "payload_limit": 1000}, "no-auth, max-payload 1000"),
    ],
)
def test_what_the_front_end_lets_through_changes_without_a_new_container(
    place: Workplace,
    created: GatewayState,
    changes: dict[str, Any],
    shown: str,
    calls: list[str],
) -> None:
    result = update(place, UpdateOptions(**changes))

    assert (result.changed, result.endpoint.front_end) == ("settings", shown)
    assert calls[-1] == "haproxy loads its configuration anew"
    assert state_of(place) == replace(
        created, **changes, operation=Operation("update", "Succeeded", "blue")
    )

    assert update(place, UpdateOptions()).changed == "nothing"
    result = update(place, UpdateOptions(requires_key=True, payload_limit=0))
    assert (result.changed, result.endpoint.front_end) == ("settings", None)


def test_a_deployments_file_leaves_the_traffic_alone(
    place: Workplace, created: GatewayState, run: Update
) -> None:
    run("endpoint.yml", "traffic.blue=40")

    result = run("deployment.yml", "request_settings.request_timeout_ms=90000")

    assert result.endpoint.traffic == {"blue": 40}


def test_new_code_runs_in_a_new_container_that_takes_over(
    place: Workplace, created: GatewayState, run: Update, project: Path, calls: list[str]
) -> None:
    edit(project)

    result = run()

    assert result.changed == "deployment"
    assert calls == [
        f"create {NEW}",
        f"start {NEW}",
        "haproxy set server deployment/b1 state drain",
        "haproxy set server deployment/b1 check-port 5001",
        "haproxy set server deployment/b1 fqdn localep-r2",
        "haproxy set server probe/target addr 10.0.0.3 port 5001",
        "haproxy set server probe/target state ready",
        f"restart always {NEW}",
        "haproxy set server deployment/b1 state ready",
        "haproxy set server deployment/b1 health up",
        "haproxy set map /etc/haproxy/limits.map share 100",
        "haproxy set map /etc/haproxy/limits.map in_flight 2",
        "haproxy set map /etc/haproxy/limits.map timeout_ms 5000",
        "haproxy set map /etc/haproxy/names.map deployment blue",
        "haproxy set map /etc/haproxy/probe.map path /",
        "haproxy set maxconn server deployment/b1 1",
        "haproxy set server deployment/a1 state drain",
        "haproxy set server deployment/a1 state maint",
        "haproxy set server deployment/a1 fqdn localep-gateway",
        f"remove {OLD}",
    ]
    assert state_of(place) == replace(
        created,
        backend=Backend(
            deployment="blue",
            revision="r2",
            aliases=("localep-r2",),
            slot="b",
            port=5001,
            scoring_path="/score",
            request_timeout_ms=5000,
            max_concurrent_requests=1,
            max_queue_wait_ms=500,
            readiness=Readiness(),
        ),
        operation=Operation("update", "Succeeded", "blue"),
    )
    assert containers(place) == [NEW, GATEWAY]


def test_the_next_update_takes_the_first_slot_again(
    place: Workplace, created: GatewayState, run: Update, project: Path
) -> None:
    edit(project)
    run()

    run("deployment.yml", "environment_variables.LEVEL=debug")

    backend = state_of(place).backend
    assert backend is not None
    assert (backend.slot, backend.revision) == ("a", "r3")
    assert containers(place) == ["localep-hello-blue-r3", GATEWAY]


def test_without_files_those_of_before_count_with_their_overrides(
    place: Workplace, created: GatewayState, run: Update, project: Path
) -> None:
    run("deployment.yml", "environment_variables.LEVEL=debug")
    (project / "deployment.yml").unlink()
    edit(project)

    assert run().changed == "deployment"
    assert state_of(place).documents[1]["data"]["environment_variables"] == {"LEVEL": "debug"}


def test_a_container_that_stopped_is_started_anew(
    place: Workplace, created: GatewayState, run: Update, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = place.engine.list_containers
    monkeypatch.setattr(
        place.engine,
        "list_containers",
        lambda labels: [
            replace(found, status="exited") if found.name == OLD else found
            for found in listed(labels)
        ],
    )

    assert run().changed == "deployment"


def test_a_container_that_ends_at_once_is_told_though_it_has_no_address(
    place: Workplace,
    created: GatewayState,
    run: Update,
    project: Path,
    calls: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inspect = place.engine.inspect_container

    def ended(identity: str) -> Container | None:
        found = inspect(identity)
        if found is None or not identity.endswith("r2"):
            return found
        return replace(found, status="exited", exit_code=9, addresses={})

    monkeypatch.setattr(place.engine, "inspect_container", ended)
    edit(project)

    with pytest.raises(DeploymentNotReady) as caught:
        run("deployment.yml")

    assert caught.value.cause is not None
    assert caught.value.cause.startswith("Its container ended with exit code 9")
    assert caught.value.details == (f"the log of {NEW}",)
    assert containers(place) == [OLD, GATEWAY]
    assert calls[-1] == f"remove {NEW}"
    assert [call for call in calls if "port" in call] == []


@pytest.mark.usefixtures("never_ready")
def test_a_failed_update_keeps_the_deployment_and_records_the_error(
    place: Workplace, created: GatewayState, run: Update, project: Path, calls: list[str]
) -> None:
    edit(project)

    with pytest.raises(DeploymentNotReady) as caught:
        run("deployment.yml", "request_settings.request_timeout_ms=90000")

    error = "It did not get ready. init() failed."
    assert caught.value.message == "It did not get ready."
    assert state_of(place) == created.after(Operation("update", "Failed", "blue", error))
    assert containers(place) == [OLD, GATEWAY]
    assert calls == [
        f"create {NEW}",
        f"start {NEW}",
        "haproxy set server deployment/b1 state drain",
        "haproxy set server deployment/b1 check-port 5001",
        "haproxy set server deployment/b1 fqdn localep-r2",
        "haproxy set server probe/target addr 10.0.0.3 port 5001",
        "haproxy set server probe/target state ready",
        "haproxy set server deployment/b1 state maint",
        "haproxy set server deployment/b1 fqdn localep-gateway",
        f"remove {NEW}",
    ]


def test_what_worked_before_a_failed_update_clears_the_error(
    place: Workplace,
    created: GatewayState,
    run: Update,
    project: Path,
    request: pytest.FixtureRequest,
) -> None:
    script = project / "code" / "score.py"
    working = script.read_text()
    edit(project)
    request.getfixturevalue("never_ready")
    with pytest.raises(DeploymentNotReady):
        run()

    script.write_text(working)
    result = run()

    assert result.endpoint.last_operation == {"name": "update", "state": "Succeeded", "error": None}
    assert state_of(place) == created.after(Operation("update", "Succeeded", "blue"))
    assert containers(place) == [OLD, GATEWAY]


@pytest.fixture
def refused_switch(
    place: Workplace, created: GatewayState, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New code whose server HAProxy refuses to open."""
    edit(project)
    execute = place.engine.execute

    def refuse(identity: str, command: list[str]) -> tuple[int, str]:
        if "deployment/b1 state ready" in command[-1]:
            raise EngineError("HAProxy says no.")
        return execute(identity, command)

    monkeypatch.setattr(place.engine, "execute", refuse)


@pytest.mark.usefixtures("refused_switch")
def test_a_switch_that_fails_keeps_the_deployment_and_records_the_error(
    place: Workplace, created: GatewayState, run: Update
) -> None:
    with pytest.raises(EngineError, match=r"^HAProxy says no\.$"):
        run("endpoint.yml", "deployment.yml", "traffic.blue=40")

    failed = Operation("update", "Failed", "blue", "HAProxy says no.")
    state = state_of(place)
    assert state == replace(created.after(failed), told=state.told)
    assert containers(place) == [OLD, GATEWAY]


@pytest.mark.usefixtures("refused_switch")
def test_a_switch_that_fails_is_taken_back_with_the_former_limits(
    run: Update, calls: list[str]
) -> None:
    with pytest.raises(EngineError):
        run("endpoint.yml", "deployment.yml", "traffic.blue=40")

    assert [call for call in calls if "state ready" in call][1:] == [
        "haproxy set server deployment/a1 state ready"
    ]
    assert [call for call in calls if "limits.map share" in call] == [
        "haproxy set map /etc/haproxy/limits.map share 100"
    ]


@pytest.mark.usefixtures("refused_switch")
def test_after_a_switch_that_fails_haproxy_forgets_the_name_of_the_new_container(
    run: Update, calls: list[str]
) -> None:
    with pytest.raises(EngineError):
        run()

    assert [call for call in calls if "deployment/b1 fqdn" in call] == [
        "haproxy set server deployment/b1 fqdn localep-r2",
        "haproxy set server deployment/b1 fqdn localep-gateway",
    ]


def test_another_deployment_is_refused_with_the_reason(
    place: Workplace, created: GatewayState, run: Update, calls: list[str]
) -> None:
    with pytest.raises(EndpointConflict) as caught:
        run("deployment.yml", "name=green")

    assert caught.value.message == "Endpoint hello has a deployment already."
    assert caught.value.cause == (
        "It is blue; a local endpoint runs one deployment, so green has no place beside it."
    )
    assert calls == []
    assert state_of(place) == created


def test_an_endpoint_without_a_deployment_has_none_to_update(
    place: Workplace, load: Load, run: Update
) -> None:
    create(place, load("endpoint.yml"), CreateOptions(port=8085))

    with pytest.raises(EndpointConflict) as caught:
        run("deployment.yml")

    assert caught.value.message == "Endpoint hello has no deployment to update."
    assert caught.value.remedy == "Create it: localep create -f deployment.yml"


def test_an_endpoint_without_a_deployment_can_be_updated_itself(
    place: Workplace, load: Load, run: Update
) -> None:
    create(place, load("endpoint.yml"), CreateOptions(port=8085))

    assert run().changed == "nothing"
    assert run("endpoint.yml", "auth_mode=aml_token").changed == "settings"
    assert state_of(place).auth_mode == "aml_token"


def test_an_endpoint_that_is_not_there_cannot_be_updated(run: Update) -> None:
    with pytest.raises(EndpointConflict) as caught:
        run("deployment.yml")

    assert caught.value.message == "There is no endpoint hello."
    assert caught.value.cause == "There is none at all."


def test_of_several_endpoints_one_must_be_named(
    place: Workplace, load: Load, created: GatewayState, run: Update
) -> None:
    create(place, load("endpoint.yml", "name=other"), CreateOptions(port=8086))

    with pytest.raises(UsageError) as caught:
        run()

    assert caught.value.message == "There are several endpoints."
    assert caught.value.cause == "They are hello, other."
    assert caught.value.remedy == "Choose one of them: -n hello."


def test_the_copy_of_the_former_model_goes_with_its_container(
    place: Workplace,
    load: Load,
    project: Path,
    new_place: Callable[[str], Workplace],
) -> None:
    (project / "model.pkl").write_bytes(b"one")
    bundle = load("deployment.yml", 'model={"path": "model.pkl"}')
    create(place, bundle, CreateOptions(port=8085, copy_model=True))
    (project / "model.pkl").write_bytes(b"another")

    result = update(new_place("update"), UpdateOptions(copy_model=True))

    assert result.changed == "deployment"
    assert place.engine.list_volumes({}) == ["localep-hello-model-r2"]


@pytest.mark.parametrize("is_edited", [False, True])
def test_no_archive_of_the_code_stays_open(
    created: GatewayState,
    run: Update,
    project: Path,
    archives: list[IO[bytes]],
    is_edited: bool,
) -> None:
    if is_edited:
        edit(project)

    run()

    assert archives[1:] != []
    assert [archive.closed for archive in archives[1:]] == [True]
