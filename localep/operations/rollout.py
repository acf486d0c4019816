"""Bringing a deployment up behind its gateway: start new, wait ready, switch, drain old."""

from __future__ import annotations

import secrets
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event
from typing import TYPE_CHECKING

from localep.engine.base import ContainerRequest, Mount
from localep.errors import EngineError, LocalepError
from localep.gateway import runtime
from localep.gateway.state import Backend, GatewayState
from localep.interrupts import held_back
from localep.operations import layout, names
from localep.operations.container_plan import ContainerPlan, container_request
from localep.operations.names import CARRIER_ROLE, network_alias
from localep.operations.readiness import Probe, wait_until_ready
from localep.operations.snapshot import files_below, reading

if TYPE_CHECKING:
    from localep.operations.gateways import Gateway
    from localep.operations.workplace import Undo, Workplace


@dataclass(frozen=True)
class Started:
    """A deployment's container that runs and takes no requests yet."""

    plan: ContainerPlan
    container: str
    revision: str


def start_deployment(place: Workplace, plan: ContainerPlan) -> Started:
    """Create a deployment's container, give it its code, and start it."""
    revision = secrets.token_hex(4)
    if plan.copies_model:
        _copy_model(place, plan, revision)
    container = place.create_container(container_request(place, plan, revision))
    place.engine.copy_in(container, "/", plan.snapshot.archive)
    place.start_container(container)
    return Started(plan, container, revision)


def take_over(
    place: Workplace,
    gateway: Gateway,
    started: Started,
    before: GatewayState,
    wanted: GatewayState,
    timeout: float,
    undo: Undo,
) -> GatewayState:
    """Wait for a started deployment, hand the requests to it, and remove the former one.

    ``before`` is the endpoint's state as it is; ``wanted`` has the documents and traffic that
    shall hold from now on; the state that then holds is returned. Raises DeploymentNotReady;
    the former deployment goes on as if nothing had been. ``undo`` is committed once the new one
    has taken over.
    """
    slot = runtime.other_slot(before.backend)
    alias = network_alias(started.revision)
    try:
        _make_ready(place, gateway, started, before.probe_token, slot, timeout)
    except LocalepError:
        with suppress(EngineError):  # the first error is the one to tell
            gateway.send(runtime.release(slot))
        raise
    succeeded = replace(wanted.operation, state="Succeeded")
    backend = backend_of(started.plan, started.container, alias, slot)
    changed = replace(wanted, backend=backend, operation=succeeded)
    statistics = ""
    try:
        # From the first request that the new one takes until the state is written, an
        # interrupt could leave neither of the two.
        with held_back():
            statistics = _switch(gateway, before, changed)
            undo.commit()
    finally:
        if undo.is_off and before.backend is not None:
            _retire(place, gateway, before.backend, statistics)
    return changed


def _make_ready(
    place: Workplace,
    gateway: Gateway,
    started: Started,
    probe_token: str,
    slot: str,
    timeout: float,
) -> None:
    """Wait until the server answers and the gateway knows where; takes no requests yet."""
    container = started.container
    address = _address(place, container)
    alias = network_alias(started.revision)
    gateway.send(runtime.prepare(slot, alias, address, layout.SERVER_PORT))
    given_up = Event()
    with ThreadPoolExecutor(1) as beside:
        try:
            known = beside.submit(gateway.wait_for_address, slot, address, given_up)
            probe = Probe(gateway.address, probe_token)
            script = started.plan.code.scoring_script
            wait_until_ready(place.engine, container, probe, timeout, script)
            place.engine.restart_always(container)
            known.result()
        finally:
            given_up.set()


def _switch(gateway: Gateway, before: GatewayState, changed: GatewayState) -> str:
    """Hand the requests over and write it down; HAProxy's statistics of that moment."""
    try:
        answer = gateway.send([*runtime.switch(changed), *runtime.SHOW_STATISTICS])
        gateway.save(changed)
    except EngineError:
        slot = runtime.other_slot(before.backend)
        with suppress(EngineError):  # the first error is the one to tell
            gateway.send(runtime.take_back(before, slot))
        raise
    return answer


def _retire(place: Workplace, gateway: Gateway, former: Backend, statistics: str) -> None:
    """Let a deployment's container answer what it has taken, then remove it."""
    try:
        try:
            if runtime.requests_in_flight(statistics, former.slot) != 0:
                gateway.drain(former.slot, former.request_timeout_ms)
        finally:
            with ThreadPoolExecutor(1) as beside:
                released = beside.submit(gateway.send, runtime.release(former.slot))
                remove_deployment(place, former.container)
        released.result()
    except EngineError as error:
        place.reporter.warn(
            "The new deployment is at work, but the former one's container could not be removed; "
            f"the next update does that. {error.message} {error.cause}"
        )


def remove_deployment(place: Workplace, identity: str) -> None:
    """Remove a deployment's container and, where it has one, the copy of its model."""
    container = place.engine.inspect_container(identity)
    place.engine.remove_container(identity)
    if container is not None:
        revision = container.labels[names.REVISION]
        for volume in place.engine.list_volumes(place.names.labels(revision=revision)):
            place.engine.remove_volume(volume)


def backend_of(plan: ContainerPlan, container: str, alias: str, slot: str) -> Backend:
    """The gateway's view of a deployment that runs in a container."""
    settings = plan.spec.request_settings
    return Backend(
        deployment=plan.spec.name,
        container=container,
        alias=alias,
        slot=slot,
        port=layout.SERVER_PORT,
        scoring_path=layout.SCORING_PATH,
        request_timeout_ms=settings.request_timeout_ms,
        max_concurrent_requests=settings.max_concurrent_requests_per_instance,
    )


def _address(place: Workplace, container: str) -> str:
    found = place.engine.inspect_container(container)
    return found.addresses.get(place.names.network, "") if found is not None else ""


def _copy_model(place: Workplace, plan: ContainerPlan, revision: str) -> None:
    """Put a copy of the model into a volume of its own, by way of a container that never runs."""
    model = plan.spec.model
    if model is None or model.path is None:
        return
    endpoint = plan.spec.endpoint_name
    volume = place.names.model_volume(endpoint, revision)
    place.engine.create_volume(volume, place.labels(endpoint=endpoint, revision=revision))
    carrier = place.create_container(
        ContainerRequest(
            name=f"{volume}-carrier",
            image=plan.image.reference,
            command=("true",),
            labels=place.labels(role=CARRIER_ROLE, endpoint=endpoint),
            network=place.names.network,
            mounts=(Mount(volume, "/model", is_volume=True, read_only=False),),
        )
    )
    with reading(model.path, "Check its permissions."), tempfile.TemporaryFile() as archive:
        with tarfile.open(fileobj=archive, mode="w", dereference=True) as tar:
            tar.add(model.path, arcname=model.path.name, recursive=False)
            for path, name in files_below(model.path) if model.path.is_dir() else ():
                tar.add(path, arcname=f"{model.path.name}/{name}", recursive=False)
        archive.seek(0)
        place.engine.copy_in(carrier, "/model", archive)
    place.engine.remove_container(carrier)
