"""Bringing a deployment up behind its gateway: start new, wait ready, switch, drain old."""

from __future__ import annotations

import secrets
import tarfile
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
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
from localep.operations.snapshot import files_below

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
    container = place.engine.create_container(container_request(place, plan, revision))
    place.engine.copy_in(container, "/", plan.snapshot.archive)
    place.engine.start_container(container)
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
    """Wait for a started deployment and hand the requests to it.

    ``before`` is the endpoint's state as it is; ``wanted`` has the documents and traffic that
    shall hold from now on. Raises DeploymentNotReady; the former deployment then goes on as if
    nothing had been. ``undo`` is committed once the new one has taken over.
    """
    container, script = started.container, started.plan.code.scoring_script
    address = _address(place, container)
    slot = runtime.other_slot(before.backend)
    alias = network_alias(started.revision)
    gateway.send(runtime.prepare(slot, alias, address, layout.SERVER_PORT))
    try:
        probe = Probe(gateway.address, before.probe_token)
        wait_until_ready(place.engine, container, probe, timeout, script)
        gateway.wait_for_address(slot, address)
        place.engine.restart_always(container)
    except LocalepError:
        with suppress(EngineError):  # the first error is the one to tell
            gateway.send(runtime.release(slot))
        raise
    succeeded = replace(wanted.operation, state="Succeeded")
    backend = backend_of(started.plan, container, alias, slot)
    changed = replace(wanted, backend=backend, operation=succeeded)
    # From the first request that the new one takes until the state is written, an interrupt
    # could leave neither of the two.
    with held_back():
        try:
            gateway.send(runtime.switch(changed))
            gateway.save(changed)
        except EngineError:
            with suppress(EngineError):  # the first error is the one to tell
                gateway.send(runtime.take_back(before, slot))
            raise
        undo.commit()
    return changed


def retire(place: Workplace, gateway: Gateway, former: Backend) -> None:
    """Let a deployment's container answer what it has taken, then remove it."""
    try:
        gateway.drain(former)
        gateway.send(runtime.release(former.slot))
    finally:
        remove_deployment(place, former.container)


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
    carrier = place.engine.create_container(
        ContainerRequest(
            name=f"{volume}-carrier",
            image=plan.image.reference,
            command=("true",),
            labels=place.labels(role=CARRIER_ROLE, endpoint=endpoint),
            network=place.names.network,
            mounts=(Mount(volume, "/model", is_volume=True, read_only=False),),
        )
    )
    with tempfile.TemporaryFile() as archive:
        with tarfile.open(fileobj=archive, mode="w", dereference=True) as tar:
            tar.add(model.path, arcname=model.path.name, recursive=False)
            for path, name in files_below(model.path) if model.path.is_dir() else ():
                tar.add(path, arcname=f"{model.path.name}/{name}", recursive=False)
        archive.seek(0)
        place.engine.copy_in(carrier, "/model", archive)
    place.engine.remove_container(carrier)
