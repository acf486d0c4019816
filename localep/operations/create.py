"""`create`: a new endpoint, its deployment, or both."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from localep.errors import EndpointConflict
from localep.gateway import runtime
from localep.gateway.config import GROUPS
from localep.gateway.state import Operation, new_state
from localep.operations.container_plan import (
    ContainerPlan,
    check_code,
    plan_container,
    served_by_its_image,
)
from localep.operations.endpoints import Endpoint, endpoint_after
from localep.operations.environments.base_image import ensure_base
from localep.operations.environments.image_facts import told_when_pulled
from localep.operations.environments.options import EnvironmentOptions
from localep.operations.environments.plans import ensure_environment
from localep.operations.gateways import (
    Gateway,
    GatewayPlan,
    recorded_failure,
    start_gateway,
)
from localep.operations.gpus.choice import plan_gpus
from localep.operations.gpus.ways import AUTO
from localep.operations.limits import LimitOptions, LimitPlan, limit
from localep.operations.no_code import completed, install_note
from localep.operations.recovery import at_work_on
from localep.operations.rollout import backend_of, start_deployment, take_over
from localep.operations.stored_documents import documents_to_store
from localep.operations.views import EndpointView, view_endpoint
from localep.spec.model import EndpointSpec

if TYPE_CHECKING:
    from localep.gateway.state import GatewayState
    from localep.operations.workplace import Undo, Workplace
    from localep.spec.loader import Bundle
    from localep.spec.model import DeploymentSpec

# In the place of a number of instances.
AS_IN_YAML = 0
DEFAULT_TIMEOUT = 300.0


@dataclass(frozen=True)
class CreateOptions:
    """What the command line says beside the documents.

    ``host`` and ``port`` are where the endpoint answers (a free port where it is None);
    ``instances`` is how many containers share the requests (AS_IN_YAML for as many as the YAML
    says, None for one), and ``limits`` what each of them may take of the machine; ``timeout`` is
    how many seconds the server may take to get ready; ``allows_options``, ``is_direct``,
    ``requires_key`` and ``payload_limit`` change what the front end lets through, see PublicState.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    timeout: float = DEFAULT_TIMEOUT
    all_traffic: bool = False
    copy_model: bool = False
    instances: int | None = None
    limits: LimitOptions = field(default_factory=LimitOptions)
    gpus: str = AUTO
    allows_options: bool = False
    is_direct: bool = False
    requires_key: bool = True
    payload_limit: int | None = None
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
            count = instances_wanted(options.instances, bundle.deployment, present=1)
            plan = plan_deployment(
                place,
                bundle.deployment,
                environment,
                options.copy_model,
                instances=count,
                limits=limit(place, bundle.deployment, options.limits),
                gpus=options.gpus,
            )
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
    *,
    instances: int = 1,
    limits: LimitPlan | None = None,
    gpus: str = AUTO,
) -> ContainerPlan:
    """See to the deployment's environment and settle what its container is."""
    asked, spec = spec, completed(spec)
    check_code(spec)
    begun = time.monotonic()
    with told_when_pulled(place, spec):
        image = ensure_environment(place, spec.environment, options.of(spec))
    note = install_note(asked, spec, time.monotonic() - begun) if image.built else None
    if note is not None:
        place.reporter.note(note)
    if image.has_own_server:
        spec = served_by_its_image(spec)
    must_copy = copy_model or not place.engine.info().is_local
    plan = plan_container(
        spec,
        image,
        copy_model=must_copy,
        instances=instances,
        limits=limits,
        gpus=plan_gpus(place.engine, gpus, spec, image.identity),
    )
    for warning in plan.snapshot.warnings if plan.snapshot is not None else ():
        place.reporter.warn(warning)
    return plan


def instances_wanted(asked: int | None, spec: DeploymentSpec, present: int) -> int:
    """How many instances to run; ``asked`` is 0 for what the YAML says, None for as many as now."""
    if asked == AS_IN_YAML:
        return max(spec.instance_count or 1, 1)
    return present if asked is None else asked


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
        requires_key=options.requires_key,
        payload_limit=options.payload_limit,
    )
    fresh = replace(fresh, places=plan.instances if plan else 1)
    state = documents_to_store(fresh, bundle, traffic)
    _warn_of_strangers(place, state, options.host)
    place.join_network()
    place.reporter.status(f"Starting endpoint {spec.name}")
    with ThreadPoolExecutor(1) as beside:
        expected = backend_of(plan, "", (), GROUPS[0]) if plan is not None else None
        front = GatewayPlan(spec.name, base.reference, state, options.host, options.port, expected)
        pending = beside.submit(start_gateway, place, front)
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
    let_through = _with_front_end(existing.state, options)
    state = documents_to_store(let_through.after(begun), bundle, traffic)
    place.reporter.status(f"Starting deployment {plan.spec.name}")
    with recorded_failure(gateway, existing.state, begun, undo):
        started = start_deployment(place, plan)
        gateway.save(existing.state.after(begun))
        return take_over(place, gateway, started, existing.state, state, options.timeout, undo)


def _with_front_end(state: GatewayState, options: CreateOptions) -> GatewayState:
    """The state of an endpoint that is there, with what the command line asks of its front end."""
    limit = options.payload_limit
    return replace(
        state,
        allows_options=state.allows_options or options.allows_options,
        is_direct=state.is_direct or options.is_direct,
        requires_key=state.requires_key and options.requires_key,
        payload_limit=state.payload_limit if limit is None else limit,
    )


def _warn_of_strangers(place: Workplace, state: GatewayState, host: str) -> None:
    is_open = state.is_direct or not state.requires_key
    if is_open and not ip_address(host).is_loopback:
        place.reporter.warn(
            f"Whoever reaches {host} may use the endpoint: it asks for no key there."
        )
