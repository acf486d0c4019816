"""`create`: a new endpoint, its deployment, or both."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localep.errors import EndpointConflict
from localep.gateway import runtime
from localep.gateway.state import Operation, new_state
from localep.operations.base_image import ensure_base
from localep.operations.container_plan import ContainerPlan, check_code, plan_container
from localep.operations.endpoints import Endpoint, endpoint_after
from localep.operations.environments import EnvironmentOptions, ensure_environment
from localep.operations.gateways import Gateway, recorded_failure, start_gateway
from localep.operations.no_code import completed
from localep.operations.recovery import at_work_on
from localep.operations.rollout import start_deployment, take_over
from localep.operations.stored_documents import documents_to_store
from localep.operations.views import EndpointView, view_endpoint
from localep.spec.model import EndpointSpec

if TYPE_CHECKING:
    from localep.gateway.state import GatewayState
    from localep.operations.workplace import Undo, Workplace
    from localep.spec.loader import Bundle
    from localep.spec.model import DeploymentSpec

DEFAULT_TIMEOUT = 300.0


@dataclass(frozen=True)
class CreateOptions:
    """What the command line says beside the documents.

    ``host`` and ``port`` are where the endpoint answers (a free port where it is None);
    ``timeout`` is how many seconds the server may take to get ready; ``allows_options`` and
    ``is_direct`` change what the front end lets through, see PublicState.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    timeout: float = DEFAULT_TIMEOUT
    all_traffic: bool = False
    copy_model: bool = False
    allows_options: bool = False
    is_direct: bool = False
    environment: EnvironmentOptions = field(default_factory=EnvironmentOptions)


@dataclass(frozen=True)
class CreateResult:
    """The endpoint as it is now, and how long it took to get there."""

    endpoint: EndpointView
    seconds: float


def create(place: Workplace, bundle: Bundle, options: CreateOptions) -> CreateResult:
    """Create what the documents say.

    Raises EndpointConflict where it is there already or would be a second deployment, and the
    errors of building and starting; nothing is left behind then.
    """
    begun = time.monotonic()
    with at_work_on(place, bundle.endpoint_name) as existing:
        _refuse_conflicts(existing, bundle)
        plan = None
        if bundle.deployment is not None:
            environment = options.environment
            plan = plan_deployment(place, bundle.deployment, environment, options.copy_model)
        with plan or nullcontext(), place.undone_on_failure() as undo:
            if existing is not None and plan is not None:
                state = _add_deployment(place, existing, bundle, plan, options, undo)
            else:
                state = _create_endpoint(place, bundle, plan, options, undo)
    endpoint = endpoint_after(place, bundle.endpoint_name, state)
    return CreateResult(view_endpoint(endpoint), time.monotonic() - begun)


def plan_deployment(
    place: Workplace,
    spec: DeploymentSpec,
    options: EnvironmentOptions,
    copy_model: bool,
) -> ContainerPlan:
    """See to the deployment's environment and settle what its container is."""
    spec = completed(spec)
    check_code(spec)
    image = ensure_environment(place, spec.environment, options)
    must_copy = copy_model or not place.engine.info().is_local
    plan = plan_container(spec, image, copy_model=must_copy)
    for warning in plan.snapshot.warnings if plan.snapshot is not None else ():
        place.reporter.warn(warning)
    return plan


def _refuse_conflicts(existing: Endpoint[GatewayState] | None, bundle: Bundle) -> None:
    if existing is None:
        return
    backend = existing.state.backend
    if existing.state.was_never_finished:
        raise EndpointConflict(
            f"Endpoint {existing.name} is being created.",
            cause="Another user's command is at it, or was ended before it was done.",
            remedy=f"Wait for it, or remove what it left: localep delete -n {existing.name}",
        )
    if backend is not None and bundle.deployment is not None:
        if backend.deployment != bundle.deployment.name:
            raise second_deployment(existing.name, backend.deployment, bundle.deployment.name)
        raise EndpointConflict(
            f"Deployment {backend.deployment} of endpoint {existing.name} exists already.",
            remedy="Change it with `localep update`, or remove it with `localep delete`.",
        )
    if bundle.endpoint is not None:
        remedy = "Change it with `localep update`, or remove it with `localep delete`."
        if bundle.deployment is not None:
            remedy = "Create the deployment alone: leave the endpoint's file out."
        raise EndpointConflict(f"Endpoint {existing.name} exists already.", remedy=remedy)


def second_deployment(endpoint: str, present: str, refused: str) -> EndpointConflict:
    """Why an endpoint takes no second deployment."""
    return EndpointConflict(
        f"Endpoint {endpoint} has a deployment already.",
        cause=f"It is {present}; a local endpoint runs one deployment, so {refused} "
        "has no place beside it.",
        remedy=f"Remove {present} first (localep delete -n {endpoint} --deployment {present}), "
        f"or create {refused} under another endpoint's name with -n.",
    )


def _create_endpoint(
    place: Workplace,
    bundle: Bundle,
    plan: ContainerPlan | None,
    options: CreateOptions,
    undo: Undo,
) -> GatewayState:
    """Start gateway and deployment side by side: each takes the engine a while."""
    spec = bundle.endpoint or EndpointSpec(bundle.endpoint_name)
    base = ensure_base(place)
    begun = Operation("create", "Creating", plan.spec.name if plan else "")
    traffic = {} if options.all_traffic else spec.traffic
    fresh = new_state(
        spec.auth_mode,
        begun,
        allows_options=options.allows_options,
        is_direct=options.is_direct,
    )
    state = documents_to_store(fresh, bundle, traffic)
    place.join_network()
    place.reporter.status(f"Starting endpoint {spec.name}")
    with ThreadPoolExecutor(1) as beside:
        pending = beside.submit(
            start_gateway, place, spec.name, base.reference, state, options.host, options.port
        )
        started = start_deployment(place, plan) if plan is not None else None
        gateway = pending.result()
    place.engine.restart_always(gateway.container)
    if started is not None:
        return take_over(place, gateway, started, state, state, options.timeout, undo)
    gateway.send(runtime.SHOW_STATISTICS)  # it answers: HAProxy took its configuration
    done = state.after(Operation("create", "Succeeded"))
    gateway.save(done)
    return done


def _add_deployment(
    place: Workplace,
    existing: Endpoint[GatewayState],
    bundle: Bundle,
    plan: ContainerPlan,
    options: CreateOptions,
    undo: Undo,
) -> GatewayState:
    gateway = Gateway(place.engine, existing.gateway.identity, existing.address)
    begun = Operation("create", "Updating", plan.spec.name)  # of the endpoint, which is there
    traffic = {} if options.all_traffic else existing.state.traffic
    state = documents_to_store(existing.state.after(begun), bundle, traffic)
    place.reporter.status(f"Starting deployment {plan.spec.name}")
    with recorded_failure(gateway, existing.state, begun, undo):
        started = start_deployment(place, plan)
        gateway.save(existing.state.after(begun))
        return take_over(place, gateway, started, existing.state, state, options.timeout, undo)
