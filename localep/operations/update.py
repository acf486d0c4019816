"""`update`: change a running endpoint without losing a request."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from localep.errors import EndpointConflict, LocalepError
from localep.gateway import runtime
from localep.gateway.config import what_opens
from localep.gateway.state import GatewayState, Operation
from localep.operations import names
from localep.operations.checked import (
    load_checked_documents,
    load_checked_files,
    not_honoured,
    refuse_faulty_script,
    without_script_findings,
)
from localep.operations.create import (
    DEFAULT_TIMEOUT,
    instances_wanted,
    plan_deployment,
    second_deployment,
)
from localep.operations.endpoints import (
    Endpoint,
    endpoint_after,
    no_such_endpoint,
    only_name,
)
from localep.operations.environments.options import EnvironmentOptions
from localep.operations.gateways import Gateway, recorded_failure
from localep.operations.gpus.choice import recorded_gpus
from localep.operations.limits import LimitOptions, limit
from localep.operations.recovery import at_work_on
from localep.operations.registered_assets import fill_in
from localep.operations.rollout import backend_of, start_deployment, take_over
from localep.operations.stored_documents import documents_to_store, stored_documents
from localep.operations.told import marks_after, untold
from localep.operations.views import EndpointView, view_endpoint
from localep.rules.changes import several_changes
from localep.spec.findings import Severity
from localep.spec.loader import Bundle, Selection, read_documents

if TYPE_CHECKING:
    from pathlib import Path

    from localep.operations.container_plan import ContainerPlan
    from localep.operations.workplace import Workplace


@dataclass(frozen=True)
class UpdateOptions:
    """What the command line says: the files (none: those of before), names and changes.

    ``requires_key`` and ``payload_limit`` (0 for none) are None where they stay as they are.
    """

    files: tuple[Path, ...] = ()
    selection: Selection = field(default_factory=Selection)
    timeout: float = DEFAULT_TIMEOUT
    copy_model: bool = False
    instances: int | None = None
    limits: LimitOptions = field(default_factory=LimitOptions)
    gpus: str | None = None
    checks_script: bool = True
    requires_key: bool | None = None
    payload_limit: int | None = None
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
        if options.checks_script:
            refuse_faulty_script(bundle, options.environment.python)
        else:
            bundle = without_script_findings(bundle)
        _tell(place, endpoint.state, bundle, is_read_anew=bool(options.files))
        marked = _with_marks(endpoint, bundle)
        changed, state = _update(place, marked, bundle, options)
        if changed == "nothing" and state != endpoint.state:
            Gateway(place.engine, endpoint.gateway.identity, endpoint.address).save(state)
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


def _tell(place: Workplace, state: GatewayState, bundle: Bundle, *, is_read_anew: bool) -> None:
    """Tell the warnings that are news, and how many are not."""
    news = untold(state.told, bundle)
    for finding in news:
        place.reporter.warn(str(finding))
    former = len(bundle.warnings) - len(news)
    if former:
        count, them = ("One warning", "it") if former == 1 else (f"{former} warnings", "them")
        place.reporter.note(f"{count} as before; `localep validate` shows {them}.")
    note = not_honoured(bundle) if is_read_anew else None
    if note is not None:
        place.reporter.note(note)
    _tell_changes(place, state, bundle)


def _tell_changes(place: Workplace, state: GatewayState, bundle: Bundle) -> None:
    try:
        before = fill_in(read_documents(stored_documents(state)))
    except LocalepError:  # of another version's state: nothing to compare with
        return
    finding = several_changes(before, bundle)
    if finding is not None and finding.severity is Severity.WARNING:
        place.reporter.warn(str(finding))
    elif finding is not None:
        place.reporter.note(str(finding))


def _with_marks(endpoint: Endpoint[GatewayState], bundle: Bundle) -> Endpoint[GatewayState]:
    """The endpoint with what was told of it now, whatever becomes of the update."""
    told = marks_after(endpoint.state.told, bundle)
    return replace(endpoint, state=replace(endpoint.state, told=told))


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
        wanted = _wanted_state(endpoint, bundle, operation, options)
        plan = None
        if bundle.deployment is not None:
            environment = options.environment
            backend = endpoint.state.backend
            present = len(backend.aliases) if backend is not None else 1
            count = instances_wanted(options.instances, bundle.deployment, present)
            plan = plan_deployment(
                place,
                bundle.deployment,
                environment,
                options.copy_model,
                instances=count,
                limits=limit(place, bundle.deployment, options.limits, endpoint.serving),
                gpus=options.gpus or recorded_gpus(endpoint.serving),
            )
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
    endpoint: Endpoint[GatewayState], bundle: Bundle, operation: Operation, options: UpdateOptions
) -> GatewayState:
    """The state that shall hold afterwards, with the former backend still in it."""
    state = endpoint.state
    if options.requires_key is not None:
        state = replace(state, requires_key=options.requires_key)
    if options.payload_limit is not None:
        state = replace(state, payload_limit=options.payload_limit or None)
    traffic = state.traffic
    if bundle.endpoint is not None:
        # A token of one mode opens nothing in another.
        tokens = state.tokens if state.auth_mode == bundle.endpoint.auth_mode else {}
        state = replace(state, auth_mode=bundle.endpoint.auth_mode, tokens=tokens)
        traffic = bundle.endpoint.traffic
    return documents_to_store(state.after(operation), bundle, traffic)


def _runs_already(endpoint: Endpoint[GatewayState], plan: ContainerPlan) -> bool:
    instances = endpoint.instances
    return len(instances) == plan.instances and all(
        found.is_running and found.labels[names.FINGERPRINT] == plan.fingerprint
        for found in instances
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
        backend = backend_of(
            plan, backend.revision, backend.aliases, backend.slot, backend.start_seconds
        )
    succeeded = replace(wanted.operation, state="Succeeded")
    changed = replace(wanted, backend=backend, operation=succeeded)
    before = endpoint.state
    if changed == replace(before, operation=succeeded) and before.operation.state == "Succeeded":
        return "nothing", before
    # Said before it is done: should this be cut off, the next update does it again.
    gateway.save(before.after(wanted.operation))
    was_cut_off = before.operation.state != "Succeeded"
    healed = runtime.switch(changed, drains=False)
    gateway.send(healed if was_cut_off else runtime.apply_settings(changed))
    gateway.save(changed)
    gateway.follow(changed)
    if what_opens(before) != what_opens(changed) or was_cut_off:
        gateway.load_keys(changed)
    return "settings", changed
