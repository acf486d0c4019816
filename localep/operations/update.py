"""`update`: change a running endpoint without losing a request."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from localep.errors import EndpointConflict
from localep.gateway import runtime
from localep.gateway.state import GatewayState, Operation
from localep.operations import names
from localep.operations.checked import load_checked_documents, load_checked_files, not_honoured
from localep.operations.create import DEFAULT_TIMEOUT, plan_deployment, second_deployment
from localep.operations.endpoints import (
    Endpoint,
    endpoint_after,
    no_such_endpoint,
    only_name,
)
from localep.operations.environments import EnvironmentOptions
from localep.operations.gateways import Gateway, recorded_failure
from localep.operations.recovery import at_work_on
from localep.operations.rollout import backend_of, start_deployment, take_over
from localep.operations.stored_documents import documents_to_store, stored_documents
from localep.operations.views import EndpointView, view_endpoint
from localep.spec.loader import Bundle, Selection

if TYPE_CHECKING:
    from pathlib import Path

    from localep.operations.container_plan import ContainerPlan
    from localep.operations.workplace import Workplace


@dataclass(frozen=True)
class UpdateOptions:
    """What the command line says: the files (none: those of before), names and changes."""

    files: tuple[Path, ...] = ()
    selection: Selection = field(default_factory=Selection)
    timeout: float = DEFAULT_TIMEOUT
    copy_model: bool = False
    environment: EnvironmentOptions = field(default_factory=EnvironmentOptions)


@dataclass(frozen=True)
class UpdateResult:
    """The endpoint as it is now; ``changed`` is "deployment", "settings" or "nothing"."""

    endpoint: EndpointView
    changed: str
    seconds: float


def update(place: Workplace, options: UpdateOptions) -> UpdateResult:
    """Bring an endpoint to what the documents say now.

    A new container is started only where the deployment's code, model, environment or
    variables changed; it takes over once it is ready. Where it does not get ready, the former
    one goes on, and the endpoint's last operation tells why.
    """
    begun = time.monotonic()
    name, bundle = _read(place, options)
    with at_work_on(place, name) as endpoint:
        if endpoint is None:
            raise no_such_endpoint(place, name)
        bundle = bundle or _read_again(endpoint, options.selection)
        for finding in bundle.warnings:
            place.reporter.warn(str(finding))
        note = not_honoured(bundle) if options.files else None
        if note is not None:
            place.reporter.note(note)
        changed, state = _update(place, endpoint, bundle, options)
    view = view_endpoint(endpoint_after(place, name, state))
    return UpdateResult(view, changed, time.monotonic() - begun)


def _read(place: Workplace, options: UpdateOptions) -> tuple[str, Bundle | None]:
    """Whose update it is, and the files where there are some."""
    if options.files:
        bundle = load_checked_files(options.files, options.selection)
        return bundle.endpoint_name, bundle
    return options.selection.endpoint or only_name(place), None


def _read_again(endpoint: Endpoint[GatewayState], selection: Selection) -> Bundle:
    """The documents that the endpoint was made from, with the changes of the command line."""
    selection = replace(selection, endpoint=endpoint.name)
    return load_checked_documents(stored_documents(endpoint.state), selection)


def _update(
    place: Workplace, endpoint: Endpoint[GatewayState], bundle: Bundle, options: UpdateOptions
) -> tuple[str, GatewayState]:
    """Change what has to be changed; what that was, and the state that then holds."""
    gateway = Gateway(place.engine, endpoint.gateway.identity, endpoint.address)
    _check_deployment(endpoint, bundle)
    operation = Operation("update", "Updating", bundle.deployment.name if bundle.deployment else "")
    with (
        place.undone_on_failure() as undo,
        recorded_failure(gateway, endpoint.state, operation, undo),
    ):
        wanted = _wanted_state(endpoint, bundle, operation)
        plan = None
        if bundle.deployment is not None:
            environment = options.environment
            plan = plan_deployment(place, bundle.deployment, environment, options.copy_model)
        with plan or nullcontext():
            if plan is None or _runs_already(endpoint, plan):
                return _change_settings(gateway, endpoint, wanted, plan)
            place.reporter.status(f"Starting the new deployment {plan.spec.name}")
            started = start_deployment(place, plan)
            before = endpoint.state
            gateway.save(before.after(operation))
            timeout = options.timeout
            return "deployment", take_over(place, gateway, started, before, wanted, timeout, undo)


def _check_deployment(endpoint: Endpoint[GatewayState], bundle: Bundle) -> None:
    backend = endpoint.state.backend
    if bundle.deployment is None:
        return
    if backend is None:
        raise EndpointConflict(
            f"Endpoint {endpoint.name} has no deployment to update.",
            remedy="Create it: localep create -f deployment.yml",
        )
    if backend.deployment != bundle.deployment.name:
        raise second_deployment(endpoint.name, backend.deployment, bundle.deployment.name)


def _wanted_state(
    endpoint: Endpoint[GatewayState], bundle: Bundle, operation: Operation
) -> GatewayState:
    """The state that shall hold afterwards, with the former backend still in it."""
    state = endpoint.state
    traffic = state.traffic
    if bundle.endpoint is not None:
        state = replace(state, auth_mode=bundle.endpoint.auth_mode)
        traffic = bundle.endpoint.traffic
    return documents_to_store(state.after(operation), bundle, traffic)


def _runs_already(endpoint: Endpoint[GatewayState], plan: ContainerPlan) -> bool:
    serving = endpoint.serving
    return (
        serving is not None
        and serving.is_running
        and serving.labels[names.FINGERPRINT] == plan.fingerprint
    )


def _change_settings(
    gateway: Gateway,
    endpoint: Endpoint[GatewayState],
    wanted: GatewayState,
    plan: ContainerPlan | None,
) -> tuple[str, GatewayState]:
    """Change what the gateway alone decides: limits, traffic, and the documents behind them."""
    backend = wanted.backend
    if backend is not None and plan is not None:
        backend = backend_of(plan, backend.container, backend.alias, backend.slot)
    succeeded = replace(wanted.operation, state="Succeeded")
    changed = replace(wanted, backend=backend, operation=succeeded)
    before = endpoint.state
    if changed == replace(before, operation=succeeded) and before.operation.state == "Succeeded":
        return "nothing", before
    # Said before it is done: should this be cut off, the next update does it again.
    gateway.save(before.after(wanted.operation))
    gateway.send(runtime.switch(changed))
    gateway.save(changed)
    return "settings", changed
